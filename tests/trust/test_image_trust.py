"""Gathering and judging over a registry: what is found, what it costs, and what happens when something fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from regtui.demo import build_demo
from regtui.oci import Index, parse_manifest
from regtui.oci.tags import referrers_tag
from regtui.registries.layout import LayoutRegistry
from regtui.transport.errors import Forbidden, ServerFault
from regtui.trust.cosign_keys import read_key
from regtui.trust.image_trust import gather_signatures, verify_image
from regtui.trust.notation.trust_store import TrustStore, read_certificates
from regtui.trust.notation.verification import NotationTrust
from regtui.trust.policy import TrustPolicy
from regtui.trust.referrers_tree import Found, build_tree
from regtui.trust.simple_signing import LAYER_TYPE, SIGNATURE
from regtui.trust.verdict import SignatureFormat, Status
from tests.trust.makers import (
    DESCRIPTOR,
    MANIFEST,
    REPOSITORY,
    SUBJECT,
    Notary,
    b64,
    dsse_bundle,
    envelope,
    make_key,
    sign,
    simple_payload,
    statement,
    trusted,
)
from tests.trust.memory_registry import MemoryRegistry

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.demo.layout import DemoSummary

PATH = REPOSITORY.partition("/")[2]
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IMAGE = parse_manifest(MANIFEST)


def signed(key: object, *, referrers_api: bool = True) -> MemoryRegistry:
    """A registry with the image, a bundle and an attestation bundle, and cosign's two old tags."""
    registry = MemoryRegistry(referrers_api=referrers_api)
    registry.put(MANIFEST, DESCRIPTOR.media_type)
    bundle = registry.put(json.dumps(dsse_bundle(key)).encode(), BUNDLE)
    registry.put_manifest_of([bundle], subject=DESCRIPTOR, artifact_type=BUNDLE)
    provenance = json.dumps(dsse_bundle(key, statement(predicate_type="https://slsa.dev/provenance/v1"))).encode()
    registry.put_manifest_of([registry.put(provenance, BUNDLE)], subject=DESCRIPTOR, artifact_type=BUNDLE)
    payload = simple_payload()
    layer = registry.put(payload, LAYER_TYPE, annotations={SIGNATURE: b64(sign(key, payload))})
    registry.put_manifest_of([layer], tag=f"{referrers_tag(SUBJECT)}.sig")
    dsse = json.dumps(envelope(key, statement(predicate_type="https://spdx.dev/Document"))).encode()
    att = registry.put(dsse, "application/vnd.dsse.envelope.v1+json", annotations={SIGNATURE: ""})
    registry.put_manifest_of([att], tag=f"{referrers_tag(SUBJECT)}.att")
    return registry


@pytest.mark.parametrize("referrers_api", [True, False])
async def test_every_place_is_looked_at(referrers_api: bool) -> None:
    key = make_key("p256")
    registry = signed(key, referrers_api=referrers_api)
    trust = await verify_image(registry, PATH, IMAGE, TrustPolicy("acme", keys=(trusted(key),)))
    assert trust.verdict.status is Status.VERIFIED
    assert [r.format for r in trust.verdict.results] == [SignatureFormat.BUNDLE, SignatureFormat.SIMPLE_SIGNING]
    assert {r.predicate for r in trust.attestations} == {
        "https://slsa.dev/provenance/v1",
        "https://spdx.dev/Document",
    }
    assert all(r.verified for r in trust.attestations)
    assert trust.verdict.results[1].source == f"tag {referrers_tag(SUBJECT)}.sig"


async def test_a_signed_attestation_alone_is_no_signature() -> None:
    key = make_key("p256")
    registry = MemoryRegistry()
    registry.put(MANIFEST, DESCRIPTOR.media_type)
    provenance = json.dumps(dsse_bundle(key, statement(predicate_type="https://slsa.dev/provenance/v1"))).encode()
    registry.put_manifest_of([registry.put(provenance, BUNDLE)], subject=DESCRIPTOR, artifact_type=BUNDLE)
    trust = await verify_image(registry, PATH, IMAGE, TrustPolicy("acme", keys=(trusted(key),)))
    assert [r.verified for r in trust.attestations] == [True]
    assert trust.verdict.status is Status.UNSIGNED


