"""Themes as TOML files: those that come with regtui and the user's own, each checked before Textual sees it."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from regtui.oci.errors import RegtuiError
from regtui.storage.paths import config_folder
from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_COLOURS: Final = (
    *("primary", "secondary", "warning", "error", "success", "accent"),
    *("foreground", "background", "surface", "panel", "boost"),
)
_FLAGS: Final = ("dark", "ansi")
_KNOWN: Final = frozenset({"name", "variables", *_FLAGS, *_COLOURS}) & {field.name for field in fields(Theme)}
DEFAULT_THEME: Final = "regtui-dark"
_AUTOMATIC: Final = frozenset({"text", "text-muted", "text-disabled", "block-cursor-foreground"})
"""Variables that Textual works out from the background, where a theme names no colour for them."""
_LARGEST: Final = 64 << 10
_MOST: Final = 100


class InvalidTheme(RegtuiError):
    """A theme file that can't be used; the sentence names the file, the key and the reason."""


def theme_folders() -> tuple[Path, ...]:
    """Where themes lie: the package's (the checkout's when it is run from one), then the user's own."""
    package = Path(__file__).resolve().parents[1] / "themes"
    checkout = Path(__file__).resolve().parents[2] / "themes"
    return (package if package.is_dir() else checkout, own_theme_folder())


def default_theme(environ: Mapping[str, str], colours: str | None) -> str:
    """The theme of a terminal for which the user chose none.

    NO_COLOR (https://no-color.org) asks for none; `colours` is what the terminal can do, as Rich names it: with
    "standard" its own sixteen colours are right, since others would be drawn as the nearest of them.
    """
    if environ.get("NO_COLOR"):
        return "regtui-mono"
    return "regtui-ansi" if colours == "standard" else DEFAULT_THEME


def own_theme_folder() -> Path:
    """Where the user's own themes lie."""
    return config_folder() / "themes"


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What tells whether a theme file in this folder was changed, added or removed; empty for no folder."""
    found = []
    for file in sorted(folder.glob("*.toml"))[:_MOST]:
        try:
            told = file.stat()
        except OSError:  # it went away between the two calls: the next look sees the folder without it
            continue
        found.append((file.name, told.st_mtime_ns, told.st_size))
    return tuple(found)


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


def is_known(name: str, themes: Iterable[Theme]) -> bool:
    """Whether a theme of this name can be chosen: one of these, or one that Textual brings."""
    return name in BUILTIN_THEMES or any(theme.name == name for theme in themes)


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
    if key in _FLAGS and not isinstance(value, bool):
        raise InvalidTheme(f"{file.name}: {key} must be true or false.")
    if key == "name" and not (isinstance(value, str) and value.replace("-", "").isalnum() and value.isascii()):
        raise InvalidTheme(f"{file.name}: a name has letters, digits and hyphens.")
    if key in _COLOURS:
        _check_colour(file, key, value)
    if key == "variables":
        if not isinstance(value, dict):
            raise InvalidTheme(f"{file.name}: variables must be a table.", hint="Write [variables].")
        for name, colour in value.items():
            if name not in _variables():
                raise InvalidTheme(
                    f"{file.name}: there is no colour {name[:60]!a} among the variables.",
                    hint="docs/themes.md lists those that can be set.",
                )
            _check_colour(file, f"variables.{name}", colour)


def _check_colour(file: Path, key: str, value: Any) -> None:
    try:
        Color.parse(value if isinstance(value, str) else "")
    except ColorParseError as error:
        raise InvalidTheme(f"{file.name}: {key} is not a colour.", hint='Write it like "#4c8dd6".') from error


@cache
def _variables() -> frozenset[str]:
    """The variables of a theme that are plain colours: what a file may set without a risk to the style sheets."""
    generated = Theme(name="any", primary="#000000").to_color_system().generate()
    return _AUTOMATIC | frozenset(name for name, value in generated.items() if _is_colour(value))


def _is_colour(value: str) -> bool:
    try:
        Color.parse(value.partition(" ")[0])
    except ColorParseError:
        return False
    return True


def _listed() -> str:
    return ", ".join(sorted(_KNOWN))
