"""Where the app starts and which keys are pressed: for the pictures of the README and for the text goldens."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.pilot import Pilot

    from regtui.ui.app import RegtuiApp

NOW: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
LENGTH: Final = 48
"""Characters of the sample's path, the same on every machine: the screen is laid out by it."""
MASK: Final = "/demo".ljust(LENGTH, "·")
_NEXT: Final = "right_square_bracket"
_ZOOMED: Final = ("4", "z")


@dataclass(frozen=True)
class Scene:
    """`inside` is the place in the sample, None the list of registries; `keys` are pressed one by one.

    `picture` is the size of its picture in screenshots/, None for none; `write` lets plans be run; `asks` says that the
    last key opens a dialog whose answer a worker waits for.
    """

    name: str
    inside: str | None
    keys: tuple[str, ...] = ()
    picture: tuple[int, int] | None = None
    theme: str | None = None
    write: bool = False
    asks: bool = False


SCENES: Final = (
    Scene("registries", None),
    Scene("explorer", "/shop/cart:1.4.2", ("d",), (120, 40)),
    Scene("layers", "/shop/cart:1.4.2", (_NEXT,), (120, 40)),
    Scene("files", "/shop/reports:0.4.0", (*_ZOOMED, _NEXT, _NEXT, "s"), (100, 32)),
    Scene("history", "/shop/cart:1.4.2", (*_ZOOMED, *([_NEXT] * 3))),
    Scene("trust", "/shop/cart:1.4.2", (*_ZOOMED, *([_NEXT] * 4))),
    Scene("scan", "/shop/reports:0.4.0", (*_ZOOMED, *([_NEXT] * 5), "f")),
    Scene("raw", "/shop/cart:1.4.2", ("y",), (120, 40)),
    Scene("filter", "/shop/cart", ("slash", "1", "full_stop", "4")),
    Scene("marks", "/shop/cart", ("space", "j", "space")),
    Scene("help", "/shop/cart", ("question_mark",), (120, 40)),
    Scene("go-to", "/shop/cart", ("o",), asks=True),
    Scene("requests", "/shop/cart", ("exclamation_mark",)),
    Scene("registry-form", None, ("n",)),
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
        layout = folder / "".ljust(LENGTH - len(f"{folder}//demo"), "p") / "demo"
        layout.parent.mkdir()
        try:
            build_demo(layout)
            yield layout
        finally:
            os.environ.clear()
            os.environ.update(before)


def masked(text: str, layout: Path) -> str:
    """The same text without the path of the sample, also where the screen cuts it off."""
    path = str(layout)
    for length in range(len(path), 12, -1):
        text = text.replace(path[:length], MASK[:length])
    return text


def app_of(scene: Scene, layout: Path) -> RegtuiApp:
    """The app of a scene, not started."""
    from regtui.session import Session, SessionOptions, parse_target
    from regtui.ui.app import RegtuiApp

    target = None if scene.inside is None else parse_target(f"{layout}{scene.inside}")
    return RegtuiApp(Session.start(SessionOptions(use_cache=False, write=scene.write)), target, now=NOW)


async def play(scene: Scene, pilot: Pilot[Any]) -> None:
    """Press the keys of a scene, each after all has come to rest."""
    from regtui.ui._textual import settled

    await settled(pilot)
    if scene.theme is not None:
        pilot.app.theme = scene.theme
        await settled(pilot)
    keys = scene.keys[:-1] if scene.asks else scene.keys
    for key in keys:
        await pilot.press(key)
        await settled(pilot)
    if scene.asks:
        depth = len(pilot.app.screen_stack)
        await pilot.press(scene.keys[-1])
        for _ in range(100):
            await pilot.pause()
            if len(pilot.app.screen_stack) > depth:
                break
        await pilot.pause()
