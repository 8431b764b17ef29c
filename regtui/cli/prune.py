"""`regtui prune`: retention rules, planned on the real list, run, or printed as a vendor's own rule."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from regtui.cli import exits
from regtui.cli.changing import add_changing, carry_out, guarded
from regtui.cli.common import positive
from regtui.cli.pruning import collect, preview, read_tags
from regtui.session import parse_repository
from regtui.ui.quantities import age, size

if TYPE_CHECKING:
    import argparse

    from regtui.operations.plan import Plan
    from regtui.operations.retention import Rules
    from regtui.session import Session, Target

EXPORTED: Final = ("acr", "ecr", "gitlab", "harbor")


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `prune`."""
    parser.add_argument("repository", metavar="REPOSITORY", help="host/path of a repository")
    parser.add_argument("--keep-last", type=positive, metavar="N", help="keep the newest N of the matching tags")
    parser.add_argument("--older-than", type=age, metavar="AGE", help="only tags older than 12h, 30d or 8w")
    parser.add_argument("--not-pulled-for", type=age, metavar="AGE", help="only tags whose last pull is older")
    parser.add_argument("--match", action="append", default=[], metavar="GLOB", help="only tags that match (~ REGEX)")
    parser.add_argument("--keep", action="append", default=[], metavar="GLOB", help="never tags that match (~ REGEX)")
    parser.add_argument(
        "--by-version", action="store_true", help="the newest are those of the greatest semantic version"
    )
    parser.add_argument("--prereleases", action="store_true", help="only versions such as 1.2.0-rc.1")
    parser.add_argument("--below-version", metavar="VERSION", help="only versions lower than this one")
    parser.add_argument("--larger-than", type=size, metavar="SIZE", help="only images larger than 500MB (compressed)")
    parser.add_argument("--unsigned", action="store_true", help="only images without a signature")
    parser.add_argument(
        "--platform", action="append", default=[], metavar="OS/ARCH", help="only images for no other platform"
    )
    parser.add_argument("--untagged", action="store_true", help="also manifests without a tag that nothing needs")
    parser.add_argument(
        "--trash", type=age, metavar="AGE", help="purge the recycle bin of what is older (trash-… tags)"
    )
    parser.add_argument("--export", choices=EXPORTED, help="print the vendor's own rule and ask no registry")
    parser.add_argument(
        "--vendor-rule", action="store_true", help="tell what the registry's own rules will remove; nothing is changed"
    )
    parser.add_argument(
        "--garbage", action="store_true", help="remove the blobs of a layout folder that nothing in it leads to"
    )
    add_changing(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Plan, and after a confirmation delete; the exit code."""
    target = parse_repository(arguments.repository)
    rules = _rules(arguments)
    if arguments.export:
        from regtui.operations.retention_export import EXPORTS

        sys.stdout.write(EXPORTS[arguments.export](rules, target.path or "") + "\n")
        return exits.DONE

    async def work(session: Session) -> int:
        if arguments.vendor_rule:
            return await preview(session, target, arguments)
        if arguments.garbage:
            return await collect(session, target, arguments)
        plan = await _plan(session, target, rules, arguments)
        return await carry_out(session, arguments, plan)

    return await guarded(arguments, work)


def _rules(arguments: argparse.Namespace) -> Rules:
    from regtui.oci import Platform
    from regtui.operations.retention import Rules

    return Rules(
        arguments.keep_last,
        arguments.older_than,
        tuple(arguments.match),
        tuple(arguments.keep),
        arguments.not_pulled_for,
        arguments.larger_than,
        arguments.by_version,
        arguments.prereleases,
        arguments.below_version,
        arguments.unsigned,
        tuple(Platform.parse(text) for text in arguments.platform),
    )


async def _plan(session: Session, target: Target, rules: Rules, arguments: argparse.Namespace) -> Plan:
    from regtui.operations.deleting import Selection, plan_delete
    from regtui.operations.gather import gather
    from regtui.operations.retention import expired_trash, select, with_signatures

    registry = await session.registry(target.host)
    now = datetime.now(UTC)
    graph = await gather(registry, session.reader, target.path or "")
    chosen: tuple[str, ...] = ()
    if not ((arguments.untagged or arguments.trash is not None) and rules.takes_nothing):
        tags = await read_tags(session, target)
        chosen = select(rules, with_signatures(tags, graph) if rules.unsigned else tags, now)
    if arguments.trash is not None:
        chosen = (*chosen, *expired_trash(graph.tags, arguments.trash, now))
    return plan_delete(
        graph,
        Selection(tuple(dict.fromkeys(chosen)), graph.orphans() if arguments.untagged else ()),
        manifests=True,
        protection=session.settings.registry(target.host).protection,
        force_protected=arguments.force_protected,
        kind="prune",
    )
