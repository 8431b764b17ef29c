"""What every kind of registry owes, as tests over one filled place. A kind joins by a class and a `place` fixture.

    class TestHarbor(WritingContract):
        proof = Proof("Harbor", "harbor", Level.FAKE, lacks=frozenset({Capability.SOFT_DELETE}))

        @pytest.fixture
        async def place(self, ...):
            ...
            yield Place(registry, repository, can_write=True)

The place holds, in `repository`: `v1` and `also` (IMAGE), `multi` (INDEX), `note` (SBOM, an artifact on INDEX).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from regtui.oci import (
    Descriptor,
    Digest,
    DigestMismatch,
    ImageManifest,
    Index,
    InvalidDigest,
    InvalidReference,
    parse_config,
)
from regtui.oci import parse_manifest as parse
from regtui.registries.contract import Capability, DeletedManifest, Registry
from regtui.session.details import is_complete, tag_details
from regtui.session.reader import Reader
from regtui.storage.cache import NullCache
from regtui.transport.errors import NotFound, RegistryError, Unsupported
from tests.registries.proofs import READ, Proof, proves
from tests.registries.proofs import TAGS as LIST_TAGS
from tests.servers import content

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.servers.oci11 import FakeRegistry

IMAGE = content.image([{"etc/one": b"1" * 5000}, {"etc/two": b"2"}], labels={"team": "shop"})
ARM = content.image(platform="linux/arm64")
INDEX = content.index(IMAGE, ARM)
OWN = content.image({"etc/own": b"of the other repository alone"})
SBOM = content.artifact("application/spdx+json", b'{"spdxVersion":"SPDX-2.3"}', subject=INDEX)
TAGS = {"v1": IMAGE, "also": IMAGE, "multi": INDEX, "note": SBOM}
ABSENT = Digest.of(b"nowhere")
STATES = {"complete", "running", "queued", "failed", "unsupported", "none"}


@dataclass
class Place:
    """A filled registry, and what it can do beyond reading."""

    registry: Registry
    repository: str
    other: str = ""
    """Another repository of the same registry for writing into; "" when nothing can be written."""
    deletes_tags: bool = False
    deletes_manifests: bool = False
    has_referrers_api: bool = False
    reads_from_offsets: bool = True
    """Whether it knows a Range without an end."""
    missing: str = "no/such/repository"
    """A repository that is not there, in a place where the user would be told."""
    lacks: frozenset[str] = frozenset()
    """Capabilities that this one lacks (an edition, a switch that is off) beside those that its `proof` names."""


def fill_fake(fake: FakeRegistry, repository: str, *, referrers_api: bool) -> None:
    """Put what the contract wants to find; without a referrers API also the tag that clients keep instead."""
    for tag, made in TAGS.items():
        fake.put(repository, made, tag)
    if not referrers_api:
        entry = SBOM.descriptor | {"artifactType": "application/spdx+json"}
        body = {"schemaVersion": 2, "mediaType": content.OCI_INDEX, "manifests": [entry]}
        listed = content.Content(content.OCI_INDEX, content.dumps(body), (SBOM,), True)
        fake.put(repository, listed, f"sha256-{INDEX.digest.partition(':')[2]}")


async def collect(pages: AsyncIterator) -> list:
    """Every item of a listing."""
    return [item async for page in pages for item in page.items]


async def tag_names(registry: Registry, repository: str) -> list[str]:
    """The names of all tags, sorted, without those of referrers and what has no tag."""
    rows = [tag for tag in await collect(registry.tags(repository)) if not tag.is_untagged]
    return sorted(tag.name for tag in rows if not tag.name.startswith("sha256-"))


def descriptor_of(made: content.Content) -> Descriptor:
    """The descriptor of test content."""
    return Descriptor(made.media_type, Digest.parse(made.digest), len(made.raw))


async def stream_of(raw: bytes) -> AsyncIterator[bytes]:
    """The bytes in pieces."""
    for start in range(0, len(raw), 1000):
        yield raw[start : start + 1000]


class ReadingContract:
    """Everything that reads."""

    proof: Proof | None = None
    """What it runs against, how far that goes, and which capabilities it lacks: the row of docs/registries.md."""

    async def test_what_is_missing_is_declared(self, place):
        assert self.proof is not None, "say in `proof` what this runs against (tests/registries/proofs.py)"
        capabilities, lacks = await place.registry.capabilities(), self.proof.lacks | place.lacks
        for capability in Capability:
            if capability in lacks:
                assert capabilities[capability].available is not True
            else:
                assert capabilities[capability].available is not False, capabilities[capability].reason

    @proves(Capability.LIST_REPOSITORIES)
    async def test_the_repository_is_listed(self, place):
        found = [r.path for r in await collect(place.registry.repositories())]
        assert place.repository in found
        assert [r.path for r in await collect(place.registry.repositories(place.repository))] == [place.repository]
        assert await collect(place.registry.repositories("no-such-prefix-")) == []

    @proves(Capability.SEARCH)
    async def test_the_registry_finds_or_says_that_it_has_no_search(self, place):
        name = place.repository.rpartition("/")[2]
        if (await place.registry.capabilities())[Capability.SEARCH].available is False:
            with pytest.raises(Unsupported):
                await collect(place.registry.search(name))
            return
        assert place.repository in [r.path for r in await collect(place.registry.search(name))]
        assert await collect(place.registry.search("nothing-is-called-like-this")) == []

    @proves(LIST_TAGS)
    async def test_every_tag_is_listed_once(self, place):
        assert await tag_names(place.registry, place.repository) == sorted(TAGS)

    async def test_details_are_right_or_unknown(self, place):
        for row in await collect(place.registry.tags(place.repository)):
            if row.name in TAGS:
                assert row.digest in {None, TAGS[row.name].digest}
                assert row.media_type in {None, TAGS[row.name].media_type}
                assert not row.is_untagged

    @proves(Capability.TAG_DETAILS)
    async def test_the_listing_has_details_or_says_that_it_has_none(self, place):
        rows = {row.name: row for row in await collect(place.registry.tags(place.repository))}
        support = (await place.registry.capabilities())[Capability.TAG_DETAILS]
        if support.available is False:
            assert {row.size for row in rows.values()} == {None}
            return
        for tag in ("v1", "multi"):
            assert rows[tag].digest == TAGS[tag].digest
            assert rows[tag].media_type in {None, TAGS[tag].media_type}
            assert rows[tag].size is None or rows[tag].size > 0
        assert rows["v1"].size or (rows["v1"].pushed and support.reason), (
            "a yes with a reason says what is still missing"
        )

    async def test_what_the_listing_told_is_not_asked_for_again(self, place):
        async def opened(host: str) -> Registry:
            return place.registry

        rows = [row for row in await collect(place.registry.tags(place.repository)) if is_complete(row)]
        client = getattr(place.registry, "client", None)
        before = len(client.log.records) if client is not None else 0
        found = tag_details(Reader(opened, NullCache()), place.registry.host, place.repository, rows)
        assert sorted([detail.tag.name async for detail in found]) == sorted(row.name for row in rows)
        assert client is None or len(client.log.records) == before

    async def test_an_unknown_repository_is_not_found(self, place):
        with pytest.raises(NotFound):
            await collect(place.registry.tags(place.missing))

    @proves(READ)
    async def test_heads_tell_the_truth(self, place):
        for tag, made in TAGS.items():
            for locator in (tag, made.digest):
                head = await place.registry.head_manifest(place.repository, locator)
                assert (head.digest, head.media_type, head.size) == (made.digest, made.media_type, len(made.raw))
        for locator in ("no-such-tag", ABSENT):
            with pytest.raises(NotFound):
                await place.registry.head_manifest(place.repository, locator)

    @proves(READ)
    async def test_manifests_come_with_their_exact_bytes(self, place):
        for tag, made in TAGS.items():
            for locator in (tag, made.digest):
                manifest = await place.registry.manifest(place.repository, locator)
                assert (manifest.raw, manifest.digest, manifest.media_type) == (made.raw, made.digest, made.media_type)
        assert isinstance(await place.registry.manifest(place.repository, "multi"), Index)
        for locator in ("no-such-tag", ABSENT):
            with pytest.raises(NotFound):
                await place.registry.manifest(place.repository, locator)

    @proves(READ)
    async def test_blobs_come_verified(self, place):
        manifest = await place.registry.manifest(place.repository, "v1")
        assert isinstance(manifest, ImageManifest)
        config = parse_config(await place.registry.small_blob(place.repository, manifest.config))
        assert config.labels == {"team": "shop"}
        for layer, made in zip(manifest.layers, IMAGE.needs[1:], strict=True):
            chunks = [chunk async for chunk in place.registry.blob(place.repository, layer)]
            assert b"".join(chunks) == made.raw
            if place.reads_from_offsets:
                rest = [chunk async for chunk in place.registry.blob(place.repository, layer, offset=11)]
                assert b"".join(rest) == made.raw[11:]

    @proves(READ)
    async def test_parts_of_blobs(self, place):
        layer = IMAGE.needs[1]
        descriptor = descriptor_of(layer)
        assert await place.registry.blob_range(place.repository, descriptor, 5, 20) == layer.raw[5:20]
        assert await place.registry.blob_range(place.repository, descriptor, 5, 1 << 40) == layer.raw[5:]
        assert await place.registry.blob_range(place.repository, descriptor, len(layer.raw), 1 << 40) == b""

    async def test_a_blob_as_a_blocking_stream(self, place):
        layer = IMAGE.needs[1]

        def read(offset: int) -> bytes:
            with place.registry.open_blob(place.repository, descriptor_of(layer), offset=offset) as stream:
                return b"".join(iter(lambda: stream.read(100), b""))

        assert await asyncio.to_thread(read, 0) == layer.raw
        if place.reads_from_offsets:
            assert await asyncio.to_thread(read, 7) == layer.raw[7:]

    async def test_a_blob_that_is_not_there(self, place):
        absent = Descriptor("application/octet-stream", ABSENT, 7)
        with pytest.raises(NotFound):
            await place.registry.small_blob(place.repository, absent)
        assert not await place.registry.has_blob(place.repository, absent)
        assert await place.registry.has_blob(place.repository, descriptor_of(IMAGE.needs[0]))

    @proves(Capability.REFERRERS)
    async def test_referrers(self, place):
        found = await place.registry.referrers(place.repository, Digest.parse(INDEX.digest))
        assert [(d.digest, d.artifact_type) for d in found.descriptors] == [(SBOM.digest, "application/spdx+json")]
        assert found.source == ("api" if place.has_referrers_api else "tag")
        wanted = await place.registry.referrers(place.repository, Digest.parse(INDEX.digest), "text/none")
        assert wanted.descriptors == ()
        nothing = await place.registry.referrers(place.repository, ABSENT)
        assert nothing.descriptors == ()
        assert nothing.source in {"api", "none"}
        support = (await place.registry.capabilities())[Capability.REFERRERS]
        assert support.available is place.has_referrers_api

    async def test_reports_and_rules_or_that_there_are_none(self, place):
        capabilities = await place.registry.capabilities()
        digest = Digest.parse(IMAGE.digest)
        if capabilities[Capability.SCAN_REPORT].available is False:
            with pytest.raises(Unsupported):
                await place.registry.scan_report(place.repository, digest)
        else:
            assert (await place.registry.scan_report(place.repository, digest)).state in STATES
        if capabilities[Capability.TRIGGER_SCAN].available is False:
            with pytest.raises(Unsupported):
                await place.registry.trigger_scan(place.repository, digest)
        if capabilities[Capability.RETENTION].available is False:
            with pytest.raises(Unsupported):
                await place.registry.retention(place.repository)
        else:
            rules = await place.registry.retention(place.repository)
            assert rules is None or rules.format
        if capabilities[Capability.SOFT_DELETE].available is False:
            with pytest.raises(Unsupported):
                await collect(place.registry.deleted(place.repository))
            with pytest.raises(Unsupported):
                await place.registry.restore(place.repository, DeletedManifest(digest))

    async def test_what_is_no_name_is_never_asked_for(self, place):
        for locator in ("../../../etc", "a b", "", "x\r\ny", "?n=1", "%2e"):
            with pytest.raises((InvalidReference, NotFound)):
                await place.registry.manifest(place.repository, locator)
        with pytest.raises(InvalidDigest):
            await place.registry.manifest(place.repository, "sha256:../../x")
        for repository in ("../x", "a/../../b", "A", "a?b", ""):
            with pytest.raises((InvalidReference, NotFound)):
                await place.registry.manifest(repository, "v1")
            with pytest.raises((InvalidReference, NotFound)):
                await collect(place.registry.tags(repository))

    async def test_every_missing_capability_has_its_reason(self, place):
        capabilities = await place.registry.capabilities()
        for capability in Capability:
            support = capabilities[capability]
            assert support.available is True or support.reason
        assert place.registry.kind != "unknown"
        assert place.registry.host
        assert place.registry.identity()


class WritingContract(ReadingContract):
    """Everything that writes, each test in a repository of its own."""

    async def fill(self, place: Place, *tags: str, made: content.Content = IMAGE) -> None:
        """Put an image into the other repository with the registry's own calls."""
        for need in made.needs:
            if need.is_manifest:
                await self.fill(place, made=need)
            else:
                await place.registry.put_blob(place.other, descriptor_of(need), stream_of(need.raw))
        for locator in tags or (made.digest,):
            put = await place.registry.put_manifest(place.other, locator, parse(made.raw, made.media_type))
            assert put == made.digest

    @proves(Capability.PUSH)
    async def test_what_is_put_is_there(self, place):
        await self.fill(place, "one", "two", made=INDEX)
        assert await tag_names(place.registry, place.other) == ["one", "two"]
        assert (await place.registry.manifest(place.other, "one")).raw == INDEX.raw
        assert await place.registry.has_blob(place.other, descriptor_of(IMAGE.needs[1]))

    @proves(Capability.PUSH)
    async def test_a_tag_can_be_moved(self, place):
        await self.fill(place, "moving")
        await self.fill(place, "moving", made=ARM)
        assert (await place.registry.head_manifest(place.other, "moving")).digest == ARM.digest

    @proves(Capability.PUSH)
    async def test_mounting_saves_the_upload_or_says_no(self, place):
        for need in IMAGE.needs:
            digest = Digest.parse(need.digest)
            if not await place.registry.mount_blob(place.other, digest, place.repository):
                await place.registry.put_blob(place.other, descriptor_of(need), stream_of(need.raw))
            assert await place.registry.has_blob(place.other, descriptor_of(need))
        assert not await place.registry.mount_blob(place.other, ABSENT, place.repository)
        await place.registry.put_manifest(place.other, "mounted", parse(IMAGE.raw, IMAGE.media_type))

    async def test_bytes_are_never_put_under_another_digest(self, place):
        await self.fill(place, "one")
        with pytest.raises(DigestMismatch):
            await place.registry.put_manifest(place.other, ABSENT, parse(IMAGE.raw, IMAGE.media_type))
        broken = Descriptor("application/octet-stream", ABSENT, 5)
        with pytest.raises((RegistryError, DigestMismatch)):
            await place.registry.put_blob(place.other, broken, stream_of(b"wrong"))
        assert not await place.registry.has_blob(place.other, broken)

    @proves(Capability.DELETE_TAG)
    async def test_deleting_a_tag_takes_nothing_else_along(self, place):
        await self.fill(place, "one", "two")
        if place.deletes_tags:
            await place.registry.delete_tag(place.other, "one")
            assert await tag_names(place.registry, place.other) == ["two"]
            with pytest.raises(NotFound):
                await place.registry.delete_tag(place.other, "one")
        else:
            with pytest.raises(Unsupported):
                await place.registry.delete_tag(place.other, "one")
            assert await tag_names(place.registry, place.other) == ["one", "two"]
            assert not (await place.registry.capabilities()).has(Capability.DELETE_TAG)
        assert (await place.registry.manifest(place.other, IMAGE.digest)).raw == IMAGE.raw
        with pytest.raises((InvalidReference, NotFound)):
            await place.registry.delete_tag(place.other, IMAGE.digest)

    @proves(Capability.DELETE_MANIFEST)
    async def test_deleting_a_manifest_takes_its_tags_along(self, place):
        await self.fill(place, "one", "two", made=OWN)
        await self.fill(place, "other", made=ARM)
        if place.deletes_manifests:
            await place.registry.delete_manifest(place.other, Digest.parse(OWN.digest))
            with pytest.raises(NotFound):
                await place.registry.manifest(place.other, OWN.digest)
            assert await tag_names(place.registry, place.other) == ["other"]
        else:
            with pytest.raises(Unsupported):
                await place.registry.delete_manifest(place.other, Digest.parse(OWN.digest))
            assert await tag_names(place.registry, place.other) == ["one", "other", "two"]

    @proves(Capability.DELETE_REPOSITORY)
    async def test_a_repository_goes_with_all_that_is_in_it(self, place):
        await self.fill(place, "one", "two")
        if (await place.registry.capabilities())[Capability.DELETE_REPOSITORY].available is False:
            with pytest.raises(Unsupported):
                await place.registry.delete_repository(place.other)
            assert await tag_names(place.registry, place.other) == ["one", "two"]
            return
        await place.registry.delete_repository(place.other)
        with pytest.raises(NotFound):
            await place.registry.manifest(place.other, "one")
        assert place.other not in [r.path for r in await collect(place.registry.repositories())]
        with pytest.raises(NotFound):
            await place.registry.delete_repository(place.other)

    async def test_a_deleted_manifest_can_be_put_again(self, place):
        if not place.deletes_manifests:
            return
        await self.fill(place, "one", made=OWN)
        saved = await place.registry.manifest(place.other, "one")
        await place.registry.delete_manifest(place.other, saved.digest)
        await place.registry.put_manifest(place.other, "one", saved)
        assert (await place.registry.manifest(place.other, "one")).raw == OWN.raw

    async def test_a_manifest_with_a_subject_is_found_from_it(self, place):
        await self.fill(place, "one")
        notes = [content.artifact("text/note", f"{n}".encode(), subject=IMAGE) for n in range(3)]
        for note in notes:
            await self.fill(place, made=note)
        await self.fill(place, made=notes[0])
        found = await place.registry.referrers(place.other, Digest.parse(IMAGE.digest))
        assert sorted(d.digest for d in found.descriptors) == sorted(note.digest for note in notes)
        assert {d.artifact_type for d in found.descriptors} == {"text/note"}
