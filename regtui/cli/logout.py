"""`regtui logout`: forget a credential that `login` kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.common import add_common, session_of
from regtui.cli.output import say
from regtui.session import parse_target

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `logout`."""
    parser.add_argument("host", metavar="HOST", help="the registry")
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Forget a credential; the exit code."""
    host = parse_target(arguments.host).host
    session = session_of(arguments)
    try:
        was_there = await session.logout(host)
        left = (await session.credentials.find(host)).source if was_there else None
    finally:
        await session.close()
    if not was_there:
        say(f"regtui keeps no credential for {host}.")
        return exits.DONE
    say(f"Signed out of {host}.")
    if left and left != "anonymous":
        say(f"A credential from {left} is still used there.")
    return exits.DONE
