"""The doors through which untrusted text becomes values: JSON, base64 and members of the right type, all bounded."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final

from regtui.trust.errors import Malformed

LARGEST_DOCUMENT: Final = 128 << 20
"""Bytes of a report or an SBOM that are parsed at most; real ones reach tens of MB."""
LARGEST_SIGNATURE: Final = 16 << 20
"""Bytes of an envelope, a bundle or a signed statement (BuildKit allows 40 MiB for bare statements only)."""
LONGEST_TEXT: Final = 4096
"""Characters of a single member that are kept; titles and names of real documents are far shorter."""
MOST_ITEMS: Final = 500_000
"""Findings or packages that are read out of one document."""


def read_object(raw: bytes, what: str, *, limit: int = LARGEST_SIGNATURE) -> dict[str, Any]:
    """A JSON object. Raises Malformed for anything else, for too many bytes and for a member that occurs twice."""
    value = _load(raw, what, limit, unique=True)
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not a JSON object.")
    return value


def read_document(raw: bytes, what: str, *, limit: int = LARGEST_DOCUMENT) -> Any:
    """Any JSON value of a report. Raises Malformed when it is none or has more than `limit` bytes."""
    return _load(raw, what, limit, unique=False)


def _load(raw: bytes, what: str, limit: int, *, unique: bool) -> Any:
    if len(raw) > limit:
        raise Malformed(f"{what} has {len(raw):,} bytes; regtui reads at most {limit:,}.")
    try:
        return json.loads(raw, object_pairs_hook=_only_once if unique else None, parse_constant=_no_constant)
    except (ValueError, RecursionError, MemoryError) as error:
        raise Malformed(f"{what} is not valid JSON.") from error


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        # Two readers could each believe another one of the twins: nothing that is signed may be ambiguous.
        raise ValueError("a member occurs twice")
    return made


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def decode_base64(value: Any, what: str) -> bytes:
    """Bytes out of padded standard base64 in its one canonical spelling. Raises Malformed."""
    if not isinstance(value, str):
        raise Malformed(f"{what} is missing.")
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"{what} is not valid base64.") from error
    if base64.b64encode(decoded).decode("ascii") != value:
        raise Malformed(f"{what} is not valid base64.")
    return decoded


def decode_lenient(value: Any, what: str) -> bytes:
    """Bytes out of standard or URL-safe base64, padded or not, with line breaks. Raises Malformed."""
    if not isinstance(value, str):
        raise Malformed(f"{what} is missing.")
    text = "".join(value.split()).rstrip("=").replace("-", "+").replace("_", "/")
    return decode_base64(text + "=" * (-len(text) % 4), what)


def decode_base64url(value: Any, what: str) -> bytes:
    """Bytes out of unpadded URL-safe base64 in its one canonical spelling (RFC 7515 section 2). Raises Malformed."""
    if not isinstance(value, str) or not value.isascii() or "=" in value or "+" in value or "/" in value:
        raise Malformed(f"{what} is not valid base64url.")
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"{what} is not valid base64url.") from error
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode("ascii") != value:
        raise Malformed(f"{what} is not valid base64url.")
    return decoded


def as_object(value: Any) -> dict[str, Any]:
    """The object, or an empty one: a missing member of a report is never an error."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The list cut to MOST_ITEMS, or an empty one."""
    return value[:MOST_ITEMS] if isinstance(value, list) else []


def as_objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; anything else in it is left out."""
    return [item for item in as_list(value) if isinstance(item, dict)]


def as_text(value: Any) -> str | None:
    """The text cut to LONGEST_TEXT characters, None when it is none or empty."""
    if not isinstance(value, str):
        return None
    return value[:LONGEST_TEXT] or None


def as_texts(value: Any) -> tuple[str, ...]:
    """The texts of a list; anything else in it is left out."""
    return tuple(text for item in as_list(value) if (text := as_text(item)) is not None)


def as_number(value: Any) -> float | None:
    """A finite number, also out of text; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e15 else None


def as_integer(value: Any, what: str) -> int:
    """A natural number below 2^63, given as a JSON number or as protobuf JSON's text. Raises Malformed."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        value = int(value)
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise Malformed(f"{what} is not a natural number.")
    return value
