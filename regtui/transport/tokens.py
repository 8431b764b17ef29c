"""Bearer tokens: read from a token server's answer, kept until shortly before they end, fetched once at a time."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from regtui.credentials.values import Secret
from regtui.oci.errors import RegtuiError
from regtui.transport import jwt
from regtui.transport.auth import is_token
from regtui.transport.errors import BadAnswer

if TYPE_CHECKING:
    from regtui.transport.exchange import Response

DEFAULT_LIFE: Final = 60.0
"""Seconds that a token lives when the server does not say (distribution, auth/token.md)."""
_LONGEST_LIFE: Final = 86400.0
_RENEW_AT: Final = 0.8
_MARGIN: Final = 5.0
_MOST: Final = 1024


class TokenKey(NamedTuple):
    """What a token is for."""

    realm: str
    service: str
    account: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token; `renew` is the moment of the clock from which on it is no longer used."""

    text: Secret
    renew: float
    refresh: Secret | None = None

    def __repr__(self) -> str:
        return f"<Token until {self.renew:.0f}>"


Outcome = Token | RegtuiError | None


class TokenStore:
    """Tokens by what they are for, and who is fetching one right now. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[TokenKey, Token] = {}
        self._flights: dict[TokenKey, Future[Outcome]] = {}

    def __repr__(self) -> str:
        return f"<TokenStore {len(self._tokens)} tokens, {len(self._flights)} being fetched>"

    def get(self, key: TokenKey, now: float) -> Token | None:
        """A token that is good for a while yet."""
        with self._lock:
            token = self._tokens.get(key)
            if token is not None and now >= token.renew:
                del self._tokens[key]
                token = None
            return token

    def drop(self, key: TokenKey, authorization: str | None) -> None:
        """Forget the token that went out in this Authorization field; a newer one stays."""
        with self._lock:
            token = self._tokens.get(key)
            if token is not None and authorization == f"Bearer {token.text.reveal()}":
                del self._tokens[key]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._tokens.clear()

    def board(self, key: TokenKey) -> Future[Outcome] | None:
        """None: fetch it yourself and `land`. A Future: someone else is at it; its result is what they `land`."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                self._flights[key] = Future()
            return flight

    def land(self, key: TokenKey, outcome: Outcome) -> None:
        """End a fetch. None means that it was given up, and the next one who waits takes over."""
        with self._lock:
            flight = self._flights.pop(key, None)
            if isinstance(outcome, Token):
                if len(self._tokens) >= _MOST:
                    del self._tokens[next(iter(self._tokens))]
                self._tokens[key] = outcome
        if flight is not None and not flight.done():
            flight.set_result(outcome)


def read_token(response: Response, host: str, now: float) -> Token:
    """The token in a token server's answer. Raises BadAnswer."""
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        body = None
    fields: dict[str, Any] = body if isinstance(body, dict) else {}
    text = fields.get("token") or fields.get("access_token")
    if not isinstance(text, str) or not is_token(text):
        raise BadAnswer(
            f"The token service of {host} answered without a token.",
            hint="Ask who runs the registry.",
            host=host,
            status=response.status,
        )
    said = fields.get("expires_in")
    life = _seconds(jwt.life(text) if said is None else said) - _age(
        fields.get("issued_at"), response.headers.get("date", "")
    )
    refresh = fields.get("refresh_token")
    kept = Secret(refresh) if isinstance(refresh, str) and refresh else None
    return Token(Secret(text), now + min(life * _RENEW_AT, life - _MARGIN), kept)


def _seconds(value: object) -> float:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return DEFAULT_LIFE
    return min(float(value), _LONGEST_LIFE)


def _age(issued: object, date: str) -> float:
    """How old a token was when it came, by the server's own clock; 0 when it does not tell."""
    if not isinstance(issued, str) or not date:
        return 0.0
    try:
        start = datetime.fromisoformat(issued)
        end = parsedate_to_datetime(date)
        return max(0.0, (end - (start if start.tzinfo else start.replace(tzinfo=UTC))).total_seconds())
    except (ValueError, OverflowError, TypeError):
        return 0.0
