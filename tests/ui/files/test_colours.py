"""Colours of files: only where it is safe, and never a character more or less."""

from __future__ import annotations

import pytest

from regtui.ui.files import colours
from regtui.ui.files.colours import coloured, language_of


@pytest.mark.parametrize(
    ("path", "first", "language"),
    [
        ("/a/b.py", "", "python"),
        ("/etc/os-release", "", "bash"),
        ("/x/Dockerfile", "", "docker"),
        ("/usr/bin/tool", "#!/usr/bin/env python3", "python"),
        ("/usr/bin/tool", "#!/bin/sh -e", "bash"),
        ("/usr/bin/tool", "#!/opt/odd", None),
        ("/README", "hello", None),
    ],
)
def test_the_language_is_known_by_name_or_interpreter(path: str, first: str, language: str | None) -> None:
    assert language_of(path, first) == language


@pytest.mark.parametrize("name", sorted({*colours._BY_SUFFIX.values(), *colours._BY_NAME.values()}))
def test_every_language_has_a_lexer_that_loses_nothing(name: str) -> None:
    suffix = next((key for key, value in colours._BY_SUFFIX.items() if value == name), None)
    path = f"/x.{suffix}" if suffix else next(f"/{key}" for key, value in colours._BY_NAME.items() if value == name)
    lines = ["", "# a comment", 'key = "value"  ', "", "if [ 1 -gt 2 ]; then { <b>x</b> } fi", "", ""]
    pieces = coloured(path, lines)
    assert pieces is not None
    assert ["".join(text for text, _ in line) for line in pieces] == lines


def test_python_gets_tones() -> None:
    pieces = coloured("/x.py", ["def f():  # why", "    return 'text'"])
    assert pieces is not None
    tones = {text.strip(): tone for line in pieces for text, tone in line}
    assert tones["def"] == "accent"
    assert tones["# why"] == "dim"


def test_what_is_long_stays_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    assert coloured("/x.py", ["x" * (colours.LONGEST_LINE + 1)]) is None
    assert coloured("/x.py", ["x = 1"] * (colours.MOST_CHARACTERS // 4)) is None
    monkeypatch.setattr(colours, "SECONDS", -1.0)
    assert coloured("/x.py", ["x = 1"]) is None
