"""Draws the pictures of the README from the real app over the demo: `uv run python screenshots/make.py [NAME…]`."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from screenshots.playing import Scene, app_of, masked, play, sample  # noqa: E402 - after the path above
from screenshots.scenes import SCENES  # noqa: E402


async def draw(scene: Scene, layout: Path) -> str:
    """The SVG of one scene."""
    app = app_of(scene, layout)
    async with app.run_test(size=scene.picture or (120, 40), notifications=True) as pilot:
        await play(scene, pilot)
        svg = app.export_screenshot(title=f"regtui {(scene.inside or '').strip('/')}".strip())
    # Class names and ids carry a number that differs from run to run.
    return masked(re.sub(r"terminal-\d+", f"terminal-{scene.name}", svg), layout)


def render_all(wanted: set[str] | None = None) -> dict[str, str]:
    """Every picture, by name."""
    with sample() as layout:
        chosen = [scene for scene in SCENES if scene.picture and (wanted is None or scene.name in wanted)]
        return {scene.name: asyncio.run(draw(scene, layout)) for scene in chosen}


if __name__ == "__main__":
    for name, svg in render_all(set(sys.argv[1:]) or None).items():
        (HERE / f"{name}.svg").write_text(svg)
        sys.stdout.write(f"{name}.svg\n")
