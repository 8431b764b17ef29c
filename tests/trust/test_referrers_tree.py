"""The tree of what hangs on an image: every place, every level, and its bounds."""

from __future__ import annotations

import asyncio

import pytest

from regtui.oci import Descriptor, Digest, Platform, parse_manifest
from regtui.oci.tags import referrers_tag
from regtui.transport.errors import Forbidden
from regtui.trust.referrers_tree import DEEPEST, Attached, Found, ReferrersTree, build_tree
from tests.trust.makers import DESCRIPTOR, MANIFEST, SUBJECT
from tests.trust.memory_registry import MemoryRegistry

IMAGE = parse_manifest(MANIFEST)
SBOM, BUNDLE = "application/spdx+json", "application/vnd.dev.sigstore.bundle.v0.3+json"


def image_with_sbom(*, referrers_api: bool = True) -> tuple[MemoryRegistry, Descriptor, Descriptor]:
    """An image, its SBOM, and a signature of the SBOM."""
    registry = MemoryRegistry(referrers_api=referrers_api)
    registry.put(MANIFEST, DESCRIPTOR.media_type)
    sbom = registry.put_manifest_of([registry.put(b"{}", SBOM)], subject=DESCRIPTOR, artifact_type=SBOM)
    notes = {"dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1"}
    signature = registry.put_manifest_of(
        [registry.put(b"[]", BUNDLE)], subject=sbom, artifact_type=BUNDLE, annotations=notes
    )
    return registry, sbom, signature


@pytest.mark.parametrize("referrers_api", [True, False])
async def test_referrers_of_referrers(referrers_api: bool) -> None:
    registry, sbom, signature = image_with_sbom(referrers_api=referrers_api)
    tree = await build_tree(registry, "team/app", IMAGE)
    assert [one.descriptor.digest for one in tree.attached] == [sbom.digest]
    (top,) = tree.attached
    assert top.title == "SBOM (SPDX)"
    assert top.found is (Found.REFERRER if referrers_api else Found.FALLBACK)
    (below,) = top.attached
    assert below.descriptor.digest == signature.digest
    assert below.title == "Sigstore bundle: provenance (SLSA)"
    assert below.predicate_type == "https://slsa.dev/provenance/v1"
    assert tree.count == 2
    assert tree.notes == ()


async def test_cosign_tags_are_found_and_cost_nothing_when_the_tags_are_known() -> None:
    registry, _, _ = image_with_sbom()
    tag = referrers_tag(SUBJECT)
    made = [
        registry.put_manifest_of([registry.put(suffix.encode(), "x")], tag=tag + suffix) for suffix in (".sig", ".sbom")
    ]
    tree = await build_tree(registry, "team/app", IMAGE)
    tagged = [one for one in tree.attached if one.found is Found.TAG]
    assert [one.title for one in tagged] == ["cosign signatures", "SBOM (cosign attachment)"]
    assert [one.descriptor.digest for one in tagged] == [one.digest for one in made]
    assert tagged[0].tag == f"{tag}.sig"
    registry.asked.clear()
    again = await build_tree(registry, "team/app", IMAGE, known_tags=frozenset(registry.tagged))
    assert again == tree
    assert not any(f"{tag}.att" in question for question in registry.asked)


async def test_an_index_shows_its_images_and_their_attestations() -> None:
    registry, sbom, _ = image_with_sbom()
    platform = Platform("linux", "amd64")
    other = registry.put_manifest_of([registry.put(b"layer", "x")])
    attestation = registry.put_manifest_of([registry.put(b"{}", "application/vnd.in-toto+json")])

    def entry(made: Descriptor, platform: Platform, **notes: str) -> Descriptor:
        annotations = {f"vnd.docker.reference.{key}": value for key, value in notes.items()}
        return Descriptor(made.media_type, made.digest, made.size, annotations, platform=platform)

    index = registry.put_index(
        [
            entry(DESCRIPTOR, platform),
            entry(other, Platform("linux", "arm64")),
            entry(attestation, Platform("unknown", "unknown"), type="attestation-manifest", digest=SUBJECT),
        ]
    )
    top = parse_manifest(registry.blobs[index.digest])
    registry.put_manifest_of([registry.put(b"y", BUNDLE)], subject=index, artifact_type=BUNDLE)
    tree = await build_tree(registry, "team/app", top)
    assert [one.title for one in tree.attached] == ["Sigstore bundle"]
    assert [(image.subject, image.platform) for image in tree.images] == [
        (SUBJECT, "linux/amd64"),
        (other.digest, "linux/arm64"),
    ]
    first, second = tree.images
    assert [one.title for one in first.attached] == ["attestations (BuildKit)", "SBOM (SPDX)"]
    assert first.attached[0].found is Found.INDEX
    assert first.attached[1].descriptor.digest == sbom.digest
    assert second.attached == ()
    assert tree.count == 4


async def test_loops_and_depth_are_bounded() -> None:
    registry = MemoryRegistry()
    subject = registry.put(MANIFEST, DESCRIPTOR.media_type)
    for _ in range(DEEPEST + 5):
        subject = registry.put_manifest_of([registry.put(b"s", SBOM)], subject=subject, artifact_type=SBOM)
    tree = await build_tree(registry, "team/app", IMAGE)
    assert depth_of(tree) == DEEPEST
    assert any("levels deep" in note for note in tree.notes)


def depth_of(tree: ReferrersTree | Attached) -> int:
    return max((1 + depth_of(one) for one in tree.attached), default=0)


async def test_a_flood_is_cut_and_told() -> None:
    registry = MemoryRegistry()
    registry.put(MANIFEST, DESCRIPTOR.media_type)
    for number in range(1100):
        layer = Descriptor(SBOM, Digest.of(str(number).encode()), 1)
        registry.put_manifest_of([layer], subject=DESCRIPTOR, artifact_type=SBOM)
    tree = await build_tree(registry, "team/app", IMAGE)
    assert 900 < tree.count <= 1000
    assert any("not shown" in note for note in tree.notes)
    assert registry.most_at_once <= 6


async def test_a_refusal_becomes_a_note() -> None:
    registry, _, _ = image_with_sbom()
    registry.failing = {"REFERRERS": Forbidden("You may not list referrers.")}
    tree = await build_tree(registry, "team/app", IMAGE)
    assert tree.attached == ()
    assert "You may not list referrers." in tree.notes[0]


async def test_it_can_be_cancelled() -> None:
    registry, _, _ = image_with_sbom()
    registry.gate = asyncio.Event()
    walking = asyncio.ensure_future(build_tree(registry, "team/app", IMAGE))
    await asyncio.wait_for(registry.was_asked.wait(), 10)
    walking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walking
    assert registry.at_once == 0
