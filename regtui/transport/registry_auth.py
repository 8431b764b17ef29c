"""How registries sign requests in: Bearer with a token server, Basic, ready tokens; learnt from their challenges."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urldefrag, urljoin, urlsplit

from regtui.oci.errors import RegtuiError
from regtui.transport.auth import basic, bearer
from regtui.transport.challenge import choose, read_challenges
from regtui.transport.errors import BadAnswer, BadRequest, Forbidden, Unauthorized
from regtui.transport.exchange import URL_SAFE, origin
from regtui.transport.refusals import not_accepted
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
_REFUSAL_HOLDS: Final = 5.0
"""Seconds in which a refused credential is not sent again: many requests at once would lock the account."""


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
        self._refused: tuple[Credential, Unauthorized, float] | None = None
        self.accepted: Credential | None = None
        """The credential that the registry has taken; None before that, and for anonymous users."""
        self.credential: Credential | None = None
        """The credential that was used last; None before the first challenge."""

    def __repr__(self) -> str:
        way = "Basic" if self._is_basic else "Bearer" if self._service else "not challenged"
        return f"<RegistryAuth {self._place.host}: {way}>"

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
            response: Response = yield _signed(request, authorization)
            invited = authorization is None and _invites(request, response)
            if response.status != 401 and (not invited or (yield from self._who()).is_anonymous):
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
            return (yield from self._answer_basic(request, response, sent))
        return (yield from self._answer_bearer(challenge, request, sent, fetched))

    def _answer_basic(self, request: Request, response: Response, sent: str | None) -> Steps[str | None]:
        credential = yield from self._who()
        if not credential.password:
            return None
        ours = basic(credential)
        if sent == ours:  # it was good before: it may have changed, or this is not for this user
            self._refuse()
            return None
        # One request tries it, the others wait: a wrong password sent by all at once would lock the account.
        key = TokenKey(self._place.base_url, "", credential.username, ())
        while self.accepted != credential:
            flight = self._store.board(key)
            if flight is None:
                yield from self._try_basic(request, credential, key)
                return None
            landed: RegtuiError | None = yield flight
            if landed is not None:
                raise landed
        return ours

    def _try_basic(self, request: Request, credential: Credential, key: TokenKey) -> Steps[None]:
        """Send the request with Basic for the first time. Raises Unauthorized when it is refused."""
        error: Unauthorized | None = None
        try:
            response: Response = yield _signed(request, basic(credential))
            if response.status == 401:
                error = not_accepted(response, credential, self._place.host)
                self._refuse(error)
                raise error
            self._is_basic, self._service, self.accepted = True, None, credential
        finally:
            self._store.land(key, error)

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
            if isinstance(error, Unauthorized) and not credential.is_anonymous:
                self._refuse(error)
            raise
        finally:
            self._store.land(key, outcome)
        if not credential.is_anonymous:
            self.accepted = credential
        return outcome

    def _who(self) -> Steps[Credential]:
        if self._credential is None or self._credential.is_over(time.time()):
            found: Credential = yield NeedCredential()
            if self._refused is not None and self._refused[0] == found and self._now() < self._refused[2]:
                raise self._refused[1]
            self._credential = self.credential = found
        return self._credential

    def _asked(self, scope: tuple[str, ...]) -> tuple[str, ...]:
        return self._granted_as.get(scope) or merge_scopes(scope)

    def _key(self, service: _TokenService, credential: Credential, scopes: tuple[str, ...]) -> TokenKey:
        account = credential.username or ("identity token" if credential.identity_token else "")
        return TokenKey(service.realm, service.service, account, scopes)

    def _realm(self, challenge: Challenge, request: Request) -> str:
        """The token service's address, checked: credentials may go there. Raises BadAnswer."""
        try:
            realm = urldefrag(urljoin(request.url, challenge.parameters["realm"].strip())).url
        except ValueError:
            raise BadAnswer(f"{self._place.host} names a token service that can't be read.") from None
        realm = quote(realm, safe=URL_SAFE)
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

    def _refuse(self, error: Unauthorized | None = None) -> None:
        """Look the credential up anew next time; when that gives the same one, it stays refused for a while."""
        if error is not None and self._credential is not None:
            self._refused = (self._credential, error, self._now() + _REFUSAL_HOLDS)
        self.forget()
        self._tell_refused()


def _invites(request: Request, response: Response) -> bool:
    """Whether an answer to a stranger says that users get more: zot greets with 200 and a challenge."""
    is_greeting = request.method == "GET" and urlsplit(request.url).path == "/v2/"
    return is_greeting and response.status == 200 and bool(response.headers.every("www-authenticate"))


def _signed(request: Request, authorization: str | None) -> Request:
    return request.with_headers(authorization=authorization) if authorization else request
