"""Reads the settings file: each mistake becomes one problem with its place, and the rest of the file counts."""

from __future__ import annotations

import re
import tomllib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from regtui.oci.reference import is_host, normalise_host
from regtui.storage.errors import SettingsUnreadable, StorageError
from regtui.storage.files import read_bounded, reason_of
from regtui.storage.paths import expanded, settings_path
from regtui.storage.settings import RegistrySettings, Settings, SettingsProblem
from regtui.storage.settings_lines import line_of
from regtui.storage.settings_values import CAREFUL, REGISTRY, SECRET_WORDS, TOP, Wrong, keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LARGEST_FILE: Final = 1 << 20

_SYNTAX_PLACE: Final = re.compile(r" ?\(at line ([0-9]+), column [0-9]+\)")
_ACTION: Final = re.compile(r"[a-z0-9_.-]{1,100}", re.ASCII)
_MOST_PROBLEMS: Final = 50
_TABLES: Final = {
    "registries": '[registries."registry.example.com"]',
    "keymap": "[keymap]",
    "trust": '[trust."registry.example.com/team/*"]',
}
_QUOTES: Final = 'is no setting: a host with dots needs quotes, as in [registries."registry.example.com"]'

Loaded = TypeVar("Loaded", bound=Settings)


def read_settings(kind: type[Loaded], path: Path | None) -> Loaded:
    """The settings of this file, or of the user's own. Raises StorageError when a named file can't be read."""
    named = path is not None
    try:
        path = path or settings_path()
    except StorageError:
        return kind()
    try:
        raw = read_bounded(path, LARGEST_FILE)
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        if named:
            raise SettingsUnreadable(
                f"The settings {path} can't be read: {reason}.", hint="Name another file with --config."
            ) from error
        return kind(protected=CAREFUL["protected"], problems=(_unusable(path, reason),))
    if raw is None and named:
        raise SettingsUnreadable(f"There is no settings file {path}.", hint="Name another one with --config.")
    return parse_settings(kind, raw or b"", path)


def parse_settings(kind: type[Loaded], raw: bytes, path: Path) -> Loaded:
    """The settings in these bytes; `path` is where they come from. Never raises for what the bytes are."""
    try:
        written = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return kind(protected=CAREFUL["protected"], problems=(_unusable(path, "it is not UTF-8 text"),))
    try:
        document = tomllib.loads(written)
    except (ValueError, RecursionError) as error:
        return kind(protected=CAREFUL["protected"], problems=(_syntax(path, error),))
    return kind(**_Reading(path, written).settings(document))


class _Reading:
    """One file on its way into values; collects the problems."""

    def __init__(self, path: Path, written: str) -> None:
        self._path = path
        self._written = written
        self._problems: list[SettingsProblem] = []

    def settings(self, document: dict[str, Any]) -> dict[str, Any]:
        """The fields of Settings."""
        keymap = self._table(document.pop("keymap", {}), "keymap")
        registries = self._table(document.pop("registries", {}), "registries")
        trust = self._table(document.pop("trust", {}), "trust")
        fields = self._fields(document, TOP, ())
        fields["trust"] = MappingProxyType(trust)
        fields["folder"] = self._path.absolute().parent
        fields["keymap"] = MappingProxyType(self._keymap(keymap))
        fields["registries"] = self._registries(registries, fields)
        fields["problems"] = tuple(sorted(self._problems, key=lambda problem: problem.line or 0))
        return fields

    def _table(self, value: object, name: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._problem((name,), f"must be a table: write {_TABLES[name]}")
        return {}

    def _fields(
        self, table: dict[str, Any], known: Mapping[str, Callable[[object], Any]], place: tuple[str, ...]
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in table.items():
            check = known.get(key)
            if check is None:
                self._unknown((*place, key), value, known)
                continue
            try:
                found[key] = check(value)
            except Wrong as wrong:
                self._problem((*place, key), f"{wrong}{self._careful(found, key)}")
        return found

    def _careful(self, found: dict[str, Any], key: str) -> str:
        if key not in CAREFUL:
            return "; the default counts"
        found[key] = CAREFUL[key]
        return "; until then everything counts as protected" if key == "protected" else "; until then true counts"

    def _unknown(self, place: tuple[str, ...], value: object, known: Mapping[str, object]) -> None:
        key = place[-1]
        if key.lower() in SECRET_WORDS:
            reason = "is no setting: secrets have no place in this file. Use regtui login, and remove it here"
        elif len(place) > 1 and isinstance(value, dict):
            reason = _QUOTES
        else:
            from difflib import get_close_matches

            close = get_close_matches(key, [*known, *(() if len(place) > 1 else _TABLES)], 1)
            reason = f"is no setting; {close[0]} is one" if close else "is no setting"
        self._problem(place, reason)

    def _keymap(self, table: dict[str, Any]) -> dict[str, str]:
        found = {}
        for action, value in table.items():
            if _ACTION.fullmatch(action) is None:
                self._problem(("keymap", action), "is no action: actions are named in small letters")
                continue
            try:
                found[action] = keys(value)
            except Wrong as wrong:
                hint = "; an action with a dot needs quotes" if isinstance(value, dict) else ""
                self._problem(("keymap", action), f"{wrong}{hint}")
        return found

    def _registries(self, tables: dict[str, Any], top: dict[str, Any]) -> tuple[RegistrySettings, ...]:
        found: dict[str, RegistrySettings] = {}
        for name, table in tables.items():
            place = ("registries", name)
            host = normalise_host(name)
            if not is_host(name):
                self._problem(place, "is no host: write it as in an image reference, without https:// and path")
            elif not isinstance(table, dict):
                self._problem(place, f'must be a table: write [registries."{name}"]')
            elif table and all(isinstance(value, dict) for value in table.values()):
                self._problem(place, _QUOTES)
            elif host in found:
                self._problem(place, f"names {host} again; the first one counts")
            else:
                found[host] = self._registry(host, table, place, top)
        return tuple(found.values())

    def _registry(
        self, host: str, table: dict[str, Any], place: tuple[str, ...], top: dict[str, Any]
    ) -> RegistrySettings:
        fields = self._fields(table, REGISTRY, place)
        if "protected" not in fields and "protected" in top:
            fields["protected"] = top["protected"]
        if "ca_file" in fields:
            fields["ca_file"] = str(self._path.absolute().parent / expanded(fields["ca_file"]))
        return RegistrySettings(host, **fields)

    def _problem(self, place: tuple[str, ...], reason: str) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            key = ".".join(part if _ACTION.fullmatch(part) and "." not in part else f'"{part}"' for part in place)
            self._problems.append(
                SettingsProblem(self._path, reason, key=key[:200], line=line_of(self._written, place))
            )


def _unusable(path: Path, reason: str) -> SettingsProblem:
    return SettingsProblem(path, f"{reason}: none of it counts, and until then every tag counts as protected")


def _syntax(path: Path, error: Exception) -> SettingsProblem:
    if not isinstance(error, tomllib.TOMLDecodeError):
        return _unusable(path, "it is nested too deep, or has a number that is too long")
    message = str(error)
    match = _SYNTAX_PLACE.search(message)
    problem = _unusable(path, f"it is not TOML ({_SYNTAX_PLACE.sub('', message)[:200]})")
    return SettingsProblem(path, problem.reason, line=int(match[1]) if match else None)
