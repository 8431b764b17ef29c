"""`regtui apply`: run a plan that `--dry-run --json` printed, once it was held against the registry anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from regtui.cli.changing import add_changing, carry_out, guarded
from regtui.storage.journal import Journal

if TYPE_CHECKING:
    import argparse

    from regtui.session import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `apply`."""
    parser.add_argument("plan", type=Path, nargs="?", metavar="FILE", help="a plan as JSON")
    parser.add_argument("--resume", metavar="ENTRY", help="finish the run of this journal entry instead")
    add_changing(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Run a plan from a file; the exit code."""
    from regtui.operations.errors import InvalidPlan
    from regtui.operations.plan_file import read_plan
    from regtui.operations.rechecking import recheck

    if (arguments.plan is None) == (arguments.resume is None):
        raise InvalidPlan("Name a plan's file, or a journal entry with --resume.", hint="`regtui undo --list` tells.")
    if arguments.resume is not None:
        return await guarded(arguments, lambda session: _resume(session, arguments))
    plan = read_plan(arguments.plan)

    async def work(session: Session) -> int:
        checked = await recheck(
            plan,
            session.registry,
            session.reader,
            lambda place, tag: session.settings.registry(place.host).protection(tag),
            force_protected=arguments.force_protected,
        )
        return await carry_out(session, arguments, checked)

    return await guarded(arguments, work)


async def _resume(session: Session, arguments: argparse.Namespace) -> int:
    """What an interrupted run did not come to; every step looks first what is so already."""
    from regtui.operations.record import read_record

    record = read_record(Journal(), arguments.resume)
    return await carry_out(session, arguments, record.plan, resume=arguments.resume)
