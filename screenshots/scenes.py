"""Where the app starts and which keys are pressed: for the pictures of the README and for the text goldens."""

from __future__ import annotations

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

    from regtui.ui.app import RegtuiApp

NOW: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
LENGTH: Final = 48
"""Characters of the sample's path, the same on every machine: the screen is laid out by it."""
MASK: Final = f"/{'·' * (LENGTH - 6)}/demo"
_NEXT: Final = "right_square_bracket"
_ZOOMED: Final = ("4", "z")


@dataclass(frozen=True)
class Scene:
    """`inside` is the place in the sample, None the list of registries; `keys` are pressed one by one.

    `picture` is the size of its picture in screenshots/, None for none; `write` lets plans be run; `until` is what the
    screen must show after the last key, for screens whose answer a worker goes on waiting for. `changed` starts it over
    a copy of the sample from which some tags were deleted, so that there is something to undo.
    """

    name: str
    inside: str | None
    keys: tuple[str, ...] = ()
    picture: tuple[int, int] | None = None
    theme: str | None = None
    write: bool = False
    until: str = ""
    changed: bool = False


SCENES: Final = (
    Scene("registries", None),
    Scene("explorer", "/shop/cart:1.4.2", ("d",), (120, 40)),
    Scene("layers", "/shop/cart:1.4.2", (_NEXT,), (120, 40)),
    Scene("files", "/shop/reports:0.4.0", (*_ZOOMED, _NEXT, _NEXT, "s"), (100, 32)),
    Scene("waste", "/shop/reports:0.4.0", (*_ZOOMED, _NEXT, _NEXT, "b", "b"), (120, 34)),
    Scene("file", "/shop/cart:1.4.2", (*_ZOOMED, _NEXT, _NEXT, "l", "l", "enter")),
    Scene("history", "/shop/cart:1.4.2", (*_ZOOMED, *([_NEXT] * 3))),
    Scene("trust", "/shop/cart:1.4.2", (*_ZOOMED, *([_NEXT] * 4)), (120, 32)),
    Scene("scan", "/shop/reports:0.4.0", (*_ZOOMED, *([_NEXT] * 5), "f"), (120, 32)),
    Scene("raw", "/shop/cart:1.4.2", ("y",), (120, 40)),
    Scene("filter", "/shop/cart", ("slash", "1", "full_stop", "4")),
    Scene("marks", "/shop/cart", ("space", "j", "space")),
    Scene("help", "/shop/cart", ("question_mark",), (120, 40)),
    Scene("go-to", "/shop/cart", ("o",), until="Go to a reference"),
    Scene("requests", "/shop/cart", ("exclamation_mark",)),
    Scene("registry-form", None, ("n",)),
    Scene("diff", "/shop/cart", ("j", "j", "space", "j", "j", "space", "equals_sign"), (120, 32)),
    Scene("usage", "/shop/cart", ("B",), (120, 32)),
    Scene(
        "delete-plan",
        "/shop/cart",
        ("space", "j", "j", "space", "j", "j", "space", "D"),
        (120, 32),
        write=True,
        until="frees",
    ),
    Scene("config", "/shop/cart:1.4.2", (*_ZOOMED, *([_NEXT] * 6))),
    Scene("document", "/shop/cart:1.4.2", (*_ZOOMED, *([_NEXT] * 4), "j", "enter"), until="[About]"),
    Scene("platforms", "/shop/cart:1.4.2", ("w",), until="linux/arm64"),
    Scene("retag", "/shop/cart", ("t",), write=True, until="tag"),
    Scene("pull", "/shop/cart", ("P",), until="archive"),
    Scene("retention", "/shop/cart", ("K",), write=True, until="keep"),
    Scene("doctor", "/shop/cart", ("H",), until="delete a tag"),
    Scene("themes", "/shop/cart", ("colon", *"theme", "enter")),
    Scene("undo", "/shop/cart", ("u",), (120, 32), write=True, until="byte for byte", changed=True),
    *(
        Scene(f"theme-{name}", "/shop/cart:1.4.2", (), (100, 26), theme=f"regtui-{name}")
        for name in ("dark", "light", "dusk", "contrast", "colourblind", "mono", "ansi")
    ),
    Scene("small-80x24", "/shop/cart:1.4.2", (), (80, 24)),
)


@contextmanager
def sample() -> Iterator[Path]:
    """The sample layout in a path of fixed length, and an environment that shows nothing of this machine."""
    from regtui.demo import build_demo

    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="rt") as scratch:
        folder = Path(scratch)
        for name in ("CONFIG_HOME", "CACHE_HOME", "STATE_HOME", "RUNTIME_DIR"):
            os.environ[f"XDG_{name}"] = str(folder / name.lower())
        os.environ["HOME"] = os.environ["DOCKER_CONFIG"] = str(folder / "home")
        for name in ("SSH_CONNECTION", "TMUX", "REGISTRY_AUTH_FILE", "REGTUI_CONFIG", "NO_COLOR", "REGTUI_USERNAME"):
            os.environ.pop(name, None)
        # The sample's versions are there to be deleted, so that only what else is protected by default is.
        settings = folder / "config_home" / "regtui" / "settings.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text('protected = ["latest", "stable", "prod*", "release*"]\n')
        layout = folder / "".ljust(LENGTH - len(f"{folder}//demo"), "p") / "demo"
        layout.parent.mkdir()
        try:
            build_demo(layout)
            _delete_some(layout)
            yield layout
        finally:
            os.environ.clear()
            os.environ.update(before)


def _changed(layout: Path) -> Path:
    return layout.parents[1] / ("c" * len(layout.parent.name)) / "demo"


def _delete_some(layout: Path) -> None:
    """Make the changed copy, with a journal that tells of it at a fixed time."""
    from regtui.cli.main import run
    from regtui.storage.journal import Journal

    copy = _changed(layout)
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
    for length in range(LENGTH, 12, -1):
        for path in (str(layout), str(_changed(layout))):
            text = text.replace(path[:length], MASK[:length]).replace(path[-length:], MASK[-length:])
    return text


def app_of(scene: Scene, layout: Path) -> RegtuiApp:
    """The app of a scene, not started."""
    from regtui.session import Session, SessionOptions, parse_target
    from regtui.ui.app import RegtuiApp

    place = _changed(layout) if scene.changed else layout
    target = None if scene.inside is None else parse_target(f"{place}{scene.inside}")
    return RegtuiApp(Session.start(SessionOptions(use_cache=False, write=scene.write)), target, now=NOW)


async def play(scene: Scene, pilot: Pilot[Any]) -> None:
    """Press the keys of a scene, each after all has come to rest."""
    from regtui.ui._textual import screen_text, settled
    from regtui.ui.theming import DEFAULT_THEME

    await settled(pilot)
    # Without a choice the theme follows what the terminal can show, which is not the same everywhere.
    pilot.app.theme = scene.theme or DEFAULT_THEME
    await settled(pilot)
    for key in scene.keys[:-1] if scene.until else scene.keys:
        await pilot.press(key)
        await settled(pilot)
    if scene.until:
        await pilot.press(scene.keys[-1])
        deadline = monotonic() + 20
        while scene.until not in screen_text(pilot.app):
            assert monotonic() < deadline, screen_text(pilot.app)
            await pilot.pause(0.01)
        await pilot.pause()
