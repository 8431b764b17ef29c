"""`regtui doctor`: what a registry can do, and what is broken or left over in a repository."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from regtui.cli import exits
from regtui.cli.changing import add_changing, carry_out, guarded
from regtui.cli.output import print_json, print_table, say
from regtui.oci.errors import InvalidReference
from regtui.registries.contract import Capabilities, Capability
from regtui.session import parse_target
from regtui.session.signing_in import sign_in_of

if TYPE_CHECKING:
    import argparse

    from regtui.operations.doctor import Problem
    from regtui.registries.contract import Registry
    from regtui.session import Session, Target


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `doctor`."""
    parser.add_argument("target", metavar="HOST|REPOSITORY", help="a registry, or one of its repositories")
    parser.add_argument("--repair", action="store_true", help="plan the removal of what is left over in a repository")
    add_changing(parser, protected=False)


async def run(arguments: argparse.Namespace) -> int:
    """Look, by reads only, and with --repair plan what can be mended; the exit code is 3 when there are problems."""
    target = parse_target(arguments.target)

    async def work(session: Session) -> int:
        if arguments.repair:
            return await _repair(session, target, arguments)
        return await _look(session, target, arguments)

    return await guarded(arguments, work)


async def _look(session: Session, target: Target, arguments: argparse.Namespace) -> int:
    from regtui.operations.doctor import examine, missing_subjects
    from regtui.operations.gather import gather

    problems: tuple[Problem, ...] = ()
    unread: tuple[str, ...] = ()
    sign_in = await sign_in_of(session, target.host)
    support = Capabilities()
    if sign_in.works:
        registry = await session.registry(target.host)
        if target.path is not None:
            graph = await gather(registry, session.reader, target.path)
            problems = examine(graph, await missing_subjects(registry, graph))
            unread = graph.problems
        support = await registry.capabilities()
        if target.path is None and support.has(Capability.LIST_REPOSITORIES):
            problems, unread = await _empty(registry)
    can = {str(c): {"available": support[c].available, "reason": support[c].reason} for c in Capability}
    if arguments.json:
        print_json(
            {
                "sign_in": asdict(sign_in),
                "capabilities": can if sign_in.works else {},
                "problems": [_as_dict(p) for p in problems],
                "unread": list(unread),
            }
        )
    else:
        for line in sign_in.lines(target.host):
            say(line)
        if sign_in.works:
            words = {True: "yes", False: "no", None: "unknown"}
            print_table(
                ("capability", "there", "why"),
                [[str(c), words[support[c].available], support[c].reason] for c in Capability],
            )
            rows = [[p.kind, ", ".join(p.tags) or str(p.digest or target), p.says] for p in problems]
            print_table(("problem", "where", "what"), rows + [["not read", "", text] for text in unread])
    if not sign_in.works:
        return exits.FAILED
    return exits.NEGATIVE if problems else exits.DONE


async def _empty(registry: Registry) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    from regtui.operations.doctor import Problem, empty_repositories

    empty, is_all = await empty_repositories(registry)
    found = tuple(Problem("empty repository", f"{path} has no tags", None, (), removable=False) for path in empty)
    return found, () if is_all else ("Not every repository was looked into.",)


async def _repair(session: Session, target: Target, arguments: argparse.Namespace) -> int:
    from regtui.operations.doctor import examine, missing_subjects, plan_repair
    from regtui.operations.gather import gather

    if target.path is None:
        raise InvalidReference(f"{target.host} is a registry.", hint="Name the repository that is to be repaired.")
    registry = await session.registry(target.host)
    graph = await gather(registry, session.reader, target.path)
    problems = examine(graph, await missing_subjects(registry, graph))
    protection = session.settings.registry(target.host).protection
    return await carry_out(session, arguments, plan_repair(graph, problems, protection=protection))


def _as_dict(problem: Problem) -> dict[str, Any]:
    return {
        "kind": problem.kind,
        "digest": problem.digest,
        "tags": list(problem.tags),
        "says": problem.says,
        "removable": problem.removable,
    }
