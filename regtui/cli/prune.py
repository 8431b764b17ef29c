"""`regtui prune`: retention rules, planned on the real list, run, or printed as a vendor's own rule."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.changing import add_changing, carry_out, guarded
from regtui.cli.common import positive
from regtui.cli.output import say
from regtui.session import parse_repository
from regtui.ui.quantities import age

if TYPE_CHECKING:
    import argparse

    from regtui.registries.contract import TagSummary
    from regtui.session import Session, Target


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `prune`."""
    parser.add_argument("repository", metavar="REPOSITORY", help="host/path of a repository")
    parser.add_argument("--keep-last", type=positive, metavar="N", help="keep the newest N of the matching tags")
    parser.add_argument("--older-than", type=age, metavar="AGE", help="only tags older than 12h, 30d or 8w")
    parser.add_argument("--not-pulled-for", type=age, metavar="AGE", help="only tags whose last pull is older")
    parser.add_argument("--match", action="append", default=[], metavar="GLOB", help="only tags that match")
    parser.add_argument("--keep", action="append", default=[], metavar="GLOB", help="never tags that match")
    parser.add_argument("--untagged", action="store_true", help="also manifests without a tag that nothing needs")
    parser.add_argument("--export", choices=("acr", "ecr"), help="print the vendor's own rule and ask no registry")
    add_changing(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Plan, and after a confirmation delete; the exit code."""
    from regtui.operations.retention import Rules, export_acr, export_ecr, select

    target = parse_repository(arguments.repository)
    rules = Rules(
        arguments.keep_last,
        arguments.older_than,
        tuple(arguments.match),
        tuple(arguments.keep),
        arguments.not_pulled_for,
    )
    if arguments.export:
        made = export_ecr(rules) if arguments.export == "ecr" else export_acr(rules, target.path or "")
        sys.stdout.write(made + "\n")
        return exits.DONE

    async def work(session: Session) -> int:
        from regtui.operations.deleting import Selection, plan_delete
        from regtui.operations.gather import gather

        registry = await session.registry(target.host)
        repository = target.path or ""
        chosen: tuple[str, ...] = ()
        if not (arguments.untagged and rules.takes_nothing):
            chosen = select(rules, await _tags(session, target), datetime.now(UTC))
        graph = await gather(registry, session.reader, repository)
        untagged = graph.orphans() if arguments.untagged else ()
        plan = plan_delete(
            graph,
            Selection(chosen, untagged),
            manifests=True,
            protection=session.settings.registry(target.host).protection,
            force_protected=arguments.force_protected,
            kind="prune",
        )
        return await carry_out(session, arguments, plan)

    return await guarded(arguments, work)


async def _tags(session: Session, target: Target) -> list[TagSummary]:
    """Every tag with its details; one that can't be read stays, and is said."""
    registry = await session.registry(target.host)
    path = target.path or ""
    listed = [tag async for page in registry.tags(path) for tag in page.items]
    found = []
    async for detail in session.tag_details(target.host, path, listed):
        found.append(detail.tag)
        if detail.error is not None:
            say(f"{detail.tag.name} could not be read: {detail.error}")
    return found
