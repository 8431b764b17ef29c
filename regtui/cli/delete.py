"""`regtui delete`: remove tags, or manifests with everything that only they need."""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from regtui.cli.changing import add_changing, carry_out, guarded
from regtui.oci.errors import InvalidReference
from regtui.session import parse_target

if TYPE_CHECKING:
    from regtui.session import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `delete`."""
    parser.add_argument("references", nargs="+", metavar="REF", help="images, or a repository with --match")
    parser.add_argument("--match", metavar="GLOB", help="every tag of the repository that matches")
    parser.add_argument(
        "--digest", action="store_true", help="delete the manifests, too, where nothing else needs them"
    )
    parser.add_argument(
        "--trash",
        action=argparse.BooleanOptionalAction,
        help="keep each tag as trash-DATE-TAG instead of losing it (default: as the settings say)",
    )
    add_changing(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Plan, and after a confirmation delete; the exit code."""

    async def work(session: Session) -> int:
        from datetime import UTC, datetime

        from regtui.operations.deleting import Selection, plan_delete, plan_trash
        from regtui.operations.gather import gather

        host, path, locators = _selected(arguments.references, arguments.match)
        registry = await session.registry(host)
        graph = await gather(registry, session.reader, path, of=None if arguments.match else locators)
        if arguments.match:
            locators = [tag for tag in graph.tags if fnmatchcase(tag, arguments.match)]
        settings = session.settings.registry(host)
        protection = settings.protection
        force = arguments.force_protected
        selection = Selection.of(locators)
        if arguments.trash or (arguments.trash is None and settings.trash and not arguments.digest):
            day = datetime.now(UTC).strftime("%Y%m%d")
            plan = plan_trash(graph, selection, day, protection=protection, force_protected=force)
        else:
            plan = plan_delete(
                graph, selection, manifests=arguments.digest, protection=protection, force_protected=force
            )
        return await carry_out(session, arguments, plan)

    return await guarded(arguments, work)


def _selected(texts: list[str], match: str | None) -> tuple[str, str, list[str]]:
    """(host, repository, tags and digests). Raises InvalidReference unless all are in one repository."""
    targets = [parse_target(text) for text in texts]
    places = {(target.host, target.path) for target in targets}
    if len(places) != 1 or targets[0].path is None:
        raise InvalidReference("Name images of one repository.", hint="Delete in one repository after the other.")
    if match is not None:
        if len(targets) > 1 or targets[0].is_image:
            raise InvalidReference("--match goes with one repository.", hint="Leave the tag out.")
        return targets[0].host, targets[0].path, []
    if not all(target.is_image for target in targets):
        raise InvalidReference("A repository is not deleted as a whole.", hint="Name tags, or add --match GLOB.")
    return targets[0].host, targets[0].path, [target.digest or target.tag or "" for target in targets]
