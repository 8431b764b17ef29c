"""Usage: logical, unique and shared bytes, and what deleting tags truly frees."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.contents.usage import StoredTag, registry_usage, repository_usage, stored_tag
from regtui.oci import Digest, ImageManifest, Index, parse_manifest
from regtui.oci.media_types import OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST


def blob(name: str) -> Digest:
    return Digest.of(name.encode())


def image(config: str, *layers: tuple[str, int]) -> ImageManifest:
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": blob(config), "size": 10},
        "layers": [{"mediaType": OCI_LAYER_GZIP, "digest": blob(name), "size": size} for name, size in layers],
    }
    made = parse_manifest(json.dumps(body).encode())
    assert isinstance(made, ImageManifest)
    return made


def index(*images: ImageManifest) -> Index:
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [{"mediaType": OCI_MANIFEST, "digest": i.digest, "size": i.size} for i in images],
    }
    made = parse_manifest(json.dumps(body).encode())
    assert isinstance(made, Index)
    return made


ONE = image("c1", ("base", 1000), ("app1", 50))
TWO = image("c2", ("base", 1000), ("app2", 70))


def test_one_repository() -> None:
    tags = [
        stored_tag("1", ONE, {}, datetime(2024, 1, 1, tzinfo=UTC)),
        stored_tag("2", TWO, {}, datetime(2024, 2, 1, tzinfo=UTC)),
        stored_tag("latest", TWO, {}, datetime(2024, 3, 1, tzinfo=UTC)),
    ]
    usage = repository_usage(tags)
    first, second = 1060 + ONE.size, 1080 + TWO.size
    assert usage.logical == first + 2 * second
    assert usage.unique == first + second - 1000
    assert usage.shared == 1000
    assert usage.freed_by([]) == 0
    assert usage.freed_by(["1"]) == 60 + ONE.size
    assert usage.freed_by(["2"]) == 0
    assert usage.freed_by(["2", "latest"]) == 80 + TWO.size
    assert usage.freed_by(["1", "2", "latest"]) == usage.unique
    assert usage.freed_by(["nothing"]) == 0
    assert [(use.digest, use.images, use.tags) for use in usage.layers_by_use()] == [
        (blob("base"), 2, 3),
        (blob("app2"), 1, 2),
        (blob("app1"), 1, 1),
    ]
    assert [(push.tag, push.size, push.new) for push in usage.over_time()] == [
        ("1", first, first),
        ("2", second, second - 1000),
        ("latest", second, 0),
    ]


def test_indexes_keep_their_children() -> None:
    both = index(ONE, TWO)
    children = {ONE.digest: ONE, TWO.digest: TWO}
    usage = repository_usage([stored_tag("multi", both, children), stored_tag("amd64", ONE, {})])
    assert usage.unique == both.size + ONE.size + TWO.size + 1000 + 50 + 70 + 20
    assert usage.freed_by(["amd64"]) == 0
    assert usage.freed_by(["multi"]) == both.size + TWO.size + 70 + 10
    partly = stored_tag("partly", both, {})
    assert partly.size == both.size + ONE.size + TWO.size


def test_a_registry_stores_each_blob_once() -> None:
    usage = registry_usage({"a": [stored_tag("1", ONE, {})], "b": [stored_tag("2", TWO, {})], "c": []})
    assert usage.unique == 1000 + 60 + ONE.size + 80 + TWO.size
    assert usage.logical == usage.unique + 1000
    assert usage.by_repository["a"].freed_by(["1"]) == 60 + ONE.size
    assert usage.by_repository["a"].shared_elsewhere == 1000
    assert usage.by_repository["c"].unique == 0


_blobs = st.sets(st.sampled_from("abcdefgh"), min_size=1, max_size=5)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(_blobs, st.integers(1, 3)), min_size=1, max_size=6), st.sets(st.integers(0, 20)))
def test_freed_equals_counting_again(images: list[tuple[set[str], int]], marks: set[int]) -> None:
    sizes = {name: 1 << at for at, name in enumerate("abcdefgh")}
    tags = []
    for number, (names, copies) in enumerate(images):
        digest = blob(f"manifest{number}")
        blobs = {digest: 1 << 10 + number, **{blob(name): sizes[name] for name in names}}
        tags += [StoredTag(f"t{len(tags) + n}", digest, blobs, frozenset()) for n in range(copies)]
    marked = {tag.tag for at, tag in enumerate(tags) if at in marks}
    staying = [tag for tag in tags if tag.tag not in marked]
    usage = repository_usage(tags)
    assert usage.freed_by(marked) == usage.unique - repository_usage(staying).unique
