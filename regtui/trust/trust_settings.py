"""Reads the `trust` tables of the settings into policies, one per repository pattern.

    [trust."ghcr.io/acme/*"]
    keys = ["cosign.pub"]
    identities = [{ subject-regexp = "https://github.com/acme/.*", issuer = "https://issuer.example" }]
    authorities = ["signing-ca.pem"]
    trusted-root = "trusted_root.json"
    notation = true
    require-log = false
    check-reference = false

`keys` are files, relative to the settings' folder, or inline PEM. `identities` name who may sign keyless, exactly
(`subject`, `issuer`) or by a pattern (`subject-regexp`, `issuer-regexp`). `authorities` are own certificate
authorities instead of Sigstore's, `trusted-root` a private Sigstore instance, `notation` a folder of notation with
trust policy and trust store, or true for the usual one.

A table with a mistake trusts nobody: it never falls back to a looser pattern.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.certificates import load_pem
from regtui.trust.cosign_keys import TrustedKey, read_key
from regtui.trust.errors import InvalidPolicy, TrustError
from regtui.trust.identity import IdentityRule, Matcher
from regtui.trust.notation.trust_store import configuration_folder, read_trust_store
from regtui.trust.notation.verification import NotationTrust
from regtui.trust.policy import Scope, TrustPolicy, TrustSettings
from regtui.trust.trust_root import TrustRoot, parse_trust_root

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST_FILE: Final = 1 << 20
_KNOWN: Final = frozenset(
    {"keys", "identities", "authorities", "trusted-root", "notation", "require-log", "check-reference"}
)
_RULE: Final = frozenset({"subject", "subject-regexp", "issuer", "issuer-regexp"})
_POLICIES: Final = ("trustpolicy.oci.json", "trustpolicy.json")


def read_trust_settings(tables: Mapping[str, Any], folder: Path) -> tuple[TrustSettings, tuple[str, ...]]:
    """The settings, and what is wrong in them. `folder` is the settings file's: relative paths start there."""
    scopes: list[Scope] = []
    problems: list[str] = []
    for pattern, table in tables.items():
        try:
            policy = _policy(pattern, table, folder)
        except TrustError as error:
            problems.append(f"trust.{pattern[:120]!a}: {error}")
            policy = TrustPolicy(f"{pattern} (not usable)")
        try:
            scopes.append(Scope(pattern, policy))
        except InvalidPolicy as error:
            problems.append(f"trust.{pattern[:120]!a}: {error}")
    return TrustSettings(tuple(scopes)), tuple(problems)


def _policy(pattern: str, table: Any, folder: Path) -> TrustPolicy:
    if not isinstance(table, dict):
        raise InvalidPolicy("It is no table.")
    unknown = sorted(set(table) - _KNOWN)
    if unknown:
        raise InvalidPolicy(f"{unknown[0][:60]!a} is no setting of trust.", hint=f"Known: {', '.join(sorted(_KNOWN))}.")
    return TrustPolicy(
        pattern,
        tuple(_key(one, folder) for one in _texts(table, "keys")),
        tuple(_rule(one) for one in _list(table, "identities")),
        tuple(_authority(one, folder) for one in _texts(table, "authorities")),
        _root(table.get("trusted-root"), folder),
        _notation(table.get("notation"), folder),
        _flag(table, "require-log"),
        _flag(table, "check-reference"),
    )


def _list(table: Mapping[str, Any], name: str) -> list[Any]:
    value = table.get(name, [])
    if not isinstance(value, list) or len(value) > 1000:
        raise InvalidPolicy(f"{name} is not a list.")
    return value


def _texts(table: Mapping[str, Any], name: str) -> list[str]:
    value = _list(table, name)
    if not all(isinstance(one, str) for one in value):
        raise InvalidPolicy(f"{name} is not a list of texts.")
    return value


def _flag(table: Mapping[str, Any], name: str) -> bool:
    value = table.get(name, False)
    if not isinstance(value, bool):
        raise InvalidPolicy(f"{name} is neither true nor false.")
    return value


def _place(text: str, folder: Path) -> Path:
    return folder / Path(text).expanduser()


def _file(text: str, folder: Path) -> bytes:
    place = _place(text, folder)
    try:
        if place.stat().st_size > _LARGEST_FILE:
            raise InvalidPolicy(f"{place} is too large.")
        return place.read_bytes()
    except OSError as error:
        raise InvalidPolicy(f"{place} can't be read.", hint="Look at the path in the trust settings.") from error


def _key(text: str, folder: Path) -> TrustedKey:
    if "-----BEGIN" in text:
        key = read_key(text, "inline key")
        return TrustedKey(f"key {key.fingerprint[:12]}", key.algorithm, key.spki)
    return read_key(_file(text, folder), Path(text).name)


def _rule(table: Any) -> IdentityRule:
    if not isinstance(table, dict) or set(table) - _RULE or not all(isinstance(v, str) for v in table.values()):
        raise InvalidPolicy("An identity takes subject or subject-regexp, and issuer or issuer-regexp.")
    subject = _matcher(table, "subject")
    if subject is None:
        raise InvalidPolicy("An identity has no subject.")
    return IdentityRule(subject, _matcher(table, "issuer"))


def _matcher(table: Mapping[str, str], name: str) -> Matcher | None:
    exact, pattern = table.get(name), table.get(f"{name}-regexp")
    if exact is not None and pattern is not None:
        raise InvalidPolicy(f"An identity has both {name} and {name}-regexp.")
    if pattern is not None:
        return Matcher(pattern, is_pattern=True)
    return Matcher(exact) if exact is not None else None


def _authority(text: str, folder: Path) -> bytes:
    content = _file(text, folder)
    load_pem(content, text)
    return content


def _root(value: Any, folder: Path) -> TrustRoot | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidPolicy("trusted-root is not a path.")
    return parse_trust_root(_file(value, folder))


def _notation(value: Any, folder: Path) -> NotationTrust | None:
    if value is None or value is False:
        return None
    if value is not True and not isinstance(value, str):
        raise InvalidPolicy("notation is neither true nor a path.")
    place = configuration_folder() if value is True else _place(value, folder)
    for name in _POLICIES:
        if (place / name).is_file():
            return NotationTrust.read(_file(str(place / name), folder), read_trust_store(place))
    raise InvalidPolicy(f"There is no trust policy in {place}.", hint="notation keeps it as trustpolicy.json there.")
