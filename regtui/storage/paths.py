"""Where regtui keeps its files: settings, cache and state, by the conventions of the system.

XDG Base Directory Specification; the XDG variables count on every system when they are set.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from regtui.storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS_VARIABLE: Final = "REGTUI_CONFIG"

_APP: Final = "regtui"
# Per kind: the XDG variable, the place on Linux, on macOS, and on Windows (variable, folder behind it).
_PLACES: Final = {
    "config": ("XDG_CONFIG_HOME", ".config", "Library/Application Support", ("APPDATA", "")),
    "cache": ("XDG_CACHE_HOME", ".cache", "Library/Caches", ("LOCALAPPDATA", "Cache")),
    "state": ("XDG_STATE_HOME", ".local/state", "Library/Application Support", ("LOCALAPPDATA", "State")),
}


def config_folder(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The folder of the settings. Raises StorageError when there is no home folder."""
    return _folder("config", environ, platform)


def cache_folder(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The folder of what can be fetched again. Raises StorageError when there is no home folder."""
    return _folder("cache", environ, platform)


def state_folder(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The folder of what must last but is no setting (journal, history). Raises StorageError without a home folder."""
    return _folder("state", environ, platform)


def settings_path(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The settings file: REGTUI_CONFIG, else `settings.toml` in the folder of the settings. Raises StorageError."""
    named = _environ(environ).get(SETTINGS_VARIABLE)
    if named:
        return expanded(named)
    return config_folder(environ, platform) / "settings.toml"


def home_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The user's home folder. Raises StorageError when the system does not tell one."""
    named = _environ(environ).get("HOME")
    if named and Path(named).is_absolute():
        return Path(named)
    try:
        return Path.home()
    except RuntimeError:
        raise StorageError("This user has no home folder.", hint="Set HOME, or the XDG_* variables.") from None


def expanded(text: str) -> Path:
    """A path that a person wrote, with a leading `~` filled in."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def _environ(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if environ is None else environ


def _folder(kind: str, environ: Mapping[str, str] | None, platform: str) -> Path:
    variable, linux, mac, (windows_variable, windows_tail) = _PLACES[kind]
    known = _environ(environ)
    named = known.get(variable)
    # The specification has relative paths ignored.
    if named and Path(named).is_absolute():
        return Path(named) / _APP
    if platform == "win32" and known.get(windows_variable):
        return Path(known[windows_variable]) / _APP / windows_tail
    if platform == "darwin":
        folder = home_folder(environ) / mac / _APP
        return folder / "State" if kind == "state" else folder
    return home_folder(environ) / linux / _APP
