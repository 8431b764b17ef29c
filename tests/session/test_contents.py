"""Reading layers: two at once, off the loop, with progress, from the cache the second time, and cancelled at once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from regtui.contents.errors import NotBrowsable
from regtui.session import Session, SessionOptions, parse_image
from regtui.session import contents as contents_module
from tests.servers import content
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.session.contents import LayerProgress


async def test_progress_ends_complete_and_the_cache_answers_the_second_time(session: Session, demo: Path) -> None:
    image = await session.image(parse_image(f"{demo}/shop/reports:0.4.0"))
    seen: list[LayerProgress] = []
    first = await session.contents.contents(image, seen.append)
    assert seen[-1].done == seen[-1].layers == len(image.manifest.layers)
    assert seen[-1].read == seen[-1].total
    opened: list[str] = []
    registry = await session.registry(image.reference.host)
    before = registry.open_blob
    registry.open_blob = lambda *a, **k: (opened.append("x"), before(*a, **k))[1]
    fresh = Session.start(SessionOptions())
    again = await fresh.contents.contents(image)
    assert opened == []
    assert len(again.tree) == len(first.tree)
    await session.close()
    await fresh.close()


async def test_an_artifact_has_no_tree(session: Session, demo: Path) -> None:
    image = await session.image(parse_image(f"{demo}/charts/cart:1.0.0"))
    with pytest.raises(NotBrowsable):
        await session.contents.contents(image)
    await session.close()


async def test_cancelling_closes_the_streams(session: Session, demo: Path) -> None:
    image = await session.image(parse_image(f"{demo}/shop/reports:0.4.0"))
    registry = await session.registry(image.reference.host)
    opened = asyncio.Event()
    loop = asyncio.get_running_loop()
    streams = []
    before = registry.open_blob

    def slow(*arguments, **options):
        stream = before(*arguments, **options)
        streams.append(stream)
        loop.call_soon_threadsafe(opened.set)
        return stream

    registry.open_blob = slow
    reading = asyncio.ensure_future(session.contents.contents(image))
    await opened.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert streams
    assert all(stream.closed for stream in streams)
    await session.close()


@pytest.mark.real
async def test_layers_that_cannot_be_listed_are_named(session: Session, docker_registry: str, namespace: str) -> None:
    session.options = replace(session.options, plain_http=frozenset((docker_registry,)))
    whole = content.image([{"a": b"1"}])
    body = json.loads(whole.raw)
    absent = {"digest": f"sha256:{'1' * 64}", "size": 5, "urls": ["https://publisher.example/layer"]}
    body["layers"].append({"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", **absent})
    locked = content.Content("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", b"locked")
    body["layers"].append(locked.descriptor)
    image = content.Content(content.OCI_MANIFEST, content.dumps(body), (*whole.needs, locked), is_manifest=True)
    Uploader(docker_registry).push(f"{namespace}/app", image, "1")
    found = await session.contents.contents(await session.image(parse_image(f"{docker_registry}/{namespace}/app:1")))
    assert found.tree.find(b"a") is not None
    assert set(found.problems) == {1, 2}
    assert "foreign layer" in found.problems[1]
    assert "encrypted" in found.problems[2]
    assert (found.missing, found.from_tables) == (2, 0)


async def test_indexes_in_memory_are_bounded_by_their_paths(
    session: Session, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents_module, "KEPT_ROWS", 10)
    image = await session.image(parse_image(f"{demo}/shop/reports:0.4.0"))
    first = await session.contents.contents(image)
    assert len(session.contents._indexes) == 1
    # What memory gave up, the disk has: the same tree, and nothing is read from the registry.
    registry = await session.registry(image.reference.host)
    monkeypatch.setattr(type(registry), "open_blob", None)
    again = await session.contents.contents(image)
    assert len(again.tree) == len(first.tree)
