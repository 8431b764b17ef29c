"""`regtui copy`: an image with all its platforms to another repository or registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.cli.changing import add_changing, carry_out, guarded
from regtui.oci import Index, Platform
from regtui.operations.errors import OperationError
from regtui.session import parse_image

if TYPE_CHECKING:
    import argparse

    from regtui.oci import Reference
    from regtui.operations.tagging import Target
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
    parser.add_argument(
        "--platform", action="append", default=[], metavar="OS/ARCH", help="only this platform (may be repeated)"
    )
    parser.add_argument("--overwrite", action="store_true", help="move the target's tag when it exists")
    add_changing(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Plan, and after a confirmation copy; the exit code."""

    async def work(session: Session) -> int:
        from regtui.operations.gather import gather_image
        from regtui.operations.platforms import narrowed
        from regtui.operations.tagging import plan_copy

        source = parse_image(arguments.source)
        origin = await session.registry(source.host)
        top = await origin.manifest(source.path, source.locator)
        chosen = narrowed(top, tuple(Platform.parse(text) for text in arguments.platform))
        moved = source.tag if getattr(arguments, "move", False) else None
        if moved is not None and chosen != top.digest:
            raise OperationError("Only whole images are moved.", hint="Copy the platforms, then delete the tag.")
        digest = top.digest if isinstance(chosen, Index) else chosen
        graph = await gather_image(
            origin,
            session.reader,
            source.path,
            digest,
            tags={moved: top.digest} if moved is not None else None,
            attached=arguments.referrers,
        )
        plan = plan_copy(
            graph,
            digest,
            await _target(session, parse_image(arguments.target)),
            referrers=arguments.referrers,
            overwrite=arguments.overwrite,
            force_protected=arguments.force_protected,
            move=moved,
            made=chosen if isinstance(chosen, Index) else None,
        )
        return await carry_out(session, arguments, plan)

    return await guarded(arguments, work)


async def _target(session: Session, goal: Reference) -> Target:
    """Where it goes, and what stands there now with all below it."""
    from regtui.operations.gather import gather_image
    from regtui.operations.plan import Place
    from regtui.operations.tagging import Target
    from regtui.transport.errors import NotFound

    there = await session.registry(goal.host)
    tag = goal.tag or "latest"
    protection = session.settings.registry(goal.host).protection(tag)
    try:
        now = (await there.manifest(goal.path, tag)).digest
    except NotFound:
        return Target(Place(goal.host, goal.path), tag, None, protection)
    held = (await gather_image(there, session.reader, goal.path, now)).below([now])
    return Target(Place(goal.host, goal.path), tag, now, protection, held)
