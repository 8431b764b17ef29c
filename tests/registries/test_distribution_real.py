"""Plain distribution against real servers: big listings, emptied repositories, deletion that is off, passwords."""

from __future__ import annotations

import asyncio
import json
import subprocess

import pytest

from regtui.oci import Descriptor, Digest, parse_manifest
from regtui.registries.contract import Capability
from regtui.transport.errors import NotFound, Unauthorized, Unsupported
from tests.registries.contract import collect, descriptor_of, stream_of
from tests.servers import content
from tests.servers.starting import PASSWORD, USER, start_distribution
from tests.servers.storage_tree import StorageTree, big_registry
from tests.servers.tools import require
from tests.servers.upload import Uploader

pytestmark = pytest.mark.real
IMAGE = content.image()
PROGRAMS = ["docker-registry", "registry-v3"]


@pytest.fixture(scope="module", params=PROGRAMS)
def big(request, tmp_path_factory):
    """A registry with 153 repositories and 3,000 tags: (host, {repository: its tags})."""
    folder = tmp_path_factory.mktemp("big")
    made = big_registry(folder / "tree", IMAGE)
    with start_distribution(folder, program=request.param, storage=folder / "tree") as server:
        yield server.host, made


async def test_every_repository_of_many_is_listed(big, distribution):
    host, made = big
    found = [r.path for r in await collect(distribution(host).repositories())]
    assert sorted(found) == sorted(made)
    assert len(found) == 153
    some = [r.path for r in await collect(distribution(host).repositories("team3/"))]
    assert sorted(some) == sorted(path for path in made if path.startswith("team3/"))


async def test_every_tag_of_many_is_listed_as_skopeo_lists_them(big, distribution):
    host, made = big
    skopeo = require("skopeo")
    registry = distribution(host)
    largest = max(made, key=lambda path: len(made[path]))
    counted = 0
    for repository in made:
        tags = [tag.name for tag in await collect(registry.tags(repository))]
        assert sorted(tags) == sorted(made[repository])
        counted += len(tags)
        if repository == largest or repository.endswith(("007", "100")):
            told = await asyncio.to_thread(
                subprocess.run,
                [skopeo, "list-tags", "--tls-verify=false", f"docker://{host}/{repository}"],
                capture_output=True,
                check=True,
                timeout=60,
            )
            assert sorted(json.loads(told.stdout)["Tags"]) == sorted(tags)
    assert counted == 3000
    assert len(made[largest]) > 1000  # more than one page


async def test_a_list_in_one_piece_knows_its_total(docker_registry, namespace, distribution):
    Uploader(docker_registry).push(f"{namespace}/app", IMAGE, "one", "two")
    (page,) = [page async for page in distribution(docker_registry).tags(f"{namespace}/app")]
    assert (len(page.items), page.total, page.stopped) == (2, 2, None)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_catalog_with_a_smaller_limit_is_read_all_the_same(program, tmp_path, distribution):
    tree = StorageTree(tmp_path / "tree")
    for n in range(25):
        tree.put(f"r{n:02}", IMAGE, "v1")
    with start_distribution(tmp_path, program=program, storage=tmp_path / "tree", most_listed=10) as server:
        found = [r.path for r in await collect(distribution(server.host).repositories())]
    assert found == [f"r{n:02}" for n in range(25)]


@pytest.mark.parametrize("server", ["docker_registry", "registry_v3"])
async def test_an_emptied_repository_has_no_tags_and_stays_listed(server, request, namespace, distribution):
    host = request.getfixturevalue(server)
    registry = distribution(host)
    digest = Digest.parse(Uploader(host).push(f"{namespace}/app", IMAGE, "one"))
    await registry.delete_manifest(f"{namespace}/app", digest)
    (page,) = [page async for page in registry.tags(f"{namespace}/app")]
    assert (page.items, page.total) == ((), 0)
    assert f"{namespace}/app" in [r.path for r in await collect(registry.repositories())]
    with pytest.raises(NotFound):
        await registry.delete_manifest(f"{namespace}/app", digest)


@pytest.mark.parametrize("server", ["docker_registry", "registry_v3"])
async def test_deletion_is_probed_only_when_asked(server, request, namespace, distribution, tmp_path):
    host = request.getfixturevalue(server)
    registry = distribution(host)
    assert (await registry.capabilities())[Capability.DELETE_MANIFEST].available is None
    assert (await registry.probe_delete(f"{namespace}/none")).available is True
    assert (await registry.capabilities())[Capability.DELETE_MANIFEST].available is True


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("how", "reason"), [({"delete": False}, "switched off"), ({"readonly": True}, "read-only")])
async def test_deletion_that_is_off_says_why(program, how, reason, tmp_path, distribution):
    StorageTree(tmp_path / "tree").put("app", IMAGE, "one")
    with start_distribution(tmp_path, program=program, storage=tmp_path / "tree", **how) as server:
        registry = distribution(server.host)
        with pytest.raises(Unsupported, match=reason):
            await registry.delete_manifest("app", Digest.parse(IMAGE.digest))
        with pytest.raises(Unsupported):
            await registry.delete_tag("app", "one")
        assert not (await registry.capabilities()).has(Capability.DELETE_MANIFEST)
        fresh = distribution(server.host)
        support = await fresh.probe_delete("app")
        assert support.available is False
        assert reason in support.reason
        assert [tag.name for tag in await collect(fresh.tags("app"))] == ["one"]


