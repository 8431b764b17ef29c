"""The journal: what was changed, how that ended, and whether it can still be put back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding
from textual.screen import Screen

from regtui.oci import RegtuiError
from regtui.operations.record import read_record
from regtui.operations.undo import list_entries
from regtui.storage.journal import Journal
from regtui.ui.actions import Bound
from regtui.ui.actions import Place as Spot
from regtui.ui.changes.buttons import Sentence
from regtui.ui.changes.lines import VERBS
from regtui.ui.changes.plan_screen import PlanScreen
from regtui.ui.changes.read_table import ReadTable
from regtui.ui.changes.restoring import FinishProposal, UndoProposal
from regtui.ui.facts.overview import Fact
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.status_bar import StatusBar
from regtui.ui.words import age_text, count_text, time_text

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from regtui.operations.plan import Place
    from regtui.operations.record import Record
    from regtui.operations.undo import Listed
    from regtui.session import Session
    from regtui.ui.changes.proposals import Proposal

MOST_STEPS: Final = 2_000
"""Steps that the details list one by one."""


class JournalScreen(Bound, Screen["tuple[Place, ...]"]):
    """Entries, newest first, over the details of one. Gives the repositories that were changed from here."""

    PLACES = (Spot.PLAN,)
    AUTO_FOCUS = "#journal"
    DEFAULT_CSS = """
    JournalScreen { layout: vertical; }
    JournalScreen > RowTable { border: round $panel-lighten-2; border-title-color: $text-muted; }
    JournalScreen > RowTable:focus { border: round $accent; }
    JournalScreen > #journal { height: 2fr; }
    JournalScreen > #entry { height: 3fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,shift+tab", "other_list", "The other list", show=False),
    ]
    pane: ClassVar[str] = "the journal"

    def __init__(self, session: Session, now: datetime | None = None) -> None:
        super().__init__()
        self.session = session
        self.now = now or datetime.now(UTC)
        self.journal = Journal()
        self.changed: dict[Place, None] = {}
        self.status = StatusBar()
        self.entries = _entries_table(self.now)
        self.details = _details_table()
        self.sentence = Sentence()
        self.filter = FilterInput()

    def compose(self) -> ComposeResult:
        """Entries over details."""
        yield self.status
        yield self.entries
        yield self.details
        yield self.sentence
        yield self.filter
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the journal off the loop."""
        days = self.session.settings.journal_days
        self.status.set_breadcrumb(SafeText("Undo · what was changed"))
        self.status.set_state(SafeText(f"entries are kept for {days} days"))
        self.load()

    @work(exclusive=True, group="journal", exit_on_error=False)
    async def load(self) -> None:
        """The entries, after those that are too old were removed."""
        self.entries.listing = Listing("loading")
        await asyncio.to_thread(self.journal.forget_older, self.session.settings.journal_days, self.now)
        found = await asyncio.to_thread(list_entries, self.journal)
        self.entries.reset(found, Listing("complete"))
        if not found:
            self.sentence.say(SafeText("Nothing was changed yet: every change will be listed here, and can be undone."))
            self.details.reset()

    @on(RowTable.Highlighted, "#journal")
    def _pass(self, event: RowTable.Highlighted) -> None:
        self.refresh_bindings()
        if event.value is not None:
            self.show_details(event.value)

    @work(exclusive=True, group="details", exit_on_error=False)
    async def show_details(self, listed: Listed) -> None:
        """The steps of an entry and what came of them."""
        self.sentence.say(_advice(listed))
        try:
            record = await asyncio.to_thread(read_record, self.journal, listed.id)
        except RegtuiError as error:
            self.details.reset([Fact(SafeText(""), safe(str(error)), "error")])
            return
        self.details.reset(_facts(record))

    @on(RowTable.Opened, "#journal")
    def _open(self, event: RowTable.Opened) -> None:
        self.restore(event.value)

    def restore(self, listed: Listed) -> None:
        """Open the undo plan of an entry, or say why there is none."""
        if listed.undoable:
            self._plan(UndoProposal(self.session, listed.id))
        else:
            self.notify(_advice(listed), severity="warning", markup=False)

    def action_show_journal(self) -> None:
        """u: as enter."""
        current = self.entries.current
        if current is not None:
            self.restore(current)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a run that was interrupted can be finished."""
        if action == "finish_run":
            current = self.entries.current
            return current is not None and current.state == "interrupted"
        return super().check_action(action, parameters)

    def action_finish_run(self) -> None:
        """f"""
        current = self.entries.current
        if current is not None:
            self._plan(FinishProposal(self.session, current.id))

    def _plan(self, proposal: Proposal) -> None:
        screen = PlanScreen(proposal)

        def closed(_: object) -> None:
            if screen.has_run and screen.plan is not None:
                self.changed.update(dict.fromkeys(screen.plan.places))
                self.load()

        self.app.push_screen(screen, closed)

    def action_step_back(self) -> None:
        """escape, q"""
        if self.filter.source_of(self.entries):
            self.filter.clear_for(self.entries)
        else:
            self.dismiss(tuple(self.changed))

    def action_filter_list(self) -> None:
        """/"""
        self.filter.open_for(self.entries)

    def action_other_list(self) -> None:
        """tab"""
        self.set_focus(self.details if self.focused is self.entries else self.entries)


