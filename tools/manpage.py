"""Writes docs/man/regtui.1 from the parsers: `uv run python tools/manpage.py`. A test tells when it is old."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from regtui.cli.main import COMMANDS

TARGET = Path(__file__).resolve().parents[1] / "docs" / "man" / "regtui.1"

HEAD = r""".\" Made by tools/manpage.py from the program's own parsers.
.TH REGTUI 1 "" "regtui" "User commands"
.SH NAME
regtui \- explore container registries from a terminal
.SH SYNOPSIS
.B regtui
.RI [ TARGET ]
.br
.B regtui
.I COMMAND
.RI [ OPTION ]...
.SH DESCRIPTION
Without a command regtui opens the explorer at TARGET: a host, a repository (host/path), an image reference, an OCI
layout folder, or an image archive. Nothing is changed anywhere unless the settings or \-\-write allow it, and every
change is shown, confirmed and written to a journal first.
"""
TAIL = r""".SH EXIT STATUS
.TP
.B 0
Done.
.TP
.B 1
An error from the registry or the network; one sentence on standard error.
.TP
.B 2
Wrong usage.
.TP
.B 3
The verdict is negative: not verified, a threshold reached, problems found.
.TP
.B 4
Refused for safety: protected, read-only, not confirmed.
.TP
.B 130
Interrupted.
.SH ENVIRONMENT
.TP
.B REGTUI_CONFIG
The settings file to use.
.TP
.BR REGTUI_USERNAME ", " REGTUI_PASSWORD
A credential for the host that the command line names, or for REGTUI_REGISTRY.
.TP
.B NO_COLOR
Draw without colours.
.SH FILES
.TP
.I $XDG_CONFIG_HOME/regtui/settings.toml
The settings; \fBregtui config \-\-init\fR writes a commented one.
.TP
.I $XDG_CONFIG_HOME/regtui/themes/
Themes of your own.
.TP
.I $XDG_STATE_HOME/regtui/
The journal that undo reads.
"""


def page() -> str:
    """The whole manual page in roff."""
    parts = [HEAD, ".SH OPTIONS\n", *_options("explore"), ".SH COMMANDS\n"]
    for name, text in COMMANDS.items():
        parts += [f".SS regtui {_plain(name)}\n", _plain(text[0].upper() + text[1:] + ".") + "\n", *_options(name)]
    return "".join([*parts, TAIL])


def _options(name: str) -> list[str]:
    parser = argparse.ArgumentParser(prog=name)
    import_module(f"regtui.cli.{name}").configure(parser)
    found = []
    for action in parser._actions:
        if action.dest == "help":
            continue
        value = action.metavar or action.dest.upper()
        value = " ".join(value) if isinstance(value, tuple) else value
        told = ", ".join(action.option_strings)
        if not told:
            told = value
        elif action.nargs != 0:
            told += f" {value}"
        help_text = (action.help or "").replace("%(default)s", str(action.default))
        found.append(f".TP\n.B {_plain(told)}\n{_plain(help_text)}\n")
    return found


def _plain(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("%%", "%")
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")
