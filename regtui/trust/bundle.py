"""Sigstore bundles: one JSON object with a signature and everything needed to verify it offline.

Source: sigstore protobuf-specs bundle.proto, versions 0.1 to 0.3 (protobuf JSON: integers are text, bytes base64).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from regtui.trust.cosign_keys import HashedMessage
from regtui.trust.dsse import Envelope, parse_envelope
from regtui.trust.errors import Malformed
from regtui.trust.timestamps import MOST_TIMESTAMPS
from regtui.trust.transparency import LogEntry, parse_entry
from regtui.trust.untrusted import as_object, as_objects, as_text, decode_base64, read_object

MEDIA_TYPES: Final = {
    "application/vnd.dev.sigstore.bundle+json;version=0.1": 1,
    "application/vnd.dev.sigstore.bundle+json;version=0.2": 2,
    "application/vnd.dev.sigstore.bundle+json;version=0.3": 3,
    "application/vnd.dev.sigstore.bundle.v0.3+json": 3,
}
LAYER_PREFIX: Final = "application/vnd.dev.sigstore.bundle"
_MOST_ENTRIES: Final = 16
_MOST_CERTIFICATES: Final = 20
_HASHES: Final = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """A signature over an artifact's bytes. The digest is what the bundle says they have, None when it does not."""

    signature: bytes = field(repr=False)
    algorithm: str | None = None
    digest: bytes | None = None

    def fits(self, artifact: bytes | HashedMessage) -> bool:
        """Whether the digest that is written down, if any, is the artifact's."""
        if self.digest is None:
            return True
        if isinstance(artifact, HashedMessage):
            return self.algorithm == "sha256" and artifact.digest == self.digest
        return self.algorithm is not None and hashlib.new(self.algorithm, artifact).digest() == self.digest


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle: the signed content is an envelope or a message signature, never both.

    `certificates` are DER, the signing one first; a bundle made with a key pair has none and a `key_hint`.
    """

    raw: bytes = field(repr=False)
    version: int
    content: Envelope | MessageSignature
    certificates: tuple[bytes, ...]
    key_hint: str | None
    entries: tuple[LogEntry, ...]
    timestamps: tuple[bytes, ...]

    @property
    def envelope(self) -> Envelope | None:
        """The DSSE envelope, None for a message signature."""
        return self.content if isinstance(self.content, Envelope) else None


def parse_bundle(raw: bytes) -> Bundle:
    """Read a bundle. Raises Malformed for unknown versions, and for anything missing or twice."""
    body = read_object(raw, "The Sigstore bundle")
    version = MEDIA_TYPES.get(str(body.get("mediaType")))
    if version is None:
        raise Malformed("The Sigstore bundle is of a version that regtui does not know.")
    material = as_object(body.get("verificationMaterial"))
    entries, stamps = material.get("tlogEntries") or [], _timestamps(material)
    if not isinstance(entries, list) or len(entries) > _MOST_ENTRIES or len(stamps) > MOST_TIMESTAMPS:
        raise Malformed("The Sigstore bundle holds too many log entries or timestamps.")
    if len(set(stamps)) != len(stamps):
        raise Malformed("The Sigstore bundle holds the same timestamp twice.")
    certificates, hint = _key_material(material, version)
    parsed = tuple(parse_entry(as_object(entry)) for entry in entries)
    if version >= 2 and any(e.proof is None or e.proof.checkpoint is None for e in parsed):
        raise Malformed("A log entry of the Sigstore bundle lacks its proof of inclusion.")
    if version == 1 and any(e.promise is None for e in parsed):
        raise Malformed("A log entry of the Sigstore bundle lacks the log's promise.")
    return Bundle(raw, version, _content(body), certificates, hint, parsed, stamps)


def _timestamps(material: dict[str, Any]) -> tuple[bytes, ...]:
    listed = as_object(material.get("timestampVerificationData")).get("rfc3161Timestamps")
    return tuple(decode_base64(one.get("signedTimestamp"), "A timestamp") for one in as_objects(listed))


def _key_material(material: dict[str, Any], version: int) -> tuple[tuple[bytes, ...], str | None]:
    kinds = [name for name in ("certificate", "x509CertificateChain", "publicKey") if material.get(name) is not None]
    if len(kinds) != 1:
        raise Malformed("The Sigstore bundle says not exactly one thing about its signer.")
    if kinds == ["publicKey"]:
        return (), as_text(as_object(material["publicKey"]).get("hint")) or ""
    if kinds == ["certificate"]:
        chain = [as_object(material["certificate"])]
    else:
        chain = as_objects(as_object(material["x509CertificateChain"]).get("certificates"))
    if not 1 <= len(chain) <= _MOST_CERTIFICATES:
        raise Malformed("The Sigstore bundle has no certificate, or too many.")
    if (version < 3) == (kinds == ["certificate"]):
        raise Malformed("The Sigstore bundle has a member that its version does not know.")
    return tuple(decode_base64(one.get("rawBytes"), "A certificate of the bundle") for one in chain), None


def _content(body: dict[str, Any]) -> Envelope | MessageSignature:
    envelope, message = body.get("dsseEnvelope"), body.get("messageSignature")
    if isinstance(envelope, dict) and message is None:
        return parse_envelope(envelope)
    if not isinstance(message, dict) or envelope is not None:
        raise Malformed("The Sigstore bundle holds not exactly one signature.")
    signature = decode_base64(message.get("signature"), "The signature of the bundle")
    said = message.get("messageDigest")
    if said is None:
        return MessageSignature(signature)
    algorithm = _HASHES.get(str(as_object(said).get("algorithm")))
    if algorithm is None:
        raise Malformed("The Sigstore bundle names a digest algorithm that regtui does not know.")
    return MessageSignature(signature, algorithm, decode_base64(as_object(said).get("digest"), "The digest"))
