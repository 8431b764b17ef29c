"""A layout folder that is changed: names, blobs, garbage; two processes at once; what other programs wrote stays."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from regtui.oci import Descriptor, Digest, DigestMismatch, SizeMismatch, parse_manifest
from regtui.registries.archive import InvalidLayout
from regtui.registries.contract import Capability
from regtui.registries.layout import LayoutRegistry
from regtui.registries.layout_write import LayoutWriter
from regtui.transport.errors import NotFound, Unsupported
from tests.servers import content

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.oci import ImageManifest, Index


async def put(layout: LayoutRegistry, made: content.Content, *tags: str, repository: str = "out") -> Any:
    for need in made.needs:
        if need.is_manifest:
            await put(layout, need, repository=repository)
        else:
            descriptor = Descriptor(need.media_type, Digest.parse(need.digest), len(need.raw))
            await layout.put_blob(repository, descriptor, once(need.raw))
    manifest = parsed(made)
    for locator in tags or (made.digest,):
        await layout.put_manifest(repository, locator, manifest)
    return manifest.digest


def parsed(made: content.Content) -> ImageManifest | Index:
    return parse_manifest(made.raw, made.media_type)


async def once(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
async def layout(folder: Path) -> AsyncIterator[LayoutRegistry]:
    made = LayoutRegistry.create(folder)
    yield made
    await made.close()


def names(folder: Path) -> list[str | None]:
    entries = json.loads((folder / "index.json").read_bytes())["manifests"]
    return [entry.get("annotations", {}).get("org.opencontainers.image.ref.name") for entry in entries]


def leftovers(folder: Path) -> list[Path]:
    return list(folder.rglob("*.partial"))


def make_old(folder: Path) -> None:
    for path in folder.glob("blobs/*/*"):
        os.utime(path, (time.time() - 7200, time.time() - 7200))


async def listed(layout: LayoutRegistry, repository: str = "out") -> dict[str, Digest | None]:
    return {tag.name: tag.digest async for page in layout.tags(repository) for tag in page.items}


async def test_tags_come_move_and_go(layout: LayoutRegistry, folder: Path) -> None:
    one, two = content.image({"a": b"1"}), content.index(content.image({"a": b"2"}))
    first = await put(layout, one, "v1", "stable")
    second = await put(layout, two, "v2")
    assert await listed(layout) == {"v1": first, "stable": first, "v2": second}
    assert names(folder) == ["v1", "stable", "v2"], "the child of an index has no entry of its own"
    await layout.put_manifest("out", "stable", parsed(two))
    assert (await layout.head_manifest("out", "stable")).digest == second
    await layout.delete_tag("out", "v1")
    assert await listed(layout) == {"v2": second, "stable": second}
    assert (await layout.manifest("out", first)).raw == one.raw, "an untagged manifest stays until garbage is collected"
    with pytest.raises(NotFound):
        await layout.delete_tag("out", "v1")


async def test_a_manifest_goes_with_its_tags_and_comes_back(layout: LayoutRegistry) -> None:
    image = content.image({"a": b"1"})
    digest = await put(layout, image, "v1", "v2")
    await put(layout, content.image({"a": b"2"}), "other")
    await layout.delete_manifest("out", digest)
    assert list(await listed(layout)) == ["other"]
    with pytest.raises(NotFound):
        await layout.head_manifest("out", digest)
    await layout.put_manifest("out", digest, parsed(image))
    assert (await listed(layout))[digest] == digest, "untagged, and listed so that it is no garbage"
    await layout.put_manifest("out", "v1", parsed(image))
    assert set(await listed(layout)) == {"v1", "other"}


async def test_a_manifest_of_another_repository_stays(layout: LayoutRegistry) -> None:
    digest = await put(layout, content.image(), "v1")
    await put(layout, content.image({"o": b"other"}), "other")
    top = await put(layout, content.index(content.image()), "v1", repository="team/app")
    await layout.delete_manifest("out", digest)
    with pytest.raises(NotFound):
        await layout.head_manifest("out", digest)
    assert (await layout.manifest("team/app", digest)).digest == digest
    await layout.delete_manifest("team/app", top)
    assert (await layout.manifest("team/app", digest)).digest == digest, "it goes by a step of its own"


async def test_wrong_short_and_missing_content_is_refused(layout: LayoutRegistry, folder: Path) -> None:
    descriptor = Descriptor("x/y", Digest.of(b"right"), 5)
    with pytest.raises(DigestMismatch):
        await layout.put_blob("out", descriptor, once(b"wrong"))
    with pytest.raises(SizeMismatch):
        await layout.put_blob("out", descriptor, once(b"rig"))
    with pytest.raises(SizeMismatch):
        await layout.put_blob("out", descriptor, once(b"right", b"!"))
    assert not await layout.has_blob("out", descriptor)
    with pytest.raises(NotFound, match="needs"):
        await layout.put_manifest("out", "v1", parsed(content.image()))
    assert names(folder) == []


async def test_a_blob_goes_on_where_it_broke_off(layout: LayoutRegistry, folder: Path) -> None:
    raw = bytes(range(256)) * 40
    descriptor = Descriptor("x/y", Digest.of(raw), len(raw))
    asked: list[int] = []

    async def broken(offset: int) -> AsyncIterator[bytes]:
        asked.append(offset)
        yield raw[offset:5000]
        raise NotFound("the line went dead")

    async def whole(offset: int) -> AsyncIterator[bytes]:
        asked.append(offset)
        yield raw[offset:]

    with pytest.raises(NotFound):
        await layout.receive_blob("out", descriptor, broken)
    assert not await layout.has_blob("out", descriptor)
    await layout.receive_blob("out", descriptor, whole)
    assert asked == [0, 5000]
    assert (folder / "blobs" / "sha256" / descriptor.digest.encoded).read_bytes() == raw
    assert not leftovers(folder)


async def test_two_at_the_same_blob_do_not_meet(layout: LayoutRegistry, folder: Path) -> None:
    raw = b"z" * 10_000
    descriptor = Descriptor("x/y", Digest.of(raw), len(raw))
    writer = LayoutWriter(folder)
    first, second = writer.begin(descriptor), writer.begin(descriptor)
    first.write(raw[:6000])
    second.write(raw)
    second.finish()
    second.close()
    first.write(raw[6000:])
    first.finish()
    first.close()
    assert (folder / "blobs" / "sha256" / descriptor.digest.encoded).read_bytes() == raw
    assert not leftovers(folder)


async def test_garbage_is_what_nothing_leads_to_and_is_old(layout: LayoutRegistry, folder: Path) -> None:
    kept, gone = content.index(content.image({"a": b"1"})), content.image({"a": b"2"})
    subject = await put(layout, kept, "v1")
    signature = await put(layout, content.artifact("x/sig", subject=kept))
    await put(layout, gone, "v2")
    await layout.delete_tag("out", "v2")
    assert (await layout.garbage(remove=True)).digests == (), "it is young: somebody may be about to name it"
    make_old(folder)
    expected = {gone.digest, *(n.digest for n in gone.needs)} - {n.digest for n in kept.needs[0].needs}
    looked = await layout.garbage()
    assert set(looked.digests) == expected
    assert looked.bytes > 0
    assert await layout.garbage(remove=True) == looked
    assert (await layout.garbage()).digests == ()
    assert (await layout.manifest("out", subject)).raw == kept.raw
    assert [d.digest for d in (await layout.referrers("out", subject)).descriptors] == [signature]


async def test_nothing_is_collected_while_something_can_not_be_read(layout: LayoutRegistry, folder: Path) -> None:
    digest = await put(layout, content.image(), "v1")
    (folder / "blobs" / "sha256" / digest.encoded).write_bytes(b"damaged")
    with pytest.raises(InvalidLayout, match="can't be read"):
        await layout.garbage(remove=True, grace=-1)


async def test_what_others_wrote_stays(layout: LayoutRegistry, folder: Path) -> None:
    document = json.loads((folder / "index.json").read_bytes())
    document["annotations"] = {"org.example": "mine"}
    (folder / "index.json").write_text(json.dumps(document))
    await put(layout, content.image(), "v1")
    assert json.loads((folder / "index.json").read_bytes())["annotations"] == {"org.example": "mine"}


WRITER = """
import sys
from pathlib import Path
from regtui.oci import parse_manifest
from regtui.registries.layout_write import LayoutWriter
writer = LayoutWriter(Path(sys.argv[1]))
manifest = parse_manifest(sys.stdin.buffer.read())
for n in range(40):
    writer.put("out", f"{sys.argv[2]}-{n}", manifest)
"""


async def writing(folder: Path, name: str, raw: bytes) -> int | None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(folder), name, stdin=asyncio.subprocess.PIPE, cwd=ROOT
    )
    await asyncio.wait_for(process.communicate(raw), 60)
    return process.returncode


async def test_two_processes_lose_nothing(layout: LayoutRegistry, folder: Path) -> None:
    image = content.image()
    await put(layout, image, "first")
    assert await asyncio.gather(*(writing(folder, name, image.raw) for name in ("a", "b"))) == [0, 0]
    assert len(await listed(layout)) == 81


async def test_an_archive_is_only_read(folder: Path, layout: LayoutRegistry, tmp_path: Path) -> None:
    from regtui.registries.archive_write import ArchiveNames, pack

    digest = await put(layout, content.image(), "v1")
    pack(folder, tmp_path / "out.tar", digest, ArchiveNames("v1", "example.org/out:v1"))
    archive = LayoutRegistry.open(tmp_path / "out.tar")
    assert not (await archive.capabilities()).has(Capability.DELETE_TAG)
    with pytest.raises(Unsupported, match="only read"):
        await archive.delete_tag("out", "v1")
    await archive.close()


ROOT = str(Path(__file__).resolve().parents[2])
