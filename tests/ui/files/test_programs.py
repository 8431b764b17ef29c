"""Pager and editor: which one, and that a file can't make them run anything."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from regtui.ui.files.programs import program, run_over_copy

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOTE = "import os, pathlib, sys; f = pathlib.Path(sys.argv[-1]); pathlib.Path(sys.argv[1]).write_text(repr([f.name, "
NOTE += "f.read_bytes(), oct(f.stat().st_mode & 0o777), oct(f.parent.stat().st_mode & 0o777), "
NOTE += "os.environ.get('LESSOPEN'), os.environ.get('LESSSECURE')]))"


def test_the_persons_own_comes_first() -> None:
    assert program("pager", {"PAGER": f"{sys.executable} -u"}) == [sys.executable, "-u"]
    assert program("editor", {"VISUAL": sys.executable, "EDITOR": "/none"}) == [sys.executable]
    assert program("editor", {"VISUAL": "/none/there", "EDITOR": sys.executable}) == [sys.executable]


def test_a_copy_is_private_plainly_named_and_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESSOPEN", "|run %s")
    noted = tmp_path / "noted"
    problem = run_over_copy([sys.executable, "-c", NOTE, str(noted)], "-r; $(x)\x1b.conf", b"content")
    assert problem is None
    name, data, mode, folder, lessopen, secure = eval(noted.read_text())
    assert name == "r____x__.conf"
    assert (data, mode, folder) == (b"content", "0o400", "0o700")
    assert (lessopen, secure) == (None, "1")


def test_what_went_wrong_is_one_sentence() -> None:
    assert "ended with code 3" in str(run_over_copy([sys.executable, "-c", "raise SystemExit(3)"], "a", b""))
    assert "could not be started" in str(run_over_copy(["/none/there"], "a", b""))