async def test_layers_that_share_a_blob_are_different_signatures() -> None:
    key, other = make_key("p256"), make_key("p256")
    registry = MemoryRegistry()
    registry.put(MANIFEST, DESCRIPTOR.media_type)
    payload = simple_payload()
    layers = [
        registry.put(payload, LAYER_TYPE, annotations={SIGNATURE: b64(sign(one, payload))}) for one in (other, key)
    ]
    registry.put_manifest_of(layers, tag=f"{referrers_tag(SUBJECT)}.sig")
    trust = await verify_image(registry, PATH, IMAGE, TrustPolicy("acme", keys=(trusted(key),)))
    assert [r.status for r in trust.verdict.results] == [Status.INVALID, Status.VERIFIED]
    assert trust.verdict.status is Status.VERIFIED
    assert sum(question.startswith("BLOB") for question in registry.asked) == 1


async def test_a_referrers_tag_beside_the_api_is_looked_at_too() -> None:
    key = make_key("p256")
    registry = MemoryRegistry()
    registry.put(MANIFEST, DESCRIPTOR.media_type)
    bundle = registry.put(json.dumps(dsse_bundle(key)).encode(), BUNDLE)
    manifest = registry.put_manifest_of([bundle], artifact_type=BUNDLE)
    registry.put_index([manifest], referrers_tag(SUBJECT))
    policy = TrustPolicy("acme", keys=(trusted(key),))
    for tags in (None, frozenset(registry.tagged)):
        trust = await verify_image(registry, PATH, IMAGE, policy, known_tags=tags)
        assert trust.verdict.status is Status.VERIFIED
    tree = await build_tree(registry, PATH, IMAGE)
    assert [one.found for one in tree.attached] == [Found.FALLBACK]
    registry.failing[f"GET {referrers_tag(SUBJECT)}"] = ServerFault("It is broken.")
    broken = await verify_image(registry, PATH, IMAGE, policy, known_tags=frozenset(registry.tagged))
    assert broken.verdict.status is Status.UNVERIFIED
    assert "It is broken." in (broken.verdict.incomplete or "")


async def test_an_unsigned_image_costs_one_question_when_the_tags_are_known() -> None:
    registry = MemoryRegistry()
    registry.put(MANIFEST, DESCRIPTOR.media_type)
    trust = await verify_image(registry, PATH, IMAGE, TrustPolicy(), known_tags=frozenset({"v1"}))
    assert trust.verdict.status is Status.UNSIGNED
    assert registry.asked == [f"REFERRERS {SUBJECT}"]
    registry.asked.clear()
    await verify_image(registry, PATH, IMAGE, TrustPolicy())
    # The listing, the tag beside it, and cosign's two tags.
    assert len(registry.asked) == 4


async def test_what_fails_is_told_and_never_called_unsigned() -> None:
    registry = MemoryRegistry()
    registry.put(MANIFEST, DESCRIPTOR.media_type)
    registry.failing["REFERRERS"] = Forbidden("You may not list referrers.")
    verdict = (await verify_image(registry, PATH, IMAGE, TrustPolicy())).verdict
    assert verdict.status is Status.UNVERIFIED
    assert "You may not list referrers." in (verdict.incomplete or "")
    registry.failing = {"GET sha256-": ServerFault("It broke.")}
    assert (await verify_image(registry, PATH, IMAGE, TrustPolicy())).verdict.status is Status.UNVERIFIED


async def test_a_failure_does_not_hide_a_good_signature() -> None:
    key = make_key("p256")
    registry = signed(key)
    registry.failing["REFERRERS"] = ServerFault("It broke.")
    trust = await verify_image(registry, PATH, IMAGE, TrustPolicy("acme", keys=(trusted(key),)))
    assert trust.verdict.status is Status.VERIFIED
    assert trust.verdict.incomplete


