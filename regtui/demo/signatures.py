"""Signatures that really verify: cosign with a key pair, in both of its forms, and Notary Project.

The keys follow from public phrases (p256.py): they show how verification looks and vouch for nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from regtui.demo import der
from regtui.demo.attestations import IN_TOTO, empty_config, statement
from regtui.demo.certificates import Signer, make_signer
from regtui.demo.images import encode, manifest_json, plain, stamp
from regtui.demo.p256 import DemoKey
from regtui.oci import Descriptor, media_types

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from regtui.demo.images import Blobs

SIMPLE_SIGNING: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
NOTATION: Final = "application/vnd.cncf.notary.signature"
COSIGN_SIGN: Final = "https://sigstore.dev/cosign/sign/v1"
DSSE: Final = "application/vnd.dsse.envelope.v1+json"

_COSIGN_CONFIG: Final = media_types.OCI_CONFIG
_NOTATION_PAYLOAD: Final = "application/vnd.cncf.notary.payload.v1+json"
_README: Final = """Public halves of the demo's keys, to try verification with.

cosign.pub        verifies the cosign signatures of the demo
notation-ca.pem   the root of its Notary Project signatures
trustpolicy.json  a trust policy for notation that names it as the store ca:demo, which is in truststore/

Anyone can derive the private keys from regtui's source. Never trust these keys for anything else.
"""
_PHRASE: Final = "regtui demo key, protects nothing"


@dataclass(frozen=True, slots=True)
class Keys:
    """The demo's signers. `stranger` and `outsider` are the ones whose public halves are not handed out."""

    cosign: DemoKey
    stranger: DemoKey
    notation: Signer
    outsider: Signer


def demo_keys() -> Keys:
    """Derive them all."""
    return Keys(
        DemoKey.from_phrase(_PHRASE),
        DemoKey.from_phrase(f"{_PHRASE}, not even known"),
        make_signer(f"{_PHRASE}, notation", "Demo Shop"),
        make_signer(f"{_PHRASE}, somebody else", "Somebody Else"),
    )


def cosign_payload(name: str, digest: str, claims: dict[str, str] | None = None) -> bytes:
    """The simple-signing document that cosign signs (cosign specs/SIGNATURE_SPEC.md)."""
    return encode(
        {
            "critical": {
                "identity": {"docker-reference": name},
                "image": {"docker-manifest-digest": digest},
                "type": "cosign container image signature",
            },
            "optional": claims,
        }
    )


def put_cosign_signature(blobs: Blobs, key: DemoKey, payloads: Sequence[bytes], when: datetime) -> Descriptor:
    """The manifest behind a `sha256-<hex>.sig` tag: one layer per signed payload."""
    layers = []
    for payload in payloads:
        signature = base64.b64encode(key.sign_der(payload)).decode()
        layers.append(blobs.put(payload, SIMPLE_SIGNING, annotations={"dev.cosignproject.cosign/signature": signature}))
    return _put_cosign_manifest(blobs, layers, when)


def put_cosign_attestation(blobs: Blobs, key: DemoKey, document: dict[str, Any], when: datetime) -> Descriptor:
    """The manifest behind a `sha256-<hex>.att` tag: one DSSE envelope."""
    notes = {"dev.cosignproject.cosign/signature": "", "predicateType": document["predicateType"]}
    layer = blobs.put(encode(dsse(key, encode(document))), DSSE, annotations=notes)
    return _put_cosign_manifest(blobs, [layer], when)


def _put_cosign_manifest(blobs: Blobs, layers: Sequence[Descriptor], when: datetime) -> Descriptor:
    config = {
        "architecture": "",
        "created": stamp(when),
        "history": [{"created": "0001-01-01T00:00:00Z"} for _ in layers],
        "os": "",
        "rootfs": {"type": "layers", "diff_ids": [str(layer.digest) for layer in layers]},
        "config": {},
    }
    made = manifest_json(blobs.put(encode(config), _COSIGN_CONFIG), layers)
    return blobs.put(encode(made), media_types.OCI_MANIFEST)


