"""How a request is signed in: the seam for adapters with an API of their own, and its simple kinds."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from regtui.transport.refusals import not_accepted
from regtui.transport.steps import NeedCredential

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from regtui.credentials.values import Credential, Secret
    from regtui.transport.errors import Unauthorized
    from regtui.transport.exchange import Request, Response
    from regtui.transport.steps import Step

_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,65536}", re.ASCII)


class AuthFlow(Protocol):
    """Signs requests in. Give one to a RegistryClient whose API does not speak the registry's own auth."""

    def flow(self, request: Request) -> Generator[Step, Any, None]:
        """Yield requests, be sent the Response to each, and end.

        It is called for requests to the client's own origin only, never for where a redirect leads. The answer to
        `request` is the last response to a yielded request with its method and URL; others (a login, a token) may be
        yielded before and after it, on any host, with their own credentials. So the simplest flow is
        `yield request.with_headers(authorization="Bearer …")`; one that signs in anew looks at the response's
        status, yields its login request, and yields the request again. Do not repeat a request whose
        `can_repeat` is false. A RegistryError raised here, or thrown in because a yielded request failed, ends the
        request. Flows of different requests run at the same time, also in other threads.
        """
        ...


class NoAuth:
    """Sends everything as it is."""

    def flow(self, request: Request) -> Generator[Step, Response, None]:
        """The request, unchanged."""
        yield request


class BearerAuth:
    """A ready Bearer token, asked for anew at each request; without one the request goes out anonymously."""

    def __init__(self, token: Callable[[], Secret | None]) -> None:
        self._token = token

    def flow(self, request: Request) -> Generator[Step, Response, None]:
        """The request with the token."""
        token = self._token()
        yield request.with_headers(authorization=bearer(token)) if token else request


class BasicAuth:
    """User name and password with each request; without a password the request goes out anonymously."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def flow(self, request: Request) -> Generator[Step, Response, None]:
        """The request with the password."""
        has_password = self._credential.password
        yield request.with_headers(authorization=basic(self._credential)) if has_password else request


class CredentialAuth:
    """The registry's credential with each request, without waiting to be asked: how REST APIs are signed in to.

    It is looked up when it is first needed, and anew after a 401. `sign` gives the header fields for a credential
    (`_` in a name stands for `-`), none to go out anonymously; by default Basic, or Bearer for a ready token.
    With `host`, the registry as references write it, a credential that was refused is said to be, and is not sent
    again before `forget`: many products lock accounts. Leave it out where a 401 may only mean a lack of rights.
    """

    def __init__(self, sign: Callable[[Credential], dict[str, str]] | None = None, *, host: str | None = None) -> None:
        self._sign = sign or basic_or_bearer
        self._host = host
        self._known: Credential | None = None
        self._refused: tuple[Credential, Unauthorized] | None = None
        self.credential: Credential | None = None
        """The one that was used last."""
        self.accepted: Credential | None = None
        """The one that the API has taken."""

    def forget(self) -> None:
        """Look the credential up anew next time."""
        self._known = self.accepted = self._refused = None

    def flow(self, request: Request) -> Generator[Step, Any, None]:
        """The request, signed. Raises CredentialRefused, with `host`."""
        if self._known is None:
            self._known = yield NeedCredential()
        self.credential = credential = self._known
        if self._refused is not None and self._refused[0] == credential:
            raise self._refused[1]
        fields = self._sign(credential)
        response: Response = yield request.with_headers(**fields)
        if response.status == 401:
            self.forget()
            if self._host is not None and fields:
                self._refused = (credential, not_accepted(response, credential, self._host))
                raise self._refused[1]
        elif fields:
            self.accepted = credential


def basic_or_bearer(credential: Credential) -> dict[str, str]:
    """Authorization by what the credential has: a user and password, a ready token, or nothing."""
    if credential.password:
        return {"authorization": basic(credential)}
    return {"authorization": bearer(credential.registry_token)} if credential.registry_token else {}


def password_as_bearer(credential: Credential) -> dict[str, str]:
    """Authorization for an API whose passwords are tokens: the password, or a ready token, as Bearer."""
    token = credential.registry_token or credential.password
    return {"authorization": bearer(token)} if token else {}


def basic(credential: Credential) -> str:
    """The value of an Authorization field for Basic (RFC 7617, UTF-8)."""
    password = credential.password.reveal() if credential.password else ""
    return "Basic " + base64.b64encode(f"{credential.username}:{password}".encode()).decode("ascii")


def bearer(token: Secret) -> str:
    """The value of an Authorization field for Bearer."""
    return f"Bearer {token.reveal()}"


def is_token(text: str) -> bool:
    """Whether the text may stand in a header field as a token: visible ASCII, of bounded length."""
    return _TOKEN.fullmatch(text) is not None
