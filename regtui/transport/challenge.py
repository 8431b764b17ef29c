"""Reads WWW-Authenticate the way registries write it, which is not always the way RFC 9110 does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|$)', re.DOTALL)
_BARE: Final = re.compile(r'[^\s,"]*')
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_LONGEST: Final = 16 << 10
_MOST: Final = 32


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to sign in. The scheme and the names of the parameters are in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def read_challenges(fields: Iterable[str]) -> tuple[Challenge, ...]:
    """Every challenge of every field, in their order. What can't be read is passed over; nothing raises."""
    found: list[Challenge] = []
    for field in fields:
        found += _read(field[:_LONGEST])
    return tuple(found[:_MOST])


def choose(challenges: Iterable[Challenge]) -> Challenge | None:
    """The one to answer: Bearer with a realm first, then Basic; None when neither is there."""
    known = tuple(challenges)
    for challenge in known:
        if challenge.scheme == "bearer" and challenge.parameters.get("realm"):
            return challenge
    return next((challenge for challenge in known if challenge.scheme == "basic"), None)


def _read(text: str) -> list[Challenge]:
    found: list[Challenge] = []
    parameters: dict[str, str] = {}
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:  # a comma, a space, or something that has no business here
            at += 1
            continue
        equals = _EQUALS.match(text, token.end())
        if equals is None:
            parameters = {}
            found.append(Challenge(token[0].lower(), parameters))
            at = token.end()
            continue
        value, at = _value(text, equals.end())
        name = token[0].lower()
        if name == "scope" and name in parameters:
            parameters[name] += f" {value}"
        else:
            parameters.setdefault(name, value)
    return found


def _value(text: str, at: int) -> tuple[str, int]:
    quoted = _QUOTED.match(text, at)
    if quoted is not None:
        return _ESCAPED.sub(r"\1", quoted[1]), quoted.end()
    bare = _BARE.match(text, at)
    assert bare is not None  # it matches the empty text, too
    # A stray quote in the middle of a bare value would never be stepped over otherwise.
    return bare[0], max(bare.end(), at)
