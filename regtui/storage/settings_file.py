"""Edits the settings file as a person would: comments, order and everything unknown stay as they are."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from regtui.oci.reference import is_host, normalise_host
from regtui.storage.errors import SettingsUnreadable, StorageError
from regtui.storage.files import read_bounded, reason_of, write_private
from regtui.storage.paths import settings_path
from regtui.storage.settings_reading import LARGEST_FILE
from regtui.storage.settings_values import REGISTRY, TOP, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    # Changes a document in place; the second argument makes an empty table, in the way that the document needs.
    _Change = Callable[[Any, Callable[[bool], Any]], None]


class SettingsFile:
    """The settings file of this user, or the one named. Each change is read, made and written at once (0600)."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or settings_path()

    def put_registry(self, host: str, **values: bool | str | list[str] | None) -> None:
        """Add a registry, or change some of its keys; None takes a key out. Raises StorageError."""
        if not is_host(host):
            raise StorageError(f"{host[:80]!a} is no host.", hint="Write it as in an image reference.")
        for key, value in values.items():
            _check(f"registries.{host}.{key}", REGISTRY.get(key), value)

        def change(document: Any, new_table: Callable[[bool], Any]) -> None:
            entries = document.setdefault("registries", new_table(True))
            name = _name_of(entries, host)
            if name is None:
                name = normalise_host(host)
                entries[name] = new_table(False)
            for key, value in values.items():
                _set(entries[name], key, value)

        self._edit(change)

    def remove_registry(self, host: str) -> bool:
        """Take a registry out; whether it was there. Raises StorageError."""
        there = []

        def change(document: Any, new_table: Callable[[bool], Any]) -> None:
            entries = document.get("registries", {})
            name = _name_of(entries, host)
            if name is not None:
                there.append(name)
                del entries[name]

        self._edit(change)
        return bool(there)

    def put(self, key: str, value: bool | int | str | list[str] | None) -> None:
        """Set a key at the top (`theme`, `mouse`, …); None takes it out. Raises StorageError."""
        _check(key, TOP.get(key), value)
        self._edit(lambda document, _: _set(document, key, value))

    def set_theme(self, name: str | None) -> None:
        """Use this theme from now on; None goes back to the default. Raises StorageError."""
        self.put("theme", name)

    def create(self) -> bool:
        """Write the commented default file where there is none; whether it was written. Raises StorageError."""
        if self._read() is not None:
            return False
        self._write(default_text())
        return True

    def _edit(self, change: _Change) -> None:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        before = self._read()
        text = default_text() if before is None else before
        wanted = self._plain(text)
        try:
            change(wanted, lambda _: {})
            document = tomlkit.parse(text)
            change(document, tomlkit.table)
            after = tomlkit.dumps(document)
        except (TOMLKitError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._too_odd() from error
        if after == text:
            return
        # Comments are kept by editing text, so nothing is written unless it reads back as it was meant.
        if _without_empty(self._plain(after)) != _without_empty(wanted):
            raise self._too_odd()
        self._write(after)

    def _plain(self, text: str) -> dict[str, Any]:
        try:
            return tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise SettingsUnreadable(
                f"The settings {self.path} are not TOML, so nothing was changed.", hint="Correct the file first."
            ) from error

    def _read(self) -> str | None:
        try:
            raw = read_bounded(self.path, LARGEST_FILE)
            return None if raw is None else raw.decode("utf-8-sig")
        except (OSError, ValueError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else "it is too large, or not UTF-8 text"
            raise SettingsUnreadable(f"The settings {self.path} can't be read: {reason}.") from error

    def _write(self, text: str) -> None:
        try:
            write_private(self.path, text.encode())
        except OSError as error:
            raise StorageError(
                f"The settings {self.path} can't be written: {reason_of(error)}.",
                hint="Check who may write there, or name another file with --config.",
            ) from error

    def _too_odd(self) -> StorageError:
        return StorageError(
            f"The settings {self.path} can't be changed without risk to what is in them.", hint="Edit them by hand."
        )


def default_text() -> str:
    """A settings file in which every key is explained and none is set."""
    return _DEFAULT_TEXT


def _check(name: str, check: Callable[[object], Any] | None, value: object) -> None:
    if check is None:
        raise StorageError(f"{name} is no setting.")
    try:
        if value is not None:
            check(value)
    except Wrong as wrong:
        raise StorageError(f"{name} {wrong}.") from wrong


def _name_of(entries: Mapping[str, Any], host: str) -> str | None:
    """How the file writes this host, None when it does not."""
    return next((str(name) for name in entries if normalise_host(name) == normalise_host(host)), None)


def _set(table: Any, key: str, value: object) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def _without_empty(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "registries" or value}


_DEFAULT_TEXT = """\
# Settings of regtui. A line without its "#" counts; what it says here is the default or an example.

# The look: the name of a theme (see them in the palette, ctrl+p).
# theme = "textual-dark"

# Spare bytes on the way to the terminal: "auto" does so inside SSH, "on" always, "off" never.
# ssh_profile = "auto"

# Let the mouse click and scroll.
# mouse = true

# Let things move smoothly.
# animation = false

# How much the cache of manifests, configs and layer indexes may take on disk; 0 switches it off.
# cache_size = "1 GiB"

# How many days the journal keeps what undo needs.
# journal_days = 30

# Tags that ask for more before they are changed or deleted: patterns with * and ?.
# protected = ["latest", "stable", "prod*", "release*", "semver:release"]

# Other keys for actions: action = "key,key". The help (?) shows the actions of each place.
# [keymap]
# refresh = "ctrl+r,f5"

# One table per registry; the host is written as in image references, in quotes.
# No password belongs here: regtui login keeps it in the system's keyring.
# [registries."registry.example.com"]
# Allow changes there; without it (or --write) regtui only reads.
# writable = false
# Ask for the repository's name before every change, and show it in red.
# production = false
# Take the kind as given instead of finding it out: distribution, harbor, ghcr, ecr, acr, gitlab, quay, ...
# kind = "harbor"
# The account to sign in with.
# username = "me"
# Speak HTTP without TLS, or do not check the certificate. Whoever is on the way can then read the password.
# plain_http = false
# insecure = false
# Trust the certificates in this PEM file as well; a relative path starts at this file's folder.
# ca_file = "registry-ca.pem"
# api = "gitlab.example.com"   # where the product's own API answers, when that is another host
# Keep deleted tags as trash-DATE-TAG until `regtui prune --trash 30d` purges them.
# trash = false
# Its own patterns in the place of those for all.
# protected = ["v*"]
# What to list where the registry can't list its repositories, or needs a namespace for it.
# repositories = ["team/app", "team/db"]
# namespaces = ["team"]

# Who may vouch for images, one table per host/repository pattern; the most exact pattern counts alone.
# Without a table for it nobody is trusted, and signatures stay "present, not verified".
# [trust."registry.example.com/team/*"]
# Public keys of cosign: files, relative to this file's folder, or PEM text.
# keys = ["cosign.pub"]
# Who may sign without a lasting key: subject and issuer exactly, or as subject-regexp and issuer-regexp.
# identities = [{ subject = "ci@example.com", issuer = "https://issuer.example.com" }]
# notation's folder with trust policy and trust store; true for the usual one.
# notation = true
# Own certificate authorities instead of Sigstore's, or a private Sigstore instance.
# authorities = ["signing-ca.pem"]
# trusted-root = "trusted_root.json"
# A key's signature has to be in a transparency log; an old-style signature has to name this very repository.
# require-log = false
# check-reference = false
"""
