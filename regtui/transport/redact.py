"""Takes the secrets out of what is written down about a request: URLs and header fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN: Final = "…"
_SAFE_KEYS: Final = frozenset(
    {"n", "last", "digest", "mount", "from", "service", "scope", "tag", "ns"}
    | {"artifacttype", "digest-algorithm", "page", "page_size", "pagesize", "per_page", "limit", "offset", "sort"}
    | {"api-version", "orderby", "force"}
)
_SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_SAFE_HEADERS: Final = frozenset(
    {"accept", "accept-encoding", "accept-language", "connection", "content-length", "content-range", "content-type"}
    | {"host", "if-match", "if-none-match", "range", "transfer-encoding", "user-agent"}
    | {"x-amz-date", "x-amz-target"}
)
_MOST_PARAMETERS: Final = 100
_LONGEST: Final = 4096


def redact_url(url: str) -> str:
    """The URL without user, password and fragment, and with only well-known query values left readable."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return HIDDEN
    shown = "&".join(f"{quote(key)}={_value(key, value)}" for key, value in query)
    text = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{'?' if shown else ''}{shown}"
    return text if len(text) <= _LONGEST else text[:_LONGEST] + HIDDEN


def redact_headers(fields: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Header fields with the value of every one that may hold a secret hidden; of Authorization the scheme stays."""
    return tuple((name, _field(name.lower(), value)) for name, value in fields)


def _value(key: str, value: str) -> str:
    return quote(value, safe="/:,*") if key.lower() in _SAFE_KEYS else HIDDEN


def _field(name: str, value: str) -> str:
    if name in _SAFE_HEADERS:
        return value
    if name in _SECRET_HEADERS and name.endswith("authorization"):
        return f"{value.partition(' ')[0]} {HIDDEN}"
    return HIDDEN
