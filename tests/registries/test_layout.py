"""Local layouts and archives: names, details, verified bytes, and clean errors for what is none."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import os
import subprocess
import tarfile
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regtui.oci import Descriptor, Digest, DigestMismatch, InvalidManifest, RegtuiError, SizeMismatch
from regtui.registries.archive import InvalidLayout
from regtui.registries.contract import Capability
from regtui.registries.layout import LayoutRegistry
from regtui.registries.layout_names import default_repository, local_name
from regtui.transport.errors import NotFound, Unsupported
from tests.registries.local_places import archive, folder, layout_files, manifest_json
from tests.servers import content
from tests.servers.tools import require
from tests.servers.upload import Uploader

IMAGE = content.image()
ARM = content.image(platform="linux/arm64", created="2026-02-02T00:00:00Z")
BOTH = content.index(IMAGE, ARM)
SBOM = content.artifact("application/spdx+json", b'{"spdxVersion":"SPDX-2.3"}', subject=BOTH)


async def repositories(registry, prefix=""):
    return {r.path: r.tags async for page in registry.repositories(prefix) for r in page.items}


async def rows(registry, repository):
    return [row async for page in registry.tags(repository) for row in page.items]


async def names(registry, repository):
    return [row.name for row in await rows(registry, repository)]


@pytest.fixture(params=["folder", "archive", "gzip"])
def place(request, tmp_path):
    """Makes the same layout in every form."""

    def make(*entries):
        files = layout_files(*entries)
        if request.param == "folder":
            return folder(tmp_path / "shop", files)
        if request.param == "archive":
            return archive(tmp_path / "shop.tar", files)
        return archive(tmp_path / "shop.tar.gz", files, mode="w:gz")

    return make


@pytest.fixture
async def opened():
    """Opens places, and closes them behind the test."""
    made = []

    def open_place(path):
        made.append(LayoutRegistry(path))
        return made[-1]

    yield open_place
    for registry in made:
        await registry.close()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("v1", (None, "v1")),
        ("shop/cart:1.4.2", ("shop/cart", "1.4.2")),
        ("alpine:3", ("alpine", "3")),
        ("docker.io/library/alpine:3", ("alpine", "3")),
        ("index.docker.io/library/alpine:3", ("alpine", "3")),
        ("docker.io/acme/app:1", ("acme/app", "1")),
        ("ghcr.io/acme/app:1", ("acme/app", "1")),
        ("localhost:5000/app:1", ("app", "1")),
        ("[::1]:5000/app:1", ("app", "1")),
        ("acme/app", ("acme/app", "latest")),
        (f"acme/app:1@sha256:{'0' * 64}", ("acme/app", "1")),
        ("Acme/App:1", None),
        ("../../etc:1", None),
        ("a:b:c", None),
        ("v1\x1b[31m", None),
        ("x" * 600, None),
        ("", None),
    ],
)
def test_names_of_entries(text, name):
    assert local_name(text) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [("/x/Shop.tar", "shop"), ("/x/my image.tar.gz", "my-image"), ("/x/__.tgz", "image"), ("/x/a..b", "image")],
)
def test_the_place_names_its_own_repository(path, name):
    assert default_repository(path) == name


async def test_tags_alone_make_one_repository_named_after_the_place(place, opened):
    registry = opened(place((IMAGE, "v1"), (BOTH, "v2")))
    assert await repositories(registry) == {"shop": 2}
    assert await names(registry, "shop") == ["v1", "v2"]


async def test_full_names_make_repositories_of_their_own(place, opened):
    registry = opened(
        place(
            (IMAGE, "shop/cart:1.4.2"),
            (BOTH, "shop/cart:1.5.0"),
            (ARM, {"io.containerd.image.name": "docker.io/library/web:2", "org.opencontainers.image.ref.name": "2"}),
        )
    )
    assert await repositories(registry) == {"shop/cart": 2, "web": 1}
    assert await repositories(registry, "shop/") == {"shop/cart": 2}
    assert await names(registry, "shop/cart") == ["1.4.2", "1.5.0"]
    assert (await registry.manifest("web", "2")).digest == ARM.digest
    with pytest.raises(NotFound, match="no tag"):
        await registry.manifest("web", "1.4.2")
    with pytest.raises(NotFound, match="no repository"):
        await names(registry, "shop/other")


async def test_an_archive_named_by_its_file_means_its_only_repository(tmp_path, opened):
    registry = opened(archive(tmp_path / "x.tar", layout_files((IMAGE, "acme/app:v1"))))
    assert (await registry.manifest("x", "v1")).digest == IMAGE.digest
    assert await names(registry, "x") == ["v1"]


async def test_details_come_with_the_tags(place, opened):
    registry = opened(place((BOTH, "v1"), (ARM, "arm")))
    both, arm = await rows(registry, "shop")
    blobs = {need.digest: len(need.raw) for image in (IMAGE, ARM) for need in image.needs}
    assert both.digest == BOTH.digest
    assert both.media_type == content.OCI_INDEX
    assert both.size == sum(blobs.values())
    assert [str(p) for p in both.platforms] == ["linux/amd64", "linux/arm64"]
    assert both.created.isoformat() == "2026-01-02T03:04:05+00:00"
    assert arm.size == sum(len(need.raw) for need in ARM.needs)
    assert [p.short for p in arm.platforms] == ["arm64"]
    assert arm.created.isoformat() == "2026-02-02T00:00:00+00:00"
    assert (both.pushed, both.pulled, both.is_untagged) == (None, None, False)


async def test_what_is_missing_is_not_made_up(tmp_path, opened):
    files = layout_files((BOTH, "v1"), (IMAGE, "amd"), (content.artifact("text/plain"), "note"))
    del files["blobs/" + ARM.digest.replace(":", "/")]
    registry = opened(folder(tmp_path / "shop", files))
    both, amd, note = await rows(registry, "shop")
    assert both.size is None
    assert [str(p) for p in both.platforms] == ["linux/amd64", "linux/arm64"]
    assert amd.size is not None
    assert (note.platforms, note.created) == ((), None)
    with pytest.raises(NotFound, match="is not in"):
        await registry.manifest("shop", ARM.digest)


async def test_an_entry_without_a_name_is_listed_by_its_digest(place, opened):
    registry = opened(place((IMAGE, None)))
    (row,) = await rows(registry, "shop")
    assert row.name == IMAGE.digest
    assert row.is_untagged
    assert (await registry.manifest("shop", row.name)).digest == IMAGE.digest


async def test_an_entry_that_something_else_leads_to_is_not_listed(place, opened):
    lonely = content.artifact("text/plain", b"x", subject=content.image(created="1999-01-01T00:00:00Z"))
    registry = opened(place((BOTH, "v1"), (IMAGE, None), (SBOM, None), (BOTH, None), (lonely, None)))
    assert await names(registry, "shop") == ["v1", lonely.digest]


async def test_the_same_name_twice_lists_both_and_means_the_first(place, opened):
    registry = opened(place((IMAGE, "v1"), (ARM, "v1")))
    assert [row.digest for row in await rows(registry, "shop")] == [IMAGE.digest, ARM.digest]
    assert (await registry.head_manifest("shop", "v1")).digest == IMAGE.digest


async def test_manifests_and_heads_agree(place, opened):
    registry = opened(place((BOTH, "v1")))
    for locator in ("v1", BOTH.digest):
        head = await registry.head_manifest("shop", locator)
        assert (head.digest, head.media_type, head.size) == (BOTH.digest, content.OCI_INDEX, len(BOTH.raw))
        assert (await registry.manifest("shop", locator)).raw == BOTH.raw
    head = await registry.head_manifest("shop", IMAGE.digest)
    assert (head.media_type, head.size) == (content.OCI_MANIFEST, len(IMAGE.raw))


async def test_blobs_are_read_whole_from_an_offset_and_in_part(place, opened):
    registry = opened(place((IMAGE, "v1")))
    blob = IMAGE.needs[1]
    descriptor = Descriptor(blob.media_type, Digest.parse(blob.digest), len(blob.raw))
    assert b"".join([c async for c in registry.blob("shop", descriptor)]) == blob.raw
    assert b"".join([c async for c in registry.blob("shop", descriptor, offset=7)]) == blob.raw[7:]
    assert await registry.blob_range("shop", descriptor, 3, 9) == blob.raw[3:9]
    assert await registry.blob_range("shop", descriptor, 3, 1 << 30) == blob.raw[3:]
    assert await registry.blob_range("shop", descriptor, 1 << 20, 1 << 21) == b""
    with registry.open_blob("shop", descriptor, offset=2) as stream:
        assert stream.read(4) == blob.raw[2:6]
        assert stream.read() == blob.raw[6:]
    assert await registry.small_blob("shop", descriptor) == blob.raw
    assert await registry.has_blob("shop", descriptor)
    other = Descriptor("x/y", Digest.of(b"other"), 5)
    assert not await registry.has_blob("shop", other)
    with pytest.raises(NotFound, match="is not in"):
        await registry.small_blob("shop", other)


async def test_content_that_is_not_what_its_name_says_is_refused(tmp_path, opened):
    files = layout_files((IMAGE, "v1"), (BOTH, "v2"))
    config, layer = IMAGE.needs
    files["blobs/" + config.digest.replace(":", "/")] = b"x" * len(config.raw)
    files["blobs/" + layer.digest.replace(":", "/")] = layer.raw + b"more"
    files["blobs/" + BOTH.digest.replace(":", "/")] = BOTH.raw.replace(b"amd64", b"amd65")
    registry = opened(folder(tmp_path / "shop", files))
    manifest = await registry.manifest("shop", "v1")
    with pytest.raises(DigestMismatch):
        await registry.small_blob("shop", manifest.config)
    with pytest.raises(SizeMismatch):
        await anext(registry.blob("shop", manifest.layers[0]))
    with pytest.raises(DigestMismatch):
        await registry.manifest("shop", "v2")
    one, two = await rows(registry, "shop")
    assert (one.created, one.platforms) == (None, None)  # both stand in the config
    assert (two.size, two.platforms) == (None, None)


async def test_referrers_are_found_by_subject_and_by_the_referrers_tag(place, opened):
    listed = content.artifact("application/vnd.example.note", b"{}")
    tag = IMAGE.digest.replace(":", "-")
    registry = opened(place((BOTH, "v1"), (SBOM, None), (content.index(listed), tag)))
    found = await registry.referrers("shop", Digest.parse(BOTH.digest))
    assert [(d.digest, d.artifact_type) for d in found.descriptors] == [(SBOM.digest, "application/spdx+json")]
    assert found.source == "api"
    by_tag = await registry.referrers("shop", Digest.parse(IMAGE.digest))
    assert [d.digest for d in by_tag.descriptors] == [listed.digest]
    assert (await registry.referrers("shop", Digest.parse(BOTH.digest), "text/x")).descriptors == ()
    assert (await registry.referrers("shop", Digest.of(b"none"))).descriptors == ()


async def test_a_place_that_was_written_anew_is_read_anew(tmp_path, opened):
    path = archive(tmp_path / "shop.tar", layout_files((IMAGE, "v1")))
    registry = opened(path)
    assert await names(registry, "shop") == ["v1"]
    blob = IMAGE.needs[1]
    stream = registry.open_blob("shop", Descriptor(blob.media_type, Digest.parse(blob.digest), len(blob.raw)))
    os.replace(archive(tmp_path / "new.tar", layout_files((BOTH, "v2"), (ARM, "v3"))), path)
    assert await names(registry, "shop") == ["v2", "v3"]
    with stream:
        assert stream.read() == blob.raw


async def test_an_archive_is_read_only_and_says_so(tmp_path, opened):
    registry = opened(archive(tmp_path / "shop.tar", layout_files((IMAGE, "v1"))))
    capabilities = await registry.capabilities()
    assert capabilities.has(Capability.REFERRERS)
    assert not capabilities.has(Capability.DELETE_TAG)
    assert "only read" in capabilities[Capability.PUSH].reason
    with pytest.raises(Unsupported):
        await registry.delete_manifest("shop", Digest.parse(IMAGE.digest))
    assert registry.kind == "layout"
    assert registry.host == str(tmp_path / "shop.tar")


async def test_places_that_are_none_say_what_they_lack(tmp_path, opened):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tar").write_text("no tar at all" * 100)
    (tmp_path / "zst.tar").write_bytes(b"\x28\xb5\x2f\xfd" + b"0" * 100)
    (tmp_path / "null.tar").write_bytes(b"")
    archive(tmp_path / "other.tar", {"a": b"b"})
    archive(tmp_path / "broken.tar", {"index.json": b"{"})
    archive(tmp_path / "odd.tar", {"index.json": b'{"manifests":{}}', "manifest.json": b"[1]"})
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "index.json").write_text('{"manifests":{}}')
    for name, error, sentence in [
        ("missing", NotFound, "does not exist"),
        ("empty", InvalidLayout, "no index.json"),
        ("text.tar", InvalidLayout, "no tar archive"),
        ("zst.tar", InvalidLayout, "zstd"),
        ("null.tar", InvalidLayout, "neither|no tar"),
        ("other.tar", InvalidLayout, "neither"),
        ("broken.tar", InvalidManifest, "not valid JSON"),
        ("list", InvalidManifest, "no list"),
    ]:
        with pytest.raises(error, match=sentence):
            await repositories(opened(tmp_path / name))
    unreadable = [page async for page in opened(tmp_path / "odd.tar").repositories()]
    assert unreadable[0].items == ()
    assert "1 of its entries" in unreadable[0].stopped


async def test_bad_entries_are_counted_and_the_good_ones_stay(tmp_path, opened):
    files = layout_files((IMAGE, "v1"))
    files["index.json"] = files["index.json"].replace(b"[{", b'[null,{"mediaType":7},{', 1)
    (page,) = [page async for page in opened(folder(tmp_path / "shop", files)).repositories()]
    assert [r.path for r in page.items] == ["shop"]
    assert "2 of its entries" in page.stopped


@pytest.mark.parametrize("cut", [10, 700, 3000])
async def test_a_cut_archive_never_crashes(tmp_path, opened, cut):
    whole = archive(tmp_path / "x.tar", layout_files((BOTH, "v1"))).read_bytes()
    (tmp_path / "x.tar").write_bytes(whole[:cut])
    with pytest.raises(RegtuiError):
        await names(opened(tmp_path / "x.tar"), "x")
    packed = gzip.compress(whole)
    (tmp_path / "y.tar.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InvalidLayout, match="cut short"):
        await names(opened(tmp_path / "y.tar.gz"), "y")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 6000), st.binary(min_size=1, max_size=8)), min_size=1, max_size=5))
async def test_a_damaged_archive_gives_an_error_of_ours_or_right_content(tmp_path, damage):
    whole = bytearray(archive(tmp_path / "x.tar", layout_files((IMAGE, "v1"))).read_bytes())
    for position, data in damage:
        whole[position : position + len(data)] = data
    (tmp_path / "x.tar").write_bytes(whole)
    registry = LayoutRegistry(tmp_path / "x.tar")
    try:
        for row in await rows(registry, "x"):
            manifest = await registry.manifest("x", row.name)
            for layer in manifest.layers:
                assert Digest.of(await registry.small_blob("x", layer)) == layer.digest
    except RegtuiError:
        pass
    finally:
        await registry.close()


async def test_a_digest_can_not_lead_out_of_the_folder(tmp_path, opened):
    registry = opened(folder(tmp_path / "shop", layout_files((IMAGE, "v1"))))
    (tmp_path / "shop" / "blobs" / "secret").write_text("x")
    for locator in ("sha256:../secret", "..:secret", "a..b:x"):
        with pytest.raises(RegtuiError):
            await registry.manifest("shop", locator)


# docker save archives -------------------------------------------------------------------------------------------


def saved(*, layers=("one", "two"), packed=False, config_name=None, tags=("acme/app:1",)):
    """Files of a docker save archive, and what its manifest must say: {digest: bytes} in order."""
    plain = [content.tar({f"etc/{name}": name.encode()}) for name in layers]
    diff_ids = ["sha256:" + hashlib.sha256(p).hexdigest() for p in plain]
    config = content.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}, "config": {}}
    )
    name = config_name or hashlib.sha256(config).hexdigest() + ".json"
    files = {name: config}
    paths = []
    for number, raw in enumerate(plain):
        paths.append(f"{number:064x}/layer.tar")
        files[paths[-1]] = gzip.compress(raw, mtime=0) if packed else raw
    image = {"Config": name, "RepoTags": list(tags) if tags else None, "Layers": paths}
    return files, image


@pytest.mark.parametrize("packed", [False, True])
async def test_a_docker_archive_gets_the_same_verified_manifest_each_time(tmp_path, opened, packed):
    files, image = saved(packed=packed)
    place = archive(tmp_path / "app.tar", files | {"manifest.json": manifest_json(image)})
    registry = opened(place)
    manifest = await registry.manifest("acme/app", "1")
    assert manifest == await opened(place).manifest("acme/app", "1")
    assert manifest.digest == Digest.of(manifest.raw)
    kind = "application/vnd.docker.image.rootfs.diff.tar" + (".gzip" if packed else "")
    for path, layer in zip(image["Layers"], manifest.layers, strict=True):
        assert layer.media_type == kind
        assert layer.digest == Digest.of(files[path])
        assert await registry.small_blob("acme/app", layer) == files[path]
    assert await registry.small_blob("acme/app", manifest.config) == files[image["Config"]]
    (row,) = await rows(registry, "acme/app")
    assert row.size == sum(len(raw) for raw in files.values())
    head = await registry.head_manifest("acme/app", "1")
    assert (head.digest, head.size) == (manifest.digest, len(manifest.raw))


async def test_links_are_followed_inside_of_the_archive_only(tmp_path, opened):
    files, image = saved(layers=("one",))
    real = files.pop(image["Layers"][0])
    (tmp_path / "outside").write_bytes(real)
    for target, found in [
        ("../shared.tar", True),
        ("../../../shared.tar", False),
        (str(tmp_path / "outside"), False),
        ("layer.tar", False),
    ]:
        place = archive(
            tmp_path / "app.tar",
            files | {"shared.tar": real, "manifest.json": manifest_json(image)},
            links={image["Layers"][0]: target},
        )
        registry = opened(place)
        if found:
            manifest = await registry.manifest("acme/app", "1")
            assert await registry.small_blob("acme/app", manifest.layers[0]) == real
        else:
            with pytest.raises(NotFound, match="missing in this archive"):
                await registry.manifest("acme/app", "1")


async def test_an_image_that_lacks_parts_does_not_take_the_others_along(tmp_path, opened):
    files, good = saved()
    bad = {"Config": good["Config"], "RepoTags": ["acme/bad:1"], "Layers": ["nowhere.tar"]}
    worse = {"Config": "nowhere.json", "RepoTags": None, "Layers": []}
    registry = opened(archive(tmp_path / "a.tar", files | {"manifest.json": manifest_json(good, bad, worse, 7)}))
    (page,) = [page async for page in registry.repositories()]
    assert [r.path for r in page.items] == ["acme/app", "acme/bad"]
    assert "2 of its entries" in page.stopped
    (row,) = await rows(registry, "acme/bad")
    assert (row.name, row.digest, row.size) == ("1", None, None)
    with pytest.raises(NotFound, match=r"nowhere\.tar"):
        await registry.manifest("acme/bad", "1")
    assert await registry.manifest("acme/app", "1")


async def test_docker_content_that_is_not_what_its_name_says_is_refused(tmp_path, opened):
    files, image = saved()
    other = content.tar({"etc/evil": b"x"})
    files[image["Layers"][0]] = other
    registry = opened(archive(tmp_path / "a.tar", files | {"manifest.json": manifest_json(image)}))
    manifest = await registry.manifest("acme/app", "1")
    with pytest.raises(DigestMismatch):
        await registry.small_blob("acme/app", manifest.layers[0])
    files, image = saved(config_name="blobs/sha256/" + "0" * 64)
    registry = opened(archive(tmp_path / "b.tar", files | {"manifest.json": manifest_json(image)}))
    with pytest.raises(DigestMismatch):
        await registry.manifest("acme/app", "1")


async def test_a_docker_config_may_have_any_name(tmp_path, opened):
    files, image = saved(config_name="sha256:" + "0" * 64)
    registry = opened(archive(tmp_path / "b.tar", files | {"manifest.json": manifest_json(image)}))
    manifest = await registry.manifest("acme/app", "1")
    assert manifest.config.digest == Digest.of(await registry.small_blob("acme/app", manifest.config))


async def test_one_image_with_many_names_and_one_without(tmp_path, opened):
    files, image = saved(tags=("acme/app:1", "acme/app:2", "other:x"))
    files2, nameless = saved(layers=("three",), tags=None)
    registry = opened(archive(tmp_path / "app.tar", files | files2 | {"manifest.json": manifest_json(image, nameless)}))
    assert await repositories(registry) == {"acme/app": 2, "app": 1, "other": 1}
    (row,) = await rows(registry, "app")
    assert row.is_untagged
    assert (await registry.manifest("app", row.name)).digest == row.digest


async def test_many_members_are_indexed_once(tmp_path, opened):
    files = layout_files((IMAGE, "v1")) | {f"junk/{n}": b"" for n in range(3000)}
    registry = opened(archive(tmp_path / "x.tar", files))
    assert await names(registry, "x") == ["v1"]
    with tarfile.open(tmp_path / "x.tar") as plain:
        assert len(plain.getnames()) == len(files)


async def test_who_is_cancelled_while_a_blob_is_opened_leaves_no_open_file(tmp_path, opened, monkeypatch):
    registry = opened(folder(tmp_path, layout_files((IMAGE, "v1"))))
    name = (await anext(aiter(registry.repositories()))).items[0].path
    config = (await registry.manifest(name, "v1")).config
    loop, begun, closed, go = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event(), threading.Event()

    class Stream(io.BytesIO):
        def close(self):
            loop.call_soon_threadsafe(closed.set)
            super().close()

    def slow(*_, **__):
        loop.call_soon_threadsafe(begun.set)
        assert go.wait(20)
        return Stream(b"{}")

    monkeypatch.setattr(registry, "open_blob", slow)
    reading = asyncio.ensure_future(registry.small_blob(name, config))
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    go.set()
    await asyncio.wait_for(closed.wait(), 20)


@pytest.mark.real
@pytest.mark.parametrize(
    ("form", "kind"),
    [("oci:{}:v1", "folder"), ("oci-archive:{}:v1", "tar"), ("docker-archive:{}:acme/app:v1", "docker")],
)
async def test_what_skopeo_writes_is_read(docker_registry, namespace, tmp_path, opened, form, kind):
    skopeo = require("skopeo")
    Uploader(docker_registry).push(f"{namespace}/app", IMAGE, "v1")
    place = tmp_path / "made"
    command = [skopeo, "copy", "--quiet", "--src-tls-verify=false"]
    source, target = f"docker://{docker_registry}/{namespace}/app:v1", form.format(place)
    ran = await asyncio.to_thread(
        subprocess.run, [*command, source, target], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    registry = opened(place)
    repository = "acme/app" if kind == "docker" else "made"
    assert await repositories(registry) == {repository: 1}
    manifest = await registry.manifest(repository, "v1")
    if kind != "docker":
        assert manifest.raw == IMAGE.raw
    for descriptor in (manifest.config, *manifest.layers):
        assert Digest.of(await registry.small_blob(repository, descriptor)) == descriptor.digest
