"""`regtui pull`: an image to an OCI layout folder, an OCI archive or a docker archive on this disk."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.changing import guarded
from regtui.cli.common import add_common, add_json
from regtui.cli.output import print_json, say
from regtui.oci import Platform
from regtui.session import own_platform, parse_image
from regtui.storage.journal import Journal
from regtui.ui.words import size_text

if TYPE_CHECKING:
    import argparse

    from regtui.operations.work import Progress
    from regtui.session import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pull`."""
    parser.add_argument("reference", metavar="REF", help="an image")
    parser.add_argument(
        "destination", metavar="DEST", help="a folder, or a file that ends in .tar (also oci:, docker-archive: PATH)"
    )
    parser.add_argument(
        "--format",
        choices=("layout", "oci-archive", "docker-archive"),
        help="what to write (default: an OCI layout, or an OCI archive for *.tar); docker load takes docker-archive",
    )
    parser.add_argument(
        "--platform", action="append", default=[], metavar="OS/ARCH", help="only this platform (may be repeated)"
    )
    parser.add_argument("--tag", metavar="TAG", help="its tag there (default: the tag of REF)")
    parser.add_argument("--referrers", action="store_true", help="take signatures and attestations along")
    parser.add_argument("--overwrite", action="store_true", help="replace the tag or the file that is there")
    parser.add_argument("--dry-run", action="store_true", help="print what would be fetched and write nothing")
    add_json(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Pull; the exit code. What an interrupted pull left is taken up again."""
    from regtui.operations.plan_json import to_json
    from regtui.operations.pulling import Destination, Form, Puller, plan_pull

    async def work(session: Session) -> int:
        reference = parse_image(arguments.reference)
        destination = Destination.of(arguments.destination, Form(arguments.format) if arguments.format else None)
        registry = await session.registry(reference.host)
        pull = await plan_pull(
            registry,
            session.reader,
            reference,
            destination,
            platforms=tuple(Platform.parse(text) for text in arguments.platform),
            own_platform=own_platform(),
            referrers=arguments.referrers,
            tag=arguments.tag,
            overwrite=arguments.overwrite,
        )
        if arguments.dry_run:
            print_json(to_json(pull.plan))
            return exits.DONE
        puller = Puller(session.registry, session.reader, Journal(), progress=_progress)
        pulled = await puller.run(pull)
        if arguments.json:
            print_json(
                {
                    "digest": pulled.digest,
                    "path": str(pulled.path),
                    "bytes": pulled.bytes,
                    "mounted": 0,
                    "skipped": pulled.skipped,
                    "journal": pulled.entry,
                }
            )
        else:
            say(f"{pulled.path} has {reference} ({pulled.digest}): {size_text(pulled.bytes)} fetched.")
        return exits.DONE

    return await guarded(arguments, work)


def _progress(progress: Progress) -> None:
    blob = progress.blob
    if blob is not None and sys.stderr.isatty() and blob.state != "packing":
        end = "\n" if blob.copied == blob.size else "\r"
        sys.stderr.write(f"{blob.digest.short} {blob.state} {size_text(blob.copied)} of {size_text(blob.size)}{end}")
