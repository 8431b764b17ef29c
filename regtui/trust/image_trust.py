"""Gathers every signature of an image over the contract of a registry, and judges them all under one policy.

Gathering costs the requests that the registry's API forces: one listing of referrers, one manifest and one blob per
signature, one look at the referrers tag and at each of cosign's two tags (none where all tags are known). Judging is
pure, and runs in a thread.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from regtui.oci import Index
from regtui.oci.errors import RegtuiError
from regtui.oci.tags import referrers_tag
from regtui.transport.errors import NotFound
from regtui.trust import attestations, bundle, dsse, simple_signing
from regtui.trust.all_referrers import all_referrers
from regtui.trust.bundle_verification import verify_bundle
from regtui.trust.notation import envelope as notation
from regtui.trust.notation.verification import MEDIA_TYPES as NOTATION_LAYERS
from regtui.trust.notation.verification import verify_notation
from regtui.trust.simple_signing import SignedLayer, verify_attestation_layer, verify_simple_signature
from regtui.trust.untrusted import LARGEST_SIGNATURE
from regtui.trust.verdict import SignatureResult, Verdict, combine

if TYPE_CHECKING:
    from datetime import datetime

    from regtui.oci import Descriptor, Digest, ImageManifest
    from regtui.trust.place import Place
    from regtui.trust.policy import TrustPolicy

MOST_SIGNATURES: Final = 200
MOST_BYTES: Final = 64 << 20
AT_ONCE: Final = 4
_COSIGN_1_1: Final = "application/vnd.dev.cosign.artifact."
_OLD_TAGS: Final = (".sig", ".att")
_MAY_SIGN: Final = (bundle.LAYER_PREFIX, _COSIGN_1_1, notation.ARTIFACT_TYPE, dsse.IN_TOTO, dsse.MEDIA_TYPE)


@dataclass(frozen=True, slots=True)
class Material:
    """One blob that may hold a signature: its layer, its exact bytes, and where it was found."""

    layer: Descriptor
    content: bytes = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that was found for one subject. `incomplete` says why something may be missing."""

    subject: Descriptor
    manifest: bytes = field(repr=False)
    materials: tuple[Material, ...]
    incomplete: str | None = None


@dataclass(frozen=True, slots=True)
class ImageTrust:
    """What vouches for one digest: the verdict over its signatures, and each signed statement about it.

    A signed attestation is not a signature of the image: a report of its faults can be signed too.
    """

    verdict: Verdict
    attestations: tuple[SignatureResult, ...]
    policy: str


async def gather_signatures(
    registry: Place, repository: str, manifest: ImageManifest | Index, *, known_tags: frozenset[str] | None = None
) -> Gathered:
    """Fetch what may be signatures of this manifest. Failures end up in `incomplete`; cancel it at any time."""
    gatherer = _Gatherer(registry, repository)
    await gatherer.run(manifest.digest, known_tags)
    return Gathered(manifest.descriptor, manifest.raw, tuple(gatherer.found), "; ".join(gatherer.problems) or None)


def judge(gathered: Gathered, repository: str, policy: TrustPolicy, *, now: datetime | None = None) -> ImageTrust:
    """Judge everything that was gathered. `repository` is `host/path`. Pure; call it in a thread."""
    results = [_judge_one(one, gathered, repository, policy, now) for one in gathered.materials]
    kept = [result for result in results if result is not None]
    signatures = [r for r in kept if r.predicate is None or r.predicate == attestations.SIGN_PREDICATE]
    return ImageTrust(
        combine(gathered.subject.digest, signatures, incomplete=gathered.incomplete),
        tuple(r for r in kept if r not in signatures),
        policy.name,
    )


def _judge_one(
    one: Material, gathered: Gathered, repository: str, policy: TrustPolicy, now: datetime | None
) -> SignatureResult | None:
    kind, subject = one.layer.media_type, gathered.subject.digest
    if kind.startswith(bundle.LAYER_PREFIX):
        return verify_bundle(one.content, subject, policy, artifact=gathered.manifest, now=now, source=one.source)
    if kind in NOTATION_LAYERS:
        return verify_notation(
            one.content, kind, gathered.subject, repository, policy.notation, now=now, source=one.source
        )
    layer = SignedLayer(kind, one.content, one.layer.annotations)
    if kind == dsse.MEDIA_TYPE:
        return verify_attestation_layer(layer, subject, policy, now=now, source=one.source)
    if kind == simple_signing.LAYER_TYPE or simple_signing.SIGNATURE in one.layer.annotations:
        return verify_simple_signature(layer, subject, policy, repository=repository, now=now, source=one.source)
    return None


