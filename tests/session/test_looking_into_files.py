"""One file of an image: one Range of a few bytes; folders on the disk, stopped when nobody waits any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from regtui.contents.columns import Kind
from regtui.contents.errors import NotReadable, UnsafeExtraction
from regtui.contents.view import View
from regtui.session import parse_image

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.session import Session
    from regtui.session.contents import ImageContents


@pytest.fixture
async def contents(session: Session, demo: Path) -> ImageContents:
    image = await session.image(parse_image(f"{demo}/shop/cart:1.4.2"))
    return await session.contents.contents(image)


async def test_a_file_is_one_request_and_tells_what_it_cost(session: Session, contents: ImageContents) -> None:
    node = contents.tree.find(b"app/cart/__init__.py")
    assert node is not None
    read = await session.image_files(contents).look_into(node)
    assert read.content.data == b'__version__ = "1.4.2"\n'
    assert (read.path, read.requests) == ("/app/cart/__init__.py", 1)
    assert contents.image.manifest is not None
    assert 0 < read.fetched <= contents.image.manifest.layers[read.layer].size


async def test_links_lead_to_the_file_inside_of_the_image(session: Session, contents: ImageContents) -> None:
    view = View(contents.tree)
    links = [node for node in view.present() if node and view.kind(node) == Kind.SYMLINK]
    files, followed = session.image_files(contents), 0
    for node in links:
        top = files.locate(view.path(node))
        if view.kind(top) == Kind.REGULAR:
            read = await files.look_into(node)
            assert read.path == view.path(top)
            followed += 1
    assert followed


async def test_a_folder_has_no_content(session: Session, contents: ImageContents) -> None:
    node = contents.tree.find(b"usr")
    assert node is not None
    with pytest.raises(NotReadable):
        await session.image_files(contents).look_into(node)


async def test_a_folder_is_extracted_and_nothing_is_overwritten(
    session: Session, contents: ImageContents, tmp_path: Path
) -> None:
    node = contents.tree.find(b"app")
    assert node is not None
    told: list[int] = []
    files = session.image_files(contents)
    done = await files.extract(node, tmp_path / "out", progress=lambda step: told.append(step.files))
    assert (tmp_path / "out/cart/__init__.py").read_bytes() == b'__version__ = "1.4.2"\n'
    assert told[-1] == done.files > 1
    with pytest.raises(UnsafeExtraction):
        await files.extract(node, tmp_path / "out")


async def test_leaving_stops_the_extraction(session: Session, contents: ImageContents, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    begun = asyncio.Event()
    files = session.image_files(contents)
    running = asyncio.ensure_future(
        files.extract(0, tmp_path / "out", progress=lambda _: loop.call_soon_threadsafe(begun.set))
    )
    await asyncio.wait_for(begun.wait(), 20)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
