"""`regtui copy`: an image with all its platforms to another repository or registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.cli.changing import add_changing, carry_out, guarded
from regtui.session import parse_image

if TYPE_CHECKING:
    import argparse

    from regtui.session import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `copy`."""
    parser.add_argument("source", metavar="REF", help="an image, in a registry, a layout or an archive")
    parser.add_argument("target", metavar="REF", help="where it goes")
    configure_copying(parser)
    parser.add_argument("--move", action="store_true", help="remove the tag at the source once all is there")


def configure_copying(parser: argparse.ArgumentParser) -> None:
    """The options that `push` has, too."""
    parser.add_argument("--referrers", action="store_true", help="take signatures and attestations along")
    parser.add_argument("--overwrite", action="store_true", help="move the target's tag when it exists")
    add_changing(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Plan, and after a confirmation copy; the exit code."""

    async def work(session: Session) -> int:
        from regtui.operations.gather import gather
        from regtui.operations.plan import Place
        from regtui.operations.tagging import Target, plan_copy
        from regtui.transport.errors import NotFound

        source, goal = parse_image(arguments.source), parse_image(arguments.target)
        origin, there = await session.registry(source.host), await session.registry(goal.host)
        digest = (await origin.manifest(source.path, source.locator)).digest
        graph = await gather(origin, session.reader, source.path, of=(digest,))
        place, tag = Place(goal.host, goal.path), goal.tag or "latest"
        try:
            now = (await there.manifest(goal.path, tag)).digest
            held = (await gather(there, session.reader, goal.path, of=(tag,))).below([now])
        except NotFound:
            now, held = None, ()
        target = Target(place, tag, now, session.settings.registry(goal.host).protection(tag), held)
        plan = plan_copy(
            graph,
            digest,
            target,
            referrers=arguments.referrers,
            overwrite=arguments.overwrite,
            force_protected=arguments.force_protected,
            move=source.tag if getattr(arguments, "move", False) else None,
        )
        return await carry_out(session, arguments, plan)

    return await guarded(arguments, work)
