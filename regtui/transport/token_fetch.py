"""Asks a token service for a token: GET with Basic, or the OAuth2 POST for identity tokens.

Source: distribution, docs/content/spec/auth/token.md and oauth.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from regtui.transport.auth import basic
from regtui.transport.exchange import Request
from regtui.transport.refusals import not_accepted, refusal
from regtui.transport.tokens import Token, read_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.credentials.values import Credential
    from regtui.transport.exchange import Response
    from regtui.transport.steps import Steps
    from regtui.transport.tokens import TokenKey

_CLIENT: Final = "regtui"
_NOT_OFFERED: Final = frozenset({400, 401, 404, 405})
_LIMIT: Final = 1 << 20


def fetch_token(
    key: TokenKey, credential: Credential, narrow: tuple[str, ...], *, host: str, now: Callable[[], float]
) -> Steps[Token]:
    """A new token for `key`. Raises Unauthorized when the service does not take the credential, and RegistryError.

    `narrow` are the scopes that the registry itself asked for: tried when the service finds the wider ones illegal.
    """
    if credential.identity_token:
        response: Response = yield _post(key, credential)
        may_get = bool(credential.password) and response.status in _NOT_OFFERED
        if not may_get:
            return _judge(response, credential, host, now())
    response = yield _get(key, key.scopes, credential)
    if response.status == 400 and narrow and narrow != key.scopes:
        response = yield _get(key, narrow, credential)
    return _judge(response, credential, host, now())


def _get(key: TokenKey, scopes: tuple[str, ...], credential: Credential) -> Request:
    asked = [("service", key.service)] if key.service else []
    asked += [("scope", scope) for scope in scopes]
    asked.append(("client_id", _CLIENT))
    if credential.password and credential.username:
        asked.append(("account", credential.username))
    present = {name for name, _ in parse_qsl(urlsplit(key.realm).query, keep_blank_values=True)}
    query = urlencode([pair for pair in asked if pair[0] not in present or pair[0] == "scope"], quote_via=quote)
    separator = "&" if "?" in key.realm else "?"  # a `?` in a realm always starts its query: fragments are cut off
    request = Request("GET", f"{key.realm}{separator}{query}", {"accept": "application/json"}, limit=_LIMIT)
    return request.with_headers(authorization=basic(credential)) if credential.password else request


def _post(key: TokenKey, credential: Credential) -> Request:
    assert credential.identity_token is not None
    form = {
        "grant_type": "refresh_token",
        "service": key.service,
        "client_id": _CLIENT,
        "scope": " ".join(key.scopes),
        "refresh_token": credential.identity_token.reveal(),
    }
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    return Request("POST", key.realm, headers, urlencode(form).encode("ascii"), limit=_LIMIT)


def _judge(response: Response, credential: Credential, host: str, now: float) -> Token:
    if response.status == 200:
        return read_token(response, host, now)
    if response.status == 401 or (credential.is_anonymous and response.status == 403):
        raise not_accepted(response, credential, host)
    raise refusal(host, "a token", response)
