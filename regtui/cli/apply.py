"""`regtui apply`: run a plan that `--dry-run --json` printed, or finish a run that was interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from regtui.cli.changing import add_changing, carry_out, guarded

if TYPE_CHECKING:
    import argparse

    from regtui.session import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `apply`."""
    parser.add_argument("plan", type=Path, metavar="FILE", help="a plan as JSON")
    add_changing(parser, protected=False)


async def run(arguments: argparse.Namespace) -> int:
    """Run a plan from a file; the exit code."""
    from regtui.operations.errors import InvalidPlan, Refused
    from regtui.operations.plan_json import LARGEST, parse_plan
    from regtui.storage.files import read_bounded, reason_of

    try:
        raw = read_bounded(arguments.plan, LARGEST)
    except OSError as error:
        raise InvalidPlan(f"{arguments.plan} can't be read: {reason_of(error)}.") from error
    except ValueError as error:
        raise InvalidPlan(f"{arguments.plan} is too large to be a plan.") from error
    if raw is None:
        raise InvalidPlan(f"{arguments.plan} does not exist.")
    plan = parse_plan(raw)

    async def work(session: Session) -> int:
        # A file can be edited: what is protected is decided by the settings, not by what the file says.
        forced = {item.tag for item in plan.protected if item.forced}
        for place, tag in plan.tags_lost:
            if tag not in forced and session.settings.registry(place.host).protection(tag) is not None:
                raise Refused(f"{place}:{tag} is protected.", hint="Make the plan with --force-protected.")
        return await carry_out(session, arguments, plan)

    return await guarded(arguments, work)
