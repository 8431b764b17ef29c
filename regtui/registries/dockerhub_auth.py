"""Signing in to Docker Hub's own API: a login for a token of ten minutes, beside the registry's tokens.

Source: docker/docs, content/reference/api/hub ("Authentication"). The secret is a password, or better an access token.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from regtui.oci.errors import RegtuiError
from regtui.transport.auth import bearer
from regtui.transport.errors import Unauthorized
from regtui.transport.exchange import IDEMPOTENT, Request
from regtui.transport.refusals import read_error, refusal
from regtui.transport.steps import NeedCredential
from regtui.transport.tokens import Token, TokenKey, TokenStore, read_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.credentials.values import Credential
    from regtui.transport.exchange import Response
    from regtui.transport.steps import Steps

_LOGIN: Final = "/v2/auth/token"
_LIFE: Final = 540.0
"""Seconds that a token is used; it lives ten minutes and says so nowhere but inside."""


class HubAuth:
    """Bearer tokens of the Hub API. Where the login is refused, what is public is still read without one.

    A registry credential need not be good for a login: accounts with a second factor or single sign-on need an access
    token there. `refused` says so then, in words.
    """

    def __init__(self, host: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._host = host
        self._now = now
        self._store = TokenStore()
        self._known: Credential | None = None
        self.refused: str | None = None
        self.credential: Credential | None = None
        """The one that was used last."""
        self.accepted: Credential | None = None
        """The one that the API has taken."""

    def forget(self) -> None:
        """Look the credential up anew, and log in anew."""
        self._known = self.accepted = self.refused = None
        self._store.clear()

    def flow(self, request: Request) -> Steps[None]:
        """The request with a token; once more with a new one when the old was refused."""
        if self._known is None:
            self._known = yield NeedCredential()
        self.credential = credential = self._known
        token = (yield from self._token(request, credential)) if credential.password else None
        if token is None:
            yield request
            return
        sent = bearer(token.text)
        response: Response = yield request.with_headers(authorization=sent)
        if response.status == 401 and request.can_repeat:
            self._store.drop(self._key(request, credential), sent)
            token = yield from self._token(request, credential)
            if token is not None:
                yield request.with_headers(authorization=bearer(token.text))

    def _token(self, request: Request, credential: Credential) -> Steps[Token | None]:
        """A token, fetched once at a time; None to read anonymously. Raises Unauthorized for what needs one."""
        key = self._key(request, credential)
        while self.refused is None:
            token = self._store.get(key, self._now())
            if token is not None:
                return token
            flight = self._store.board(key)
            if flight is None:
                yield from self._log_in(request, key, credential)
            else:
                landed: Any = yield flight
                if isinstance(landed, RegtuiError) and self.refused is None:
                    raise landed
        if request.method not in IDEMPOTENT:
            raise self._unauthorized(credential)
        return None

    def _log_in(self, request: Request, key: TokenKey, credential: Credential) -> Steps[None]:
        assert credential.password is not None
        outcome: Token | RegtuiError | None = None
        body = json.dumps({"identifier": credential.username, "secret": credential.password.reveal()})
        headers = {"content-type": "application/json", "accept": "application/json"}
        try:
            response: Response = yield Request("POST", key.realm, headers, body.encode(), limit=1 << 20)
            if response.status == 200:
                found = read_token(response, self._host, self._now())
                outcome = Token(found.text, self._now() + _LIFE)
                self.accepted = credential
            elif response.status == 401:
                self.refused = read_error(response)[1] or "no reason given"
                outcome = self._unauthorized(credential)
            else:
                outcome = refusal(self._host, "a token", response)
                raise outcome
        finally:
            self._store.land(key, outcome)

    def _unauthorized(self, credential: Credential) -> Unauthorized:
        return Unauthorized(
            f"Docker Hub's own API does not accept the credential of {credential.username}.",
            hint="Sign in with a personal access token: accounts with a second factor need one.",
            host=self._host,
            status=401,
            detail=self.refused,
        )

    def _key(self, request: Request, credential: Credential) -> TokenKey:
        return TokenKey(urljoin(request.url, _LOGIN), "hub", credential.username, ())
