"""Key pairs: every kind verifies what it signed and nothing else, and weak or private keys are refused."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.trust.cosign_keys import read_key, signature_holds
from regtui.trust.ed25519ph import _holds, prehashed_signature_holds
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


RFC_KEY = "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"
RFC_SIGNATURE = (
    "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
    "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
)


def test_ed25519ph_gives_the_rfc_s_answer() -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(RFC_KEY))
    public, signature = key.public_key().public_bytes_raw(), bytes.fromhex(RFC_SIGNATURE)
    assert prehashed_signature_holds(public, signature, b"abc")
    assert signature_holds(trusted(key).spki, signature, b"abc")
    assert not prehashed_signature_holds(public, key.sign(b"abc"), b"abc")
    for place in range(64):
        changed = bytearray(signature)
        changed[place] ^= 0x10
        assert not prehashed_signature_holds(public, bytes(changed), b"abc")
    order = 2**252 + 27742317777372353535851937790883648493
    malleable = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert not prehashed_signature_holds(public, malleable, b"abc")
    assert not prehashed_signature_holds(public[:-1], signature, b"abc")
    assert not prehashed_signature_holds(b"\xff" * 32, signature, b"abc")


@given(st.binary(max_size=100), st.integers(0, 511))
@settings(max_examples=40, deadline=None)
def test_its_arithmetic_agrees_with_the_package_on_plain_ed25519(message: bytes, bit: int) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    public, signature = key.public_key(), bytearray(key.sign(message))
    assert _holds(public.public_bytes_raw(), bytes(signature), message, b"")
    signature[bit // 8] ^= 1 << bit % 8
    try:
        public.verify(bytes(signature), message)
        agreed = True
    except InvalidSignature:
        agreed = False
    assert _holds(public.public_bytes_raw(), bytes(signature), message, b"") == agreed
