"""Makes what the trust tests judge: keys, certificates, payloads, bundles and envelopes, all thrown away afterwards."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.x509.oid import NameOID

from regtui.oci import Descriptor, Digest
from regtui.trust.cosign_keys import TrustedKey, read_key
from regtui.trust.dsse import pre_authentication_encoding
from regtui.trust.notation.cbor import Tagged, write_cbor
from regtui.trust.notation.trust_store import TrustStore
from regtui.trust.notation.verification import NotationTrust
from regtui.trust.simple_signing import LAYER_TYPE, SIGNATURE, SignedLayer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": Digest.of(b"config"),
            "size": 6,
        },
        "layers": [],
    }
).encode()
SUBJECT = Digest.of(MANIFEST)
DESCRIPTOR = Descriptor("application/vnd.oci.image.manifest.v1+json", SUBJECT, len(MANIFEST))
REPOSITORY = "registry.example/team/app"

_CURVES = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def b64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


_RSA: dict[str, rsa.RSAPrivateKey] = {}


def make_key(kind: str) -> Any:
    """A private key: p256, p384, p521, ed25519, or rsa<bits> (kept, since making one takes long)."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("rsa"):
        if kind not in _RSA:
            _RSA[kind] = rsa.generate_private_key(65537, int(kind[3:].partition("-")[0]))
        return _RSA[kind]
    return ec.generate_private_key(_CURVES[kind]())


def pem_of(key: Any) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def trusted(key: Any, name: str = "release", **window: Any) -> TrustedKey:
    return read_key(pem_of(key), name, **window)


def sign(key: Any, message: bytes, *, pss: bool = False, digest: Any = None) -> bytes:
    """As cosign signs: SHA-256 unless told otherwise."""
    algorithm = digest or hashes.SHA256()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(algorithm))
    if pss:
        return key.sign(message, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size), algorithm)
    return key.sign(message, padding.PKCS1v15(), algorithm)


def simple_payload(digest: str = SUBJECT, reference: str = REPOSITORY, **optional: str) -> bytes:
    return json.dumps(
        {
            "critical": {
                "identity": {"docker-reference": reference},
                "image": {"docker-manifest-digest": digest},
                "type": "cosign container image signature",
            },
            "optional": optional or None,
        }
    ).encode()


def simple_layer(key: Any, payload: bytes | None = None, **how: Any) -> SignedLayer:
    content = payload if payload is not None else simple_payload()
    return SignedLayer(LAYER_TYPE, content, {SIGNATURE: b64(sign(key, content, **how))})


def statement(digest: str = SUBJECT, predicate_type: str = "https://sigstore.dev/cosign/sign/v1", **more: Any) -> bytes:
    algorithm, _, encoded = digest.partition(":")
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "app", "digest": {algorithm: encoded}}],
            "predicateType": predicate_type,
            "predicate": more.get("predicate", {}),
        }
    ).encode()


def envelope(key: Any, payload: bytes, payload_type: str = "application/vnd.in-toto+json") -> dict[str, Any]:
    signature = sign(key, pre_authentication_encoding(payload_type, payload))
    return {"payload": b64(payload), "payloadType": payload_type, "signatures": [{"sig": b64(signature)}]}


def dsse_bundle(key: Any, payload: bytes | None = None) -> dict[str, Any]:
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": trusted(key).hint}, "tlogEntries": []},
        "dsseEnvelope": envelope(key, payload if payload is not None else statement()),
    }


def message_bundle(key: Any, artifact: bytes = MANIFEST) -> dict[str, Any]:
    digest = base64.b64encode(bytes.fromhex(Digest.of(artifact).encoded)).decode()
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": trusted(key).hint}},
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": digest},
            "signature": b64(sign(key, artifact)),
        },
    }


# Certificates for the Notary Project


def subject_name(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "WA"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def usage(**set_bits: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: set_bits.get(name, False) for name in names})


def certificate(
    name: str,
    key: Any,
    issuer: tuple[x509.Certificate, Any] | None = None,
    *,
    authority: bool = False,
    not_before: datetime = NOW - timedelta(days=30),
    not_after: datetime = NOW + timedelta(days=30),
    extended: list[x509.ObjectIdentifier] | None = None,
    key_usage: x509.KeyUsage | None = None,
    path_length: int | None = None,
) -> x509.Certificate:
    bits = key_usage or (usage(key_cert_sign=True) if authority else usage(digital_signature=True))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject_name(name))
        .issuer_name(issuer[0].subject if issuer else subject_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(bits, critical=True)
    )
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    if extended is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256())


