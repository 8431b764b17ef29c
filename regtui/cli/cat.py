"""`regtui cat`: the bytes of one file of an image, links followed inside of it, without pulling it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.common import add_common, add_signing_in, session_of
from regtui.cli.files import read_contents
from regtui.session import parse_image

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `cat`."""
    parser.add_argument("reference", metavar="REF", help="an image")
    parser.add_argument("path", metavar="PATH", help="a file in it")
    parser.add_argument("--platform", metavar="OS/ARCH[/VARIANT]", help="which platform of an index")
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Write the file's bytes to stdout; the exit code."""
    reference = parse_image(arguments.reference)
    session = session_of(arguments, reference.host)
    try:
        contents = await read_contents(session, reference, arguments.platform)
        files = session.image_files(contents)
        data = await files.read_whole(files.locate(arguments.path))
    finally:
        await session.close()
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return exits.DONE
