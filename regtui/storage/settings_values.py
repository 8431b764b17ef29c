"""The keys of the settings file, and what each of them may hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from regtui.oci.reference import is_host

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_UNITS: Final = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_SIZE: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) *([A-Za-z]*)", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_LARGEST_SIZE: Final = 1 << 50
_LONGEST_TEXT: Final = 4096
_LONGEST_LIST: Final = 10_000


class Wrong(ValueError):
    """A value that its key may not hold; the text is the reason, without the value."""


def boolean(value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise Wrong(f"must be true or false, not {_kind(value)}")


def text(value: object) -> str:
    """Text that is not empty and of one line."""
    if not isinstance(value, str):
        raise Wrong(f"must be text in quotes, not {_kind(value)}")
    if not value.strip() or not value.isprintable() or len(value) > _LONGEST_TEXT:
        raise Wrong("must be one line of text, and not empty")
    return value


def word(value: object) -> str:
    """A name such as that of a theme or of a kind of registry."""
    if _WORD.fullmatch(text(value)) is None:
        raise Wrong("must be a name of letters, digits, '.', '_' and '-'")
    return str(value)


def api_host(value: object) -> str:
    """A host with or without a port."""
    if not is_host(text(value)):
        raise Wrong("must be a host, with a port if needed, without https:// and path")
    return str(value)


def texts(value: object) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list):
        raise Wrong(f"must be a list of texts, not {_kind(value)}")
    if len(value) > _LONGEST_LIST:
        raise Wrong(f"has more than {_LONGEST_LIST:,} items")
    return tuple(text(item) for item in value)


def keys(value: object) -> str:
    """Keys of one action: "ctrl+r,f5" or a list of them."""
    return ",".join(texts(value)) if isinstance(value, list) else text(value)


def size(value: object) -> int:
    """Bytes: a whole number, or text such as "500 MB" or "2 GiB"."""
    if isinstance(value, int) and not isinstance(value, bool):
        found = value
    elif isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())) and match[2].lower() in _UNITS:
        found = int(float(match[1]) * _UNITS[match[2].lower()])
    else:
        raise Wrong('must be a size such as "500 MB", "2 GiB", or a number of bytes')
    if not 0 <= found <= _LARGEST_SIZE:
        raise Wrong("must be between 0 and 1024 TiB")
    return found


def days(value: object) -> int:
    """A number of days."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 36_500:
        raise Wrong("must be a whole number of days, 1 or more")
    return value


def profile(value: object) -> str:
    """When to spare bytes on the way to the terminal."""
    if value not in ("auto", "on", "off"):
        raise Wrong('must be "auto", "on" or "off"')
    return str(value)


TOP: Final[Mapping[str, Callable[[object], Any]]] = {
    "theme": word,
    "ssh_profile": profile,
    "cache_size": size,
    "journal_days": days,
    "protected": texts,
    "mouse": boolean,
    "animation": boolean,
}
"""The keys that stand for themselves at the top; the tables `keymap` and `registries` come beside them."""

REGISTRY: Final[Mapping[str, Callable[[object], Any]]] = {
    "kind": word,
    "writable": boolean,
    "plain_http": boolean,
    "insecure": boolean,
    "ca_file": text,
    "api": api_host,
    "production": boolean,
    "protected": texts,
    "trash": boolean,
    "repositories": texts,
    "namespaces": texts,
    "username": text,
}
"""The keys of one registry."""

CAREFUL: Final[Mapping[str, Any]] = {"protected": ("*",), "production": True}
"""What counts in the place of a value that can't be understood, where the default would be the less careful answer."""

SECRET_WORDS: Final = frozenset({"password", "passwd", "token", "secret", "auth", "identitytoken", "registrytoken"})


def _kind(value: object) -> str:
    for kind, name in (
        (bool, "true or false"),
        (str, "text"),
        (int, "a number"),
        (float, "a number"),
        (list, "a list"),
        (dict, "a table"),
    ):
        if isinstance(value, kind):
            return name
    return "a date or time"
