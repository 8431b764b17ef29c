"""Inside an image in a real terminal: what a key costs in bytes, and a walk in tmux at two sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ui.pty_harness import Terminal
from tests.ui.screens.test_terminal import Tmux

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEP, PAGE = 600, 9_000
CART = "shop/cart:1.4.2"


def test_a_step_among_files_is_cheap_and_idle_is_silent(demo: Path, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "SSH_CONNECTION": "1 2 3 4"}
    with Terminal("-m", "regtui", f"{demo}/{CART}", environ=environ) as terminal:
        terminal.wait_for(b"4 shop/cart:1.4.2")
        terminal.settle()
        terminal.press(b"]")
        terminal.press(b"]")
        terminal.wait_for(b"unpacked")
        terminal.settle()
        assert terminal.read(1.5) == b"", "idle writes nothing"
        terminal.press(b"j")
        for key in (b"j", b"k", b"j"):
            assert 0 < len(terminal.press(key)) < STEP
        assert 0 < len(terminal.press(b"\x1b[6~")) < PAGE


@pytest.fixture(params=[(120, 40), (80, 24)], ids=["120x40", "80x24"])
def tmux(tmp_path: Path, demo: Path, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    window = Tmux(tmp_path, request.param, f"{demo}/{CART}")
    yield window
    window.stop()


@pytest.mark.real
def test_read_an_image_open_a_file_see_its_waste_and_compare(tmux: Tmux) -> None:
    tmux.wait_for("4 shop/cart:1.4.2")
    tmux.keys("]")
    tmux.wait_for("[Layers]")
    tmux.keys("]")
    tmux.wait_for("unpacked")
    tmux.keys("/")
    tmux.wait_for("\n /\n")
    tmux.keys("-l", "__init__")
    tmux.wait_for("__init__.py")
    tmux.keys("Enter")
    tmux.wait_for(" / filter ")
    tmux.keys("G")
    tmux.keys("k")
    tmux.keys("g")
    tmux.keys("j")
    tmux.keys("j")
    tmux.keys("Enter")
    tmux.wait_for("in 1 request")
    tmux.keys("x")
    tmux.wait_for("00000000  ")
    tmux.keys("q")
    tmux.wait_for("[Files]")
    tmux.keys("b")
    tmux.wait_for("hidden by whiteouts")
    tmux.keys("b")
    tmux.wait_for("[By layer]")
    tmux.keys("b")
    tmux.wait_for("no package:")
    tmux.keys("=")
    tmux.wait_for("with another tag or image")
    tmux.keys("End")
    tmux.keys("Enter")
    tmux.wait_for("any reference")
    tmux.keys("-l", ":1.4.1")
    tmux.keys("Enter")
    tmux.wait_for("shop/cart:1.4.2 linux/amd64 → shop/cart:1.4.1")
    tmux.wait_for("packages")
    tmux.keys("q")
    tmux.wait_for("[Files]")
