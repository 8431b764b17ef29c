"""The whole demo: always the same bytes, digests true, manifests readable, layers what their configs say."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile

import pytest

from regtui.demo import story
from regtui.demo.build import make_demo
from regtui.oci import Descriptor, Digest, ImageManifest, Index, join_history, media_types, parse_config, parse_manifest
from regtui.oci.reference import is_repository_path, is_tag
from regtui.oci.tags import subject_of

# Changes with every change of the demo: then layout.VERSION goes up too.
PINNED_INDEX = "80962186ce8c9141d049abef954f3a529c97f03010f7d0cdeb16a2508383555a"


def walk(demo, descriptor: Descriptor):
    """The manifest of a descriptor and all below it."""
    raw = demo.blobs[descriptor.digest]
    manifest = parse_manifest(raw, descriptor.media_type, descriptor.digest)
    assert manifest.size == descriptor.size
    assert manifest.media_type == descriptor.media_type
    yield manifest
    if isinstance(manifest, Index):
        for child in manifest.manifests:
            yield from walk(demo, child)


@pytest.fixture(scope="module")
def manifests(demo, entries):
    """Every manifest that index.json leads to, by digest."""
    found = {}
    for entry in entries:
        for manifest in walk(demo, Descriptor.from_json(entry, "The entry")):
            found[manifest.digest] = manifest
    return found


@pytest.fixture(scope="module")
def images(demo, manifests):
    """Every image for one platform, with its config."""
    found = [m for m in manifests.values() if isinstance(m, ImageManifest) and m.is_image]
    pairs = [(m, parse_config(demo.blobs[m.config.digest])) for m in found]
    return [(manifest, config) for manifest, config in pairs if not is_cosign(manifest)]


def is_cosign(manifest: ImageManifest) -> bool:
    return any("simplesigning" in layer.media_type or "dsse" in layer.media_type for layer in manifest.layers)


def test_two_builds_are_equal_and_the_digest_is_pinned(demo):
    again = make_demo()
    assert again.index == demo.index
    assert dict(again.blobs.items()) == dict(demo.blobs.items())
    assert again.trust == demo.trust
    assert hashlib.sha256(demo.index).hexdigest() == PINNED_INDEX


def test_every_blob_is_what_its_digest_says(demo):
    for digest, content in demo.blobs.items():
        Digest.parse(digest).verify(content)


def test_nothing_is_missing_and_nothing_is_left_over(demo, manifests):
    wanted = set(manifests)
    for manifest in manifests.values():
        if isinstance(manifest, ImageManifest):
            for blob in (manifest.config, *manifest.layers):
                if not blob.urls:
                    wanted.add(blob.digest)
                    assert len(demo.blobs[blob.digest]) == blob.size
    assert wanted == {digest for digest, _ in demo.blobs.items()}


def test_every_subject_is_there(manifests):
    subjects = [manifest.subject for manifest in manifests.values() if manifest.subject is not None]
    assert len(subjects) > 30
    for subject in subjects:
        assert manifests[subject.digest].size == subject.size
        assert manifests[subject.digest].media_type == subject.media_type


def test_diff_ids_name_the_unpacked_layers(demo, images, unzstd):
    checked = {}
    for manifest, config in images:
        assert len(config.diff_ids) == len(manifest.layers)
        for layer, diff_id in zip(manifest.layers, config.diff_ids, strict=True):
            if layer.digest not in checked and not layer.urls:
                checked[layer.digest] = Digest.of(unpack(demo.blobs[layer.digest], layer.media_type, unzstd))
            if not layer.urls:
                assert checked[layer.digest] == diff_id
    assert len(checked) > 50


def unpack(blob: bytes, media_type: str, unzstd) -> bytes:
    compression = media_types.compression(media_type)
    if compression == "gzip":
        return gzip.decompress(blob)
    if compression == "zstd":
        return unzstd(blob)
    return blob


def test_history_joins_with_the_layers(images):
    without = 0
    for manifest, config in images:
        steps = join_history(manifest, config)
        if not config.history:
            without += 1
            continue
        assert [step.layer for step in steps if step.layer] == list(manifest.layers)
        assert all(step.instruction for step in steps)
        assert [e.created for e in config.history] == sorted(e.created for e in config.history)
        assert config.history[-1].created == config.created
    assert without == 1


def test_every_layer_is_a_tar_without_surprises(demo, images, unzstd):
    entries = 0
    for layer in {layer.digest: layer for manifest, _ in images for layer in manifest.layers}.values():
        if layer.urls:
            continue
        raw = unpack(demo.blobs[layer.digest], layer.media_type, unzstd)
        with tarfile.open(fileobj=io.BytesIO(raw), errors="surrogateescape") as archive:
            names = [member.name for member in archive]
        assert len(names) == len(set(names))
        assert not any(name.startswith("/") or ".." in name.split("/") for name in names)
        entries += len(names)
    assert entries > 3000


def test_the_names_are_legal_and_tell_the_story(names, entries):
    pairs = [name.partition(":") for name in names]
    assert all(is_repository_path(repository) and is_tag(tag) for repository, _, tag in pairs)
    plain = [(repository, tag) for repository, _, tag in pairs if subject_of(tag) is None]
    assert len(plain) == len(set(plain)) == 74
    assert len({repository for repository, _ in plain}) == 15
    assert len(names) == sum("org.opencontainers.image.ref.name" in entry.get("annotations", {}) for entry in entries)


def test_several_tags_name_one_digest(names):
    group = {names[f"shop/cart:{tag}"]["digest"] for tag in ("1.4.2", "1.4", "1", "stable", "latest")}
    assert len(group) == 1


def test_images_share_layers(document, names):
    def layers(name: str) -> set[str]:
        first = document(names[name]["digest"])["manifests"][0]["digest"]
        return {layer["digest"] for layer in document(first)["layers"]}

    assert len(layers("shop/cart:1.4.0") & layers("shop/cart:1.4.1")) == 3
    assert layers("base/debian:12-slim") < layers("shop/cart:1.4.2")


def test_platforms(document, names):
    def platforms(name: str) -> list[str]:
        manifest = document(names[name]["digest"])
        return [f"{m['platform']['os']}/{m['platform']['architecture']}" for m in manifest["manifests"]]

    assert platforms("shop/cart:1.4.2") == ["linux/amd64", "linux/arm64", "unknown/unknown", "unknown/unknown"]
    assert platforms("shop/web:2")[:3] == ["linux/amd64", "linux/arm64", "linux/arm"]
    assert platforms("infra/agent:latest") == ["linux/amd64", "windows/amd64"]
    assert names["infra/nginx:stable"]["mediaType"] == media_types.DOCKER_MANIFEST_LIST


def test_the_windows_base_lies_elsewhere(demo, document, names):
    windows = document(names["infra/agent:latest"]["digest"])["manifests"][1]
    foreign = document(windows["digest"])["layers"][0]
    assert media_types.is_foreign(foreign["mediaType"])
    assert foreign["urls"]
    with pytest.raises(KeyError):
        demo.blobs[foreign["digest"]]


def test_dates_span_months_and_lie_in_the_past_of_the_story():
    dates = [release.created for release in (*story.IMAGES, *story.ARTIFACTS)]
    assert min(dates) < "2026-02"
    assert max(dates) > "2026-11"
    assert all(date.startswith("2026-") for date in dates)


def test_it_stays_small(demo):
    assert sum(len(content) for _, content in demo.blobs.items()) < 30_000_000
    assert max(len(content) for _, content in demo.blobs.items()) < 4_000_000


def test_progress_tells_every_release():
    heard = []
    make_demo(lambda done, total, what: heard.append((done, total, what)))
    total = len(story.IMAGES) + len(story.ARTIFACTS)
    assert [done for done, _, _ in heard] == list(range(total))
    assert heard[0][2] == "base/debian:12.1-20260112-slim"


def test_the_fat_image_wastes_and_the_lean_one_does_not(demo, document, names):
    def waste(name: str) -> int:
        """Bytes of files that a later layer replaces or deletes."""
        manifest = document(names[name]["digest"])
        alive, lost = {}, 0
        for layer in manifest["layers"]:
            raw = gzip.decompress(demo.blobs[layer["digest"]])
            with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
                members = [(m.name, m.size) for m in archive if m.isfile()]
            for path, size in members:
                folder, _, base = path.rpartition("/")
                gone = []
                if base == ".wh..wh..opq":
                    gone = [p for p in alive if p.startswith(f"{folder}/")]
                elif base.startswith(".wh."):
                    target = f"{folder}/{base[4:]}".lstrip("/")
                    gone = [p for p in alive if p == target or p.startswith(f"{target}/")]
                elif path in alive:
                    gone = [path]
                lost += sum(alive.pop(p) for p in gone)
                if not base.startswith(".wh."):
                    alive[path] = size
        return lost

    assert waste("shop/reports:0.4.0") > 1_500_000
    assert waste("shop/reports:0.5.0") < 50_000


def test_package_databases_fit_the_files(demo, document, names):
    files = {}
    image = document(document(names["shop/cart:1.4.2"]["digest"])["manifests"][0]["digest"])
    for layer in image["layers"]:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(demo.blobs[layer["digest"]]))) as archive:
            files |= {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}
    status = files["var/lib/dpkg/status"].decode()
    packages = [line.partition(" ")[2] for line in status.splitlines() if line.startswith("Package: ")]
    assert len(packages) > 70
    for package in packages:
        for line in files[f"var/lib/dpkg/info/{package}.md5sums"].decode().splitlines():
            digest, _, path = line.partition("  ")
            assert hashlib.md5(files[path]).hexdigest() == digest
    records = [path for path in files if path.endswith(".dist-info/RECORD")]
    assert len(records) == 13
    for record in records:
        root = record.rpartition("/")[0].rpartition("/")[0]
        for row in files[record].decode().splitlines():
            path, digest, size = row.split(",")
            if digest:
                assert len(files[f"{root}/{path}"]) == int(size)


def test_artifacts_are_what_they_say(demo, document, names):
    chart = document(names["charts/cart:1.0.0_build.7"]["digest"])
    assert document(chart["config"]["digest"])["version"] == "1.0.0+build.7"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(demo.blobs[chart["layers"][0]["digest"]]))) as archive:
        assert {"cart/Chart.yaml", "cart/values.yaml", "cart/README.md", "cart/templates/deployment.yaml"} <= set(
            archive.getnames()
        )
    component = document(names["wasm/rate-limiter:latest"]["digest"])
    assert demo.blobs[component["layers"][0]["digest"]].startswith(b"\0asm\x0d\0\1\0")
    files = document(names["tools/runbooks:latest"]["digest"])
    titles = [layer["annotations"]["org.opencontainers.image.title"] for layer in files["layers"]]
    assert titles == ["restore.md", "on-call.md", "alerts.yaml", "dashboard.json", "topology.svg", "scripts"]
    packed = files["layers"][-1]
    unpacked = gzip.decompress(demo.blobs[packed["digest"]])
    assert packed["annotations"]["io.deis.oras.content.digest"] == Digest.of(unpacked)
    model = document(names["ml/sentiment:latest"]["digest"])
    weights = demo.blobs[model["layers"][0]["digest"]]
    size = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + size])
    assert header["embedding.weight"]["data_offsets"][1] == len(weights) - 8 - size