def dsse(key: DemoKey, payload: bytes) -> dict[str, Any]:
    """A signed DSSE envelope around an in-toto statement (DSSE protocol.md)."""
    kind = IN_TOTO.encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": IN_TOTO,
        "signatures": [{"sig": base64.b64encode(key.sign_der(signed)).decode()}],
    }


def put_bundle(blobs: Blobs, key: DemoKey, subject: Descriptor, document: dict[str, Any], when: datetime) -> Descriptor:
    """A Sigstore bundle v0.3 as a referrer, signed with a key pair and not logged."""
    envelope = dsse(key, encode(document))
    bundle = {
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": base64.b64encode(hashlib.sha256(key.spki).digest()).decode()}},
        "dsseEnvelope": envelope,
    }
    notes = {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": document["predicateType"],
        "org.opencontainers.image.created": stamp(when),
    }
    layer = blobs.put(encode(bundle), BUNDLE)
    made = manifest_json(empty_config(blobs), [layer], artifact_type=BUNDLE, subject=plain(subject), annotations=notes)
    return _referrer(blobs, made)


def cosign_sign_statement(name: str, subject: Descriptor) -> dict[str, Any]:
    """What `cosign sign` of version 3 signs: a statement without a predicate."""
    return statement([(name, subject)], COSIGN_SIGN, {})


def put_notation_signature(blobs: Blobs, signer: Signer, subject: Descriptor, when: datetime) -> Descriptor:
    """A Notary Project signature, JWS envelope, as a referrer (signature-envelope-jws.md)."""
    payload = {"targetArtifact": plain(subject).to_json()}
    protected = {
        "alg": "ES256",
        "crit": ["io.cncf.notary.signingScheme"],
        "cty": _NOTATION_PAYLOAD,
        "io.cncf.notary.signingScheme": "notary.x509",
        "io.cncf.notary.signingTime": stamp(when),
    }
    signed_payload, signed_header = _base64url(encode(payload)), _base64url(encode(protected))
    envelope = {
        "payload": signed_payload,
        "protected": signed_header,
        "header": {
            "x5c": [base64.b64encode(certificate).decode() for certificate in signer.chain],
            "io.cncf.notary.signingAgent": "regtui demo",
        },
        "signature": _base64url(signer.key.sign_raw(f"{signed_header}.{signed_payload}".encode())),
    }
    thumbprints = [hashlib.sha256(certificate).hexdigest() for certificate in signer.chain]
    notes = {
        "io.cncf.notary.x509chain.thumbprint#S256": json.dumps(thumbprints, separators=(",", ":")),
        "org.opencontainers.image.created": stamp(when),
    }
    layer = blobs.put(encode(envelope), "application/jose+json")
    made = manifest_json(
        empty_config(blobs), [layer], artifact_type=NOTATION, subject=plain(subject), annotations=notes
    )
    return _referrer(blobs, made)


def _referrer(blobs: Blobs, manifest: dict[str, Any]) -> Descriptor:
    """Put a manifest with a subject; its descriptor as the referrers list gives it."""
    return blobs.put(
        encode(manifest),
        media_types.OCI_MANIFEST,
        artifact_type=manifest["artifactType"],
        annotations=manifest.get("annotations") or {},
    )


def trust_files(keys: Keys, scope: str) -> dict[str, str]:
    """What a user needs to verify the demo: public key, root, trust policy and store for notation. By path."""
    policy = {
        "version": "1.0",
        "trustPolicies": [
            {
                "name": "demo",
                "registryScopes": [scope],
                "signatureVerification": {"level": "strict", "override": {"revocation": "skip"}},
                "trustStores": ["ca:demo"],
                "trustedIdentities": ["x509.subject: C=DE, ST=Berlin, O=Demo Shop"],
            }
        ],
    }
    return {
        "cosign.pub": der.pem("PUBLIC KEY", keys.cosign.spki),
        "notation-ca.pem": keys.notation.root_pem,
        "truststore/x509/ca/demo/notation-ca.pem": keys.notation.root_pem,
        "README.txt": _README,
        "trustpolicy.json": json.dumps(policy, indent=2) + "\n",
    }


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
