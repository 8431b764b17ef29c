"""Whatever byte of a manifest, payload, signature, certificate or log entry is changed: never "verified"."""

from __future__ import annotations

import base64
import json
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.oci import Descriptor, Digest
from regtui.trust.bundle_verification import verify_bundle
from regtui.trust.errors import TrustError
from regtui.trust.identity import IdentityRule, Matcher
from regtui.trust.notation.cbor import read_cbor
from regtui.trust.notation.verification import verify_notation
from regtui.trust.policy import TrustPolicy
from regtui.trust.simple_signing import SIGNATURE, SignedLayer, verify_simple_signature
from regtui.trust.trust_root import parse_trust_root
from tests.trust.makers import (
    DESCRIPTOR,
    MANIFEST,
    NOW,
    REPOSITORY,
    SUBJECT,
    Notary,
    b64,
    dsse_bundle,
    make_key,
    message_bundle,
    simple_layer,
    trusted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from regtui.trust.verdict import SignatureResult

SAMPLES = 60


def flips(content: bytes, seed: str) -> Iterator[bytes]:
    """The content with one byte changed: every byte of a short one, some of a long one, and cut-off ones."""
    chosen = random.Random(seed)
    places = range(len(content)) if len(content) <= SAMPLES else chosen.sample(range(len(content)), SAMPLES)
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << chosen.randrange(8)
        yield bytes(changed)
    yield content[:-1]
    yield content[: len(content) // 2]
    yield content + b"\x00"
    yield b""


def changed_leaves(value: Any, seed: str) -> Iterator[Any]:
    """A JSON value with one text in it changed, decoding base64 where it is some, so that the syntax stays whole."""
    for path, text in leaves(value):
        for number in range(3):
            chosen = random.Random(f"{seed}{path}{number}")
            yield replaced(value, path, change(text, chosen))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from leaves(inside, (*path, key))
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            yield from leaves(inside, (*path, number))
    elif isinstance(value, str) and value:
        yield path, value


def change(text: str, chosen: random.Random) -> str:
    try:
        raw = bytearray(base64.b64decode(text, validate=True))
    except ValueError:
        raw = bytearray()
    if len(raw) > 8:
        raw[chosen.randrange(len(raw))] ^= 1 << chosen.randrange(8)
        return base64.b64encode(raw).decode()
    place = chosen.randrange(len(text))
    return text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]


def replaced(value: Any, path: tuple[Any, ...], text: str) -> Any:
    if not path:
        return text
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], text)
    return copy


def never_verified(judge: Callable[[bytes], SignatureResult], content: bytes, seed: str) -> None:
    assert judge(content).verified, judge(content)
    for changed in flips(content, seed):
        result = judge(changed)
        assert not result.verified, changed


@pytest.mark.parametrize("kind", ["p256", "p384", "ed25519", "rsa2048"])
def test_old_style(kind: str) -> None:
    key = make_key(kind)
    policy, layer = TrustPolicy("acme", keys=(trusted(key),)), simple_layer(key)
    signature = base64.b64decode(layer.annotations[SIGNATURE])

    def judge_payload(payload: bytes) -> SignatureResult:
        return verify_simple_signature(SignedLayer(layer.media_type, payload, layer.annotations), SUBJECT, policy)

    def judge_signature(changed: bytes) -> SignatureResult:
        made = SignedLayer(layer.media_type, layer.payload, {SIGNATURE: b64(changed)})
        return verify_simple_signature(made, SUBJECT, policy)

    def judge_manifest(manifest: bytes) -> SignatureResult:
        return verify_simple_signature(layer, Digest.of(manifest), policy)

    never_verified(judge_payload, layer.payload, kind)
    never_verified(judge_signature, signature, kind)
    never_verified(judge_manifest, MANIFEST, kind)


@pytest.mark.parametrize("kind", ["p256", "ed25519", "rsa2048"])
def test_bundles(kind: str) -> None:
    key = make_key(kind)
    policy = TrustPolicy("acme", keys=(trusted(key),))
    harmless = {"hint", "mediaType", "payload", "sig", "signature", "digest"}
    for bundle in (dsse_bundle(key), message_bundle(key)):
        raw = json.dumps(bundle).encode()

        def judge_manifest(manifest: bytes, raw: bytes = raw) -> SignatureResult:
            return verify_bundle(raw, Digest.of(manifest), policy, artifact=manifest, now=NOW)

        never_verified(judge_manifest, MANIFEST, kind)
        for path, text in leaves(bundle):
            if path[-1] == "hint":  # only a hint: the key decides
                continue
            assert path[-1] in harmless | {"payloadType", "algorithm"}
            for number in range(SAMPLES):
                changed = replaced(bundle, path, change(text, random.Random(f"{kind}{path}{number}")))
                result = verify_bundle(json.dumps(changed).encode(), SUBJECT, policy, artifact=MANIFEST, now=NOW)
                assert not result.verified, (path, number)


