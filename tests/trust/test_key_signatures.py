"""Signatures made with key pairs: old style and bundles, with and without the right key, digest and window."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest

from regtui.oci import Digest
from regtui.trust.bundle_verification import verify_bundle
from regtui.trust.identity import IdentityRule
from regtui.trust.policy import TrustPolicy
from regtui.trust.simple_signing import (
    LAYER_TYPE,
    SIGNATURE,
    SignedLayer,
    parse_payload,
    same_repository,
    verify_attestation_layer,
    verify_simple_signature,
)
from regtui.trust.verdict import Status
from tests.trust.makers import (
    MANIFEST,
    NOW,
    REPOSITORY,
    SUBJECT,
    b64,
    dsse_bundle,
    envelope,
    make_key,
    message_bundle,
    sign,
    simple_layer,
    simple_payload,
    statement,
    trusted,
)

OTHER = Digest.of(b"another image")


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "ed25519", "rsa2048"])
def test_every_kind_of_key_verifies_in_every_form(kind: str) -> None:
    key = make_key(kind)
    policy = TrustPolicy("acme", keys=(trusted(make_key("p256"), "old"), trusted(key)))
    results = [
        verify_simple_signature(simple_layer(key), SUBJECT, policy, repository=REPOSITORY, now=NOW),
        verify_bundle(json.dumps(dsse_bundle(key)).encode(), SUBJECT, policy, now=NOW),
        verify_bundle(json.dumps(message_bundle(key)).encode(), SUBJECT, policy, artifact=MANIFEST, now=NOW),
    ]
    for result in results:
        assert result.status is Status.VERIFIED, result
        assert result.under == "acme"
        assert "release" in (result.signer or "")
        assert "not logged" in result.reason


def test_without_a_key_nothing_is_verified_and_nothing_is_called_invalid() -> None:
    key = make_key("p256")
    for result in (
        verify_simple_signature(simple_layer(key), SUBJECT, TrustPolicy()),
        verify_bundle(json.dumps(dsse_bundle(key)).encode(), SUBJECT, TrustPolicy()),
    ):
        assert result.status is Status.UNVERIFIED
        assert result.hint
        assert result.intact is None
    assert trusted(key).hint[:40] in str(
        verify_bundle(json.dumps(dsse_bundle(key)).encode(), SUBJECT, TrustPolicy()).signer
    )


def test_another_key_does_not_verify() -> None:
    key = make_key("p256")
    policy = TrustPolicy("acme", keys=(trusted(make_key("p256")),))
    assert verify_simple_signature(simple_layer(key), SUBJECT, policy).status is Status.INVALID
    for bundle in (dsse_bundle(key), message_bundle(key)):
        # A bundle says by its hint that somebody else made it: present, and not verified.
        result = verify_bundle(json.dumps(bundle).encode(), SUBJECT, policy, artifact=MANIFEST)
        assert result.status is Status.UNVERIFIED
        assert result.intact is None
        assert "another key" in result.reason


def test_a_bundle_that_names_the_trusted_key_and_was_not_made_with_it_is_invalid() -> None:
    key, other = make_key("p256"), make_key("p256")
    policy = TrustPolicy("acme", keys=(trusted(key),))
    bundle = dsse_bundle(other)
    bundle["verificationMaterial"]["publicKey"]["hint"] = trusted(key).hint
    assert verify_bundle(json.dumps(bundle).encode(), SUBJECT, policy).status is Status.INVALID


def test_a_good_signature_of_another_image_is_invalid() -> None:
    key = make_key("p256")
    policy = TrustPolicy("acme", keys=(trusted(key),))
    old = verify_simple_signature(simple_layer(key), OTHER, policy)
    new = verify_bundle(json.dumps(dsse_bundle(key)).encode(), OTHER, policy)
    message = verify_bundle(json.dumps(message_bundle(key)).encode(), OTHER, policy, artifact=b"another image")
    swapped = verify_bundle(json.dumps(message_bundle(key)).encode(), SUBJECT, policy, artifact=b"another image")
    for result in (old, new, message, swapped):
        assert result.status is Status.INVALID, result
    assert SUBJECT in old.reason


def test_a_signature_annotation_on_another_layer_is_no_signature() -> None:
    key = make_key("p256")
    layer = dataclasses.replace(simple_layer(key), media_type="text/plain")
    result = verify_simple_signature(layer, SUBJECT, TrustPolicy("acme", keys=(trusted(key),)))
    assert result.status is Status.INVALID
    assert "text/plain" in result.reason


def test_the_signed_name_is_shown_and_enforced_on_demand() -> None:
    key = make_key("p256")
    layer = simple_layer(key, simple_payload(reference="elsewhere.example/app:v1", creator="ci"))
    policy = TrustPolicy("acme", keys=(trusted(key),))
    loose = verify_simple_signature(layer, SUBJECT, policy, repository=REPOSITORY)
    assert loose.verified
    assert ("signed as", "elsewhere.example/app:v1") in loose.details
    assert ("creator", "ci") in loose.details
    assert any(name == "note" for name, _ in loose.details)
    strict = dataclasses.replace(policy, check_reference=True)
    assert verify_simple_signature(layer, SUBJECT, strict, repository=REPOSITORY).status is Status.INVALID
    assert same_repository(f"{REPOSITORY}:v1@{SUBJECT}", REPOSITORY)
    assert same_repository("localhost:5000/app", "localhost:5000/app")
    assert same_repository("index.docker.io/library/nginx", "docker.io/library/nginx")
    assert not same_repository(f"{REPOSITORY}2", REPOSITORY)


def test_a_key_has_its_window_and_a_policy_may_demand_the_log() -> None:
    key = make_key("p256")
    for window in ({"valid_until": NOW - timedelta(days=1)}, {"valid_from": NOW + timedelta(days=1)}):
        policy = TrustPolicy("acme", keys=(trusted(key, **window),))
        assert verify_simple_signature(simple_layer(key), SUBJECT, policy, now=NOW).status is Status.INVALID
    policy = TrustPolicy("acme", keys=(trusted(key),), require_log=True)
    result = verify_simple_signature(simple_layer(key), SUBJECT, policy, now=NOW)
    assert result.status is Status.UNVERIFIED
    assert "log" in result.reason


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b'{"critical": 1}',
        simple_payload("sha256:zz"),
        simple_payload().replace(b"container image", b"banana"),
        simple_payload()[:-1] + b', "critical": {}}',
        b"[" * 100_000,
        b" " * (2 << 20),
    ],
    ids=["empty", "list", "nothing", "number", "digest", "type", "twice", "deep", "large"],
)
def test_a_strange_payload_is_invalid_though_its_signature_is_good(payload: bytes) -> None:
    key = make_key("p256")
    result = verify_simple_signature(simple_layer(key, payload), SUBJECT, TrustPolicy("acme", keys=(trusted(key),)))
    assert result.status is Status.INVALID, result


def test_claims_are_read() -> None:
    payload = parse_payload(simple_payload(team="core"))
    assert payload.digest == SUBJECT
    assert payload.claims == (("team", "core"),)


def test_an_attestation_layer_needs_signature_and_subject() -> None:
    key = make_key("p256")
    policy = TrustPolicy("acme", keys=(trusted(key),))
    payload = statement(predicate_type="https://slsa.dev/provenance/v1")
    layer = SignedLayer("application/vnd.dsse.envelope.v1+json", json.dumps(envelope(key, payload)).encode(), {})
    result = verify_attestation_layer(layer, SUBJECT, policy)
    assert result.verified
    assert result.predicate == "https://slsa.dev/provenance/v1"
    assert verify_attestation_layer(layer, OTHER, policy).status is Status.INVALID
    foreign = json.dumps(envelope(key, payload, "text/plain")).encode()
    assert verify_attestation_layer(SignedLayer("x", foreign, {}), SUBJECT, policy).status is Status.INVALID


def test_one_good_signature_of_an_envelope_is_enough_and_none_is_not() -> None:
    key, other = make_key("p256"), make_key("p256")
    bundle = dsse_bundle(key)
    extra = envelope(other, statement())["signatures"]
    bundle["dsseEnvelope"]["signatures"] = [*extra, *bundle["dsseEnvelope"]["signatures"]]
    policy = TrustPolicy("acme", keys=(trusted(key),))
    assert verify_bundle(json.dumps(bundle).encode(), SUBJECT, policy).verified
    bundle["dsseEnvelope"]["signatures"] = extra
    assert verify_bundle(json.dumps(bundle).encode(), SUBJECT, policy).status is Status.INVALID
    bundle["dsseEnvelope"]["signatures"] = []
    assert verify_bundle(json.dumps(bundle).encode(), SUBJECT, policy).status is Status.INVALID


def test_line_breaks_in_the_signature_are_no_obstacle() -> None:
    key = make_key("rsa2048")
    payload = simple_payload()
    text = b64(sign(key, payload))
    broken = "\n".join(text[i : i + 76] for i in range(0, len(text), 76))
    layer = SignedLayer(LAYER_TYPE, payload, {SIGNATURE: broken})
    assert verify_simple_signature(layer, SUBJECT, TrustPolicy("acme", keys=(trusted(key),))).verified


def test_an_identity_rule_never_lets_a_key_signature_through() -> None:
    key = make_key("p256")
    policy = TrustPolicy("acme", identities=(IdentityRule.exact("a@b.example", "https://issuer.example"),))
    assert verify_simple_signature(simple_layer(key), SUBJECT, policy).status is Status.UNVERIFIED
