"""Trust settings as values: which keys, identities and trust stores may vouch for which repositories."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from regtui.trust.errors import InvalidPolicy

if TYPE_CHECKING:
    from regtui.oci import Digest
    from regtui.trust.cosign_keys import TrustedKey
    from regtui.trust.identity import IdentityRule
    from regtui.trust.notation.verification import NotationTrust
    from regtui.trust.trust_root import TrustRoot


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Who may vouch. Empty, it trusts nobody, and everything stays "unverified".

    `keys`: public keys of cosign. `identities`: rules for certificates. `authorities`: PEM of the user's own signing
    authorities; where there are any, certificates are judged by them and not by Sigstore. `trust_root`: a private
    Sigstore instance, None for the public one that the sigstore package ships. `require_log`: a key pair's signature
    has to be in a transparency log. `check_reference`: an old-style signature has to name this very repository.
    """

    name: str = "none"
    keys: tuple[TrustedKey, ...] = ()
    identities: tuple[IdentityRule, ...] = ()
    authorities: tuple[bytes, ...] = ()
    trust_root: TrustRoot | None = None
    notation: NotationTrust | None = None
    require_log: bool = False
    check_reference: bool = False

    @property
    def trusts_anyone(self) -> bool:
        """Whether a signature could be verified at all."""
        return bool(self.keys or self.identities or self.notation)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all that can change a verdict; no result is ever reused under another fingerprint."""
        parts = [
            self.name,
            [[k.name, k.fingerprint, str(k.valid_from), str(k.valid_until)] for k in self.keys],
            [
                [r.subject.text, r.subject.is_pattern, r.issuer and [r.issuer.text, r.issuer.is_pattern]]
                for r in self.identities
            ],
            [hashlib.sha256(pem).hexdigest() for pem in self.authorities],
            self.trust_root and self.trust_root.digest,
            self.notation and self.notation.fingerprint,
            self.require_log,
            self.check_reference,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def cache_key(self, subject: Digest, repository: str) -> str:
        """The name under which a verdict may be kept: digest, place and policy."""
        return f"{subject}|{repository}|{self.fingerprint}"


@dataclass(frozen=True, slots=True)
class Scope:
    """A pattern over `host/path` and the policy for it: `ghcr.io/acme/*`, `*/library/nginx`, `*`."""

    pattern: str
    policy: TrustPolicy

    def __post_init__(self) -> None:
        if not self.pattern or len(self.pattern) > 512:
            raise InvalidPolicy("A repository pattern in the trust settings is empty or too long.")

    def covers(self, repository: str) -> bool:
        """Whether the pattern fits; `*` also runs across slashes, and a bare host covers all of it."""
        return fnmatchcase(repository, self.pattern) or repository.startswith(self.pattern.rstrip("/") + "/")

    @property
    def rank(self) -> tuple[int, int]:
        """How exact the pattern is: literal characters count, wildcards do not."""
        literal = sum(1 for character in self.pattern if character not in "*?[]")
        return (literal, 0 if any(c in self.pattern for c in "*?[") else 1)


@dataclass(frozen=True, slots=True)
class TrustSettings:
    """All scopes of the user's settings."""

    scopes: tuple[Scope, ...] = ()

    def policy_for(self, repository: str) -> TrustPolicy:
        """The policy of the most exact pattern that covers `host/path`; the empty one where none does.

        Policies never add up: what is said for a repository replaces what is said for its registry.
        """
        covering = [scope for scope in self.scopes if scope.covers(repository)]
        return max(covering, key=lambda scope: scope.rank).policy if covering else TrustPolicy()
