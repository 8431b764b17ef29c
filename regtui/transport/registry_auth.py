"""How registries sign requests in: Bearer with a token server, Basic, ready tokens; learnt from their challenges."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urldefrag, urljoin, urlsplit

from regtui.oci.errors import RegtuiError
from regtui.transport.auth import basic, bearer
from regtui.transport.challenge import choose, read_challenges
from regtui.transport.errors import BadAnswer, BadRequest, Forbidden, Unauthorized
from regtui.transport.exchange import origin
from regtui.transport.scopes import merge_scopes, split_scopes
from regtui.transport.steps import NeedCredential
from regtui.transport.token_fetch import fetch_token
from regtui.transport.tokens import Token, TokenKey, TokenStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.credentials.values import Credential
    from regtui.transport.challenge import Challenge
    from regtui.transport.exchange import Request, Response
    from regtui.transport.place import Place
    from regtui.transport.steps import Steps

_ROUNDS: Final = 3
"""Once as it is, once with what the challenge asked for, once more when the scope was not enough."""
_MOST_SCOPES: Final = 4096


@dataclass(frozen=True, slots=True)
class _TokenService:
    realm: str
    service: str


class RegistryAuth:
    """The auth of the distribution protocol, for one place.

    It sends nothing secret until that origin has challenged, and then to that origin (Basic, tokens) or to the realm
    it named (user and password). From then on it signs requests in ahead, without another challenge.
    """

    def __init__(
        self, place: Place, *, refused: Callable[[], None] = lambda: None, now: Callable[[], float] = time.monotonic
    ) -> None:
        """`refused` is called when the registry or its token service does not take the credential."""
        self._place = place
        self._tell_refused = refused
        self._now = now
        self._store = TokenStore()
        self._credential: Credential | None = None
        self._is_basic = False
        self._service: _TokenService | None = None
        self._open_for: set[tuple[str, ...]] = set()
        self._granted_as: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.accepted: Credential | None = None
        """The credential that the registry has taken; None before that, and for anonymous users."""

    def __repr__(self) -> str:
        way = "Basic" if self._is_basic else "Bearer" if self._service else "not challenged"
        return f"<RegistryAuth {self._place.host}: {way}>"

    @property
    def credential(self) -> Credential | None:
        """The credential in use; None before the first challenge."""
        return self._credential

    def is_ready(self, scope: tuple[str, ...]) -> bool:
        """Whether a request with this scope goes out signed in, so that no challenge will come back."""
        if self._is_basic or scope in self._open_for:
            return True
        credential = self._credential
        if self._service is None or credential is None:
            return False
        return self._store.get(self._key(self._service, credential, self._asked(scope)), self._now()) is not None

    def forget(self) -> None:
        """Drop the credential and every token: look it up anew at the next challenge."""
        self._credential = None
        self.accepted = None
        self._is_basic = False
        self._service = None
        self._open_for.clear()
        self._store.clear()

    def flow(self, request: Request) -> Steps[None]:
        """Sign the request in; answer a challenge at most twice."""
        if not self._place.owns(request.url):
            yield request
            return
        authorization = yield from self._ahead(request)
        fetched: set[TokenKey] = set()
        for _ in range(_ROUNDS):
            signed = request.with_headers(authorization=authorization) if authorization else request
            response: Response = yield signed
            if response.status != 401:
                self._note_accepted(request, authorization)
                return
            if not request.can_repeat:
                return
            answer = yield from self._answer(request, response, authorization, fetched)
            if answer is None or answer == authorization:
                return
            authorization = answer

    def _ahead(self, request: Request) -> Steps[str | None]:
        """What can be said before being asked."""
        if self._is_basic:
            credential = yield from self._who()
            return basic(credential) if credential.password else None
        service = self._service
        if service is None:
            return None
        credential = yield from self._who()
        if credential.registry_token:
            return bearer(credential.registry_token)
        key = self._key(service, credential, self._asked(request.scope))
        token = self._store.get(key, self._now())
        if token is None and request.scope:
            try:
                token = yield from self._token(key, credential, ())
            except (BadRequest, Forbidden):
                return None  # the registry's own challenge may name a scope that its token service likes better
            except Unauthorized:
                if not credential.is_anonymous:
                    raise
                return None  # what is asked for may need no token at all
        return bearer(token.text) if token else None

    def _answer(
        self, request: Request, response: Response, sent: str | None, fetched: set[TokenKey]
    ) -> Steps[str | None]:
        """What to send after a 401; None when nothing better is at hand."""
        challenge = choose(read_challenges(response.headers.every("www-authenticate")))
        if challenge is None:
            return None
        if challenge.scheme == "basic":
            return (yield from self._answer_basic(sent))
        return (yield from self._answer_bearer(challenge, request, sent, fetched))

    def _answer_basic(self, sent: str | None) -> Steps[str | None]:
        credential = yield from self._who()
        if not credential.password:
            return None
        ours = basic(credential)
        if sent == ours:
            self._refuse()
            return None
        self._is_basic, self._service = True, None
        return ours

    def _answer_bearer(
        self, challenge: Challenge, request: Request, sent: str | None, fetched: set[TokenKey]
    ) -> Steps[str | None]:
        service = _TokenService(self._realm(challenge, request), challenge.parameters.get("service", ""))
        credential = yield from self._who()
        if credential.registry_token:
            self._service = service
            return bearer(credential.registry_token)
        wanted = split_scopes(challenge.parameters.get("scope", ""))
        scopes = merge_scopes(self._asked(request.scope), wanted)
        key = self._key(service, credential, scopes)
        if key in fetched:
            return None  # a fresh token, and still no: it is not permitted, asking again changes nothing
        if sent is not None:
            self._store.drop(key, sent)
        if self._store.get(key, self._now()) is None:
            fetched.add(key)
        token = yield from self._token(key, credential, merge_scopes(wanted))
        self._service, self._is_basic = service, False
        if len(self._granted_as) >= _MOST_SCOPES:
            self._granted_as.clear()
        self._granted_as[request.scope] = scopes
        return bearer(token.text)

    def _token(self, key: TokenKey, credential: Credential, narrow: tuple[str, ...]) -> Steps[Token]:
        """A token for this, from the store or the token service; when several want it, one fetches it."""
        while True:
            token = self._store.get(key, self._now())
            if token is not None:
                return token
            flight = self._store.board(key)
            if flight is None:
                break
            landed: Token | RegtuiError | None = yield flight
            if isinstance(landed, RegtuiError):
                raise landed
            if landed is not None:
                return landed
        outcome: Token | RegtuiError | None = None
        try:
            outcome = yield from fetch_token(key, credential, narrow, host=self._place.host, now=self._now)
        except RegtuiError as error:
            outcome = error
            if getattr(error, "status", None) == 401 and not credential.is_anonymous:
                self._refuse()
            raise
        finally:
            self._store.land(key, outcome)
        if not credential.is_anonymous:
            self.accepted = credential
        return outcome

    def _who(self) -> Steps[Credential]:
        if self._credential is None:
            self._credential = yield NeedCredential()
        return self._credential

    def _asked(self, scope: tuple[str, ...]) -> tuple[str, ...]:
        return self._granted_as.get(scope) or merge_scopes(scope)

    def _key(self, service: _TokenService, credential: Credential, scopes: tuple[str, ...]) -> TokenKey:
        account = credential.username or ("identity token" if credential.identity_token else "")
        return TokenKey(service.realm, service.service, account, scopes)

    def _realm(self, challenge: Challenge, request: Request) -> str:
        """The token service's address, checked: credentials may go there. Raises BadAnswer."""
        realm = urldefrag(urljoin(request.url, challenge.parameters["realm"].strip())).url
        scheme, name, _ = origin(realm)
        if "@" in urlsplit(realm).netloc:
            raise BadAnswer(f"{self._place.host} names a token service with a password in its address.")
        if scheme == "http" and not self._place.allows_plain(realm):
            raise BadAnswer(
                f"{self._place.host} wants its tokens fetched from {name} without TLS; no credential is sent there.",
                hint=f"If you trust the way there, mark {self._place.host} as plain_http in the settings.",
                host=self._place.host,
            )
        return realm

    def _note_accepted(self, request: Request, authorization: str | None) -> None:
        if authorization is None:
            if len(self._open_for) < _MOST_SCOPES:
                self._open_for.add(request.scope)
        elif self._is_basic:
            self.accepted = self._credential

    def _refuse(self) -> None:
        self.forget()
        self._tell_refused()
