"""Themes as TOML files: those that come with regtui and the user's own, each checked before Textual sees it."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual.color import Color, ColorParseError
from textual.theme import Theme

from regtui.oci.errors import RegtuiError
from regtui.storage.paths import config_folder
from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLOURS: Final = (
    *("primary", "secondary", "warning", "error", "success", "accent"),
    *("foreground", "background", "surface", "panel", "boost"),
)
_KNOWN: Final = frozenset({"name", "dark", *_COLOURS}) & {field.name for field in fields(Theme)}
_LARGEST: Final = 64 << 10
_MOST: Final = 100


class InvalidTheme(RegtuiError):
    """A theme file that can't be used; the sentence names the file, the key and the reason."""


def theme_folders() -> tuple[Path, ...]:
    """Where themes lie: the package's (the checkout's when it is run from one), then the user's own."""
    package = Path(__file__).resolve().parents[1] / "themes"
    checkout = Path(__file__).resolve().parents[2] / "themes"
    return (package if package.is_dir() else checkout, config_folder() / "themes")


def load_themes(folders: Iterable[Path]) -> tuple[list[Theme], list[SafeText]]:
    """Every theme that can be used, a later folder's before an earlier one's of the same name; and what is wrong."""
    themes: dict[str, Theme] = {}
    problems: list[SafeText] = []
    for folder in folders:
        for file in sorted(folder.glob("*.toml"))[:_MOST]:
            try:
                theme = read_theme(file)
            except InvalidTheme as error:
                problems.append(safe(str(error), 400))
            else:
                themes[theme.name] = theme
    return list(themes.values()), problems


def read_theme(file: Path) -> Theme:
    """One theme. Raises InvalidTheme; a bad colour would otherwise end the app when the theme is chosen."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise InvalidTheme(f"{file.name} is too large for a theme.")
        values = tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        raise InvalidTheme(f"{file.name} can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidTheme(
            f"{file.name} is not valid TOML.", hint="Compare it with a theme that regtui ships."
        ) from error
    for key, value in values.items():
        _check(file, key, value)
    if not isinstance(values.get("name"), str) or "primary" not in values:
        raise InvalidTheme(f"{file.name} needs a name and a primary colour.")
    return Theme(**values)


def _check(file: Path, key: str, value: Any) -> None:
    if key not in _KNOWN:
        raise InvalidTheme(f"{file.name}: there is no key {key[:60]!a} in a theme.", hint=f"Keys are {_listed()}.")
    if key == "dark" and not isinstance(value, bool):
        raise InvalidTheme(f"{file.name}: dark must be true or false.")
    if key == "name" and not (isinstance(value, str) and value.replace("-", "").isalnum() and value.isascii()):
        raise InvalidTheme(f"{file.name}: a name has letters, digits and hyphens.")
    if key in _COLOURS:
        try:
            Color.parse(value if isinstance(value, str) else "")
        except ColorParseError as error:
            raise InvalidTheme(f"{file.name}: {key} is not a colour.", hint='Write it like "#4c8dd6".') from error


def _listed() -> str:
    return ", ".join(sorted(_KNOWN))
