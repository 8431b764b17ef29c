"""The reader: one request per digest, tags read anew, many waiting for one, details as they arrive."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from regtui.oci import Descriptor, Digest, Platform, Reference, media_types, parse_manifest
from regtui.registries.contract import TagSummary
from regtui.session.details import tag_details
from regtui.session.images import own_platform, read_image
from regtui.session.reader import Reader
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from regtui.oci import ImageManifest, Index

HOST, PATH = "registry.test", "shop/cart"


class MemoryCache:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, digest: Digest) -> bytes | None:
        return self.kept.get(digest)

    def put(self, digest: Digest, content: bytes) -> None:
        self.kept[digest] = content


class FakePlace:
    """Just enough of a registry: bytes by digest, tags, and a list of what was asked."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.tagged: dict[str, str] = {}
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def add(self, content: bytes, *tags: str) -> Descriptor:
        digest = Digest.of(content)
        self.content[digest] = content
        self.tagged.update(dict.fromkeys(tags, digest))
        return Descriptor(media_types.OCI_MANIFEST, digest, len(content))

    async def manifest(self, repository: str, locator: str) -> ImageManifest | Index:
        self.asked.append(f"manifest {locator[:19]}")
        await self.gate.wait()
        digest = self.tagged.get(locator, locator)
        if digest not in self.content:
            raise NotFound(f"{repository}:{locator} is not there.")
        return parse_manifest(self.content[digest])

    async def small_blob(self, repository: str, descriptor: Descriptor, limit: int = 0) -> bytes:
        self.asked.append("blob")
        return self.content[descriptor.digest]


def image(place: FakePlace, *tags: str, os: str = "linux", architecture: str = "amd64", layer: bytes = b"l") -> Any:
    config = json.dumps(
        {
            "os": os,
            "architecture": architecture,
            "created": "2026-01-02T00:00:00Z",
            "rootfs": {"diff_ids": [str(Digest.of(layer))]},
            "history": [{"created_by": "ADD x"}],
        }
    )
    blobs = [place.add(config.encode()), place.add(layer)]
    body = {
        "schemaVersion": 2,
        "config": {"mediaType": media_types.OCI_CONFIG, "digest": blobs[0].digest, "size": blobs[0].size},
        "layers": [{"mediaType": media_types.OCI_LAYER, "digest": blobs[1].digest, "size": blobs[1].size}],
    }
    return place.add(json.dumps(body).encode(), *tags)


def index(place: FakePlace, *tags: str, platforms: tuple[str, ...]) -> Descriptor:
    entries = []
    for name in platforms:
        os, architecture = name.split("/")
        child = image(place, os=os, architecture=architecture, layer=name.encode())
        entries.append(child.to_json() | {"platform": {"os": os, "architecture": architecture}})
    return place.add(json.dumps({"schemaVersion": 2, "manifests": entries}).encode(), *tags)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def place() -> FakePlace:
    return FakePlace()


def reader_of(place: FakePlace, cache: MemoryCache | None = None, clock: Clock | None = None) -> Reader:
    async def open_registry(host: str) -> Any:
        assert host == HOST
        return place

    return Reader(open_registry, cache or MemoryCache(), fresh_for=60, clock=clock or Clock())


async def test_an_image_costs_two_requests_and_then_none(place: FakePlace) -> None:
    image(place, "1", "latest")
    reader = reader_of(place)
    first = await read_image(reader, Reference(HOST, PATH, "1"))
    assert len(place.asked) == 2
    assert first.steps[0].instruction == "ADD x"
    assert first.reference.digest == place.tagged["1"]
    await read_image(reader, Reference(HOST, PATH, "1"))
    assert len(place.asked) == 2
    await read_image(reader, Reference(HOST, PATH, "latest"))
    assert len(place.asked) == 3, "another tag must be resolved, its content is known"