def _advice(listed: Listed) -> SafeText:
    """What can be done with an entry, in one sentence."""
    if listed.undoable and listed.state == "interrupted":
        return SafeText("This run was interrupted: enter puts back what it changed, f finishes it.")
    if listed.undoable:
        return SafeText("Enter shows what can still be put back. Nothing is sent by that.")
    if listed.undone:
        return SafeText("This was undone already.")
    if listed.kind == "undo":
        return SafeText("This was an undo; what it put back is deleted again by a delete plan.")
    if listed.state == "running":
        return SafeText("Another regtui is at work on this right now.")
    return SafeText("This run changed nothing, so that there is nothing to put back.")


def _entries_table(now: datetime) -> ReadTable[Listed]:
    columns: list[Column[Listed]] = [
        Column("age", SafeText("age"), lambda row: safe(age_text(_moment(row), now)), 6, align="right",
               sort=_moment, descending=True),
        Column("kind", SafeText("what"), lambda row: safe(row.kind), 7),
        Column("state", SafeText("ended"), lambda row: safe("undone" if row.undone else row.state), 11, tone=_tone),
        Column("done", SafeText("done"), lambda row: SafeText(f"{row.done:,}/{row.steps:,}"), 9, align="right",
               priority=2),
        Column("back", SafeText("can be put back"), _back, 15, priority=3),
        Column("where", SafeText("where"), lambda row: safe(", ".join(map(str, row.places))), 20, flex=2,
               keeps_end=True),
        Column("tags", SafeText("tags"), lambda row: safe(", ".join(row.tags[:50])), 12, flex=1, priority=1),
    ]  # fmt: skip
    return ReadTable(
        columns, key=lambda row: row.id, text=lambda row: f"{row.kind} {row.state} {row.places} {row.tags}",
        title=SafeText("Journal"), id="journal",
    )  # fmt: skip


def _details_table() -> ReadTable[Fact]:
    columns: list[Column[Fact]] = [
        Column("name", SafeText(""), lambda fact: fact.name, 14, tone="dim"),
        Column("value", SafeText(""), lambda fact: fact.value, 30, flex=1, tone=_fact_tone),
    ]
    return ReadTable(
        columns, key=id, text=lambda fact: fact.name + fact.value, title=SafeText("Entry"), show_header=False,
        id="entry",
    )  # fmt: skip


def _moment(row: Listed | Record) -> datetime | None:
    try:
        return datetime.fromisoformat(row.begun) if row.begun is not None else None
    except ValueError:
        return None


def _back(row: Listed) -> SafeText:
    return SafeText("yes, look" if row.undoable else "no")


def _tone(row: Listed) -> Tone:
    return "dim" if row.undone else "success" if row.state == "finished" else "warning"


def _fact_tone(fact: Fact) -> Tone:
    return {"error": "error", "warn": "warning", "dim": "dim"}.get(fact.kind, "")  # type: ignore[return-value]  # words of Tone


def _facts(record: Record) -> list[Fact]:
    """An entry in the words of a person: when, what, and each step with its end."""
    facts = [
        Fact(SafeText("entry"), safe(record.id)),
        Fact(SafeText("begun"), safe(time_text(_moment(record)))),
        Fact(SafeText("keeps"), SafeText(f"{count_text(len(record.manifests))} manifests, byte for byte")),
    ]
    facts += [Fact(SafeText("undone by"), safe(undone)) for undone in record.undone_by]
    places = record.plan.places
    facts += [Fact(SafeText("in"), safe(str(places[0]), 500))] if len(places) == 1 else []
    for number, step in enumerate(record.plan.steps[:MOST_STEPS]):
        result = record.results.get(number)
        before, after = VERBS[step.action]
        if result is None:
            word, said, kind = before, "was begun, its end is not known" if number in record.started else "—", "dim"
        else:
            word = after if result.outcome == "done" else result.outcome
            said, kind = result.says, "fact" if result.stands else "warn"
        # The place is told once where there is one alone: its long name would leave no room for the tag.
        what = (step.reference.tag or step.digest.short) if len(places) == 1 else str(step.reference)
        facts.append(Fact(SafeText(word), safe(said if said.startswith(what) else f"{what} · {said}", 500), kind))
    rest = len(record.plan.steps) - MOST_STEPS
    if rest > 0:
        facts.append(Fact(SafeText(""), SafeText(f"and {rest:,} more steps"), "dim"))
    return facts
