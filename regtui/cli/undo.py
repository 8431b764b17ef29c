"""`regtui undo`: what the journal kept is put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.changing import add_changing, carry_out, guarded
from regtui.cli.output import print_json, print_table, say
from regtui.storage.journal import Journal

if TYPE_CHECKING:
    import argparse

    from regtui.operations.undo import Listed
    from regtui.session import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `undo`."""
    parser.add_argument("entry", nargs="?", metavar="ENTRY", help="a journal entry (default: the last not yet undone)")
    parser.add_argument("--list", action="store_true", help="list the journal")
    add_changing(parser, protected=False)


async def run(arguments: argparse.Namespace) -> int:
    """List the journal, or put back what an entry changed; the exit code."""
    from regtui.operations.errors import OperationError
    from regtui.operations.record import read_record
    from regtui.operations.undo import list_entries, plan_undo

    journal = Journal()

    async def work(session: Session) -> int:
        journal.forget_older(session.settings.journal_days)
        entries = list_entries(journal)
        if arguments.list:
            _print(entries, as_json=arguments.json)
            return exits.DONE
        wanted = arguments.entry or next((entry.id for entry in entries if entry.undoable), None)
        if wanted is None:
            raise OperationError("The journal holds nothing that is to be undone.", hint="`regtui undo --list` tells.")
        if journal.is_running(wanted):
            raise OperationError(f"Another regtui is at work on {wanted}.", hint="Wait until it has ended.")
        record = read_record(journal, wanted)
        plan = await plan_undo(record, session.registry)
        if not plan.steps and not plan.warnings:
            say("Everything is as it was before.")
        return await carry_out(session, arguments, plan, manifests=dict(record.manifests))

    return await guarded(arguments, work)


def _print(entries: tuple[Listed, ...], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    "entry": e.id,
                    "begun": e.begun,
                    "plan": e.kind,
                    "state": e.state,
                    "repositories": [str(place) for place in e.places],
                    "tags": list(e.tags),
                    "steps": e.steps,
                    "done": e.done,
                    "undone": e.undone,
                    "undoable": e.undoable,
                }
                for e in entries
            ]
        )
        return
    print_table(
        ("entry", "plan", "state", "where", "done", "tags"),
        [
            [
                e.id,
                e.kind,
                "undone" if e.undone else e.state,
                ", ".join(map(str, e.places)),
                f"{e.done}/{e.steps}",
                ", ".join(e.tags[:6]),
            ]
            for e in entries
        ],
    )