@pytest.mark.parametrize("media_type", ["application/jose+json", "application/cose"])
def test_notation(media_type: str) -> None:
    notary = Notary()
    trust = notary.trust()
    raw = notary.jws() if "jose" in media_type else notary.cose()

    def judge(envelope: bytes) -> SignatureResult:
        return verify_notation(envelope, media_type, DESCRIPTOR, REPOSITORY, trust, now=NOW)

    def judge_manifest(manifest: bytes) -> SignatureResult:
        subject = Descriptor(DESCRIPTOR.media_type, Digest.of(manifest), len(manifest))
        return verify_notation(raw, media_type, subject, REPOSITORY, trust, now=NOW)

    never_verified(judge_manifest, MANIFEST, media_type)
    chosen = random.Random(media_type)
    assert judge(raw).verified
    for place in chosen.sample(range(len(raw)), 600):
        changed = bytearray(raw)
        changed[place] ^= 1 << chosen.randrange(8)
        result = judge(bytes(changed))
        # A few flips change nothing that anybody signs or reads, such as the spelling of JSON's white space.
        assert not result.verified or same_meaning(raw, bytes(changed), media_type), place


def same_meaning(one: bytes, other: bytes, media_type: str) -> bool:
    if "cose" in media_type:
        return bool(read_cbor(one) == read_cbor(other))
    return bool(json.loads(one) == json.loads(other))


def test_certificates_of_a_chain() -> None:
    notary = Notary()
    trust = notary.trust()
    for number, content in enumerate(list(notary.chain)):

        def judge(changed: bytes, number: int = number) -> SignatureResult:
            notary.chain[number] = changed
            return verify_notation(notary.jws(), "application/jose+json", DESCRIPTOR, REPOSITORY, trust, now=NOW)

        never_verified(judge, content, str(number))
        notary.chain[number] = content


@pytest.mark.parametrize(
    "name", ["happy-path-v0.3", "happy-path-intoto-in-dsse-v3", "rekor2-happy-path", "intoto-with-custom-trust-root"]
)
def test_keyless_bundles(name: str, vector_folder: Path) -> None:
    folder = vector_folder / "bundles" / "conformance"
    bundle = json.loads((folder / name / "bundle.sigstore.json").read_bytes())
    own = folder / name / "trusted_root.json"
    root = parse_trust_root(
        (own if own.exists() else vector_folder / "trust" / "sigstore-production-trusted_root.json").read_bytes()
    )
    artifact = folder / name / "artifact"
    content = (artifact if artifact.exists() else folder / "a.txt").read_bytes()
    anyone = IdentityRule(Matcher(".+", True), Matcher(".+", True))
    policy = TrustPolicy("test", identities=(anyone,), trust_root=root)

    def judge(changed: Any) -> SignatureResult:
        raw = json.dumps(changed).encode()
        return verify_bundle(raw, Digest.of(content), policy, artifact=content, now=datetime.now(UTC))

    assert judge(bundle).verified, judge(bundle)
    for changed in changed_leaves(bundle, name):
        if without_untrusted(changed) == without_untrusted(bundle):
            continue
        assert not judge(changed).verified, difference(bundle, changed)


def without_untrusted(bundle: dict[str, Any]) -> Any:
    """The bundle without what may be wrong: hints, other witnesses, and a timestamp beside the log's own time."""
    copy = json.loads(json.dumps(bundle))
    for signature in copy.get("dsseEnvelope", {}).get("signatures", []):
        signature.pop("keyid", None)
    for entry in copy["verificationMaterial"]["tlogEntries"]:
        proof = entry["inclusionProof"]
        text, _, signatures = proof["checkpoint"]["envelope"].partition("\n\n")
        proof["checkpoint"]["envelope"] = [text, signatures.split("\n")[0].split(" ")[-1]]
        if "inclusionPromise" in entry:
            copy["verificationMaterial"].pop("timestampVerificationData", None)
    return copy


def difference(one: Any, other: Any) -> list[tuple[Any, ...]]:
    return [path for (path, text), (_, changed) in zip(leaves(one), leaves(other), strict=False) if text != changed]


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_junk_never_crashes_and_never_verifies(junk: bytes) -> None:
    policy = TrustPolicy("acme", keys=(KEY,))
    assert not verify_bundle(junk, SUBJECT, policy).verified
    assert not verify_simple_signature(SignedLayer("x", junk, {}), SUBJECT, policy).verified
    for media_type in ("application/jose+json", "application/cose"):
        assert not verify_notation(junk, media_type, DESCRIPTOR, REPOSITORY, None).verified
    try:
        parse_trust_root(junk)
    except TrustError:
        return
    pytest.fail("junk was taken for a trusted root")


KEY = trusted(make_key("p256"))
