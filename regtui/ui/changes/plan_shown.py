"""What the plan screen shows: reading, the plan and its switches, what is in the way, a run step by step, its end."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from textual import work
from textual.screen import Screen
from textual.widgets import Input

from regtui.oci import RegtuiError
from regtui.registries.contract import Capability
from regtui.ui.actions import BY_ID
from regtui.ui.changes.buttons import Button, ButtonRow, Sentence, Switch, SwitchLine
from regtui.ui.changes.lines import PlanView, headline_of, lines_of
from regtui.ui.changes.plan_table import PlanTable
from regtui.ui.changes.proposals import OPTIONS
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Resize

    from regtui.oci import Digest
    from regtui.operations.executor import Run
    from regtui.operations.plan import Plan
    from regtui.operations.record import StepResult
    from regtui.operations.work import BlobProgress
    from regtui.session import Session
    from regtui.ui.changes.proposals import Proposal

State = Literal["reading", "refused", "shown", "running", "finished"]
READING: Final = 0.12
"""Seconds between two words about how far the reading is."""
_CANCEL, _CLOSE = Button("cancel", SafeText("Cancel")), Button("close", SafeText("Close"))
_SAVE = Button("save", SafeText("Save plan as JSON"))


class ShownPlan(Screen["Run | None"]):
    """A proposal as it looks. What keys and buttons do stands in plan_screen.py."""

    DEFAULT_CSS = """
    ShownPlan { layout: vertical; }
    ShownPlan > PlanTable { height: 1fr; border: round $panel-lighten-2; border-title-color: $text-muted; }
    ShownPlan > Input, ShownPlan > Input:focus { height: 3; border: round $warning; background: $surface; }
    ShownPlan.-production > PlanTable { border: round $error; border-title-color: $text-error; }
    ShownPlan > Input { display: none; }
    """

    def __init__(self, proposal: Proposal) -> None:
        super().__init__()
        self.proposal = proposal
        self.session: Session = proposal.session
        self.state: State = "reading"
        self.plan: Plan | None = None
        self.outcome: Run | None = None
        self.faults: list[BaseException] = []
        self.table = PlanTable()
        self.status = StatusBar()
        self.reason = Sentence()
        self.progress_line = Sentence(plain=True)
        self.switches = SwitchLine()
        self.entry = Input()
        self.buttons = ButtonRow(self.table)
        self.filter = FilterInput()
        self.results: dict[int, StepResult] = {}
        self.blobs: dict[Digest, BlobProgress] = {}
        self._swaps: dict[str, str] = {}
        self._missing = ""
        self.drawn = 0.0
        """When the lines were last drawn (monotonic seconds)."""
        self.draw_seconds = 0.0
        """What the last drawing took."""
        self.stopping = False
        self.has_run = False
        """Whether anything may have been sent."""

    def compose(self) -> ComposeResult:
        """Where and what, the plan, its switches, what is in the way, the buttons."""
        yield self.status
        yield self.table
        yield self.progress_line
        yield self.switches
        yield self.reason
        yield self.entry
        yield self.buttons
        yield self.filter
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read what the plan needs."""
        self.entry.cursor_blink = False
        self._show_where()
        self.show_state("reading")
        self.read()

    @property
    def is_writing(self) -> bool:
        """Whether a run is under way: then leaving asks first."""
        return self.state == "running"

    def _show_where(self) -> None:
        self.status.set_breadcrumb(SafeText(f"{self.proposal.title} · {self.proposal.where}"))

    # before anything is sent

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self) -> None:
        """Look at the registry, by reads only, and show the plan."""
        self.show_state("reading")
        self.table.title = self.proposal.title
        self.table.tell("Looking at the registry, by reads only. Nothing is sent.", "Escape leaves.", tone="dim")
        try:
            await self.proposal.read(self._tell_reading)
            self._show_where()
            for host in self.proposal.hosts:
                await self._learn_abilities(host)
        except RegtuiError as error:
            self.table.tell(error.sentence, error.hint)
            self.show_state("refused")
            return
        self.make_plan()

    async def _learn_abilities(self, host: str) -> None:
        """What this registry is known to do or not to do, in words."""
        support = await (await self.session.registry(host)).capabilities()
        untag, delete, push = (support[c] for c in (Capability.DELETE_TAG, Capability.DELETE_MANIFEST, Capability.PUSH))
        if untag.available is None:
            self._swaps[host] = (
                "whether a tag can be deleted alone there only trying tells; where not, a throw-away manifest takes "
                "its place (POST, PUT, PUT) and is deleted by its own digest (DELETE)"
            )
        if untag.available is False and delete.available is not False and push.available is not False:
            self._swaps[host] = (
                "a tag alone can't be deleted there; a throw-away manifest takes its place (POST, PUT, PUT) "
                "and is deleted by its own digest (DELETE), nothing else with it"
            )
        if push.available is False and delete.available is False and untag.available is False:
            self._missing = f"{host}: {push.reason or delete.reason}"

    def make_plan(self) -> None:
        """The plan as the switches stand; nothing is asked of any registry for it."""
        try:
            self.plan = self.proposal.plan()
        except RegtuiError as error:
            self.plan = None
            self.table.title = self.proposal.title
            self.table.tell(error.sentence, self._hint_of(error))
            self.show_state("refused")
            return
        self.show_state("shown")
        self.draw()

    def _hint_of(self, error: RegtuiError) -> str | None:
        """Hints name options of the command line; here they are switches."""
        hint = error.hint or ""
        for option, key in (("--overwrite", "overwrite"), ("--force-protected", "force")):
            if option in hint and key in self.proposal.options:
                return f"Press {self._key_of(key)}: {OPTIONS[key].label}."
        return error.hint

    def _tell_reading(self, words: str) -> None:
        if monotonic() - self.drawn > READING:
            self.drawn = monotonic()
            self.status.set_state(safe(words, 100))

    # what is shown

    def show_state(self, state: State) -> None:
        """Buttons, switches and words as they fit to what is going on."""
        self.state = state
        why_not = self.why_not() if state == "shown" else ""
        self.reason.say(safe(why_not, 500))
        if state == "running":
            self.buttons.show(Button("stop", SafeText("Stop after the steps under way")))
        elif state == "finished":
            self.buttons.show(_CLOSE, Button("undo", SafeText("Undo…"), disabled=not self.can_undo), _SAVE)
        else:
            has_plan = self.plan is not None and state == "shown"
            apply = Button("apply", SafeText("Apply"), disabled=not has_plan or bool(why_not))
            self.buttons.show(_CANCEL, apply, Button(_SAVE.name, _SAVE.label, disabled=not has_plan))
        self.switches.show(self._switches() if state in {"shown", "refused"} else ())
        production = [h for h in self.proposal.hosts if self.session.settings.registry(h).production]
        self.set_class(bool(production), "-production")
        if state in {"refused", "shown"}:
            words = "nothing has been sent yet"
            self.status.set_state(SafeText(f"PRODUCTION · {words}" if production else words))
        self.refresh_bindings()

    @property
    def can_undo(self) -> bool:
        """Whether the run that ended left something to put back."""
        run = self.outcome
        return run is not None and run.plan.kind != "undo" and any(r.outcome != "skipped" for r in run.results)

    def why_not(self) -> str:
        """Why the plan can't be applied here, and what to do about it; empty when it can."""
        plan = self.plan
        if plan is None or not plan.steps:
            return ""
        closed = [host for host in self.proposal.hosts if not self.session.writable(host)]
        if closed:
            return (
                f"{closed[0]} is read-only here, so that this is only a preview. To apply it, start regtui with "
                f"--write, or set writable = true for it in the settings."
            )
        return self._missing

    def draw(self) -> None:
        """The lines of the plan as it is now."""
        if self.plan is None:
            return
        began = monotonic()
        width, wide, shows_digest = self.table.text_width()
        self.table.fill(lines_of(self._view(self.plan), width, wide, shows_digest=shows_digest))
        self.table.title = SafeText(f"{self.proposal.title}: {headline_of(self.plan)}")
        self.drawn = monotonic()
        self.draw_seconds = self.drawn - began

    def _view(self, plan: Plan) -> PlanView:
        notes = self.proposal.notes(plan)
        return PlanView(plan, self.proposal.graphs, self._swaps, notes, self.results, self.blobs, self.outcome)

    def _switches(self) -> list[Switch]:
        return [
            Switch(name, self._key_of(name), OPTIONS[name].label, is_on)
            for name, is_on in self.proposal.options.items()
        ]

    def _key_of(self, option: str) -> SafeText:
        action = BY_ID[f"plan.{option}"]
        keys = self.app.get_key_display
        found = [active.binding for active in self.active_bindings.values() if active.binding.id == action.id]
        return safe(keys(found[0]) if found else action.key_list[0], 12)

    def on_resize(self, event: Resize) -> None:
        """Texts wrap anew."""
        del event
        self.call_after_refresh(self.draw)
