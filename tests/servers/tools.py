"""Finds the programs that tests run, and decides between a skip and a failure when one is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PROGRAMS = {"registry-v3": "registry"}
"""Where the program's file name differs from the name by which tests ask for it."""


def tools_folder() -> Path:
    """Where built programs are cached: `$REGTUI_TOOLS/bin`, by default below the user's cache."""
    base = os.environ.get("REGTUI_TOOLS")
    if base:
        return Path(base) / "bin"
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "regtui-tools" / "bin"


def find(name: str) -> str | None:
    """The program's path, on PATH or in the tools folder; None when it is not on this machine."""
    program = PROGRAMS.get(name, name)
    return shutil.which(program) or shutil.which(program, path=str(tools_folder()))


def require(name: str) -> str:
    """The program's path; without it the test is skipped, or fails when REGTUI_REQUIRE_SERVERS names it."""
    found = find(name)
    if found is not None:
        return found
    wanted = {part.strip() for part in os.environ.get("REGTUI_REQUIRE_SERVERS", "").split(",")}
    if name in wanted:
        pytest.fail(f"{name} is required (REGTUI_REQUIRE_SERVERS) and is not on this machine", pytrace=False)
    pytest.skip(f"{name} is not on this machine")


def shared_folder() -> Path:
    """The folder of shared vectors and specifications beside the checkout; skips the test where there is none."""
    given = os.environ.get("REGTUI_SHARED")
    folder = Path(given) if given else Path(__file__).resolve().parents[3] / "shared"
    if not folder.is_dir():
        pytest.skip("the folder of shared vectors is not on this machine")
    return folder
