"""Registries that mean harm: every call ends, with an error of ours or with what can be trusted, and in bounds."""

from __future__ import annotations

import asyncio

import pytest

from regtui.oci import Descriptor, Digest, InvalidManifest, RegtuiError, parse_config
from regtui.oci.reference import is_repository_path, is_tag
from regtui.registries.distribution import DistributionRegistry
from regtui.transport.errors import BadAnswer, RegistryError
from regtui.transport.patience import Patience
from tests.fakes.hostile import HOSTILE_TEXTS, PAGE, TRAPS, HostileRegistry
from tests.registries.contract import collect, stream_of

SOME = Digest.of(b"some blob")
BLOB = Descriptor("application/octet-stream", SOME, 9)
LONGEST = 30.0
"""Seconds; retries included."""


@pytest.fixture
async def hostile(connect):
    """(the server, the registry on it)."""
    async with HostileRegistry() as server:
        yield server, DistributionRegistry(connect(server.host, patience=Patience(tries=2, first=0.01)))


async def test_names_are_legal_or_left_out(hostile):
    _, registry = hostile
    pages = [page async for page in registry.repositories()]
    paths = [r.path for page in pages for r in page.items]
    assert set(TRAPS) <= set(paths)
    assert all(is_repository_path(path) for path in paths)
    assert "left out" in pages[-1].stopped
    tags = [tag.name for tag in await collect(registry.tags("names"))]
    assert tags[0] == "latest"
    assert all(is_tag(tag) for tag in tags)
    manifest = await registry.manifest("names", "latest")
    assert set(HOSTILE_TEXTS) <= set(manifest.annotations)  # kept as they are: the screen makes them inert
    assert parse_config(await registry.small_blob("names", manifest.config)).author


async def test_endless_tags_come_only_as_far_as_somebody_looks(hostile):
    server, registry = hostile
    pages = registry.tags("endless")
    first = [await anext(pages) for _ in range(3)]
    await pages.aclose()
    assert sum(len(page.items) for page in first) == 3 * PAGE
    assert len(server.seen) == 3


async def test_tags_that_repeat_end(hostile):
    server, registry = hostile
    pages = [page async for page in registry.tags("stuck")]
    assert [tag.name for page in pages for tag in page.items] == ["a", "b", "c"]
    assert pages[-1].stopped
    assert len(server.seen) == 2


@pytest.mark.parametrize("trap", ["huge", "bomb", "circle", "flood", "nonsense", "short", "web", "broken", "liar"])
async def test_every_reading_call_ends_with_an_error_of_ours(hostile, trap):
    _, registry = hostile
    calls = [
        lambda: registry.manifest(trap, "latest"),
        lambda: registry.manifest(trap, SOME),
        lambda: registry.small_blob(trap, BLOB),
    ]
    async with asyncio.timeout(LONGEST):
        for call in calls:
            with pytest.raises(RegtuiError):
                await call()
        if trap != "bomb":  # its list of tags is within bounds: one name, which is none
            with pytest.raises(RegtuiError):
                await collect(registry.tags(trap))
        for call in (
            lambda: registry.referrers(trap, SOME),
            lambda: registry.head_manifest(trap, "latest"),
            lambda: registry.has_blob(trap, BLOB),
            lambda: registry.blob_range(trap, BLOB, 0, 9),
        ):
            try:
                await call()
            except RegtuiError:
                continue


async def test_a_blob_that_does_not_end_is_cut_off(hostile):
    _, registry = hostile
    with pytest.raises(RegtuiError):
        await registry.small_blob("long", BLOB)
    assert len(await registry.blob_range("long", BLOB, 0, 9)) == 9


async def test_writing_to_a_web_page_does_not_succeed(hostile):
    _, registry = hostile
    for trap in ("web", "broken", "nonsense"):
        with pytest.raises(RegtuiError):
            await registry.put_blob(trap, BLOB, stream_of(b"some blob"))
        with pytest.raises(RegtuiError):
            await registry.mount_blob(trap, SOME, "names")


async def test_a_web_page_is_no_manifest_and_no_list(hostile):
    _, registry = hostile
    with pytest.raises((BadAnswer, InvalidManifest)):
        await registry.manifest("web", "latest")
    with pytest.raises(BadAnswer):
        await collect(registry.tags("web"))
    with pytest.raises(RegistryError):
        await registry.referrers("web", SOME)
