"""What hangs on an image, opened: every shared document is told as what it is, and nothing breaks the reading."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.oci import Descriptor, Digest
from regtui.transport.errors import Unsupported
from regtui.trust.documents import DocumentKind, read_document, read_documents
from tests.trust.makers import MANIFEST, Notary, dsse_bundle, envelope, make_key, simple_payload, statement
from tests.trust.memory_registry import MemoryRegistry

if TYPE_CHECKING:
    from pathlib import Path

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"


def layer(media_type: str, raw: bytes, **annotations: str) -> Descriptor:
    return Descriptor(media_type, Digest.of(raw), len(raw), annotations)


def test_signatures_tell_what_they_claim_and_never_that_it_is_true() -> None:
    key, notary = make_key("p256"), Notary()
    bundle = json.dumps(dsse_bundle(key)).encode()
    payload = simple_payload(team="core")
    for media_type, raw, words in (
        (BUNDLE, bundle, "key "),
        (SIMPLE, payload, "a key pair"),
        ("application/jose+json", notary.jws(), "CN="),
        ("application/cose", notary.cose(), "CN="),
    ):
        document = read_document(layer(media_type, raw), raw)
        assert document.kind is DocumentKind.SIGNATURE, document
        assert document.problem is None
        facts = dict(document.facts)
        assert words in facts["says signed by"]
        assert "verified" not in str(document.facts)


@pytest.mark.parametrize(
    ("predicate_type", "predicate", "kind"),
    [
        ("https://slsa.dev/provenance/v1", {"runDetails": {"builder": {"id": "ci"}}}, DocumentKind.PROVENANCE),
        ("https://cyclonedx.org/bom", {"bomFormat": "CycloneDX", "components": []}, DocumentKind.SBOM),
        (
            "https://openvex.dev/ns/v0.2.0",
            {"@context": "https://openvex.dev/ns/v0.2.0", "statements": []},
            DocumentKind.VEX,
        ),
        ("https://example.com/anything", {"a": 1}, DocumentKind.STATEMENT),
    ],
)
def test_statements_are_read_by_their_predicate_in_every_wrapping(
    predicate_type: str, predicate: object, kind: DocumentKind
) -> None:
    key = make_key("p256")
    raw = statement(predicate_type=predicate_type, predicate=predicate)
    wrapped = json.dumps(envelope(key, raw)).encode()
    for media_type, content in (
        ("application/vnd.in-toto+json", raw),
        ("application/vnd.dsse.envelope.v1+json", wrapped),
        (BUNDLE, json.dumps(dsse_bundle(key, raw)).encode()),
    ):
        document = read_document(layer(media_type, content), content)
        assert document.kind is kind, document
        assert document.raw == content
        assert json.loads(document.inside)["predicateType"] == predicate_type


def test_a_predicate_that_is_broken_says_so_and_keeps_its_bytes() -> None:
    raw = statement(predicate_type="https://spdx.dev/Document", predicate={"no": "sbom"})
    document = read_document(layer("application/vnd.in-toto+json", raw), raw)
    assert document.problem is not None
    assert document.raw == raw


@given(st.binary(max_size=200), st.sampled_from([BUNDLE, SIMPLE, "application/jose+json", "application/cose", "x/y"]))
def test_garbage_is_a_file(raw: bytes, media_type: str) -> None:
    document = read_document(layer(media_type, raw), raw)
    assert document.kind is DocumentKind.OTHER or document.problem is None
    assert document.raw == raw


async def test_each_layer_of_a_manifest_is_a_document_and_a_large_one_is_left_alone() -> None:
    registry = MemoryRegistry()
    first = registry.put(statement(), "application/vnd.in-toto+json")
    second = registry.put(MANIFEST + b" " * 5000, "application/json")
    made = registry.put_manifest_of([first, second])
    documents = await read_documents(registry, "app", made.digest)
    assert [document.digest for document in documents] == [first.digest, second.digest]
    with pytest.raises(Unsupported):
        await read_documents(registry, "app", made.digest, limit=1000)


async def test_a_large_file_that_is_no_document_is_not_fetched() -> None:
    registry = MemoryRegistry()
    chart = Descriptor("application/vnd.example.model", Digest.of(b"model"), 500 << 20)
    made = registry.put_manifest_of([chart, registry.put(statement(), "application/vnd.in-toto+json")])
    first, second = await read_documents(registry, "app", made.digest)
    assert first.problem is not None
    assert first.raw == b""
    assert second.statement is not None
    assert not any(chart.digest in question for question in registry.asked)


def test_a_certificate_s_names_are_told(vector_folder: Path) -> None:
    folder = vector_folder / "bundles" / "conformance" / "happy-path-v0.3"
    raw = (folder / "bundle.sigstore.json").read_bytes()
    document = read_document(layer(BUNDLE, raw), raw)
    facts = dict(document.facts)
    assert "extremely-dangerous-oidc-beacon" in facts["says signed by"]
    assert "issued by" in facts["valid"]
