"""Plays a scene: the sample that it starts over, the app, its keys one by one. What scenes there are: scenes.py."""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import tempfile
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.pilot import Pilot

    from regtui.session import Session
    from regtui.ui.app import RegtuiApp

NOW: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
LENGTH: Final = 48
"""Characters of the sample's path, the same on every machine: the screen is laid out by it."""
MASK: Final = f"/{'·' * (LENGTH - 6)}/demo"
_OTHERS: Final = (
    "SSH_CONNECTION", "TMUX", "REGISTRY_AUTH_FILE", "REGTUI_CONFIG", "NO_COLOR", "REGTUI_USERNAME", "PAGER", "EDITOR",
    "VISUAL",
)  # fmt: skip
"""Variables that would let a screen show something of this machine."""
PATIENCE: Final = 20.0
"""Seconds after which a screen that does not come is given up."""


class Typed(str):
    """A step of a scene: this text is pasted where the cursor is. `{place}` is the path of the sample."""

    __slots__ = ()


class Shown(str):
    """A step of a scene: this text must be on the screen before the next key, where a timer or a thread brings it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """`inside` is the place in the sample, None the list of registries; `keys` are pressed one by one.

    `picture` is the size of its picture in screenshots/, None for none; `write` lets plans be run; `until` is what the
    screen must show at the end, where a timer or a thread brings it. `changed` starts over a copy of the sample from
    which some tags were deleted, so that there is something to undo; `fresh` over a copy of its own, to change it.
    `held` is for what would be over at once: an extraction that comes no further.
    """

    name: str
    inside: str | None
    keys: tuple[str, ...] = ()
    picture: tuple[int, int] | None = None
    theme: str | None = None
    write: bool = False
    until: str = ""
    changed: bool = False
    fresh: bool = False
    held: bool = False


@contextmanager
def sample() -> Iterator[Path]:
    """The sample layout in a path of fixed length, and an environment that shows nothing of this machine."""
    from regtui.demo import build_demo

    before, here = dict(os.environ), Path.cwd()
    with tempfile.TemporaryDirectory(prefix="rt") as scratch:
        folder = Path(scratch)
        for name in ("CONFIG_HOME", "CACHE_HOME", "STATE_HOME", "RUNTIME_DIR"):
            os.environ[f"XDG_{name}"] = str(folder / name.lower())
        os.environ["HOME"] = os.environ["DOCKER_CONFIG"] = str(folder / "home")
        # No scanner, pager or editor of this machine.
        os.environ["PATH"] = str(folder / "bin")
        for name in _OTHERS:
            os.environ.pop(name, None)
        # The sample's versions are there to be deleted, so that only what else is protected by default is.
        settings = folder / "config_home" / "regtui" / "settings.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text('protected = ["latest", "stable", "prod*", "release*"]\n')
        layout = _place(folder, "p")
        layout.parent.mkdir()
        try:
            build_demo(layout)
            _delete_some(layout)
            yield layout
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(before)


def _place(folder: Path, letter: str) -> Path:
    return folder / "".ljust(LENGTH - len(f"{folder}//demo"), letter) / "demo"


def _delete_some(layout: Path) -> None:
    """Make the changed copy, with a journal that tells of it at a fixed time."""
    from regtui.cli.main import run
    from regtui.storage.journal import Journal

    copy = _place(layout.parents[1], "c")
    shutil.copytree(layout, copy)
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        tags = [f"{copy}/shop/cart:{tag}" for tag in ("1.3.9", "1.4.0-rc.1", "pr-482")]
        code = run(["delete", *tags, "--write", "--yes"])
    assert code == 0, said.getvalue()
    (entry,) = Journal().entries()
    fixed = f"{NOW - timedelta(minutes=12):%Y%m%dT%H%M%S}-0c0ffee0"
    told = entry.path.read_text().replace(entry.id, fixed)
    entry.path.write_text(
        re.sub(rf"{entry.begun:%Y-%m-%d}T[0-9:.]+", f"{NOW - timedelta(minutes=12):%Y-%m-%dT%H:%M:%S}", told)
    )
    entry.path.rename(entry.path.with_name(entry.path.name.replace(entry.id, fixed)))


def masked(text: str, layout: Path) -> str:
    """The same text without the path of the sample, also where the screen cuts it off."""
    for length in range(LENGTH, 6, -1):
        for path in (str(_place(layout.parents[1], letter)) for letter in "pcfw"):
            if length > 12:  # a shorter beginning stands in other paths, too
                text = text.replace(path[:length], MASK[:length])
            text = text.replace(path[-length:], MASK[-length:])
    # An entry of the journal that a scene makes is named by the moment and by chance.
    return re.sub(r"\d{8}T\d{6}-(?!0c0ffee0)[0-9a-f]{8}", f"{NOW:%Y%m%dT%H%M%S}-00000000", text)


def app_of(scene: Scene, layout: Path) -> RegtuiApp:
    """The app of a scene, not started. It works in an empty folder; only what was changed before has a journal."""
    from regtui.session import Session, SessionOptions, parse_target
    from regtui.ui.app import RegtuiApp

    folder = layout.parents[1]
    own = _place(folder, "w")
    shutil.rmtree(own.parent, ignore_errors=True)
    own.mkdir(parents=True)
    os.chdir(own)
    os.environ["XDG_STATE_HOME"] = str(folder / "state_home" if scene.changed else own.parent / "state")
    place = _place(folder, "c" if scene.changed else "f" if scene.fresh else "p")
    if scene.fresh:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(layout, place)
    target = None if scene.inside is None else parse_target(f"{place}{scene.inside}")
    session = Session.start(SessionOptions(use_cache=False, write=scene.write))
    if scene.held:
        _hold(session)
    app = RegtuiApp(session, target, now=NOW)
    # What is told for some seconds only must still be there on a busy machine.
    app.NOTIFICATION_TIMEOUT = 600  # type: ignore[misc]  # Textual reads it from the app
    return app


def _hold(session: Session) -> None:
    """Extractions begin, and go no further than their first file."""
    make: Any = session.image_files

    def image_files(contents: Any) -> Any:
        from regtui.contents.extract import Extracted

        files = make(contents)

        async def extract(*_: Any, progress: Any, **__: Any) -> None:
            progress(Extracted(files=1, bytes=4_096))
            await asyncio.Event().wait()

        files.extract = extract
        return files

    session.image_files = image_files  # type: ignore[method-assign]


def _noting_questions(app: RegtuiApp) -> list[Any]:
    """The screens whose answer a worker waits for, those that were answered as well."""
    asked: list[Any] = []
    ask = app.push_screen_wait

    async def push_screen_wait(screen: Any, **options: Any) -> Any:
        asked.append(screen)
        return await ask(screen, **options)

    app.push_screen_wait = push_screen_wait  # type: ignore[assignment,method-assign]
    return asked


async def play(scene: Scene, pilot: Pilot[Any]) -> None:
    """Press the keys of a scene, each after all has come to rest: then no worker runs but for an answer's sake."""
    from regtui.ui.theming import DEFAULT_THEME

    asked = _noting_questions(pilot.app)  # type: ignore[arg-type]  # the app of app_of
    await _rest(pilot, asked)
    # Without a choice the theme follows what the terminal can show, which is not the same everywhere.
    pilot.app.theme = scene.theme or DEFAULT_THEME
    await _rest(pilot, asked)
    *steps, last = (*scene.keys, Shown(scene.until))
    for number, step in enumerate(steps):
        if isinstance(step, Shown):
            await _rest(pilot, asked, step)
        else:
            await _take(step, pilot)
            if number < len(steps) - 1 or not scene.held:
                await _rest(pilot, asked)
    await _rest(pilot, asked, last, held=scene.held)


async def _rest(pilot: Pilot[Any], asked: list[Any], wanted: str = "", *, held: bool = False) -> None:
    """Wait until all has come to rest and `wanted` is on the screen; `held` is for what never comes to rest."""
    from regtui.ui._textual import screen_text

    deadline = monotonic() + PATIENCE
    while True:
        await pilot.pause()
        app = pilot.app
        running = sum(not worker.is_finished for worker in app.workers)
        open_questions = sum(screen in app.screen_stack for screen in asked)
        if (held or running <= open_questions) and (not wanted or wanted in screen_text(app)):
            return
        assert monotonic() < deadline, f"{wanted or 'rest'} did not come:\n{screen_text(app)}"
        await pilot.pause(0.005)


async def _take(step: str, pilot: Pilot[Any]) -> None:
    from textual.events import Paste

    if not isinstance(step, Typed):
        await pilot.press(step)
        return
    target = getattr(pilot.app, "target", None)
    pilot.app.post_message(Paste(step.replace("{place}", target.host if target is not None else "")))
    await pilot.pause()
