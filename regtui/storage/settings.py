"""The user's settings as values: what holds for every registry, and what holds for one.

The file is TOML; its keys are explained in `settings_file.default_text()` and read by `settings_reading.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from regtui.oci.reference import normalise_host
from regtui.oci.tags import is_release
from regtui.storage.cache import DEFAULT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RELEASES: Final = "semver:release"
"""In the place of a pattern: every tag that is the semantic version of a release, as 1.4.0 or v2.0.1."""
DEFAULT_PROTECTED: Final = ("latest", "stable", "prod*", "release*", RELEASES)


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """One thing in the settings file that does not count, and why. `line` starts at 1, None when it is not known."""

    file: Path
    reason: str
    key: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = str(self.file) if self.line is None else f"{self.file}, line {self.line}"
        return f"{where}: {self.reason}" if self.key is None else f"{where}: {self.key}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """What the user says about one registry; the defaults hold for every host that the settings do not name."""

    host: str
    kind: str | None = None
    """Overrides the detection of the kind of registry."""
    writable: bool = False
    """Whether changes are allowed there at all."""
    plain_http: bool = False
    insecure: bool = False
    """Whether the certificate goes unchecked."""
    ca_file: str | None = None
    """A PEM file with certificates to trust there, as an absolute path."""
    api: str | None = None
    """Where the product's own API answers (`name` or `name:port`), when that is neither the host nor well known."""
    production: bool = False
    """Whether every change needs the repository's name typed."""
    protected: tuple[str, ...] = DEFAULT_PROTECTED
    """Glob patterns of tags that are not changed without more asking: the registry's own, else those for all.

    `semver:release` stands for the versions of releases.
    """
    trash: bool = False
    """Whether deleted tags are kept as `trash-DATE-TAG` there until they are purged."""
    repositories: tuple[str, ...] = ()
    """Repositories to list where the registry can't."""
    namespaces: tuple[str, ...] = ()
    """Namespaces (organisations, projects, users) to look into where the registry needs one."""
    username: str | None = None
    """The account to sign in with."""

    def protection(self, tag: str) -> str | None:
        """The pattern that protects this tag, None when none does."""
        return next((pattern for pattern in self.protected if _matches(tag, pattern)), None)


def _matches(tag: str, pattern: str) -> bool:
    return is_release(tag) if pattern == RELEASES else fnmatchcase(tag, pattern)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the user set, with what could not be understood beside it."""

    registries: tuple[RegistrySettings, ...] = ()
    """In the order of the file."""
    theme: str | None = None
    keymap: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Action id → keys, separated by commas."""
    ssh_profile: Literal["auto", "on", "off"] = "auto"
    cache_size: int = DEFAULT_LIMIT
    """Bytes; 0 switches the cache off."""
    journal_days: int = 30
    protected: tuple[str, ...] = DEFAULT_PROTECTED
    mouse: bool = True
    animation: bool = False
    trust: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Repository pattern → who may vouch there, as written: read by trust/trust_settings.py."""
    folder: Path | None = field(default=None, compare=False)
    """Where the file lies: relative paths in `trust` start there."""
    problems: tuple[SettingsProblem, ...] = ()

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the settings from this file, or from the user's own.

        What is wrong in the file is told in `problems`, and the rest of it counts. Where a mistake hides how
        careful to be, the careful answer counts. Raises StorageError when a file was named and can't be read.
        """
        from regtui.storage.settings_reading import read_settings

        return read_settings(cls, path)

    def registry(self, host: str) -> RegistrySettings:
        """What holds for this host."""
        name = normalise_host(host)
        for known in self.registries:
            if known.host == name:
                return known
        return RegistrySettings(host, protected=self.protected)

    @property
    def usernames(self) -> Mapping[str, str]:
        """Host → the account to sign in with, where one is set."""
        return {known.host: known.username for known in self.registries if known.username}
