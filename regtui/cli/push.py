"""`regtui push`: an image from a layout folder or an archive to a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.cli import copy
from regtui.oci.errors import InvalidReference
from regtui.session import parse_target

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `push`."""
    parser.add_argument("source", metavar="SRC", help="an image in a layout folder or an archive")
    parser.add_argument("target", metavar="REF", help="where it goes")
    copy.configure_copying(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Plan, and after a confirmation push; the exit code. Raises InvalidReference when the source is not local."""
    if not parse_target(arguments.source).is_local:
        raise InvalidReference(f"{arguments.source[:200]!a} is not on this disk.", hint="Use `regtui copy`.")
    return await copy.run(arguments)
