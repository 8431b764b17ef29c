"""Requests and answers as values, free of any HTTP library: what auth flows and retries are written in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from regtui import __version__
from regtui.transport.bodies import ACCEPTED
from regtui.transport.errors import BadAnswer
from regtui.transport.redact import redact_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from regtui.transport.headers import Headers

IDEMPOTENT: Final = frozenset({"GET", "HEAD"})
"""Methods that are sent again after a failure; every other one changes something."""

_ALWAYS: Final = {"user-agent": f"regtui/{__version__}", "accept": "*/*", "accept-encoding": ACCEPTED}

URL_SAFE: Final = "/%:@!$&'()*+,;=~-._?[]"
"""What stays as it is when the rest of a URL is escaped; what is escaped already stays so."""

DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One request. Header names are in lower case.

    `scope` holds the token scopes that it needs, `limit` the most bytes of a body that are taken in,
    `stream_on` the statuses whose body is left open for the caller to read.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | AsyncIterator[bytes] | None = None
    scope: tuple[str, ...] = ()
    limit: int = 8 << 20
    stream_on: frozenset[int] = frozenset()
    reads: bool = False
    """Whether it changes nothing whatever its method: a query that an API wants as POST, or signing in (guard.py)."""

    def __repr__(self) -> str:
        return f"<Request {self.method} {redact_url(self.url)}>"

    @property
    def wire_headers(self) -> dict[str, str]:
        """Every header field that goes out; the HTTP libraries' own defaults do not."""
        return {**_ALWAYS, **self.headers}

    @property
    def can_repeat(self) -> bool:
        """Whether its content can be sent a second time."""
        return self.content is None or isinstance(self.content, bytes)

    def with_headers(self, **more: str) -> Request:
        """The same request with more header fields; `_` in a name stands for `-`."""
        return replace(self, headers={**self.headers, **{name.replace("_", "-").lower(): more[name] for name in more}})


@dataclass(frozen=True, slots=True, repr=False)
class Response:
    """One answer from the wire. `stream` is there instead of a body when the request wanted it left open: the
    driver's own handle (link.OpenBody, blocking_link.OpenBlockingBody)."""

    status: int
    headers: Headers
    body: bytes
    url: str
    stream: object | None = None

    def __repr__(self) -> str:
        return f"<Response {self.status} {redact_url(self.url)}>"


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What a registry answered, with the whole body. `url` is where it came from in the end, after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    def __repr__(self) -> str:
        return f"<Answer {self.status} {len(self.body)} bytes {redact_url(self.url)}>"

    def json(self) -> Any:
        """The body as JSON. Raises BadAnswer."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            host = urlsplit(self.url).netloc.rpartition("@")[2]
            raise BadAnswer(
                f"{host} answered with something that is no JSON.",
                hint="Check that this address is a registry's, and not a web page or a proxy.",
                host=host,
                status=self.status,
            ) from None


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host name and port: what must be equal for two URLs to be the same place. Raises BadAnswer."""
    try:
        parts = urlsplit(url)
        scheme, name, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise BadAnswer("A registry named an address that can't be read.") from None
    if scheme not in DEFAULT_PORTS or not name:
        raise BadAnswer("A registry named an address that is neither https nor http.")
    return scheme, name, port if port is not None else DEFAULT_PORTS[scheme]
