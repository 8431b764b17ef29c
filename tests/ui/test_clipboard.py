"""The clipboard: tmux first, else the terminal; too much is refused in words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from textual.app import App

from regtui.ui.clipboard import LIMIT, copy_text

if TYPE_CHECKING:
    from pathlib import Path


class Listening(App[Any]):
    """Remembers what it was asked to copy."""

    def __init__(self) -> None:
        super().__init__()
        self.copied: list[str] = []

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)


@pytest.fixture
def fake_tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tmux on PATH that keeps what it is given; it fails when its folder holds a file named `broken`."""
    program = tmp_path / "tmux"
    program.write_text(
        '#!/bin/sh\nhere=$(dirname "$0")\n[ -e "$here/broken" ] && { echo "no server" >&2; exit 1; }\n'
        'echo "$@" > "$here/arguments"\ncat > "$here/buffer"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_outside_of_tmux_the_terminal_is_asked() -> None:
    app = Listening()
    assert copy_text(app, "shop/cart:1.4.2", {}) == "Asked the terminal to copy: shop/cart:1.4.2"
    assert app.copied == ["shop/cart:1.4.2"]


def test_inside_of_tmux_its_buffer_is_loaded(fake_tmux: Path) -> None:
    app = Listening()
    assert copy_text(app, "a\nb", {"TMUX": "/tmp/x,1,0"}) == r"Copied by way of tmux: a\nb"
    assert (fake_tmux / "buffer").read_text() == "a\nb"
    assert (fake_tmux / "arguments").read_text().split() == ["load-buffer", "-w", "-"]
    assert app.copied == []


def test_when_tmux_fails_the_terminal_is_asked_and_the_reason_told(fake_tmux: Path) -> None:
    (fake_tmux / "broken").touch()
    app = Listening()
    assert copy_text(app, "x", {"TMUX": "1"}) == "tmux refused (no server). Asked the terminal to copy: x"
    assert app.copied == ["x"]


def test_without_a_tmux_program_the_terminal_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    app = Listening()
    assert copy_text(app, "x", {"TMUX": "1"}) == "tmux is not on PATH. Asked the terminal to copy: x"


def test_too_much_is_refused() -> None:
    app = Listening()
    assert "Save it to a file" in copy_text(app, "ä" * (LIMIT // 2 + 1), {})
    assert app.copied == []


def test_what_is_shown_is_inert() -> None:
    assert copy_text(Listening(), "\x1b]0;x\x07", {}).isprintable()
