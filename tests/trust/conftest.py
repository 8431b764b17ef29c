"""Shared by the trust tests: where the vectors lie, and the tools that a test may need."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def shared_folder() -> Path | None:
    """The folder of shared documents and vectors beside the checkout, None where there is none."""
    named = os.environ.get("REGTUI_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared"
    return folder if (folder / "vectors" / "vectors.json").is_file() else None


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "vectors(*kinds): run once per shared vector of these kinds")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test marked `vectors("notation")` each vector of that kind as its argument `vector`."""
    marker = metafunc.definition.get_closest_marker("vectors")
    if marker is None:
        return
    folder = shared_folder()
    if folder is None:
        skip = pytest.mark.skip(reason="the shared vectors are not on this machine")
        metafunc.parametrize("vector", [pytest.param(None, marks=skip)])
        return
    listed = json.loads((folder / "vectors" / "vectors.json").read_bytes())["vectors"]
    chosen: list[Any] = [pytest.param(one, id=one["id"]) for one in listed if one["kind"] in marker.args]
    metafunc.parametrize("vector", chosen)


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Finds a command on PATH or in the tools folder; the test is skipped where it is missing."""

    def find(name: str) -> str:
        found = _find_tool(name)
        if found is None:
            pytest.skip(f"{name} is not on this machine")
        return found

    return find


def _find_tool(name: str) -> str | None:
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(os.environ.get("REGTUI_TOOLS") or Path(cache) / "regtui-tools") / "bin"
    return shutil.which(name) or shutil.which(name, path=str(folder))


@pytest.fixture
def vector_folder() -> Path:
    """The folder of vectors."""
    folder = shared_folder()
    if folder is None:
        pytest.skip("the shared vectors are not on this machine")
    return folder / "vectors"
