"""Progress: a line on a terminal, wiped at the end; nothing at all where nobody looks."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program


def on_a_terminal(program: Program, *arguments: str) -> tuple[int, str]:
    """Run with stderr on a terminal; the exit code and what that showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "regtui", *arguments], env=program.environ(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=theirs,
    ) as started:  # fmt: skip
        os.close(theirs)
        shown = bytearray()
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # Linux says so when the other side is closed
                break
            if not piece:
                break
            shown += piece
        code = started.wait(60)
    os.close(ours)
    return code, shown.decode()


@pytest.mark.parametrize(
    ("command", "word"), [("files", "layer"), ("diff", "layer"), ("usage", "tags"), ("extract", "files")]
)
def test_a_line_that_is_wiped(command: str, word: str, program: Program, demo: Path, tmp_path: Path) -> None:
    image = f"{demo}/shop/reports:0.4.0"
    more = {"diff": [f"{demo}/shop/cart:1.4.2"], "extract": ["/usr", str(tmp_path / "out")]}.get(command, [])
    target = str(demo) if command == "usage" else image
    code, shown = on_a_terminal(program, command, target, *more)
    assert code == 0
    line = next(part for part in shown.split("\r\x1b[K") if word in part)
    assert len(line.splitlines()[0]) < 80
    assert "\r\x1b[K" in shown[shown.rindex(line) :]
    silent = program.run("files", image)
    assert silent.stderr == ""
