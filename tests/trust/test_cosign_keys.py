"""Key pairs: every kind verifies what it signed and nothing else, and weak or private keys are refused."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from regtui.trust.cosign_keys import read_key, signature_holds
from regtui.trust.errors import InvalidPolicy
from tests.trust.makers import make_key, pem_of, sign, trusted

KINDS = ("p256", "p384", "p521", "ed25519", "rsa2048", "rsa3072")


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_verifies_what_it_signed_and_nothing_else(kind: str) -> None:
    key = make_key(kind)
    spki = trusted(key).spki
    signature = sign(key, b"payload")
    assert signature_holds(spki, signature, b"payload")
    assert not signature_holds(spki, signature, b"payloae")
    assert not signature_holds(spki, signature[:-1] + bytes((signature[-1] ^ 1,)), b"payload")
    assert not signature_holds(
        trusted(make_key("rsa2048-other" if "rsa" in kind else kind)).spki, signature, b"payload"
    )
    assert not signature_holds(spki, b"", b"payload")
    assert not signature_holds(spki, b"x" * 10_000, b"payload")


def test_pss_and_the_curve_s_own_hash_are_taken() -> None:
    key = make_key("rsa2048")
    assert signature_holds(trusted(key).spki, sign(key, b"m", pss=True), b"m")
    curve = make_key("p384")
    assert signature_holds(trusted(curve).spki, sign(curve, b"m", digest=hashes.SHA384()), b"m")
    assert not signature_holds(trusted(curve).spki, sign(curve, b"m", digest=hashes.SHA512()), b"m")


def test_fingerprint_and_hint_are_of_the_spki() -> None:
    key = trusted(make_key("p256"))
    assert key.fingerprint == hashlib.sha256(key.spki).hexdigest()
    assert base64.b64decode(key.hint).hex() == key.fingerprint
    assert key.algorithm == "ECDSA P-256"
    assert "release (ECDSA P-256" in key.title


@pytest.mark.parametrize(
    "public",
    [
        rsa.generate_private_key(65537, 1024).public_key(),
        ec.generate_private_key(ec.SECP256K1()).public_key(),
        dsa.generate_private_key(1024).public_key(),
    ],
    ids=["rsa1024", "secp256k1", "dsa"],
)
def test_weak_kinds_are_refused(public: object) -> None:
    pem = public.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(InvalidPolicy) as caught:
        read_key(pem, "weak")
    assert caught.value.hint


def test_private_keys_and_junk_are_refused() -> None:
    private = make_key("p256").private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(InvalidPolicy, match="private key"):
        read_key(private, "cosign.key")
    for junk in (b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"x" * 100_000):
        with pytest.raises(InvalidPolicy):
            read_key(junk, "junk")
    assert read_key(pem_of(make_key("p256")).decode(), "text").name == "text"