async def test_a_tag_is_read_anew_when_it_is_old_or_forgotten(place: FakePlace) -> None:
    image(place, "1")
    clock = Clock()
    reader = reader_of(place, clock=clock)
    reference = Reference(HOST, PATH, "1")
    await reader.manifest(reference)
    clock.now = 61
    assert reader.age(reference) == 61
    image(place, "1", layer=b"moved")
    assert (await reader.manifest(reference)).digest == place.tagged["1"]
    reader.forget(HOST, PATH)
    await reader.manifest(reference)
    assert len(place.asked) == 3


async def test_a_corrupted_cache_entry_is_fetched_again(place: FakePlace) -> None:
    descriptor = image(place)
    cache = MemoryCache()
    cache.kept[descriptor.digest] = b"{}"
    manifest = await reader_of(place, cache).manifest(Reference(HOST, PATH, None, descriptor.digest))
    assert manifest.digest == descriptor.digest
    assert cache.kept[descriptor.digest] == manifest.raw


async def test_many_that_wait_for_one_digest_share_a_request_and_survive_a_cancel(place: FakePlace) -> None:
    image(place, "1")
    reader = reader_of(place)
    place.gate.clear()
    reference = Reference(HOST, PATH, "1")
    waiting = [asyncio.ensure_future(reader.manifest(reference)) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    place.gate.set()
    found = await asyncio.gather(*waiting[1:])
    assert len({m.digest for m in found}) == 1
    assert len(place.asked) == 1
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]


async def test_an_index_shows_a_platform_and_refuses_one_that_is_not_there(place: FakePlace) -> None:
    index(place, "1", platforms=("linux/s390x", "linux/amd64", "linux/arm64"))
    reader = reader_of(place)
    reference = Reference(HOST, PATH, "1")
    chosen = await read_image(reader, reference)
    assert chosen.platform in {own_platform(), Platform("linux", "amd64")}
    assert len(place.asked) == 3
    arm = await read_image(reader, reference, Platform.parse("linux/arm64"))
    assert arm.config is not None
    assert arm.config.platform == Platform("linux", "arm64")
    with pytest.raises(NotFound, match="linux/riscv64"):
        await read_image(reader, reference, Platform.parse("linux/riscv64"))


async def test_details_arrive_for_every_tag_and_errors_stay_on_their_row(place: FakePlace) -> None:
    image(place, "a", "b")
    index(place, "multi", platforms=("linux/amd64", "linux/arm64"))
    tags = [TagSummary(name) for name in ("a", "b", "gone", "multi")]
    found = {d.tag.name: d async for d in tag_details(reader_of(place), HOST, PATH, tags, at_once=2)}
    assert set(found) == {"a", "b", "gone", "multi"}
    assert isinstance(found["gone"].error, NotFound)
    assert found["a"].tag.digest == found["b"].tag.digest
    assert found["a"].tag.size is not None
    assert [str(p) for p in found["multi"].tag.platforms or ()] == ["linux/amd64", "linux/arm64"]
    assert found["multi"].tag.size == sum(len(place.content[d]) for d in _blobs(place, place.tagged["multi"]))


async def test_leaving_stops_the_fan_out(place: FakePlace) -> None:
    image(place, *[str(n) for n in range(50)])
    details = tag_details(reader_of(place), HOST, PATH, [TagSummary(str(n)) for n in range(50)], at_once=4)
    await anext(details)
    await details.aclose()
    before = len(place.asked)
    await asyncio.sleep(0)
    assert before < 20
    assert len(place.asked) == before


def _blobs(place: FakePlace, digest: str) -> set[str]:
    found: set[str] = set()
    for entry in json.loads(place.content[digest])["manifests"]:
        body = json.loads(place.content[entry["digest"]])
        found |= {body["config"]["digest"], *(layer["digest"] for layer in body["layers"])}
    return found


async def test_tags_that_the_listing_told_whole_cost_no_request() -> None:
    place = FakePlace()
    told = TagSummary(
        "v1",
        Digest.of(b"one"),
        size=7,
        pushed=datetime(2026, 1, 2, tzinfo=UTC),
        platforms=(Platform("linux", "amd64"),),
    )
    found = [detail async for detail in tag_details(reader_of(place), HOST, PATH, [told])]
    assert [(detail.tag, detail.error) for detail in found] == [(told, None)]
    assert place.asked == []
