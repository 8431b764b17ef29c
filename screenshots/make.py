"""Draws the pictures of the README from the real app over the demo: `uv run python screenshots/make.py`."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Picture:
    """One picture: where the app starts, the size, and the keys to press."""

    name: str
    inside: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()


PICTURES = (
    Picture("explorer", "/shop/cart:1.4.2", (120, 40), ("d",)),
    Picture("layers", "/shop/cart:1.4.2", (120, 40), ("right_square_bracket",)),
    Picture("files", "/shop/reports:0.4.0", (100, 32), ("4", "z", *(("right_square_bracket",) * 2), "s")),
    Picture("raw", "/shop/cart:1.4.2", (120, 40), ("y",)),
    Picture("help", "/shop/cart", (120, 40), ("question_mark",)),
    Picture("small-80x24", "/shop/cart:1.4.2", (80, 24), ()),
)


async def draw(picture: Picture, demo: Path) -> str:
    """The SVG of one picture."""
    from regtui.session import Session, SessionOptions, parse_target
    from regtui.ui._textual import settled
    from regtui.ui.app import RegtuiApp

    target = parse_target(f"{demo}{picture.inside}")
    app = RegtuiApp(Session.start(SessionOptions(use_cache=False)), target, now=NOW)
    async with app.run_test(size=picture.size) as pilot:
        await settled(pilot)
        for key in picture.keys:
            await pilot.press(key)
            await settled(pilot)
        svg = app.export_screenshot(title=f"regtui {picture.inside.strip('/')}")
    # Class names and ids carry a number that differs from run to run.
    return re.sub(r"terminal-\d+", f"terminal-{picture.name}", svg).replace(str(demo), "demo")


def isolated(folder: Path) -> None:
    """The pictures must not show what is on this machine."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "HOME", "DOCKER_CONFIG"):
        os.environ[name] = str(folder / name.lower())
    for name in ("SSH_CONNECTION", "TMUX", "REGISTRY_AUTH_FILE", "REGTUI_CONFIG", "NO_COLOR"):
        os.environ.pop(name, None)


def render_all(wanted: set[str] | None = None) -> dict[str, str]:
    """Every picture, by name."""
    from regtui.demo import build_demo

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        isolated(folder)
        # A short fixed-looking name: the path of the layout is part of the picture.
        os.chdir(folder)
        build_demo(folder / "demo")
        chosen = [picture for picture in PICTURES if wanted is None or picture.name in wanted]
        return {picture.name: asyncio.run(draw(picture, folder / "demo")) for picture in chosen}


if __name__ == "__main__":
    for name, svg in render_all(set(sys.argv[1:]) or None).items():
        (HERE / f"{name}.svg").write_text(svg)
        sys.stdout.write(f"{name}.svg\n")
