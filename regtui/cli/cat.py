"""`regtui cat`: the bytes of one file of an image, links followed inside of it, without pulling it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from regtui.cli import exits
from regtui.cli.common import add_common, add_signing_in, session_of
from regtui.cli.files import read_contents
from regtui.contents.errors import NotInImage, NotReadable
from regtui.contents.links import content_of, resolve
from regtui.contents.read import read_file_async
from regtui.session import parse_image

if TYPE_CHECKING:
    import argparse

    from regtui.session import Session
    from regtui.session.contents import ImageContents

LARGEST: Final = 256 << 20
"""Bytes of one file that `cat` reads at most: it is held in memory."""


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
        data = await read_file(session, contents, arguments.path)
    finally:
        await session.close()
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return exits.DONE


async def read_file(session: Session, contents: ImageContents, path: str) -> bytes:
    """The bytes of one file, read by Range. Raises NotInImage, NotReadable, RegistryError."""
    tree, image = contents.tree, contents.image
    node = resolve(tree, b"/" + path.encode("utf-8", "surrogateescape").lstrip(b"/"))
    if node is None:
        raise NotInImage(f"{path!a} is not in this image.", hint="regtui files lists what is.")
    found = content_of(tree, node)
    index = tree.index(found.layer)
    size = index.columns.size[found.row]
    if size > LARGEST:
        raise NotReadable(f"{path!a} has {size:,} bytes; {LARGEST:,} are read at most.")
    assert image.manifest is not None
    layer = image.manifest.layers[found.layer]
    registry = await session.registry(image.reference.host)

    async def fetch(start: int, end: int) -> bytes:
        return await registry.blob_range(image.reference.path, layer, start, end)

    return (await read_file_async(index, found.row, fetch, most=LARGEST)).data
