"""What the commands that change something share: show the plan, confirm it, run it, tell what came of it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, session_of
from regtui.cli.output import print_json, print_table, say, says_yes
from regtui.operations.confirming import confirm, confirmation_of
from regtui.operations.errors import Refused
from regtui.operations.executor import Executor
from regtui.operations.plan_json import to_json
from regtui.session.targets import parse_target
from regtui.storage.journal import Journal
from regtui.ui.words import UNKNOWN, size_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable

    from regtui.oci import Digest, ImageManifest, Index
    from regtui.operations.executor import Run
    from regtui.operations.plan import Plan
    from regtui.operations.work import Progress
    from regtui.session import Session


def add_changing(parser: argparse.ArgumentParser, *, protected: bool = True) -> None:
    """The options of every command that changes a registry."""
    parser.add_argument("--dry-run", action="store_true", help="print the plan and change nothing")
    parser.add_argument("--yes", action="store_true", help="run the plan without asking")
    parser.add_argument("--write", action="store_true", help="allow changes where the settings do not say writable")
    if protected:
        parser.add_argument("--force-protected", action="store_true", help="change protected tags, too")
    add_json(parser)
    add_common(parser)


async def guarded(arguments: argparse.Namespace, work: Callable[[Session], Awaitable[int]]) -> int:
    """Run a command's work with a session; what is refused for safety has an exit code of its own."""
    session = session_of(arguments, only_host(arguments))
    try:
        return await work(session)
    except Refused as error:
        say(f"regtui: {error}")
        return exits.REFUSED
    finally:
        await session.close()


def only_host(arguments: argparse.Namespace) -> str | None:
    """The one registry that the command line names, None for several: the environment's credential is for it."""
    named: list[str] = []
    for name in ("references", "reference", "repository", "source", "target"):
        value = getattr(arguments, name, None) or ()
        named += [value] if isinstance(value, str) else value
    places = [parse_target(text) for text in named]
    hosts = {place.host for place in places if not place.is_local}
    return hosts.pop() if len(hosts) == 1 else None


async def carry_out(
    session: Session,
    arguments: argparse.Namespace,
    plan: Plan,
    *,
    manifests: dict[Digest, ImageManifest | Index] | None = None,
    resume: str | None = None,
) -> int:
    """Show the plan, and unless it is a dry run, confirm and run it; `resume` is a journal entry to finish.

    Raises Refused.
    """
    refused = [item for item in plan.protected if not item.forced]
    if arguments.dry_run or not plan.steps:
        _show(plan, arguments)
        return exits.REFUSED if refused and not plan.steps else exits.DONE
    if not arguments.json:
        _show(plan, arguments)

    def production(host: str) -> bool:
        return session.settings.registry(host).production

    phrase = None if arguments.yes else await asyncio.to_thread(_ask, plan, production)
    confirmed = confirm(plan, writable=session.writable, production=production, phrase=phrase, yes=arguments.yes)
    executor = Executor(session.registry, session.reader, Journal(), progress=_progress)
    if resume is not None:
        run = await executor.resume(resume, confirmed)
    else:
        run = await executor.run(confirmed, manifests=manifests)
    for place in plan.places:
        session.refresh(place.host, place.repository)
    _tell(run, arguments)
    if refused:
        return exits.REFUSED
    return exits.DONE if all(result.stands for result in run.results) else exits.FAILED


def with_results(run: Run) -> dict[str, Any]:
    """The plan's JSON with a result beside each step, and the journal's entry."""
    made = to_json(run.plan)
    made["results"] = [{"outcome": r.outcome, "says": r.says} for r in run.results]
    made["journal"] = run.entry
    made["state"] = run.state
    return made


def _ask(plan: Plan, production: Callable[[str], bool]) -> str | None:
    if not sys.stdin.isatty():
        return None
    wanted = confirmation_of(plan, production=production)
    if wanted.phrase is None:
        return "yes" if says_yes("Run this plan?") else None
    say(f"Type {wanted.phrase} to run this plan: {', and '.join(wanted.reasons)}.")
    return sys.stdin.readline().strip()


def _show(plan: Plan, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print_json(to_json(plan))
        return
    if plan.steps:
        print_table(
            ("step", "action", "reference", "digest", "takes"),
            [
                [str(n), str(s.action), str(s.reference), s.digest.short, ", ".join(s.takes)]
                for n, s in enumerate(plan.steps, 1)
            ],
        )
    else:
        say("Nothing to do.")
    for item in plan.affected:
        say(f"{item.reference}: {item.what}")
    for guard in plan.protected:
        say(f"{guard.tag} {guard.why}{'' if guard.forced else ': it is left alone'}")
    for text in plan.warnings:
        say(text)
    if plan.kind in {"delete", "prune"}:
        freed = UNKNOWN if plan.frees_bytes is None else size_text(plan.frees_bytes)
        say(f"Becomes garbage: {freed}. It can be undone {plan.reversible_until}.")
    for text in plan.afterwards:
        say(text)


def _progress(progress: Progress) -> None:
    if progress.step is not None and sys.stderr.isatty():
        say(f"{progress.done}/{progress.total} {progress.step.action} {progress.step.reference}")


def _tell(run: Run, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print_json(with_results(run))
        return
    for step, result in zip(run.plan.steps, run.results, strict=True):
        if result.outcome != "done":
            say(f"{step.reference}: {result.outcome}: {result.says}")
    done = sum(result.outcome == "done" for result in run.results)
    say(f"{done} of {len(run.results)} steps done. `regtui undo {run.entry}` puts it back.")
