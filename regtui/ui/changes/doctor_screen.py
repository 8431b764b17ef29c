"""The doctor: what a registry can do, and what is broken or left over in a repository; each repair is a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding
from textual.screen import Screen

from regtui.oci import RegtuiError
from regtui.operations.doctor import examine, missing_subjects
from regtui.operations.gather import gather
from regtui.registries.contract import Capability, Support
from regtui.ui.actions import Bound
from regtui.ui.actions import Place as Spot
from regtui.ui.changes.buttons import Button, ButtonRow, Sentence
from regtui.ui.changes.plan_screen import PlanScreen
from regtui.ui.changes.pruning import RepairProposal
from regtui.ui.changes.read_table import ReadTable
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from regtui.operations.doctor import Problem
    from regtui.operations.plan import Place
    from regtui.registries.contract import Registry
    from regtui.session import Session

_WORDS: Final[dict[bool | None, tuple[str, Tone]]] = {
    True: ("yes", "success"),
    False: ("no", "dim"),
    None: ("unknown", ""),
}


@dataclass(frozen=True, slots=True)
class Ability:
    """A capability with its support."""

    capability: Capability
    support: Support


class DoctorScreen(Bound, Screen[bool]):
    """Problems over abilities. Gives whether anything was run."""

    PLACES = (Spot.PLAN,)
    AUTO_FOCUS = "#problems"
    DEFAULT_CSS = """
    DoctorScreen { layout: vertical; }
    DoctorScreen > RowTable { border: round $panel-lighten-2; border-title-color: $text-muted; }
    DoctorScreen > RowTable:focus { border: round $accent; }
    DoctorScreen > #problems { height: 2fr; }
    DoctorScreen > #abilities { height: 3fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "next_list", show=False)]
    pane: ClassVar[str] = "the doctor"

    def __init__(self, session: Session, host: str, place: Place | None) -> None:
        super().__init__()
        self.session = session
        self.host = host
        self.place = place
        self.has_run = False
        self.found: tuple[Problem, ...] = ()
        self.status = StatusBar()
        self.problems = _problems_table()
        self.abilities = _abilities_table()
        self.sentence = Sentence()
        self.buttons = ButtonRow(self.problems)
        self.filter = FilterInput()

    def compose(self) -> ComposeResult:
        """Problems over abilities over what to do."""
        yield self.status
        yield self.problems
        yield self.abilities
        yield self.sentence
        yield self.buttons
        yield self.filter
        yield KeyFooter()

    def on_mount(self) -> None:
        """Look, by reads only."""
        self.status.set_breadcrumb(safe(f"Doctor · {self.place if self.place is not None else self.host}"))
        if self.place is None:
            self.problems.display = False
            self.set_focus(self.abilities)
        self._show_buttons()
        self.load()

    @work(exclusive=True, group="doctor", exit_on_error=False)
    async def load(self) -> None:
        """Abilities first: they are there at once."""
        self.found = ()
        self.problems.reset((), Listing("loading"))
        try:
            registry = await self.session.registry(self.host)
            await self._show_abilities(registry)
            if self.place is not None:
                await self._examine(registry, self.place)
        except RegtuiError as error:
            self.problems.listing = Listing("stopped", None, safe(error.sentence, 80))
            self.sentence.say(safe(str(error), 500))
        self._show_buttons()

    async def _show_abilities(self, registry: Registry) -> None:
        support = await registry.capabilities()
        self.abilities.reset([Ability(each, support[each]) for each in Capability], Listing("complete"))

    async def _examine(self, registry: Registry, place: Place) -> None:
        def tell(done: int, known: int) -> None:
            self.status.set_state(SafeText(f"reading {done:,} of {known:,}"))

        graph = await gather(registry, self.session.reader, place.repository, progress=tell)
        self.found = examine(graph, await missing_subjects(registry, graph))
        self.problems.reset(self.found, Listing("complete"))
        # Some answers told what the registry can do.
        await self._show_abilities(registry)
        self.status.set_state(SafeText(f"{len(graph.tags):,} tags and {len(graph.nodes):,} manifests were read"))
        if graph.problems:
            self.sentence.say(safe(f"Not all could be read: {graph.problems[0]}", 500))
        elif not self.found:
            self.sentence.say(SafeText("Nothing is broken or left over here."))

    def _show_buttons(self) -> None:
        removable = any(problem.removable for problem in self.found)
        self.buttons.show(
            Button("close", SafeText("Close")),
            Button("repair", SafeText("Remove what is left over…"), disabled=not removable),
        )

    # repairs

    @on(RowTable.Opened, "#problems")
    def _open(self, event: RowTable.Opened) -> None:
        problem: Problem = event.value
        if problem.removable:
            self.repair([problem])
        else:
            self.notify(
                "Removing this is for you to decide: open the tag in the explorer and press D.",
                severity="warning", markup=False,
            )  # fmt: skip

    @on(RowTable.Highlighted, "#abilities")
    def _pass(self, event: RowTable.Highlighted) -> None:
        """The whole reason: its column may be narrow."""
        if event.value is not None and self.focused is self.abilities:
            self.sentence.say(safe(event.value.support.reason, 500))

    @on(ButtonRow.Pressed)
    def _press(self, event: ButtonRow.Pressed) -> None:
        event.stop()
        if event.name == "close":
            self.dismiss(self.has_run)
        else:
            self.repair(problem for problem in self.found if problem.removable)

    def repair(self, problems: Iterable[Problem]) -> None:
        """The plan that takes these away."""
        if self.place is None:
            return
        screen = PlanScreen(RepairProposal(self.session, self.place, list(problems)))

        def closed(_: object) -> None:
            if screen.has_run:
                self.has_run = True
                self.load()

        self.app.push_screen(screen, closed)

    # keys

    def action_next_list(self) -> None:
        """tab"""
        order = [widget for widget in (self.problems, self.abilities, self.buttons) if widget.display]
        focused = self.focused
        at = order.index(focused) if focused in order else -1
        self.set_focus(order[(at + 1) % len(order)])

    def action_step_back(self) -> None:
        """escape, q"""
        for table in (self.problems, self.abilities):
            if self.filter.source_of(table):
                self.filter.clear_for(table)
                return
        self.dismiss(self.has_run)

    def action_filter_list(self) -> None:
        """/"""
        self.filter.open_for(self.abilities if self.focused is self.abilities else self.problems)