def der(one: x509.Certificate) -> bytes:
    return one.public_bytes(serialization.Encoding.DER)


class Notary:
    """A root, an intermediate and a signing certificate, and envelopes made with them."""

    def __init__(self, kind: str = "p256", **leaf: Any) -> None:
        self.root_key, self.middle_key, self.key = make_key("p384"), make_key("p256"), make_key(kind)
        self.root = certificate("Root", self.root_key, authority=True)
        self.middle = certificate("Middle", self.middle_key, (self.root, self.root_key), authority=True)
        self.leaf = certificate("Signer", self.key, (self.middle, self.middle_key), **leaf)
        self.chain = [der(self.leaf), der(self.middle), der(self.root)]

    @property
    def algorithm(self) -> str:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return {2048: "PS256", 3072: "PS384", 4096: "PS512"}[self.key.key_size]
        return {256: "ES256", 384: "ES384", 521: "ES512"}[self.key.key_size]

    def sign(self, message: bytes) -> bytes:
        digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[self.algorithm[2:]]
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        r, s = utils.decode_dss_signature(self.key.sign(message, ec.ECDSA(digest)))
        half = (self.key.key_size + 7) // 8
        return r.to_bytes(half) + s.to_bytes(half)

    def payload(self, **changed: Any) -> bytes:
        target = {"mediaType": DESCRIPTOR.media_type, "digest": SUBJECT, "size": DESCRIPTOR.size, **changed}
        return json.dumps({"targetArtifact": target}).encode()

    def jws(self, payload: bytes | None = None, *, header: dict[str, Any] | None = None, **protected: Any) -> bytes:
        signed = {
            "alg": self.algorithm,
            "cty": "application/vnd.cncf.notary.payload.v1+json",
            "crit": ["io.cncf.notary.signingScheme"],
            "io.cncf.notary.signingScheme": "notary.x509",
            "io.cncf.notary.signingTime": "2026-03-01T11:00:00Z",
            **{key.replace("__", "."): value for key, value in protected.items()},
        }
        first = b64url(json.dumps(signed).encode())
        second = b64url(payload if payload is not None else self.payload())
        signature = self.sign(f"{first}.{second}".encode())
        unsigned = {"x5c": [b64(one) for one in self.chain], **(header or {})}
        body = {"payload": second, "protected": first, "header": unsigned, "signature": b64url(signature)}
        return json.dumps(body).encode()

    def cose(self, payload: bytes | None = None, **protected: Any) -> bytes:
        number = {"PS256": -37, "PS384": -38, "PS512": -39, "ES256": -7, "ES384": -35, "ES512": -36}[self.algorithm]
        signed = {
            1: number,
            2: ["io.cncf.notary.signingScheme"],
            3: "application/vnd.cncf.notary.payload.v1+json",
            "io.cncf.notary.signingScheme": "notary.x509",
            "io.cncf.notary.signingTime": Tagged(1, 1772362800),
            **{key.replace("__", "."): value for key, value in protected.items()},
        }
        if "crit" in signed:
            signed[2] = signed.pop("crit")
        first, second = write_cbor(signed), payload if payload is not None else self.payload()
        signature = self.sign(write_cbor(["Signature1", first, b"", second]))
        return write_cbor(Tagged(18, [first, {33: self.chain}, second, signature]))

    def trust(self, *, stores: dict[str, list[x509.Certificate]] | None = None, **statement: Any) -> NotationTrust:
        said = {
            "name": "acme",
            "registryScopes": ["*"],
            "signatureVerification": {"level": "strict"},
            "trustStores": ["ca:acme"],
            "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Acme, CN=Signer"],
            **statement,
        }
        held = {"ca": [self.root]} if stores is None else stores
        return NotationTrust.read(
            json.dumps({"version": "1.0", "trustPolicies": [said]}).encode(),
            TrustStore({(kind, "acme"): tuple(der(one) for one in some) for kind, some in held.items()}),
        )
