"""The project's own files agree with one another and carry nothing of the machine they were written on."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import regtui

ROOT = Path(__file__).resolve().parents[1]
FIXED = ("pyproject.toml", "README.md", "regtui", "tests", "themes", "screenshots", "LICENSE", "CHANGELOG.md")
LOCK_FILES = {"uv.lock", "poetry.lock", "pdm.lock", "pixi.lock", "Pipfile.lock", "package-lock.json", "yarn.lock"}
# Written as labels, so that this file does not name them either.
INDEX_HOSTS = (
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("proxy", "golang", "org"),
    ("sum", "golang", "org"),
    ("npmjs", "org"),
    ("npmjs", "com"),
    ("crates", "io"),
    ("deb", "debian", "org"),
    ("security", "debian", "org"),
    ("repo1", "maven", "org"),
    ("repo", "maven", "apache", "org"),
)
# /root/.cache/pip is what pip leaves behind in the sample's images, where the goldens of the screens show it.
MACHINE_PATHS = (r"/wor[k]/(main|shared|\.library)\b", r"/root/\.(pyenv|config|local)\b", r"/root/\.cache\b(?!/pip )")


@cache
def files() -> tuple[Path, ...]:
    """What is committed or would be: git's own list, or in an unpacked release everything that is not hidden."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout.decode()
        found = [ROOT / name for name in listed.split("\0") if name]
    else:
        found = [
            path
            for path in ROOT.rglob("*")
            if not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(ROOT).parts)
        ]
    return tuple(path for path in found if path.is_file())


@cache
def texts() -> dict[str, str]:
    """Every text file's content by its path in the project."""
    found = {}
    for path in files():
        try:
            raw = path.read_bytes()
        except FileNotFoundError:  # another process may be writing here
            continue
        if b"\0" not in raw[:8192]:
            found[path.relative_to(ROOT).as_posix()] = raw.decode("utf-8", "replace")
    return found


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def where(pattern: str) -> list[str]:
    """The places in the project's text files that match, as path:line."""
    wanted = re.compile(pattern)
    return [
        f"{name}:{number}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if wanted.search(line)
    ]


def pins(lines: list[str]) -> dict[str, str]:
    """name → version of lines `name==version`; anything else is no pin."""
    found = {}
    for line in lines:
        match = re.fullmatch(r"([a-z0-9]+(?:-[a-z0-9]+)*)==([0-9][\w.+!]*)", line)
        assert match, f"not a pin of the form name==version: {line!r}"
        assert match[1] not in found, f"pinned twice: {match[1]}"
        found[match[1]] = match[2]
    return found


def constraints_file() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return pins([line for line in lines if line and not line.startswith("#")])


def needed(requirement: str, seen: dict[str, str] | None = None) -> dict[str, str]:
    """Every installed distribution that a requirement brings along, name → version."""
    seen = {} if seen is None else seen
    wanted = Requirement(requirement)
    name = canonicalize_name(wanted.name)
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return seen
    key = f"{name}[{','.join(sorted(wanted.extras))}]"
    if key in seen:
        return seen
    seen[key] = found.version
    for line in found.requires or ():
        marker = Requirement(line).marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
            needed(line, seen)
    return seen


def test_both_lists_of_pins_agree() -> None:
    assert pins(pyproject()["tool"]["uv"]["constraint-dependencies"]) == constraints_file()


def test_every_distribution_that_the_project_needs_is_pinned() -> None:
    installed = {name.partition("[")[0] for name in needed("regtui[dev]")} - {"regtui"}
    assert {"textual", "httpx", "pytest", "packaging"} <= installed
    assert installed - set(constraints_file()) == set()


def test_the_pins_satisfy_what_the_project_asks_for() -> None:
    pinned = constraints_file()
    project = pyproject()["project"]
    asked = [*project["dependencies"], *(line for lines in project["optional-dependencies"].values() for line in lines)]
    requirements = [Requirement(line) for line in asked]
    refused = [
        str(wanted)
        for wanted in requirements
        if wanted.name != "regtui" and pinned[canonicalize_name(wanted.name)] not in wanted.specifier
    ]
    assert refused == []


def test_no_lock_file_is_committed() -> None:
    assert [name for path in files() if (name := path.name) in LOCK_FILES or name.endswith(".lock")] == []


@pytest.mark.parametrize("labels", INDEX_HOSTS, ids=".".join)
def test_no_file_names_a_package_host(labels: tuple[str, ...]) -> None:
    assert where(r"\b" + r"\.".join(labels) + r"\b") == []


@pytest.mark.parametrize("pattern", MACHINE_PATHS)
def test_no_file_holds_a_path_of_one_machine(pattern: str) -> None:
    assert where(pattern) == []


def test_the_top_level_is_as_designed() -> None:
    """A folder without a committed file is not there in a fresh clone."""
    there = {path.relative_to(ROOT).parts[0] for path in files()}
    assert [name for name in FIXED if name not in there] == []


def test_the_version_stands_in_one_place() -> None:
    project = pyproject()
    assert "version" in project["project"]["dynamic"]
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"]["path"] == "regtui/__init__.py"
    assert [place.partition(":")[0] for place in where(r"^__version__\s*[:=]")] == ["regtui/__init__.py"]
    assert where(rf"(?i)\bregtui[ /]v?{re.escape(regtui.__version__)}\b") == []


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## {regtui.__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("command", ["uv run regtui demo", "uv run pytest"])
def test_the_readme_tells_how_to_start_and_how_to_test(command: str) -> None:
    assert command in (ROOT / "README.md").read_text()


def test_ci_runs_the_test_command_of_the_readme() -> None:
    lines = [line.strip() for line in (ROOT / ".ci" / "run").read_text().splitlines()]
    assert "uv run pytest" in lines


def test_the_licence_is_the_one_that_is_declared() -> None:
    assert pyproject()["project"]["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
