"""Wheel and sdist, installed into clean environments: the program runs there with all that it ships."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run to the end; a failure shows what was said."""
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=os.environ | environ, capture_output=True, text=True, timeout=300,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def uv() -> str:
    """uv, which installs from its cache: nothing is fetched when the checkout's own environment was made with it."""
    found = shutil.which("uv")
    if found is None:
        pytest.skip("uv is not on this machine")
    return found


@pytest.fixture(scope="module")
def built(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with wheel and sdist; the wheel is built from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("source") / "regtui"
    ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "dist", "build", ".hypothesis")
    shutil.copytree(ROOT, source, ignore=ignored)
    run(uv, "build", "--out-dir", folder, source, cwd=folder)
    return folder


def test_what_is_shipped(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    themes = {f"regtui/themes/{file.name}" for file in (ROOT / "themes").glob("*.toml")}
    assert themes <= names
    assert any(name.endswith("/man1/regtui.1") for name in names)
    assert not any(name.startswith("tests/") for name in names)
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as opened_sdist:
        inside = {name.partition("/")[2] for name in opened_sdist.getnames()}
    assert {"README.md", "LICENSE", "tests/conftest.py", "docs/cli.md", "themes/regtui-dark.toml"} <= inside


@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_it_runs_from_a_clean_environment(uv: str, built: Path, tmp_path: Path, kind: str) -> None:
    (package,) = built.glob(kind)
    home = tmp_path / "home"
    home.mkdir()
    clean = {"HOME": str(home), "PYTHONPATH": "", "VIRTUAL_ENV": ""}
    run(uv, "venv", "--python", sys.executable, tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    pins = ROOT / "constraints.txt"
    run(uv, "pip", "install", "--python", python, "--constraint", pins, package, cwd=tmp_path)
    program = tmp_path / "env" / "bin" / "regtui"
    assert run(program, "--version", cwd=tmp_path, **clean).stdout.startswith("regtui ")
    run(program, "demo", "sample", "--generate-only", cwd=tmp_path, **clean)
    tags = run(program, "tags", "./sample/shop/cart", cwd=tmp_path, **clean).stdout
    assert "1.4.2" in tags
    themes = "from regtui.ui.theming import load_themes, theme_folders; print(len(load_themes(theme_folders())[0]))"
    assert int(run(python, "-c", themes, cwd=tmp_path, **clean).stdout) >= 6
    for shell in ("bash", "zsh", "fish"):
        assert "regtui" in run(program, "completion", shell, cwd=tmp_path, **clean).stdout
