"""`regtui extract`: a file or folder of an image onto this disk, safely, without pulling the image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, positive, session_of
from regtui.cli.files import layer_number, read_contents
from regtui.cli.output import print_json, say
from regtui.cli.progress import cleared, extract_progress
from regtui.session import parse_image
from regtui.ui.words import count_text, size_text

if TYPE_CHECKING:
    import argparse

    from regtui.contents.extract import Extracted

_NAMED: Final = 20
"""Paths that were left out and are named one by one."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `extract`."""
    parser.add_argument("reference", metavar="REF", help="an image")
    parser.add_argument("path", metavar="PATH", help="a file or folder in it; / is all of it")
    parser.add_argument(
        "destination", metavar="DEST", type=Path, help="a new file or folder; an existing folder takes it into itself"
    )
    parser.add_argument("--layer", type=positive, metavar="N", help="as it was after layer N (from 1)")
    parser.add_argument("--platform", metavar="OS/ARCH[/VARIANT]", help="which platform of an index")
    parser.add_argument(
        "--keep-special-bits", action="store_true", help="keep set-user-id, set-group-id and sticky bits"
    )
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Extract; the exit code. What is left out for safety is named on stderr."""
    reference = parse_image(arguments.reference)
    session = session_of(arguments, reference.host)
    try:
        contents = await read_contents(session, reference, arguments.platform)
        layer = layer_number(contents, arguments.layer)
        taking = session.image_files(contents)
        node = taking.locate(arguments.path, layer=layer)
        destination = destination_of(arguments.destination, arguments.path)
        with cleared():
            done = await taking.extract(
                node,
                destination,
                layer=layer,
                keep_special_bits=arguments.keep_special_bits,
                progress=extract_progress(),
            )
    finally:
        await session.close()
    if arguments.json:
        print_json(extracted_dict(done, destination))
    else:
        _tell(done, destination)
    return exits.DONE


def destination_of(given: Path, path: str) -> Path:
    """Where it goes: into an existing folder under its own name, else to the place named."""
    name = path.rstrip("/").rpartition("/")[2]
    return given / name if name and name not in {".", ".."} and given.is_dir() else given


def extracted_dict(done: Extracted, destination: Path) -> dict[str, object]:
    """The JSON of an extraction (docs/cli.md)."""
    return {
        "destination": str(destination),
        "files": done.files,
        "folders": done.folders,
        "links": done.links,
        "bytes": done.bytes,
        "skipped": [{"path": path, "reason": reason} for path, reason in done.skipped],
    }


def _tell(done: Extracted, destination: Path) -> None:
    parts = [f"{count_text(done.files)} files ({size_text(done.bytes)})"]
    parts += [f"{count_text(done.folders)} folders"] * bool(done.folders)
    parts += [f"{count_text(done.links)} links"] * bool(done.links)
    say(f"{', '.join(parts)} in {destination}")
    for path, reason in done.skipped[:_NAMED]:
        say(f"{path} is left out: {reason}")
    if len(done.skipped) > _NAMED:
        say(f"and {len(done.skipped) - _NAMED} more are left out.")
