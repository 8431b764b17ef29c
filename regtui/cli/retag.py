"""`regtui retag`: the same bytes under another tag of the same repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.cli.changing import add_changing, carry_out, guarded
from regtui.session import parse_image

if TYPE_CHECKING:
    import argparse

    from regtui.session import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `retag`."""
    parser.add_argument("reference", metavar="REF", help="an image")
    parser.add_argument("tag", metavar="NEWTAG", help="the tag that it gets")
    parser.add_argument("--overwrite", action="store_true", help="move the tag when it exists")
    add_changing(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Plan, and after a confirmation retag; the exit code."""

    async def work(session: Session) -> int:
        from regtui.operations.gather import gather_image
        from regtui.operations.tagging import plan_retag
        from regtui.transport.errors import NotFound

        source = parse_image(arguments.reference)
        source.with_tag(arguments.tag)  # refuses what is no tag
        registry = await session.registry(source.host)
        digest = (await registry.manifest(source.path, source.locator)).digest
        try:
            now = {arguments.tag: (await registry.manifest(source.path, arguments.tag)).digest}
        except NotFound:
            now = {}
        graph = await gather_image(registry, session.reader, source.path, digest, tags=now)
        plan = plan_retag(
            graph,
            digest,
            arguments.tag,
            overwrite=arguments.overwrite,
            protection=session.settings.registry(source.host).protection,
            force_protected=arguments.force_protected,
        )
        return await carry_out(session, arguments, plan)

    return await guarded(arguments, work)
