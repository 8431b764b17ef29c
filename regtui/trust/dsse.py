"""DSSE envelopes: a typed payload with signatures over both (secure-systems-lab/dsse, protocol.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.cosign_keys import signature_holds
from regtui.trust.errors import Malformed
from regtui.trust.untrusted import as_text, decode_lenient, read_object

if TYPE_CHECKING:
    from collections.abc import Iterable

    from regtui.trust.cosign_keys import TrustedKey

IN_TOTO: Final = "application/vnd.in-toto+json"
MEDIA_TYPE: Final = "application/vnd.dsse.envelope.v1+json"
MOST_SIGNATURES: Final = 32


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope. `signatures` are (key id, signature); a key id is a hint and proves nothing."""

    payload_type: str
    payload: bytes = field(repr=False)
    signatures: tuple[tuple[str | None, bytes], ...] = field(repr=False)

    @property
    def signed_bytes(self) -> bytes:
        """What the signatures cover: the pre-authentication encoding."""
        return pre_authentication_encoding(self.payload_type, self.payload)


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """`DSSEv1 <length> <type> <length> <payload>`, lengths in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse_envelope(value: bytes | dict[str, Any]) -> Envelope:
    """Read an envelope from its bytes or from the member of a bundle. Raises Malformed."""
    body = read_object(value, "The DSSE envelope") if isinstance(value, bytes) else value
    payload_type, listed = body.get("payloadType"), body.get("signatures")
    if not isinstance(payload_type, str) or not isinstance(listed, list):
        raise Malformed("The DSSE envelope lacks a payload type or signatures.")
    if not 1 <= len(listed) <= MOST_SIGNATURES:
        raise Malformed(f"The DSSE envelope has {len(listed)} signatures; 1 to {MOST_SIGNATURES} are read.")
    signatures: list[tuple[str | None, bytes]] = []
    for item in listed:
        if not isinstance(item, dict):
            raise Malformed("A DSSE signature is not an object.")
        signatures.append((as_text(item.get("keyid")), decode_lenient(item.get("sig"), "A DSSE signature")))
    return Envelope(payload_type, decode_lenient(body.get("payload"), "The DSSE payload"), tuple(signatures))


def find_signing_key(envelope: Envelope, keys: Iterable[TrustedKey]) -> tuple[TrustedKey, bytes] | None:
    """The first of `keys` that made a signature of the envelope, with that signature."""
    message = envelope.signed_bytes
    for key in keys:
        for _, signature in envelope.signatures:
            if signature_holds(key.spki, signature, message):
                return key, signature
    return None
