"""`regtui doctor`: what a registry can do, and what is broken or left over in a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, session_of
from regtui.cli.output import print_json, print_table
from regtui.registries.contract import Capability
from regtui.session import parse_target

if TYPE_CHECKING:
    import argparse

    from regtui.operations.doctor import Problem


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `doctor`."""
    parser.add_argument("target", metavar="HOST|REPOSITORY", help="a registry, or one of its repositories")
    add_json(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Look, by reads only; the exit code is 3 when there are problems."""
    from regtui.operations.doctor import examine, missing_subjects
    from regtui.operations.gather import gather

    target = parse_target(arguments.target)
    session = session_of(arguments)
    problems: tuple[Problem, ...] = ()
    unread: tuple[str, ...] = ()
    try:
        registry = await session.registry(target.host)
        if target.path is not None:
            graph = await gather(registry, session.reader, target.path)
            problems = examine(graph, await missing_subjects(registry, graph))
            unread = graph.problems
        support = await registry.capabilities()
    finally:
        await session.close()
    can = {str(c): {"available": support[c].available, "reason": support[c].reason} for c in Capability}
    if arguments.json:
        print_json({"capabilities": can, "problems": [_as_dict(p) for p in problems], "unread": list(unread)})
    else:
        words = {True: "yes", False: "no", None: "unknown"}
        print_table(
            ("capability", "there", "why"),
            [[str(c), words[support[c].available], support[c].reason] for c in Capability],
        )
        rows = [[p.kind, ", ".join(p.tags) or str(p.digest), p.says] for p in problems]
        print_table(("problem", "where", "what"), rows + [["not read", "", text] for text in unread])
    return exits.NEGATIVE if problems else exits.DONE


def _as_dict(problem: Problem) -> dict[str, Any]:
    return {
        "kind": problem.kind,
        "digest": problem.digest,
        "tags": list(problem.tags),
        "says": problem.says,
        "removable": problem.removable,
    }
