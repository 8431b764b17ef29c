"""The manual page is the one that the parsers give."""

from __future__ import annotations

import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from regtui.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


def test_the_manual_page_is_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "manpage.py"))["page"]()
    assert (ROOT / "docs" / "man" / "regtui.1").read_text() == made, "run: uv run python tools/manpage.py"
    for name in COMMANDS:
        assert f".SS regtui {name}\n" in made


def test_man_can_read_it() -> None:
    if shutil.which("man") is None:
        pytest.skip("man is not on this machine")
    page = ROOT / "docs" / "man" / "regtui.1"
    read = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", str(page)], capture_output=True, text=True, timeout=60, check=True
    )
    assert read.stderr == ""
