"""The program as a person sees it: in tmux at two sizes, and the bytes that it costs on a slow line."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from tests.servers.tools import require
from tests.ui.pty_harness import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]


class Tmux:
    """One tmux server of the test's own, with one window."""

    def __init__(self, folder: Path, size: tuple[int, int], *arguments: str, in_shell: bool = False) -> None:
        self._program = require("tmux")
        self._socket = str(folder / "tmux.sock")
        home = folder / "home"
        home.mkdir()
        environ = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
        environ |= {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
        command = shlex.join([sys.executable, "-m", "regtui", *arguments])
        self._environ = environ
        shell = "env PS1='shell> ' bash --norc -i"
        self._tmux("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), shell if in_shell else command)
        if in_shell:
            self.wait_for("shell>")
            self.keys("-l", command)
            self.keys("Enter")

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._program, "-f", "/dev/null", "-S", self._socket, *arguments],
            env=self._environ, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Press keys, as tmux names them."""
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p")

    def buffer(self) -> str:
        """What was copied last."""
        return self._tmux("show-buffer")

    def wait_for(self, text: str, seconds: float = 20.0, *, without: str = "\0") -> str:
        """Wait until the screen shows a text, and not another one; the screen. Raises AssertionError."""
        deadline = monotonic() + seconds
        while text not in (seen := self.screen()) or without in seen:
            assert monotonic() < deadline, f"{text!r} did not come:\n{seen}"
        return seen

    def ended(self, seconds: float = 10.0) -> bool:
        """Whether the program has left."""
        deadline = monotonic() + seconds
        while self._tmux("list-sessions"):
            if monotonic() > deadline:
                return False
        return True

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def stop(self) -> None:
        """End it."""
        self._tmux("kill-server")


@pytest.fixture
def tmux(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    size, *arguments = request.param
    window = Tmux(tmp_path, size, *(word.replace("DEMO", str(request.getfixturevalue("demo"))) for word in arguments))
    yield window
    window.stop()


@pytest.mark.real
@pytest.mark.parametrize("tmux", [((120, 40), "DEMO"), ((80, 24), "DEMO")], indirect=True, ids=["120x40", "80x24"])
def test_open_filter_drill_copy_quit(tmux: Tmux) -> None:
    tmux.wait_for("2 Repositories  15/15")
    tmux.keys("/")
    tmux.wait_for("\n /\n")
    tmux.keys("-l", "shop/cart")
    tmux.wait_for("1/15")
    tmux.keys("Enter")
    tmux.wait_for(" / filter ")
    tmux.keys("G")
    tmux.keys("Enter")
    tmux.wait_for("3 Tags  13/13")
    tmux.keys("/")
    tmux.wait_for("\n /\n")
    tmux.keys("-l", "1.4.2")
    tmux.wait_for("1/13")
    tmux.keys("Enter")
    tmux.wait_for(" / filter ")
    tmux.keys("Enter")
    tmux.wait_for("4 shop/cart:1.4.2")
    tmux.keys("]")
    tmux.wait_for("[Layers]")
    tmux.keys("C")
    tmux.wait_for("Copied by way of tmux")
    assert "/shop/cart@sha256:" in tmux.buffer()
    tmux.keys("q")
    tmux.keys("q")
    tmux.keys("q")
    tmux.keys("C-q")
    assert tmux.ended()


@pytest.mark.real
@pytest.mark.parametrize("tmux", [((120, 40), "DEMO/shop/cart:1.4.2")], indirect=True)
def test_opens_straight_at_an_image(tmux: Tmux) -> None:
    seen = tmux.wait_for("4 shop/cart:1.4.2")
    assert "[Overview]" in seen
    tmux.keys("q")
    assert tmux.ended(), "q quits where the command line led to"


def test_idle_is_silent_and_a_step_is_cheap(demo: Path, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "SSH_CONNECTION": "1 2 3 4"}
    with Terminal("-m", "regtui", f"{demo}/shop/web", environ=environ) as terminal:
        terminal.wait_for(b"2.1.1")
        terminal.settle()
        assert terminal.read(1.5) == b"", "idle writes nothing"
        terminal.press(b"1")
        # Textual draws the whole pane once more after its frame has changed colour; then come the plain steps.
        terminal.press(b"j")
        step = terminal.press(b"k")
        assert 0 < len(step) < 600, len(step)


@pytest.mark.real
def test_suspended_resumed_and_resized(tmp_path: Path, demo: Path) -> None:
    window = Tmux(tmp_path, (80, 24), str(demo), in_shell=True)
    try:
        window.wait_for("2 Repositories  15/15")
        window.keys("C-z")
        window.wait_for("Stopped")
        window.keys("-l", "fg")
        window.keys("Enter")
        window.wait_for("2 Repositories  15/15")
        window.resize(120, 40)
        window.wait_for("1 Registries  3/3")
        window.resize(50, 14)
        window.wait_for("2 Repositories  15/15", without="1 Registries")
        window.keys("q", "q")
        window.wait_for("shell>")
    finally:
        window.stop()
