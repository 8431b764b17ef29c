"""A registry that means harm: nothing of it reaches the terminal as an escape sequence or markup, nothing crashes."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

import pytest

from regtui.session import Session, SessionOptions, parse_target
from regtui.ui._textual import screen_text, settled
from regtui.ui.app import RegtuiApp
from tests.fakes.hostile import HOSTILE_TEXTS, TRAPS, HostileRegistry
from tests.ui.pty_harness import Terminal

if TYPE_CHECKING:
    from pathlib import Path

# What the app itself sends: cursor, colours, modes. An OSC, a C1 control or a bidi override is never among it.
FORBIDDEN = (b"\x1b]52", b"\x1b]8;", b"\x1b]2;", "\u202e".encode(), "\u200b".encode(), b"\xc2\x9b", b"\x00")


def session_for(host: str) -> Session:
    return Session.start(SessionOptions(use_cache=False, plain_http=frozenset({host})))


@pytest.mark.parametrize("trap", TRAPS)
async def test_no_trap_ends_the_app(trap: str) -> None:
    async with HostileRegistry() as registry:
        app = RegtuiApp(session_for(registry.host), parse_target(f"{registry.host}/{trap}:latest"))
        async with app.run_test(size=(120, 40)) as pilot:
            if trap == "endless":
                await settled_soon(pilot, lambda: app.screen.tags.model.known > 500)
                await pilot.press("ctrl+c")
            await settled(pilot, seconds=60)
            assert app.screen.faults == []
            assert app.is_running
            for key in ("right_square_bracket", "right_square_bracket", "y", "3", "2", "1"):
                await pilot.press(key)
            await settled(pilot, seconds=60)
            assert app.screen.faults == []
            text = screen_text(app)
            assert "\x1b" not in text
            assert "\u202e" not in text


async def settled_soon(pilot, until) -> None:
    """Wait for a condition while workers go on."""
    async with asyncio.timeout(30):
        while not until():
            await pilot.pause()


def test_the_terminal_sees_none_of_it(tmp_path: Path) -> None:
    """The whole program in a real terminal, driven through every pane over hostile names."""
    script = tmp_path / "serve.py"
    script.write_text(
        "import asyncio\n"
        "from tests.fakes.hostile import HostileRegistry\n"
        "from regtui.session import Session, SessionOptions, parse_target\n"
        "from regtui.ui.app import RegtuiApp\n"
        "async def main():\n"
        "    async with HostileRegistry() as registry:\n"
        "        options = SessionOptions(use_cache=False, plain_http=frozenset({registry.host}))\n"
        "        app = RegtuiApp(Session.start(options), parse_target(registry.host + '/names:latest'))\n"
        "        await app.run_async()\n"
        "asyncio.run(main())\n"
    )
    with Terminal(str(script), environ={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}) as terminal:
        terminal.wait_for(b"names:latest")
        for keys in (
            b"]",
            b"]",
            b"]",
            b"]",
            b"]",
            b"2",
            b"a",
            b"3",
            b"a",
            b"jjjj",
            b"/x1b",
            b"\r",
            b"?",
            b"\x1b",
            b"!",
        ):
            terminal.press(keys, seconds=5)
        seen = terminal.seen
    assert b"x1b" in seen, "the escape is shown, as text"
    start = seen.index(b"names:latest")
    for bad in FORBIDDEN:
        assert bad not in seen[start:], bad
    assert not re.search(rb"\x1b\[31mred", seen)


async def test_a_token_never_follows_a_redirect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.fakes.hostile import redirect
    from tests.fakes.serve import Reply, Server
    from tests.fakes.token_server import BasicRegistry, basic

    monkeypatch.setenv("REGTUI_USERNAME", "alice")
    monkeypatch.setenv("REGTUI_PASSWORD", "wonderland")
    async with (
        Server(lambda _: Reply(404)) as elsewhere,
        BasicRegistry(lambda seen: redirect(f"{elsewhere.base_url}{seen.target}")) as registry,
    ):
        monkeypatch.setenv("REGTUI_REGISTRY", registry.host)
        app = RegtuiApp(session_for(registry.host), parse_target(f"{registry.host}/app:1"))
        async with app.run_test() as pilot:
            await settled(pilot)
        assert any(seen.authorization == basic("alice", "wonderland") for seen in registry.seen)
        assert elsewhere.seen
        assert all(seen.authorization is None for seen in elsewhere.seen)


def test_the_texts_are_still_hostile() -> None:
    assert json.dumps(HOSTILE_TEXTS)
    assert any("\x1b]52" in text for text in HOSTILE_TEXTS)
