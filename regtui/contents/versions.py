"""Which of two package versions is later, by the rules of deb-version(7), which serve rpm and apk as well."""

from __future__ import annotations

import re
from typing import Final

_PARTS: Final = re.compile(r"(\D*)(\d*)", re.ASCII)
_PRE: Final = re.compile(r"(?<=\d)[._-]?(a|b|rc|dev)(?=\d)", re.ASCII)
_END: Final = 0


def version_key(
    version: str, manager: str = "dpkg"
) -> tuple[int, list[tuple[list[int], int]], list[tuple[list[int], int]]]:
    """A key that sorts versions: epoch, then upstream version, then revision.

    Pre-releases of languages (`1.0rc1`, `1.0.0-beta`) sort before their release, as `~` does in Debian.
    """
    text = version[:256]
    if manager == "python":
        text = _PRE.sub(lambda found: "~~dev" if found[1] == "dev" else f"~{found[1]}", text)
    elif manager in {"npm", "go"}:
        text = text.partition("+")[0].removeprefix("v").replace("-", "~")
    epoch, colon, rest = text.partition(":")
    if not colon or not epoch.isascii() or not epoch.isdigit():
        epoch, rest = "0", text
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    return int(epoch), _key(upstream), _key(revision)


def _key(text: str) -> list[tuple[list[int], int]]:
    """Text and numbers in turn: `~` before the end, the end before letters, letters before anything else."""
    return [
        ([*map(_weight, letters), _END], int(digits or 0))
        for letters, digits in _PARTS.findall(text)
        if letters or digits
    ] + [([_END], 0)]


def _weight(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 0x110000
