"""Notary Project envelopes as COSE_Sign1 (RFC 9052, signature-envelope-cose.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from regtui.trust.errors import Malformed
from regtui.trust.notation import envelope as names
from regtui.trust.notation.cbor import Tagged, read_cbor, write_cbor
from regtui.trust.notation.envelope import NotationEnvelope, demand_attributes
from regtui.trust.untrusted import as_text
from regtui.trust.verdict import SignatureFormat

MEDIA_TYPE: Final = "application/cose"
_SIGN1: Final = 18
_ALGORITHM, _CRITICAL, _CONTENT_TYPE, _CHAIN = 1, 2, 3, 33
_ALGORITHMS: Final = {-37: "PS256", -38: "PS384", -39: "PS512", -7: "ES256", -35: "ES384", -36: "ES512"}
_NAMED: Final = frozenset(
    {
        names.SCHEME,
        names.SIGNING_TIME,
        names.AUTHENTIC_TIME,
        names.EXPIRY,
        names.PLUGIN,
        names.PLUGIN_VERSION,
    }
)


def parse_cose(raw: bytes) -> NotationEnvelope:
    """Read the envelope. Raises Malformed, and Rejected where its signed attributes break the specification."""
    if len(raw) > names.LARGEST_ENVELOPE:
        raise Malformed("The COSE envelope is too large.")
    outer = read_cbor(raw)
    if not isinstance(outer, Tagged) or outer.tag != _SIGN1 or not isinstance(outer.value, list):
        raise Malformed("This is not a COSE_Sign1 envelope.")
    match outer.value:
        case [bytes(protected), dict(unsigned), bytes(payload), bytes(signature)]:
            pass
        case _:
            raise Malformed("The COSE_Sign1 envelope has not its four members.")
    signed = read_cbor(protected)
    if not isinstance(signed, dict):
        raise Malformed("The protected header of the COSE envelope is not a map.")
    algorithm = _ALGORITHMS.get(signed.get(_ALGORITHM, 0))
    if algorithm is None:
        raise Malformed("The COSE envelope names no algorithm of the Notary Project.")
    stamp = unsigned.get(names.TIMESTAMP)
    made = NotationEnvelope(
        SignatureFormat.NOTATION_COSE,
        payload,
        write_cbor(["Signature1", protected, b"", payload]),
        signature,
        algorithm,
        as_text(signed.get(_CONTENT_TYPE)),
        as_text(signed.get(names.SCHEME)),
        _critical(signed.get(_CRITICAL)),
        _time(signed, names.SIGNING_TIME),
        _time(signed, names.AUTHENTIC_TIME),
        _time(signed, names.EXPIRY),
        as_text(signed.get(names.PLUGIN)),
        as_text(signed.get(names.PLUGIN_VERSION)),
        tuple(sorted(str(name) for name in signed if isinstance(name, str) and name not in _NAMED)),
        _certificates(unsigned, signed),
        stamp if isinstance(stamp, bytes) else None,
        as_text(unsigned.get(names.AGENT)),
    )
    demand_attributes(made, {str(name): value for name, value in signed.items()})
    return made


def _critical(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise Malformed("The COSE envelope lists no critical attributes.")
    # A label of COSE itself (such as 3) may be listed; those are all understood or refused above.
    return tuple(str(name) for name in value if name not in (_ALGORITHM, _CRITICAL, _CONTENT_TYPE, _CHAIN))


def _time(signed: dict[Any, Any], name: str) -> datetime | None:
    if name not in signed:
        return None
    value = signed[name]
    if not isinstance(value, Tagged) or value.tag != 1 or type(value.value) is not int or value.value >> 40:
        raise Malformed("A time in the COSE envelope can't be read.")
    return datetime.fromtimestamp(value.value, UTC)


def _certificates(unsigned: dict[Any, Any], signed: dict[Any, Any]) -> tuple[bytes, ...]:
    if _CHAIN in unsigned and _CHAIN in signed:
        raise Malformed("The COSE envelope has two certificate chains.")
    value = unsigned.get(_CHAIN, signed.get(_CHAIN))
    chain = [value] if isinstance(value, bytes) else value
    if not isinstance(chain, list) or not 1 <= len(chain) <= names.MOST_CERTIFICATES:
        raise Malformed("The COSE envelope has no certificate chain, or too long a one.")
    if not all(isinstance(one, bytes) for one in chain):
        raise Malformed("A certificate of the COSE envelope is not a byte string.")
    return tuple(chain)
