"""What a user can prove to a registry. Secrets are mute: no repr, log or traceback shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Protocol


class Secret:
    """Text that must not be seen. `reveal()` is called only where it goes onto the wire or into the keyring."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("secrets are not pickled")


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves who the user is at one host.

    With `password`: user name and password (or access token) for Basic, and for the token server's Basic.
    With `identity_token`: a refresh token for the OAuth2 POST (Docker's `identitytoken`).
    With `registry_token`: a ready Bearer token (Docker's `registrytoken`).
    `source` says in words where it comes from ("keyring", "docker config", "environment"). From `good_until` on
    (seconds since 1970; None: until it is refused) its source is asked anew: what clouds give ends after hours.
    """

    username: str = ""
    password: Secret | None = None
    identity_token: Secret | None = None
    registry_token: Secret | None = None
    source: str = ""
    good_until: float | None = None

    def is_over(self, now: float) -> bool:
        """Whether its time has run out. `now` is in seconds since 1970."""
        return self.good_until is not None and now >= self.good_until

    @property
    def is_anonymous(self) -> bool:
        """Whether it proves nothing."""
        return not (self.password or self.identity_token or self.registry_token)


ANONYMOUS: Final = Credential(source="anonymous")

TOKEN_USER: Final = "<token>"  # noqa: S105 - the name of a kind, no secret
"""The user name by which credential helpers say that the secret is an identity token."""


def clean_secret(text: object) -> Secret | None:
    """Text as a secret, None when it is none, empty, or holds what would break out of an HTTP header.

    A key that is a JSON object in several lines, as Google's are, becomes one line.
    """
    if not isinstance(text, str) or not text:
        return None
    if any(character in text for character in "\r\n\0"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return Secret(json.dumps(found)) if isinstance(found, dict) else None
    return Secret(text)


def from_user_and_secret(username: str, secret: Secret, source: str) -> Credential:
    """A credential in the way that credential helpers give it: the user `<token>` marks an identity token."""
    if username == TOKEN_USER:
        return Credential(identity_token=secret, source=source)
    return Credential(username, secret, source=source)


class CredentialSource(Protocol):
    """Where a credential for a host is looked up. Hosts are written as in a reference (`docker.io`, `host:port`)."""

    async def find(self, host: str) -> Credential:
        """The credential for this host, ANONYMOUS when there is none. Raises CredentialError when a source breaks."""
        ...

    def forget(self, host: str) -> None:
        """Look this host up anew next time (after a login, a logout or a refusal)."""
        ...