async def verify_image(
    registry: Place,
    repository: str,
    manifest: ImageManifest | Index,
    policy: TrustPolicy,
    *,
    known_tags: frozenset[str] | None = None,
) -> ImageTrust:
    """Gather and judge. An index and its images are separate questions (verdict.through_index joins the answers)."""
    gathered = await gather_signatures(registry, repository, manifest, known_tags=known_tags)
    return await asyncio.to_thread(judge, gathered, f"{registry.host}/{repository}", policy)


class _Gatherer:
    def __init__(self, registry: Place, repository: str) -> None:
        self._registry = registry
        self._repository = repository
        self._blobs: dict[Digest, bytes] = {}
        self._bytes = 0
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.found: list[Material] = []
        self.problems: list[str] = []

    async def run(self, subject: Digest, known_tags: frozenset[str] | None) -> None:
        """Look at the referrers and at cosign's tags, in that order."""
        tags = [referrers_tag(subject) + suffix for suffix in _OLD_TAGS]
        wanted = [tag for tag in tags if known_tags is None or tag in known_tags]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_at_referrers(subject, known_tags))
            for tag in wanted:
                group.create_task(self._look_at(tag, f"tag {tag}"))
        self.found.sort(key=lambda one: (one.source.startswith("tag"), one.source))

    async def _look_at_referrers(self, subject: Digest, known_tags: frozenset[str] | None) -> None:
        try:
            listed = await all_referrers(self._registry, self._repository, subject, known_tags)
        except RegtuiError as error:
            self._problem(f"its referrers could not be listed ({error.sentence})")
            return
        candidates = [one for one in (*listed.listed, *listed.beside) if _may_sign(one)]
        if len(candidates) > MOST_SIGNATURES:
            self._problem(f"only {MOST_SIGNATURES} of {len(candidates):,} referrers were looked at")
        async with asyncio.TaskGroup() as group:
            for one in candidates[:MOST_SIGNATURES]:
                group.create_task(self._look_at(one.digest, f"referrer {one.digest.short}"))

    async def _look_at(self, locator: str, source: str) -> None:
        try:
            async with self._slots:
                manifest = await self._registry.manifest(self._repository, locator)
        except NotFound as error:
            if not source.startswith("tag"):
                self._problem(f"{source} is gone ({error.sentence})")
            return
        except RegtuiError as error:
            self._problem(f"{source} could not be read ({error.sentence})")
            return
        if isinstance(manifest, Index):
            return
        layers = [layer for layer in manifest.layers if _is_signature_layer(layer)]
        if len(layers) > MOST_SIGNATURES:
            self._problem(f"only {MOST_SIGNATURES} of {len(layers):,} signatures in {source} were looked at")
        for layer in layers[:MOST_SIGNATURES]:
            await self._fetch(layer, source)

    async def _fetch(self, layer: Descriptor, source: str) -> None:
        if layer.digest not in self._blobs:
            self._bytes += layer.size
            if layer.size > LARGEST_SIGNATURE or self._bytes > MOST_BYTES:
                self._problem(f"{source} is larger than what is read")
                return
            try:
                async with self._slots:
                    self._blobs[layer.digest] = await self._registry.small_blob(
                        self._repository, layer, LARGEST_SIGNATURE
                    )
            except RegtuiError as error:
                self._problem(f"{source} could not be read ({error.sentence})")
                return
        # Several layers may share a blob and differ in their annotations: the layer is the signature, not the blob.
        self.found.append(Material(layer, self._blobs[layer.digest], source))

    def _problem(self, text: str) -> None:
        if len(self.problems) < 20:
            self.problems.append(text)


def _may_sign(descriptor: Descriptor) -> bool:
    """Whether a referrer is worth a request: the types that sign, and those that the listing does not name."""
    kind = descriptor.artifact_type
    return kind is None or kind.startswith(_MAY_SIGN) or "config" in kind or "unknown" in kind


def _is_signature_layer(layer: Descriptor) -> bool:
    return (
        layer.media_type.startswith(bundle.LAYER_PREFIX)
        or layer.media_type in NOTATION_LAYERS
        or layer.media_type in (dsse.MEDIA_TYPE, simple_signing.LAYER_TYPE)
        or simple_signing.SIGNATURE in layer.annotations
    )
