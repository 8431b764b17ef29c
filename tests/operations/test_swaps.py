"""Removing many tags of one repository at once leaves nothing behind in the registry's own list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.content import image

if TYPE_CHECKING:
    from tests.operations.conftest import Bench

pytestmark = pytest.mark.real
COUNT = 16


def fill(bench: Bench) -> dict[str, str]:
    """Tags that share nothing."""
    tags = [f"1.{number:02}" for number in range(COUNT)]
    return {tag: bench.uploader.push(bench.repository, image({"n": tag.encode()}), tag) for tag in tags}


@pytest.mark.parametrize("manifests", [False, True], ids=["untag", "whole"])
async def test_no_removed_tag_stays_listed(bench: Bench, *, manifests: bool) -> None:
    digests = fill(bench)
    gone = list(digests)[: COUNT // 2]
    run = await bench.run(await bench.plan(*gone, manifests=manifests))
    assert run.succeeded
    assert bench.tags() == {tag: digest for tag, digest in digests.items() if tag not in gone}


async def test_it_comes_back_whole(bench: Any) -> None:
    digests = fill(bench)
    run = await bench.run(await bench.plan(*list(digests)[: COUNT // 2]))
    assert (await bench.undo(run.entry)).succeeded
    assert bench.tags() == digests
