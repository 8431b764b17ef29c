"""Rules that say which certificate identities may vouch for an image: exact texts or regular expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.trust.errors import InvalidPolicy

if TYPE_CHECKING:
    from regtui.trust.certificates import CertificateIdentity

_LONGEST_PATTERN: Final = 1024
_LONGEST_NAME: Final = 2048


@dataclass(frozen=True, slots=True)
class Matcher:
    """One expectation: an exact text, or a regular expression that has to fit the whole text.

    The whole, unlike cosign's search anywhere in it: `https://github.com/acme/.*` must not accept a hostile
    name that only contains it.
    """

    text: str
    is_pattern: bool = False

    def __post_init__(self) -> None:
        if not self.text or len(self.text) > _LONGEST_PATTERN:
            raise InvalidPolicy("An identity in the trust settings is empty or too long.")
        if self.is_pattern:
            try:
                re.compile(self.text)
            except (re.error, RecursionError, OverflowError) as error:
                raise InvalidPolicy(f"{self.text!a} is not a regular expression.") from error

    def fits(self, value: str) -> bool:
        """Whether the value is the expected one."""
        if len(value) > _LONGEST_NAME:
            return False
        return re.fullmatch(self.text, value) is not None if self.is_pattern else value == self.text

    def __str__(self) -> str:
        return f"/{self.text}/" if self.is_pattern else self.text


@dataclass(frozen=True, slots=True)
class IdentityRule:
    """Who may sign: a name in the certificate and, for keyless signatures, the OIDC issuer that vouched for it."""

    subject: Matcher
    issuer: Matcher | None = None

    @classmethod
    def exact(cls, subject: str, issuer: str | None = None) -> IdentityRule:
        """A rule of exact texts. Raises InvalidPolicy when one is empty."""
        return cls(Matcher(subject), Matcher(issuer) if issuer is not None else None)

    def matches(self, identity: CertificateIdentity, *, keyless: bool) -> bool:
        """Whether this rule names that identity. A keyless one needs an issuer: anyone can get an e-mail address."""
        if self.issuer is None:
            if keyless:
                return False
        elif identity.issuer is None or not self.issuer.fits(identity.issuer):
            return False
        return any(self.subject.fits(name) for name in identity.names)

    def __str__(self) -> str:
        return f"{self.subject} via {self.issuer}" if self.issuer else str(self.subject)
