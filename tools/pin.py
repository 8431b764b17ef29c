"""Writes the pins: constraints.txt for pip, and the same list for uv in pyproject.toml.

Run it after a dependency was added (`uv run python tools/pin.py`: what is pinned stays as it is), or to move on to
newer versions (`--upgrade`). A lock file would do the same, but it carries the addresses of package hosts.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^constraint-dependencies = \[\n(?:  .*\n)*\]\n", re.MULTILINE)
HEADING = (
    "# Made by tools/pin.py: pip install -c constraints.txt -e '.[dev]'; the same list for uv is in pyproject.toml.\n"
)


def main() -> None:
    """Resolve in a copy, so that nothing is left in the checkout but the two lists."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions instead of keeping the pins")
    parser.add_argument("--print", action="store_true", dest="only_print", help="print both lists, write nothing")
    arguments = parser.parse_args()
    settings = (ROOT / "pyproject.toml").read_text()
    pins = resolve(BLOCK.sub("", settings) if arguments.upgrade else with_pins(settings, kept()))
    constraints = HEADING + "".join(f"{pin}\n" for pin in pins)
    if arguments.only_print:
        print(constraints + "\n" + block(pins), end="")
        return
    (ROOT / "constraints.txt").write_text(constraints)
    (ROOT / "pyproject.toml").write_text(with_pins(settings, pins))
    print(f"{len(pins)} distributions pinned")


def kept() -> list[str]:
    """What constraints.txt pins now."""
    path = ROOT / "constraints.txt"
    return [line for line in path.read_text().splitlines() if line and line[0] != "#"] if path.exists() else []


def block(pins: list[str]) -> str:
    """The list as pyproject.toml holds it."""
    return "constraint-dependencies = [\n" + "".join(f'  "{pin}",\n' for pin in pins) + "]\n"


def with_pins(settings: str, pins: list[str]) -> str:
    """pyproject.toml with this list in `[tool.uv]`."""
    made = block(pins)
    if BLOCK.search(settings):
        return BLOCK.sub(lambda _: made, settings)
    if "[tool.uv]\n" in settings:
        return settings.replace("[tool.uv]\n", f"[tool.uv]\n{made}", 1)
    why = "# The pins of constraints.txt for uv; tools/pin.py writes both."
    return f"{settings.rstrip()}\n\n[tool.uv]\n{why}\n{made}"


def resolve(settings: str) -> list[str]:
    """`name==version` of everything that the project needs, on every system and Python that it runs on."""
    with tempfile.TemporaryDirectory(prefix="regtui-pin-") as scratch:
        copy = Path(scratch)
        (copy / "pyproject.toml").write_text(settings)
        (copy / "regtui").mkdir()
        for name in ("README.md", "LICENSE", "regtui/__init__.py"):
            shutil.copyfile(ROOT / name, copy / name)
        subprocess.run(["uv", "lock", "--quiet"], cwd=copy, check=True)
        packages = tomllib.loads((copy / "uv.lock").read_text())["package"]
    found: dict[str, str] = {}
    for package in packages:
        if package["name"] != "regtui":
            # Where one version does not serve every Python, the oldest serves all that the project supports.
            version = package["version"]
            found[package["name"]] = min(found.get(package["name"], version), version, key=release)
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def release(version: str) -> list[int]:
    """A version as numbers, to compare."""
    return [int(part) for part in re.findall(r"\d+", version)]


if __name__ == "__main__":
    main()