async def test_a_flood_of_signatures_is_bounded() -> None:
    registry = MemoryRegistry()
    registry.put(MANIFEST, DESCRIPTOR.media_type)
    payload = simple_payload()
    layers = [registry.put(payload, LAYER_TYPE, annotations={SIGNATURE: "AAAA"})] * 900
    registry.put_manifest_of(layers, tag=f"{referrers_tag(SUBJECT)}.sig")
    gathered = await gather_signatures(registry, PATH, IMAGE)
    assert len(gathered.materials) == 200
    assert "200 of 900" in (gathered.incomplete or "")


async def test_an_oversized_signature_is_not_fetched() -> None:
    registry = MemoryRegistry()
    registry.put(MANIFEST, DESCRIPTOR.media_type)
    huge = registry.put(b"x" * ((16 << 20) + 1), BUNDLE)
    registry.put_manifest_of([huge], subject=DESCRIPTOR, artifact_type=BUNDLE)
    gathered = await gather_signatures(registry, PATH, IMAGE)
    assert gathered.materials == ()
    assert gathered.incomplete
    assert not any(question.startswith("BLOB") for question in registry.asked)


async def test_notation_signatures_are_found_in_both_manifest_forms() -> None:
    notary = Notary()
    for config, kind in (
        ("application/vnd.oci.empty.v1+json", "application/vnd.cncf.notary.signature"),
        ("application/vnd.cncf.notary.signature", None),
    ):
        registry = MemoryRegistry()
        registry.put(MANIFEST, DESCRIPTOR.media_type)
        layer = registry.put(notary.jws(), "application/jose+json")
        registry.put_manifest_of([layer], subject=DESCRIPTOR, artifact_type=kind, config=registry.put(b"{}", config))
        trust = await verify_image(registry, PATH, IMAGE, TrustPolicy("n", notation=None))
        assert [r.intact for r in trust.verdict.results] == [True]
        assert trust.verdict.status is Status.UNVERIFIED


@pytest.fixture(scope="session")
def demo_place(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return build_demo(tmp_path_factory.mktemp("trust-demo") / "demo")


def demo_policy(folder: Path) -> TrustPolicy:
    store = TrustStore({("ca", "demo"): read_certificates(folder / "notation-ca.pem")})
    return TrustPolicy(
        "demo",
        keys=(read_key((folder / "cosign.pub").read_bytes(), "demo"),),
        notation=NotationTrust.read((folder / "trustpolicy.json").read_bytes(), store),
    )


async def test_the_demo_is_told_right(demo_place: DemoSummary) -> None:
    registry = LayoutRegistry.open(demo_place.folder)
    policy = demo_policy(demo_place.trust)
    seen: dict[Status, list[str]] = {status: [] for status in Status}
    formats: set[SignatureFormat] = set()
    try:
        async for page in registry.repositories():
            for repository in page.items:
                async for tags in registry.tags(repository.path):
                    for tag in tags.items:
                        if tag.name.startswith("sha256-"):
                            continue
                        manifest = await registry.manifest(repository.path, tag.name)
                        trust = await verify_image(registry, repository.path, manifest, policy)
                        seen[trust.verdict.status].append(f"{repository.path}:{tag.name}")
                        formats |= {r.format for r in trust.verdict.results if r.verified}
                        assert trust.verdict.incomplete is None
    finally:
        await registry.close()
    assert all(seen[status] for status in (Status.VERIFIED, Status.INVALID, Status.UNSIGNED)), seen
    assert {SignatureFormat.BUNDLE, SignatureFormat.SIMPLE_SIGNING} < formats
    assert formats & {SignatureFormat.NOTATION_JWS, SignatureFormat.NOTATION_COSE}


async def test_without_a_policy_nothing_of_the_demo_is_verified(demo_place: DemoSummary) -> None:
    registry = LayoutRegistry.open(demo_place.folder)
    try:
        async for page in registry.repositories():
            for repository in page.items:
                async for tags in registry.tags(repository.path):
                    for tag in tags.items:
                        manifest = await registry.manifest(repository.path, tag.name)
                        trust = await verify_image(registry, repository.path, manifest, TrustPolicy())
                        assert trust.verdict.status is not Status.VERIFIED
                        assert not any(r.verified for r in trust.attestations)
                        if isinstance(manifest, Index):
                            assert manifest.digest == trust.verdict.subject
    finally:
        await registry.close()
