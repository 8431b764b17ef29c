"""How a request is signed in: the seam for adapters with an API of their own, and its simple kinds."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from regtui.credentials.values import Credential, Secret
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
