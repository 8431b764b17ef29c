"""The demo's keys and certificates: published vectors, and the judgement of the cryptography library."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.demo import der
from regtui.demo.certificates import make_signer
from regtui.demo.p256 import DemoKey
from regtui.demo.signatures import demo_keys, trust_files

# RFC 6979, A.2.5: P-256 with SHA-256.
RFC_KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
RFC_SIGNATURES = {
    b"sample": (
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    ),
    b"test": (
        0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
        0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
    ),
}


@pytest.mark.parametrize("message", list(RFC_SIGNATURES))
def test_published_signatures(message):
    assert DemoKey.from_scalar(RFC_KEY).sign(message) == RFC_SIGNATURES[message]


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=20), st.binary(max_size=300))
def test_the_library_takes_every_signature(phrase, message):
    cryptography = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = DemoKey.from_phrase(phrase)
    public = cryptography.load_der_public_key(key.spki)
    public.verify(key.sign_der(message), message, ec.ECDSA(hashes.SHA256()))
    assert public.public_numbers() == ec.derive_private_key(key.scalar, ec.SECP256R1()).public_key().public_numbers()


@pytest.mark.parametrize("scalar", [1, 2, 3, 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550])
def test_points_at_the_edges(scalar):
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives.asymmetric import ec

    numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    assert DemoKey.from_scalar(scalar).public == b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def test_the_chain_is_what_notation_asks_for():
    pytest.importorskip("cryptography")
    from cryptography import x509

    leaf, root = (x509.load_der_x509_certificate(item) for item in make_signer("phrase", "Name").chain)
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).critical
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert [item.dotted_string for item in leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value] == [
        "1.3.6.1.5.5.7.3.3"
    ]
    assert leaf.not_valid_before_utc < datetime(2026, 1, 1, tzinfo=UTC) < leaf.not_valid_after_utc
    assert leaf.subject.rfc4514_string() == "CN=Name release signing,O=Demo Shop,ST=Berlin,C=DE"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (der.integer(0), "020100"),
        (der.integer(127), "02017f"),
        (der.integer(128), "02020080"),
        (der.integer(65_536), "0203010000"),
        (der.oid("1.2.840.10045.4.3.2"), "06082a8648ce3d040302"),
        (der.octet_string(bytes(127))[:2], "047f"),
        (der.octet_string(bytes(128))[:3], "048180"),
        (der.octet_string(bytes(256))[:4], "04820100"),
        (der.boolean(True), "0101ff"),
        (der.time(datetime(2049, 12, 31, tzinfo=UTC)), "170d3439313233313030303030305a"),
        (der.time(datetime(2050, 1, 1, tzinfo=UTC)), "180f32303530303130313030303030305a"),
    ],
)
def test_der(made, expected):
    assert made.hex() == expected


def test_only_public_halves_are_handed_out():
    keys = demo_keys()
    text = "".join(trust_files(keys, "*").values())
    assert "PRIVATE" not in text
    for key in (keys.cosign, keys.stranger, keys.notation.key, keys.outsider.key):
        assert f"{key.scalar:064x}" not in text
    assert "-----BEGIN PUBLIC KEY-----" in text
    assert "-----BEGIN CERTIFICATE-----" in text


def test_no_private_key_lies_in_the_package():
    package = Path(der.__file__).parent
    for path in package.glob("*.py"):
        assert not re.search(r"BEGIN (EC |RSA |ENCRYPTED )?PRIVATE", path.read_text(encoding="utf-8")), path.name