async def test_deleting_a_tag_on_2_8_never_becomes_deleting_the_digest(docker_registry, namespace, distribution):
    registry = distribution(docker_registry)
    uploader = Uploader(docker_registry)
    uploader.push(f"{namespace}/app", IMAGE, "one", "two")
    with pytest.raises(Unsupported, match="with all of its tags"):
        await registry.delete_tag(f"{namespace}/app", "one")
    assert uploader.tags(f"{namespace}/app") == ["one", "two"]


async def test_passwords(tmp_path, distribution):
    with start_distribution(tmp_path, htpasswd=True) as server:
        Uploader(server.host, USER, PASSWORD).push("app", IMAGE, "one")
        stranger = distribution(server.host)
        with pytest.raises(Unsupported, match="does not list") as raised:
            await collect(stranger.repositories())
        assert "regtui login" in raised.value.hint
        support = (await stranger.capabilities())[Capability.LIST_REPOSITORIES]
        assert support.available is False
        assert "Name one" in support.reason
        with pytest.raises(Unauthorized):
            await stranger.manifest("app", "one")
        friend = distribution(server.host, user=USER, password=PASSWORD)
        assert [r.path for r in await collect(friend.repositories())] == ["app"]
        assert (await friend.manifest("app", "one")).digest == IMAGE.digest
        assert (await friend.capabilities())[Capability.LIST_REPOSITORIES].available is True
        blob = IMAGE.needs[0]
        await friend.put_blob("new", descriptor_of(blob), stream_of(blob.raw))
        assert await friend.has_blob("new", descriptor_of(blob))


@pytest.mark.parametrize("server", ["docker_registry", "registry_v3"])
async def test_the_referrers_tag_is_kept_where_there_is_no_api(server, request, namespace, distribution):
    host = request.getfixturevalue(server)
    repository = f"{namespace}/app"
    registry, uploader = distribution(host), Uploader(host)
    uploader.push(repository, IMAGE, "one")
    notes = [
        content.artifact("text/note", f"{n}".encode(), subject=IMAGE, annotations={"n": f"é{n}"}) for n in range(4)
    ]
    for note in notes:
        for need in note.needs:
            await registry.put_blob(repository, descriptor_of(need), stream_of(need.raw))
    # Together: each writer reads again until its entry stays.
    await asyncio.gather(
        *(registry.put_manifest(repository, n.digest, parse_manifest(n.raw, n.media_type)) for n in notes[:2])
    )
    for note in notes:
        await registry.put_manifest(repository, note.digest, parse_manifest(note.raw, note.media_type))
    subject = Digest.parse(IMAGE.digest)
    tag = subject.replace(":", "-")
    listed = uploader.manifest(repository, tag)["manifests"]
    assert sorted(entry["digest"] for entry in listed) == sorted(note.digest for note in notes)
    assert {entry["artifactType"] for entry in listed} == {"text/note"}
    assert sorted(entry["annotations"]["n"] for entry in listed) == ["é0", "é1", "é2", "é3"]
    assert await registry.remove_from_referrers_tag(repository, subject, Digest.parse(notes[0].digest))
    assert not await registry.remove_from_referrers_tag(repository, subject, Digest.parse(notes[0].digest))
    found = await registry.referrers(repository, subject)
    assert sorted(d.digest for d in found.descriptors) == sorted(note.digest for note in notes[1:])
    assert found.source == "tag"


@pytest.mark.parametrize("server", ["docker_registry", "registry_v3"])
async def test_referrers_that_are_put_at_once_are_all_listed(server, request, namespace, distribution):
    host = request.getfixturevalue(server)
    repository = f"{namespace}/app"
    registry, uploader = distribution(host), Uploader(host)
    uploader.push(repository, IMAGE, "one")
    notes = [content.artifact("text/note", f"{n}".encode(), subject=IMAGE) for n in range(8)]
    for need in (need for note in notes for need in note.needs):
        await registry.put_blob(repository, descriptor_of(need), stream_of(need.raw))
    await asyncio.gather(
        *(registry.put_manifest(repository, n.digest, parse_manifest(n.raw, n.media_type)) for n in notes)
    )
    subject = Digest.parse(IMAGE.digest)
    found = await registry.referrers(repository, subject)
    assert sorted(d.digest for d in found.descriptors) == sorted(note.digest for note in notes)
    await asyncio.gather(
        *(registry.remove_from_referrers_tag(repository, subject, Digest.parse(n.digest)) for n in notes[:5])
    )
    found = await registry.referrers(repository, subject)
    assert sorted(d.digest for d in found.descriptors) == sorted(note.digest for note in notes[5:])


async def test_large_blobs_go_up_and_come_down_in_pieces(docker_registry, namespace, distribution):
    raw = bytes(range(256)) * 20_000
    descriptor = Descriptor("application/octet-stream", Digest.of(raw), len(raw))
    registry = distribution(docker_registry)
    await registry.put_blob(f"{namespace}/app", descriptor, stream_of(raw))
    chunks = [chunk async for chunk in registry.blob(f"{namespace}/app", descriptor)]
    assert b"".join(chunks) == raw
    assert await registry.blob_range(f"{namespace}/app", descriptor, 1_000_000, 1_000_100) == raw[1_000_000:1_000_100]
