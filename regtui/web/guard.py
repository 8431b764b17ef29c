"""Who may look at the explorer in a browser: whoever had the one-time address, from this machine, from our own page.

textual-serve itself asks nobody for anything and takes a WebSocket of any origin: any page that the user visits could
drive the program. So: the address holds a token that works once; it gives a cookie that only goes to a path nobody
can guess, never to other ports' pages; Host and Origin must be ours (against DNS rebinding and foreign pages).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE: Final = "regtui"
HEADERS: Final[Mapping[str, str]] = {
    # The page of textual-serve wants a font from another host; nothing of this leaves the machine.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a request is not answered; `status` is HTTP's."""

    status: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """The one-time token was right: go to `path` with this cookie."""

    path: str
    cookie: str


@dataclass(slots=True, repr=False)
class Guard:
    """Judges requests; `port` is where the server listens. Values, no I/O."""

    port: int
    _token: str | None = field(default_factory=lambda: secrets.token_urlsafe(32))
    _key: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    prefix: str = field(default_factory=lambda: f"/{secrets.token_urlsafe(16)}")
    """The path below which everything is served."""

    def __repr__(self) -> str:
        return f"<Guard on port {self.port}>"

    @property
    def origin(self) -> str:
        """Our own origin, as browsers write it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        """The address to open, once. Raises ValueError after it was used."""
        if self._token is None:
            raise ValueError("The address was used already.")
        return f"{self.origin}/?token={self._token}"

    def judge(self, method: str, target: str, headers: Mapping[str, str]) -> Refused | Welcome | None:
        """Whether a request may go on: None when it may. Header names are in lower case."""
        if headers.get("host") != f"127.0.0.1:{self.port}":
            return Refused(421, "This address is not regtui's.")
        origin = headers.get("origin")
        if origin is not None and origin != self.origin:
            return Refused(403, "Requests from other pages are refused.")
        if method != "GET":
            return Refused(405, "Only GET is answered here.")
        path, _, query = target.partition("?")
        if path == "/":
            return self._first(query.removeprefix("token="))
        if not _same(path[: len(self.prefix) + 1], f"{self.prefix}/"):
            return Refused(404, "There is nothing here.")
        if not _same(_cookie(headers.get("cookie", "")), self._key):
            return Refused(403, "Open the address that regtui serve printed.")
        if headers.get("upgrade", "").lower() == "websocket" and origin is None:
            return Refused(403, "A browser says which page it comes from.")
        return None

    def _first(self, token: str) -> Refused | Welcome:
        if self._token is None:
            return Refused(403, "This address was used already: start regtui serve again for a new one.")
        if not _same(token, self._token):
            return Refused(403, "Open the whole address that regtui serve printed.")
        self._token = None
        cookie = f"{COOKIE}={self._key}; Path={self.prefix}/; HttpOnly; SameSite=Strict"
        return Welcome(f"{self.prefix}/", cookie)


def _same(given: str, wanted: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""
