"""Whether a transparency log entry is about this very signature: same key, same signature, same signed content.

Without this check a true entry about something else could lend its time to a signature (CVE-2022-36056).
Entry kinds: hashedrekord 0.0.1 and 0.0.2, rekord 0.0.1, dsse 0.0.1, intoto 0.0.1 and 0.0.2 (Rekor's types).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from regtui.trust.cosign_keys import HashedMessage, spki_of
from regtui.trust.errors import CannotVerify, Malformed, Rejected
from regtui.trust.untrusted import as_object, as_objects, decode_lenient, read_object

if TYPE_CHECKING:
    from regtui.trust.transparency import LogEntry


@dataclass(frozen=True, slots=True)
class SignedContent:
    """A signature with what it covers. `message` are the exact signed bytes; for a DSSE envelope its
    pre-authentication encoding, with the payload in `payload` and the envelope as stored in `envelope`."""

    message: bytes | HashedMessage = field(repr=False)
    signature: bytes = field(repr=False)
    payload: bytes | None = field(default=None, repr=False)
    envelope: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who is said to have signed: a key, and the certificate (DER) where there is one."""

    spki: bytes = field(repr=False)
    certificate: bytes | None = field(default=None, repr=False)


def demand_same_content(entry: LogEntry, content: SignedContent, signer: Signer) -> None:
    """Raise Rejected unless the entry is about this signature by this signer; CannotVerify for an unknown kind."""
    body = read_object(entry.body, "The log entry")
    if (body.get("kind"), body.get("apiVersion")) != (entry.kind, entry.version):
        raise Rejected("The log entry is of another kind than the bundle says.")
    spec = as_object(body.get("spec"))
    kind = (entry.kind, entry.version)
    if kind in (("hashedrekord", "0.0.1"), ("rekord", "0.0.1")) and content.payload is None:
        holds = _hashedrekord(spec, content, signer)
    elif kind == ("hashedrekord", "0.0.2"):
        holds = _hashedrekord_v2(as_object(spec.get("hashedRekordV002")), content, signer)
    elif kind == ("dsse", "0.0.1") and content.payload is not None:
        holds = _dsse(spec, content, signer)
    elif kind == ("intoto", "0.0.1") and content.payload is not None:
        holds = _intoto_v1(spec, content, signer)
    elif kind == ("intoto", "0.0.2") and content.payload is not None:
        holds = _intoto_v2(as_object(spec.get("content")), content, signer)
    else:
        raise CannotVerify(f"regtui can't read log entries of the kind {entry.kind[:40]} {entry.version[:20]} here.")
    if not holds:
        raise Rejected("The transparency log entry is about another signature.")


def _hashedrekord(spec: dict[str, Any], content: SignedContent, signer: Signer) -> bool:
    signature = as_object(spec.get("signature"))
    return (
        _hash_fits(as_object(spec.get("data")).get("hash"), content.message)
        and _decoded(signature.get("content")) == content.signature
        and _same_key(as_object(signature.get("publicKey")).get("content"), signer)
    )


def _hashedrekord_v2(spec: dict[str, Any], content: SignedContent, signer: Signer) -> bool:
    data, signature = as_object(spec.get("data")), as_object(spec.get("signature"))
    verifier = as_object(signature.get("verifier"))
    algorithm = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}.get(str(data.get("algorithm")))
    if algorithm is None:
        return False
    if "x509Certificate" in verifier:
        same = _decoded(as_object(verifier["x509Certificate"]).get("rawBytes")) == (signer.certificate or b"-")
    else:
        key = _decoded(as_object(verifier.get("publicKey")).get("rawBytes"))
        same = signer.certificate is None and key == signer.spki
    return (
        same
        and _decoded(data.get("digest")) == _hash(algorithm, content.message)
        and _decoded(signature.get("content")) == content.signature
    )


def _dsse(spec: dict[str, Any], content: SignedContent, signer: Signer) -> bool:
    return _hash_fits(spec.get("payloadHash"), content.payload) and any(
        _decoded(one.get("signature")) == content.signature and _same_key(one.get("verifier"), signer)
        for one in as_objects(spec.get("signatures"))
    )


def _intoto_v1(spec: dict[str, Any], content: SignedContent, signer: Signer) -> bool:
    inside = as_object(spec.get("content"))
    # This kind keeps no signature: only the hash of the stored envelope ties the entry to this one.
    return (
        _hash_fits(inside.get("hash"), content.envelope)
        and ("payloadHash" not in inside or _hash_fits(inside["payloadHash"], content.payload))
        and _same_key(spec.get("publicKey"), signer)
    )


def _intoto_v2(inside: dict[str, Any], content: SignedContent, signer: Signer) -> bool:
    return _hash_fits(inside.get("payloadHash"), content.payload) and any(
        _twice_decoded(one.get("sig")) == content.signature and _same_key(one.get("publicKey"), signer)
        for one in as_objects(as_object(inside.get("envelope")).get("signatures"))
    )


def _hash(algorithm: str, content: bytes | HashedMessage) -> bytes | None:
    if isinstance(content, HashedMessage):
        return content.digest if algorithm == "sha256" else None
    return hashlib.new(algorithm, content).digest()


def _hash_fits(value: Any, content: bytes | HashedMessage | None) -> bool:
    body = as_object(value)
    algorithm = body.get("algorithm")
    if content is None or algorithm not in ("sha256", "sha384", "sha512"):
        return False
    computed = _hash(algorithm, content)
    return computed is not None and body.get("value") == computed.hex()


def _decoded(value: Any) -> bytes | None:
    try:
        return decode_lenient(value, "A member of the log entry")
    except Malformed:
        return None


def _twice_decoded(value: Any) -> bytes | None:
    """Rekor wraps the base64 text of such a signature in base64 once more."""
    once = _decoded(value)
    try:
        return _decoded(once.decode("ascii")) if once is not None else None
    except UnicodeDecodeError:
        return None


def _same_key(value: Any, signer: Signer) -> bool:
    """Whether base64 of PEM holds the signer's certificate, or its key where there is no certificate."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    from regtui.trust.certificates import der_of, load_pem

    pem = _decoded(value)
    if pem is None:
        return False
    try:
        if signer.certificate is not None:
            return der_of(load_pem(pem)[0]) == signer.certificate
        return spki_of(load_pem_public_key(pem)) == signer.spki
    except (Malformed, ValueError, UnsupportedAlgorithm, IndexError):
        return False