def _problems_table() -> ReadTable[Problem]:
    columns: list[Column[Problem]] = [
        Column("kind", SafeText("problem"), lambda row: safe(row.kind), 20, tone="warning"),
        Column("where", SafeText("where"), _where, 16, flex=1),
        Column("says", SafeText("what"), lambda row: safe(row.says, 500), 24, flex=2),
        Column("fix", SafeText("repair"), lambda row: SafeText("enter" if row.removable else "—"), 6, priority=1),
    ]
    return ReadTable(
        columns, key=lambda row: (row.kind, row.digest, row.tags), text=lambda row: f"{row.kind} {row.tags} {row.says}",
        title=SafeText("Problems"), id="problems",
    )  # fmt: skip


def _where(row: Problem) -> SafeText:
    return safe(", ".join(row.tags) or (row.digest.short if row.digest is not None else "—"))


def _abilities_table() -> ReadTable[Ability]:
    columns: list[Column[Ability]] = [
        Column("can", SafeText("can it"), lambda row: SafeText(_WORDS[row.support.available][0]), 8,
               tone=lambda row: _WORDS[row.support.available][1]),
        Column("what", SafeText("what"), lambda row: safe(str(row.capability)), 26),
        Column("why", SafeText("why"), lambda row: safe(row.support.reason, 500), 20, flex=1, tone="dim"),
    ]  # fmt: skip
    return ReadTable(
        columns, key=lambda row: row.capability, text=lambda row: f"{row.capability} {row.support.reason}",
        title=SafeText("What this registry can do for you"), id="abilities",
    )  # fmt: skip
