"""Manifests and indexes: known shapes, type confusion, garbage."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.oci import (
    Digest,
    DigestMismatch,
    ImageManifest,
    Index,
    InvalidManifest,
    Platform,
    RegtuiError,
    UnsupportedManifest,
    media_types,
    parse_config,
    parse_manifest,
)
from regtui.oci.artifact import name_of
from regtui.oci.manifest import LARGEST_MANIFEST

LAYER = {"mediaType": media_types.OCI_LAYER_GZIP, "digest": str(Digest.of(b"layer")), "size": 5}
CONFIG = {"mediaType": media_types.OCI_CONFIG, "digest": str(Digest.of(b"{}")), "size": 2}


def image(**changes: Any) -> bytes:
    body = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST, "config": CONFIG, "layers": [LAYER]}
    return json.dumps({k: v for k, v in (body | changes).items() if v is not ...}).encode()


def index(*entries: dict[str, Any], **changes: Any) -> bytes:
    body = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": list(entries)}
    return json.dumps({k: v for k, v in (body | changes).items() if v is not ...}).encode()


def entry(platform: dict[str, str] | None, **more: Any) -> dict[str, Any]:
    base = {"mediaType": media_types.OCI_MANIFEST, "digest": str(Digest.of(json.dumps(platform).encode())), "size": 9}
    return base | ({"platform": platform} if platform else {}) | more


def test_an_image_keeps_its_raw_bytes() -> None:
    raw = image()
    manifest = parse_manifest(raw, "application/vnd.oci.image.manifest.v1+json; charset=utf-8", Digest.of(raw))
    assert isinstance(manifest, ImageManifest)
    assert manifest.raw == raw
    assert manifest.digest == Digest.of(raw)
    assert manifest.content_size == 7
    assert manifest.is_image
    assert manifest.layers[0].to_json() == LAYER


def test_the_digest_is_checked_before_anything_is_read() -> None:
    with pytest.raises(DigestMismatch):
        parse_manifest(b"not json at all", None, Digest.of(b"other"))


@pytest.mark.parametrize("content_type", [None, "", "application/json", "text/plain", media_types.OCI_MANIFEST])
def test_useless_content_types_are_tolerated(content_type: str | None) -> None:
    assert parse_manifest(image(), content_type).media_type == media_types.OCI_MANIFEST
    assert parse_manifest(image(mediaType=...), content_type).media_type == media_types.OCI_MANIFEST


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (image(), media_types.DOCKER_MANIFEST),
        (image(), media_types.OCI_INDEX),
        (index(), media_types.OCI_MANIFEST),
        (image(mediaType=...), media_types.OCI_INDEX),
        (image(manifests=[]), None),
        (b"{}", None),
        (b"[]", media_types.OCI_MANIFEST),
        (b"null", None),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
        (b'{"config":' * 100_000, None),
        (b'{"layers": ' + b"1" * 5000 + b"}", None),
        (image(config=None), None),
        (image(layers={}), None),
        (image(layers=[1]), None),
        (image(layers=[LAYER | {"size": -1}]), None),
        (image(layers=[LAYER | {"size": 1e300}]), None),
        (image(layers=[LAYER | {"size": True}]), None),
        (image(layers=[LAYER | {"digest": "sha256:xyz"}]), None),
        (image(layers=[LAYER | {"digest": 7}]), None),
        (image(subject="x"), None),
        (index("x"), None),  # type: ignore[arg-type]
        (b" " * (LARGEST_MANIFEST + 1), None),
    ],
)
def test_type_confusion_and_garbage_give_one_error(raw: bytes, content_type: str | None) -> None:
    with pytest.raises(InvalidManifest) as caught:
        parse_manifest(raw, content_type)
    assert len(str(caught.value)) < 500


def test_schema1_is_recognised_and_refused() -> None:
    raw = json.dumps({"schemaVersion": 1, "fsLayers": [], "history": []}).encode()
    for content_type in (None, media_types.DOCKER_SCHEMA1_SIGNED, "application/json"):
        with pytest.raises(UnsupportedManifest, match="schema 1"):
            parse_manifest(raw, content_type)
    with pytest.raises(UnsupportedManifest):
        parse_manifest(json.dumps({"mediaType": media_types.OCI_ARTIFACT_MANIFEST, "blobs": []}).encode())


def test_attestations_are_told_apart_from_platforms() -> None:
    attestation = entry(
        {"os": "unknown", "architecture": "unknown"},
        annotations={"vnd.docker.reference.type": "attestation-manifest"},
    )
    raw = index(
        entry({"os": "linux", "architecture": "amd64"}),
        entry({"os": "linux", "architecture": "arm64", "variant": "v8"}),
        attestation,
    )
    parsed = parse_manifest(raw)
    assert isinstance(parsed, Index)
    assert [str(d.platform) for d in parsed.platforms] == ["linux/amd64", "linux/arm64/v8"]
    assert len(parsed.attestations) == 1
    chosen = parsed.select(Platform.parse("linux/arm64"))
    assert chosen is not None
    assert chosen.platform == Platform("linux", "arm64", "v8")
    assert parsed.select(Platform.parse("linux/s390x")) is None
    assert name_of(parsed) == "OCI index"


def test_null_lists_read_as_empty() -> None:
    parsed = parse_manifest(index(manifests=None))
    assert isinstance(parsed, Index)
    assert parsed.manifests == ()


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "image"),
        ({"config": CONFIG | {"mediaType": "application/vnd.cncf.helm.config.v1+json"}}, "Helm chart"),
        ({"config": CONFIG | {"mediaType": "application/vnd.wasm.config.v0+json"}}, "WASM component"),
        ({"artifactType": "application/vnd.cncf.notary.signature"}, "Notary Project signature"),
        ({"artifactType": "application/x.own"}, "application/x.own"),
        ({"config": CONFIG | {"mediaType": media_types.OCI_EMPTY}}, media_types.OCI_LAYER_GZIP),
        ({"layers": [LAYER | {"mediaType": "application/vnd.in-toto+json"}]}, "attestation"),
        ({"layers": [LAYER | {"mediaType": "application/vnd.dsse.envelope.v1+json"}]}, "DSSE attestation"),
        (
            {"layers": [LAYER | {"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json"}]},
            "cosign signature",
        ),
    ],
)
def test_artifacts_are_named_in_words(changes: dict[str, Any], name: str) -> None:
    assert name_of(parse_manifest(image(**changes))) == name


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
members = st.sampled_from(
    ["mediaType", "config", "layers", "manifests", "subject", "annotations", "artifactType", "schemaVersion",
     "rootfs", "history", "created", "architecture", "os", "platform", "digest", "size"]
)  # fmt: skip
objects = st.dictionaries(members, json_values, max_size=8)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=200), objects.map(lambda o: json.dumps(o).encode())), st.text(max_size=30))
def test_any_bytes_give_a_value_or_a_clear_error(raw: bytes, content_type: str) -> None:
    for read in (lambda: parse_manifest(raw, content_type), lambda: parse_config(raw)):
        with contextlib.suppress(RegtuiError):
            assert read().raw == raw


@settings(max_examples=300)
@given(objects)
def test_any_change_to_a_good_image_gives_a_value_or_a_clear_error(changes: dict[str, Any]) -> None:
    try:
        manifest = parse_manifest(image(**changes))
    except InvalidManifest:
        return
    assert manifest.digest == Digest.of(manifest.raw)
