"""`regtui [TARGET]`: the explorer."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.common import add_common, session_of
from regtui.cli.output import say
from regtui.session import parse_target

if TYPE_CHECKING:
    import argparse

    from regtui.session import Session, Target


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of the explorer."""
    parser.add_argument(
        "target",
        metavar="TARGET",
        nargs="?",
        help="host, host/repository, image reference, OCI layout folder, or image archive",
    )
    add_explorer(parser)
    add_common(parser)


def add_explorer(parser: argparse.ArgumentParser) -> None:
    """The options of every command that ends in the explorer."""
    allowed = parser.add_mutually_exclusive_group()
    allowed.add_argument("--write", action="store_true", help="allow changes in this run (each is shown and confirmed)")
    allowed.add_argument("--read-only", action="store_true", help="allow none in this run, whatever the settings say")
    parser.add_argument("--ssh", action="store_true", help="draw for a slow line: no animation, no mouse motion")


def run(arguments: argparse.Namespace) -> int:
    """Start the explorer; the exit code."""
    target = parse_target(arguments.target) if arguments.target else None
    return explore(session_of(arguments, target.host if target is not None else None), target, slow_line=arguments.ssh)


def explore(session: Session, target: Target | None, *, slow_line: bool) -> int:
    """Run the app over a session until the user leaves."""
    # In a browser the app talks to the web driver, which Textual is told of by this variable.
    if not sys.stdin.isatty() and not os.environ.get("TEXTUAL_DRIVER"):
        say("regtui: the explorer needs a terminal. For scripts there are commands: see regtui --help.")
        return exits.USAGE
    from regtui.ui.app import run_app

    return run_app(session, target, slow_line=slow_line)
