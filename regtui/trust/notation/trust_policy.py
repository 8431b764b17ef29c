"""Trust policy documents of the Notary Project, validated as a whole: one wrong statement spoils the document.

Source: notaryproject/specifications trust-store-trust-policy.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.errors import InvalidPolicy, Malformed
from regtui.trust.notation.subject_name import covers, parse_name
from regtui.trust.untrusted import read_object

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCOPE: Final = re.compile(
    r"[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+", re.ASCII
)
_STORE: Final = re.compile(r"(ca|signingAuthority|tsa):([A-Za-z0-9_.-]+)", re.ASCII)
_IDENTITY: Final = "x509.subject:"
_MOST_POLICIES: Final = 1000


class Action(StrEnum):
    """What happens when a check fails."""

    ENFORCE = "enforce"
    LOG = "log"
    SKIP = "skip"


_CHECKS: Final = ("authenticity", "authenticTimestamp", "expiry", "revocation")
_E, _L, _S = Action.ENFORCE, Action.LOG, Action.SKIP
_LEVELS: Final[dict[str, tuple[Action, Action, Action, Action]]] = {
    "strict": (_E, _E, _E, _E),
    "permissive": (_E, _L, _L, _L),
    "audit": (_L, _L, _L, _L),
    "skip": (_S, _S, _S, _S),
}


@dataclass(frozen=True, slots=True)
class PolicyStatement:
    """One statement: for which repositories, how strictly, which stores and identities."""

    name: str
    scopes: tuple[str, ...]
    level: str
    actions: Mapping[str, Action]
    stores: tuple[tuple[str, str], ...]
    identities: tuple[Mapping[str, str], ...] | None
    """Attributes that a subject needs; None means that any identity of the store will do."""
    timestamp_always: bool = True

    def store_names(self, kind: str) -> tuple[str, ...]:
        """The names of its stores of one type."""
        return tuple(name for one, name in self.stores if one == kind)


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A valid document."""

    statements: tuple[PolicyStatement, ...]

    def statement_for(self, repository: str) -> PolicyStatement | None:
        """The statement that names `host/path` exactly, else the one for everything, else None."""
        wildcard = None
        for statement in self.statements:
            if repository in statement.scopes:
                return statement
            if statement.scopes == ("*",):
                wildcard = statement
        return wildcard


def parse_policy(raw: bytes) -> PolicyDocument:
    """Read and validate a trustpolicy.json. Raises InvalidPolicy with the first fault."""
    try:
        body = read_object(raw, "The trust policy")
    except Malformed as error:
        raise InvalidPolicy(error.sentence, hint="Look at trustpolicy.json.") from error
    if body.get("version") != "1.0":
        raise InvalidPolicy("The trust policy is of another version than 1.0.")
    listed = body.get("trustPolicies")
    if not isinstance(listed, list) or not 1 <= len(listed) <= _MOST_POLICIES:
        raise InvalidPolicy("The trust policy has no statements, or too many.")
    statements = tuple(_statement(item, f"Statement {number}") for number, item in enumerate(listed, 1))
    _demand_unique([s.name for s in statements], "The statement name")
    _demand_unique([scope for s in statements for scope in s.scopes], "The registry scope")
    return PolicyDocument(statements)


def _demand_unique(names: list[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InvalidPolicy(f"{what} {name[:120]!a} occurs twice in the trust policy.")


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value) or len(value) > _MOST_POLICIES:
        raise InvalidPolicy(f"{where} has something else than a list of texts.")
    return tuple(value)


def _statement(body: Any, where: str) -> PolicyStatement:
    if not isinstance(body, dict) or not isinstance(body.get("name"), str) or not body["name"]:
        raise InvalidPolicy(f"{where} of the trust policy has no name.")
    where = f"The trust policy's statement {body['name'][:80]!a}"
    verification = body.get("signatureVerification")
    if not isinstance(verification, dict) or verification.get("level") not in _LEVELS:
        raise InvalidPolicy(f"{where} has no level of strict, permissive, audit or skip.")
    level = str(verification["level"])
    stores, identities = _texts(body.get("trustStores"), where), _texts(body.get("trustedIdentities"), where)
    if level == "skip" and (stores or identities or verification.get("override")):
        raise InvalidPolicy(f"{where} skips, and still names stores, identities or overrides.")
    timestamp = verification.get("verifyTimestamp", "always") or "always"
    if timestamp not in ("always", "afterCertExpiry"):
        raise InvalidPolicy(f"{where} has a wrong verifyTimestamp.")
    return PolicyStatement(
        body["name"],
        _scopes(body.get("registryScopes"), where),
        level,
        _actions(level, verification.get("override"), where),
        () if level == "skip" else _stores(stores, where),
        () if level == "skip" else _identities(identities, where),
        timestamp == "always",
    )


def _scopes(value: Any, where: str) -> tuple[str, ...]:
    scopes = _texts(value, where)
    if not scopes:
        raise InvalidPolicy(f"{where} has no registry scopes.")
    if "*" in scopes and len(scopes) > 1:
        raise InvalidPolicy(f"{where} has the scope * beside others.")
    for scope in scopes:
        if scope != "*" and not _SCOPE.fullmatch(scope):
            raise InvalidPolicy(f"{where} has the scope {scope[:120]!a}; it takes host/repository or *.")
    return scopes


def _actions(level: str, override: Any, where: str) -> dict[str, Action]:
    actions = dict(zip(_CHECKS, _LEVELS[level], strict=True))
    if override is None:
        return actions
    if not isinstance(override, dict):
        raise InvalidPolicy(f"{where} has an override that is no object.")
    for name, action in override.items():
        allowed = ("enforce", "log", "skip") if name == "revocation" else ("enforce", "log")
        if name not in _CHECKS or action not in allowed:
            raise InvalidPolicy(f"{where} can't override {str(name)[:40]!a} in that way.")
        actions[name] = Action(action)
    return actions


def _stores(names: tuple[str, ...], where: str) -> tuple[tuple[str, str], ...]:
    if not names:
        raise InvalidPolicy(f"{where} names no trust store.")
    found: list[tuple[str, str]] = []
    for name in names:
        match = _STORE.fullmatch(name)
        if match is None or match.group(2) in (".", ".."):
            raise InvalidPolicy(
                f"{where} names the store {name[:80]!a}; it takes ca:, signingAuthority: or tsa:<name>."
            )
        found.append((match.group(1), match.group(2)))
    return tuple(found)


def _identities(names: tuple[str, ...], where: str) -> tuple[Mapping[str, str], ...] | None:
    if not names:
        raise InvalidPolicy(f"{where} names no trusted identity.")
    if "*" in names:
        if len(names) > 1:
            raise InvalidPolicy(f"{where} trusts the identity * beside others.")
        return None
    parsed: list[Mapping[str, str]] = []
    for name in names:
        if not name.startswith(_IDENTITY):
            raise InvalidPolicy(f"{where} has the identity {name[:80]!a}; it takes x509.subject: or *.")
        parsed.append(parse_name(name.removeprefix(_IDENTITY)))
    if any(covers(one, other) for one, other in permutations(parsed, 2)):
        raise InvalidPolicy(f"{where} has identities of which one includes the other.")
    return tuple(parsed)
