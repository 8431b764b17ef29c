"""What the images of the corpus are made of, layer by layer. Each step changes a root file system."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Recipe:
    """An image: `version` changes with its content, `programs` must be on the machine, `layers` are name and step."""

    name: str
    version: int
    programs: tuple[str, ...]
    layers: tuple[tuple[str, Callable[[Path], None]], ...]


def run(command: Sequence[str], cwd: Path | None = None, **environ: str) -> None:
    """Run a program to its end. Raises CalledProcessError with what it said."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        command, cwd=cwd, env=own | environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:6])} … failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def base(root: Path) -> None:
    """A minimal Debian, with the caches that its tools leave behind."""
    run(["debootstrap", "--variant=minbase", "bookworm", str(root)])


def apt(*packages: str) -> Callable[[Path], None]:
    """Debian packages installed inside of the root file system, with apt's caches."""

    def install(root: Path) -> None:
        with _online(root):
            quiet = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
            run(["chroot", str(root), "apt-get", "update", "-q"], **quiet)
            run(["chroot", str(root), "apt-get", "install", "-qy", "--no-install-recommends", *packages], **quiet)

    return install


@contextmanager
def _online(root: Path) -> Iterator[None]:
    """The machine's resolver inside, and no services started, for as long as a client runs there."""
    resolver, policy = root / "etc/resolv.conf", root / "usr/sbin/policy-rc.d"
    before = resolver.read_bytes() if resolver.exists() else None
    shutil.copyfile("/etc/resolv.conf", resolver)
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()
        if before is None:
            resolver.unlink()
        else:
            resolver.write_bytes(before)


def pip(*packages: str) -> Callable[[Path], None]:
    """Python packages as their client installs them, compiled, in Debian's place for them."""

    def install(root: Path) -> None:
        place = root / "usr/local/lib/python3.11/dist-packages"
        place.mkdir(parents=True, exist_ok=True)
        run(
            [
                "uv", "pip", "install", "--quiet", "--target", str(place), "--link-mode=copy",
                "--python-version=3.11", "--python-platform=x86_64-manylinux_2_28", "--only-binary=:all:",
                "--compile-bytecode", *packages,
            ]
        )  # fmt: skip

    return install


def npm(*packages: str) -> Callable[[Path], None]:
    """JavaScript packages as their client installs them."""

    def install(root: Path) -> None:
        place = root / "srv/web"
        place.mkdir(parents=True)
        (place / "package.json").write_text('{"name": "web", "version": "1.0.0", "private": true}\n')
        run(
            ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps", *packages],
            cwd=place,
            npm_config_cache=str(root.parent / "npm-cache"),
        )
        shutil.rmtree(root.parent / "npm-cache", ignore_errors=True)

    return install


def prune(root: Path) -> None:
    """What a cleaning layer does: removals that hide bytes, and changes of mode that copy files."""
    for name in ("usr/share/doc", "var/cache/apt/archives", "var/lib/apt/lists"):
        for path in list((root / name).iterdir())[:700]:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    for path in islice(sorted((root / "usr/bin").iterdir()), 100):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o500)
    (root / "usr/lib/x86_64-linux-gnu/libc.so.6").chmod(0o700)


DEBIAN = Recipe(
    "debian",
    1,
    ("debootstrap", "umoci", "npm", "chroot"),
    (
        ("debootstrap", base),
        ("apt-get install", apt("golang-1.19-src", "libboost1.74-dev", "manpages-dev", "python3-minimal")),
        ("pip install", pip("numpy", "django", "boto3")),
        ("npm install", npm("typescript", "eslint", "express")),
        ("prune", prune),
    ),
)
"""More than 30,000 files from the three kinds of package managers; about a minute and 300 MB of downloads."""

LARGE = Recipe(
    "large",
    1,
    ("debootstrap", "umoci", "npm", "chroot"),
    (
        ("debootstrap", base),
        ("apt-get install", apt("python3-minimal", "python3-pip")),
        ("pip install", pip("numpy", "scipy", "boto3", "pandas")),
        ("apt-get install", apt("build-essential", "nodejs", "npm", "python3-dev", "git", "cmake")),
        (
            "pip install",
            pip(
                "ansible", "sympy", "scikit-learn", "matplotlib", "django", "google-api-python-client",
                "azure-mgmt-compute", "azure-mgmt-network", "azure-mgmt-web", "azure-mgmt-sql", "azure-mgmt-storage",
                "azure-mgmt-resource", "kubernetes", "sqlalchemy", "botocore", "statsmodels", "networkx",
            ),
        ),
        (
            "npm install",
            npm(
                "typescript", "webpack", "eslint", "jest", "react-scripts", "@angular/core", "@angular/compiler",
                "@mui/material", "@mui/icons-material", "@mui/lab", "lodash", "date-fns", "rxjs", "antd", "core-js",
                "aws-sdk", "@fortawesome/free-solid-svg-icons", "lucide-react", "@babel/preset-env", "storybook",
            ),
        ),
        ("prune", prune),
    ),
)  # fmt: skip
"""More than 2 GB and 200,000 entries: what the benchmarks read."""

RECIPES = {recipe.name: recipe for recipe in (DEBIAN, LARGE)}
