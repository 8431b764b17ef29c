"""The walk in a real terminal: mark five tags, D, read the plan, confirm, watch, u, restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers.content import image
from tests.ui.screens.test_terminal import Tmux

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.ui.changes.conftest import Shop

SIZES = [(120, 40), (80, 24)]


@pytest.fixture
def many(shop: Shop) -> Shop:
    """Twenty tags, each of its own, so that five are less than half."""
    for number in range(20):
        shop.push(f"1.{number:02}", content=image({"n": str(number).encode()}))
    return shop


@pytest.fixture
def tmux(tmp_path: Path, many: Shop, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    size, *words = request.param
    window = Tmux(tmp_path, size, *words, "--plain-http", many.host, f"{many.host}/{many.repository}")
    yield window
    window.stop()


@pytest.mark.real
@pytest.mark.parametrize("tmux", [(size, "--write") for size in SIZES], indirect=True, ids=["120x40", "80x24"])
def test_mark_five_read_confirm_watch_undo(tmux: Tmux, many: Shop) -> None:
    before = many.tags()
    tmux.wait_for("3 Tags  20/20")
    tmux.keys("Space", "Space", "Space", "Space", "Space")
    tmux.wait_for("5 marked")
    tmux.keys("D")
    seen = tmux.wait_for("nothing has been sent yet")
    assert f"{many.host}/{many.repository}" in seen
    assert "5 of 20 tags" in seen
    assert "[ Cancel ]" in seen
    assert seen.count("remove tag") == 5
    assert many.tags() == before
    tmux.keys("Right")
    tmux.wait_for("[ Apply ]")
    tmux.keys("Enter")
    tmux.wait_for("5 of 5 steps done")
    assert len(many.tags()) == 15
    tmux.keys("u")
    tmux.wait_for("Undo plan: 5 tags")
    tmux.keys("Right")
    tmux.wait_for("[ Apply ]")
    tmux.keys("Enter")
    tmux.wait_for("5 of 5 steps done")
    assert many.tags() == before, "every tag is on its digest again"
    tmux.keys("Escape")
    tmux.wait_for("Delete plan")
    tmux.keys("Escape")
    tmux.wait_for("3 Tags  20/20")
    tmux.keys("u")
    tmux.wait_for("undone")
    tmux.keys("q")
    tmux.wait_for("3 Tags  20/20")
    tmux.keys("q")
    assert tmux.ended()


@pytest.mark.real
@pytest.mark.parametrize("tmux", [((80, 24),)], indirect=True)
def test_read_only_is_a_preview(tmux: Tmux, many: Shop) -> None:
    before = many.tags()
    tmux.wait_for("3 Tags  20/20")
    tmux.keys("D")
    seen = tmux.wait_for("is read-only here")
    assert "--write" in seen
    tmux.keys("Right")
    tmux.wait_for("[ Save plan as JSON ]")
    tmux.keys("Escape")
    tmux.wait_for("3 Tags  20/20")
    assert many.tags() == before
