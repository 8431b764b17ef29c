"""Notary Project signatures made here: both envelopes, every key, every rule of chain, policy and time."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from regtui.oci import Descriptor, Digest
from regtui.trust.errors import InvalidPolicy
from regtui.trust.notation.subject_name import parse_name
from regtui.trust.notation.trust_policy import parse_policy
from regtui.trust.notation.trust_store import configuration_folder, read_trust_store
from regtui.trust.notation.verification import NotationTrust, verify_notation
from regtui.trust.verdict import Outcome, SignatureResult, Status
from tests.trust.makers import DESCRIPTOR, NOW, REPOSITORY, Notary, certificate, make_key, usage

if TYPE_CHECKING:
    from pathlib import Path

JWS, COSE = "application/jose+json", "application/cose"
EXPIRY = "io.cncf.notary.expiry"
SCHEME = "io.cncf.notary.signingScheme"


def judge(
    notary: Notary,
    raw: bytes,
    media_type: str = JWS,
    trust: NotationTrust | None = None,
    subject: Descriptor = DESCRIPTOR,
    **when: Any,
) -> SignatureResult:
    return verify_notation(raw, media_type, subject, REPOSITORY, trust or notary.trust(), now=when.get("now", NOW))


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "rsa2048", "rsa3072", "rsa4096"])
def test_both_envelopes_verify_with_every_key(kind: str) -> None:
    notary = Notary(kind)
    for raw, media_type in ((notary.jws(), JWS), (notary.cose(), COSE)):
        result = judge(notary, raw, media_type)
        assert result.status is Status.VERIFIED, result
        assert result.under == "acme"
        assert "CN=Signer" in (result.signer or "")
        outcomes = {check.name: check.outcome for check in result.checks}
        assert outcomes["integrity"] is outcomes["authenticity"] is outcomes["expiry"] is Outcome.PASSED
        assert outcomes["revocation"] is Outcome.SKIPPED


def test_without_a_policy_it_is_only_intact() -> None:
    notary = Notary()
    result = verify_notation(notary.jws(), JWS, DESCRIPTOR, REPOSITORY, None, now=NOW)
    assert (result.status, result.intact) == (Status.UNVERIFIED, True)
    assert result.hint
    elsewhere = notary.trust(registryScopes=["other.example/app"])
    assert judge(notary, notary.jws(), trust=elsewhere).status is Status.UNVERIFIED


def test_the_descriptor_has_to_be_the_signed_one() -> None:
    notary = Notary()
    for changed in (
        dataclasses.replace(DESCRIPTOR, digest=Digest.of(b"other")),
        dataclasses.replace(DESCRIPTOR, size=1),
        dataclasses.replace(DESCRIPTOR, media_type="application/vnd.docker.distribution.manifest.v2+json"),
    ):
        assert judge(notary, notary.jws(), subject=changed).status is Status.INVALID


def test_user_metadata_is_shown() -> None:
    notary = Notary()
    result = judge(notary, notary.jws(notary.payload(annotations={"build": "42"})))
    assert ("build", "42") in result.details


def test_levels() -> None:
    notary, stranger = Notary(), Notary()
    raw = stranger.jws()
    outcomes = {
        level: judge(notary, raw, trust=notary.trust(signatureVerification={"level": level})).status
        for level in ("strict", "permissive", "audit")
    }
    assert outcomes == {"strict": Status.INVALID, "permissive": Status.INVALID, "audit": Status.UNVERIFIED}
    skip = {"signatureVerification": {"level": "skip"}, "trustStores": [], "trustedIdentities": []}
    result = judge(notary, notary.jws(), trust=notary.trust(**skip))
    assert (result.status, "not to verify" in result.reason) == (Status.UNVERIFIED, True)


def test_expiry_is_enforced_or_logged() -> None:
    notary = Notary()
    past = {SCHEME.replace(".", "__"): "notary.x509", EXPIRY.replace(".", "__"): "2026-02-01T00:00:00Z"}
    raw = notary.jws(crit=[SCHEME, EXPIRY], **past)
    assert judge(notary, raw).status is Status.INVALID
    assert "expired" in judge(notary, raw).reason
    permissive = judge(notary, raw, trust=notary.trust(signatureVerification={"level": "permissive"}))
    assert permissive.status is Status.VERIFIED
    assert "Only logged" in permissive.reason
    overridden = {"level": "permissive", "override": {"expiry": "enforce"}}
    assert judge(notary, raw, trust=notary.trust(signatureVerification=overridden)).status is Status.INVALID
    assert judge(notary, notary.jws(**past)).status is Status.INVALID  # expiry not marked critical


def test_certificates_expire_without_a_timestamp() -> None:
    notary = Notary(not_after=NOW - timedelta(days=1))
    assert judge(notary, notary.jws()).status is Status.INVALID
    logged = judge(notary, notary.jws(), trust=notary.trust(signatureVerification={"level": "permissive"}))
    assert logged.status is Status.VERIFIED
    assert "not valid at the time" in logged.reason


def test_a_signing_authority_needs_its_own_store_and_time() -> None:
    notary = Notary(not_after=NOW - timedelta(days=1))
    moment = "io.cncf.notary.authenticSigningTime"
    said: dict[str, Any] = {
        SCHEME.replace(".", "__"): "notary.x509.signingAuthority",
        moment.replace(".", "__"): "2026-02-20T00:00:00Z",
        "crit": [SCHEME, moment],
    }
    raw = notary.jws(**said)
    assert judge(notary, raw).status is Status.INVALID
    trust = notary.trust(trustStores=["signingAuthority:acme"], stores={"signingAuthority": [notary.root]})
    assert judge(notary, raw, trust=trust).status is Status.VERIFIED
    del said[moment.replace(".", "__")]
    said["crit"] = [SCHEME]
    assert judge(notary, notary.jws(**said), trust=trust).status is Status.INVALID


def test_identities() -> None:
    notary = Notary()
    for identity, status in (
        ("*", Status.VERIFIED),
        ("x509.subject: C=US, S=WA, O=Acme", Status.VERIFIED),
        ("x509.subject: C=US, ST=WA, O=Acme, CN=Somebody", Status.INVALID),
        ("x509.subject: C=US, ST=WA, O=acme", Status.INVALID),
    ):
        result = judge(notary, notary.jws(), trust=notary.trust(trustedIdentities=[identity]))
        assert result.status is status, (identity, result)


def test_a_missing_store_can_not_be_judged() -> None:
    notary = Notary()
    result = judge(notary, notary.jws(), trust=notary.trust(stores={}))
    assert result.status is Status.UNVERIFIED
    assert "ca:acme" in result.reason
    only_tsa = notary.trust(trustStores=["tsa:acme"])
    assert judge(notary, notary.jws(), trust=only_tsa).status is Status.INVALID


def test_a_timestamp_that_the_policy_asks_for_has_to_be_there() -> None:
    notary = Notary()
    trust = notary.trust(trustStores=["ca:acme", "tsa:acme"], stores={"ca": [notary.root], "tsa": [notary.root]})
    assert judge(notary, notary.jws(), trust=trust).status is Status.INVALID
    junk = notary.jws(header={"io.cncf.notary.timestampSignature": "MAA="})
    assert judge(notary, junk, trust=trust).status is Status.INVALID
    lazy = notary.trust(
        trustStores=["ca:acme", "tsa:acme"],
        stores={"ca": [notary.root], "tsa": [notary.root]},
        signatureVerification={"level": "strict", "verifyTimestamp": "afterCertExpiry"},
    )
    assert judge(notary, notary.jws(), trust=lazy).status is Status.VERIFIED


def test_plugins_are_needed_and_not_there() -> None:
    notary = Notary()
    raw = notary.jws(
        crit=[SCHEME, "io.cncf.notary.verificationPlugin"], io__cncf__notary__verificationPlugin="com.example.plugin"
    )
    result = judge(notary, raw)
    assert result.status is Status.UNVERIFIED
    assert "com.example.plugin" in result.reason


@pytest.mark.parametrize(
    "leaf",
    [
        {"key_usage": usage(digital_signature=True, key_cert_sign=True)},
        {"key_usage": usage(content_commitment=True)},
        {"key_usage": usage(digital_signature=True, key_encipherment=True)},
        {"extended": [ExtendedKeyUsageOID.SERVER_AUTH]},
        {"extended": [ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING]},
        {"authority": True},
    ],
)
def test_certificates_made_for_something_else_are_refused(leaf: dict[str, Any]) -> None:
    notary = Notary(**leaf)
    assert judge(notary, notary.jws()).status is Status.INVALID
    assert Notary(extended=[ExtendedKeyUsageOID.CODE_SIGNING])


def test_chains_have_to_be_whole_and_in_order() -> None:
    notary = Notary()
    leaf, middle, root = notary.chain
    for chain in ([leaf, root, middle], [leaf, middle], [leaf, root], [leaf], [leaf, middle, root, root], []):
        notary.chain = chain
        assert judge(notary, notary.jws()).status is Status.INVALID, len(chain)
        assert judge(notary, notary.cose(), COSE).status is Status.INVALID, len(chain)


def test_an_authority_may_not_go_beyond_its_path_length() -> None:
    notary = Notary()
    notary.root = certificate("Root", notary.root_key, authority=True, path_length=0)
    from tests.trust.makers import der

    notary.middle = certificate("Middle", notary.middle_key, (notary.root, notary.root_key), authority=True)
    notary.leaf = certificate("Signer", notary.key, (notary.middle, notary.middle_key))
    notary.chain = [der(notary.leaf), der(notary.middle), der(notary.root)]
    assert judge(notary, notary.jws()).status is Status.INVALID


def test_a_self_signed_certificate_may_be_its_own_root() -> None:
    from tests.trust.makers import der

    notary = Notary()
    notary.leaf = certificate("Signer", notary.key)
    notary.chain = [der(notary.leaf)]
    assert judge(notary, notary.jws(), trust=notary.trust(stores={"ca": [notary.leaf]})).status is Status.VERIFIED
    assert judge(notary, notary.jws()).status is Status.INVALID


@pytest.mark.parametrize(
    "changed",
    [
        {"alg": "ES384"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"cty": "text/plain"},
        {"crit": []},
        {"crit": [SCHEME, SCHEME]},
        {"crit": [SCHEME, "unheard.of"], "unheard.of": 1},
        {"crit": [SCHEME, EXPIRY]},
        {"io__cncf__notary__signingScheme": "notary.other"},
        {"io__cncf__notary__expiry": 5, "crit": [SCHEME, EXPIRY]},
    ],
)
def test_signed_attributes_have_to_follow_the_specification(changed: dict[str, Any]) -> None:
    notary = Notary()
    assert judge(notary, notary.jws(**changed)).status is Status.INVALID


def test_jws_with_more_members_or_lenient_base64_is_refused() -> None:
    notary = Notary()
    body = json.loads(notary.jws())
    for changed in (
        {**body, "extra": 1},
        {**body, "payload": body["payload"] + "="},
        {**body, "payload": body["payload"] + "A"},
        {**body, "signature": body["signature"] + "="},
        {**body, "header": []},
        {key: value for key, value in body.items() if key != "header"},
    ):
        assert judge(notary, json.dumps(changed).encode()).status is Status.INVALID


def test_the_wrong_media_type_is_refused() -> None:
    notary = Notary()
    assert judge(notary, notary.jws(), COSE).status is Status.INVALID
    assert judge(notary, notary.cose(), JWS).status is Status.INVALID
    assert judge(notary, notary.jws(), "text/plain").status is Status.INVALID


def test_the_most_exact_scope_decides() -> None:
    document = {
        "version": "1.0",
        "trustPolicies": [
            {
                "name": name,
                "registryScopes": [scope],
                "signatureVerification": {"level": "strict"},
                "trustStores": ["ca:x"],
                "trustedIdentities": ["*"],
            }
            for name, scope in (("all", "*"), ("one", REPOSITORY))
        ],
    }
    policy = parse_policy(json.dumps(document).encode())
    assert [getattr(policy.statement_for(r), "name", None) for r in (REPOSITORY, REPOSITORY + "x")] == ["one", "all"]


def test_names_in_policies() -> None:
    assert parse_name(r"C=US, ST=WA, O=Acme\, Inc.\; Ltd") == {"C": "US", "ST": "WA", "O": "Acme, Inc.; Ltd"}
    for wrong in ("", "C=US", "C=US, C=DE, ST=WA, O=x", "C=US, ST=WA, O", r"C=US, ST=WA, O=x\q", "C=US,ST=WA,O=a+CN=b"):
        with pytest.raises(InvalidPolicy):
            parse_name(wrong)


def test_trust_stores_are_read_from_notation_s_folder(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    notary = Notary()
    folder = tmp_path / "truststore" / "x509" / "ca" / "acme"
    (folder / "below").mkdir(parents=True)
    (folder / "root.pem").write_bytes(notary.root.public_bytes(Encoding.PEM))
    (folder / "middle.cer").write_bytes(notary.middle.public_bytes(Encoding.DER))
    (folder / "notes.txt").write_text("not a certificate")
    store = read_trust_store(tmp_path)
    assert len(store.certificates("ca", ("acme",))) == 2
    fingerprint = store.fingerprint
    (folder / "link.pem").symlink_to(folder / "root.pem")
    with pytest.raises(InvalidPolicy, match="symbolic link"):
        read_trust_store(tmp_path)
    (folder / "link.pem").unlink()
    (folder / "bad.crt").write_text("junk")
    with pytest.raises(InvalidPolicy):
        read_trust_store(tmp_path)
    (folder / "bad.crt").unlink()
    (folder / "middle.cer").unlink()
    assert read_trust_store(tmp_path).fingerprint != fingerprint
    assert read_trust_store(tmp_path / "nowhere").stores == {}


def test_notation_s_folder_follows_the_environment() -> None:
    assert str(configuration_folder({"NOTATION_CONFIG": "/n"})) == "/n"
    assert configuration_folder({"XDG_CONFIG_HOME": "/x"}).name == "notation"
    assert make_key("p256")
