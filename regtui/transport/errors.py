"""What can go wrong between regtui and a registry.

RegtuiError                       (oci/errors.py)
└── RegistryError                 host, status, the registry's own code and message, and what to do next
    ├── Unauthorized              401: no credential, or one that the registry does not take
    │   └── CredentialRefused     the credential itself is wrong or has expired
    ├── Forbidden                 403: signed in, and still not allowed
    ├── NotFound                  404: repository, manifest or blob unknown
    ├── Unsupported               405, 404 on an API, UNSUPPORTED: the registry does not offer this
    ├── Conflict                  409, 412: the thing changed, is immutable, or is in use
    ├── RateLimited               429: `retry_after` seconds when the registry tells
    ├── BadRequest                any other 4xx
    ├── ServerFault               5xx
    ├── BadAnswer                 an answer that breaks the protocol (no JSON, too large, endless pages)
    └── Unreachable               no answer at all
        ├── TlsFailure            certificate unknown, expired or for another name; plain HTTP on the port
        └── TimedOut              connected, and then silent for too long
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from regtui.oci.errors import RegtuiError

if TYPE_CHECKING:
    from typing import Unpack


class Facts(TypedDict, total=False):
    """What every error of this tree may be given besides its sentence."""

    hint: str | None
    host: str | None
    status: int | None
    code: str | None
    detail: str | None


class RegistryError(RegtuiError):
    """A registry's refusal or failure. None of its text holds a secret or the query of a signed URL."""

    def __init__(
        self,
        sentence: str,
        *,
        hint: str | None = None,
        host: str | None = None,
        status: int | None = None,
        code: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(sentence, hint=hint)
        self.host = host
        self.status = status
        self.code = code
        """The registry's own error code, such as MANIFEST_UNKNOWN."""
        self.detail = detail
        """The registry's own message, bounded in length, as it came: make it inert before showing it."""


class Unauthorized(RegistryError):
    """401: no credential, or one that the registry does not take."""


class CredentialRefused(Unauthorized):
    """The credential itself is wrong or has expired, whatever was asked for."""


class Forbidden(RegistryError):
    """403: signed in, and still not allowed."""


class NotFound(RegistryError):
    """404: repository, manifest or blob unknown."""


class Unsupported(RegistryError):
    """The registry does not offer this."""


class Conflict(RegistryError):
    """409 or 412: the thing changed, is immutable, or is in use."""


class RateLimited(RegistryError):
    """429: too many requests. `retry_after` is in seconds, None when the registry does not say."""

    def __init__(self, sentence: str, *, retry_after: float | None = None, **facts: Unpack[Facts]) -> None:
        super().__init__(sentence, **facts)
        self.retry_after = retry_after


class BadRequest(RegistryError):
    """Any other 4xx."""


class ServerFault(RegistryError):
    """5xx."""


class BadAnswer(RegistryError):
    """An answer that breaks the protocol."""


class Unreachable(RegistryError):
    """No answer at all, or one that broke off.

    `sent` tells whether the request may have reached the registry, `refused` whether nothing listens at that port.
    """

    def __init__(self, sentence: str, *, sent: bool = True, refused: bool = False, **facts: Unpack[Facts]) -> None:
        super().__init__(sentence, **facts)
        self.sent = sent
        self.refused = refused


class TlsFailure(Unreachable):
    """The certificate can't be trusted, or (`no_tls`) the port speaks no TLS. Nothing was sent."""

    def __init__(self, sentence: str, *, no_tls: bool = False, **facts: Unpack[Facts]) -> None:
        super().__init__(sentence, sent=False, **facts)
        self.no_tls = no_tls


class TimedOut(Unreachable):
    """The registry fell silent."""
