"""Notary Project envelopes as JWS in its flattened JSON form (RFC 7515, signature-envelope-jws.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci.times import parse_time
from regtui.trust.errors import Malformed
from regtui.trust.notation import envelope as names
from regtui.trust.notation.envelope import NotationEnvelope, demand_attributes
from regtui.trust.untrusted import as_text, decode_base64, decode_base64url, read_object
from regtui.trust.verdict import SignatureFormat

if TYPE_CHECKING:
    from datetime import datetime

MEDIA_TYPE: Final = "application/jose+json"
_MEMBERS: Final = frozenset({"payload", "protected", "header", "signature"})
_ALGORITHMS: Final = frozenset({"PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})
_NAMED: Final = frozenset(
    {
        "alg",
        "cty",
        "crit",
        names.SCHEME,
        names.SIGNING_TIME,
        names.AUTHENTIC_TIME,
        names.EXPIRY,
        names.PLUGIN,
        names.PLUGIN_VERSION,
    }
)


def parse_jws(raw: bytes) -> NotationEnvelope:
    """Read the envelope. Raises Malformed, and Rejected where its signed attributes break the specification."""
    body = read_object(raw, "The JWS envelope", limit=names.LARGEST_ENVELOPE)
    if set(body) != _MEMBERS or not isinstance(body["header"], dict):
        raise Malformed("The JWS envelope has other members than payload, protected, header and signature.")
    signed = read_object(decode_base64url(body["protected"], "The protected header"), "The protected header")
    payload = decode_base64url(body["payload"], "The payload")
    algorithm, critical = signed.get("alg"), signed.get("crit")
    if algorithm not in _ALGORITHMS:
        raise Malformed("The JWS envelope names no algorithm of the Notary Project.")
    if not isinstance(critical, list) or not all(isinstance(name, str) for name in critical):
        raise Malformed("The JWS envelope lists no critical attributes.")
    unsigned = body["header"]
    stamp = unsigned.get(names.TIMESTAMP)
    made = NotationEnvelope(
        SignatureFormat.NOTATION_JWS,
        payload,
        f"{body['protected']}.{body['payload']}".encode("ascii"),
        decode_base64url(body["signature"], "The signature"),
        str(algorithm),
        as_text(signed.get("cty")),
        as_text(signed.get(names.SCHEME)),
        tuple(critical),
        _time(signed, names.SIGNING_TIME),
        _time(signed, names.AUTHENTIC_TIME),
        _time(signed, names.EXPIRY),
        as_text(signed.get(names.PLUGIN)),
        as_text(signed.get(names.PLUGIN_VERSION)),
        tuple(sorted(set(signed) - _NAMED)),
        _chain(unsigned.get("x5c")),
        decode_base64(stamp, "The timestamp") if stamp else None,
        as_text(unsigned.get(names.AGENT)),
    )
    demand_attributes(made, signed)
    return made


def _time(signed: dict[str, Any], name: str) -> datetime | None:
    if name not in signed:
        return None
    moment = parse_time(signed[name])
    if moment is None:
        raise Malformed("A time in the JWS envelope can't be read.")
    return moment


def _chain(value: Any) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= names.MOST_CERTIFICATES:
        raise Malformed("The JWS envelope has no certificate chain, or too long a one.")
    return tuple(decode_base64(one, "A certificate") for one in value)
