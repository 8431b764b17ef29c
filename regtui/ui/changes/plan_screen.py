"""The plan screen: a proposal from the first look to the last result. It is the only way from a key to a change.

Cancel has the focus, and what is dear needs the repository's name typed. Leaving while a run is under way asks.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work

from regtui.oci import RegtuiError
from regtui.operations.confirming import confirm, confirmation_of
from regtui.operations.executor import Executor
from regtui.operations.plan_json import to_json
from regtui.storage.journal import Journal
from regtui.ui.actions import Bound, Place
from regtui.ui.changes.buttons import ButtonRow, SwitchLine
from regtui.ui.changes.lines import summary_of, wrap
from regtui.ui.changes.plan_shown import ShownPlan
from regtui.ui.changes.restoring import UndoProposal
from regtui.ui.changes.saving import save_new
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.choose import ChooseScreen, room_in_choices
from regtui.ui.screens.go_to import GoToScreen
from regtui.ui.widgets.bars import bar
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from textual.widgets import Input

    from regtui.operations.confirming import Confirmed
    from regtui.operations.executor import Run
    from regtui.operations.plan import Plan
    from regtui.operations.work import Progress
    from regtui.ui.changes.proposals import Proposal

REDRAW: Final = 0.12
REDRAW_SLOWLY: Final = 1.0
"""Seconds between two pictures of a run; the second over a slow line, where each costs kilobytes."""
_BAR: Final = 24


class PlanScreen(Bound, ShownPlan):
    """Gives the run, None when nothing was run."""

    PLACES = (Place.PLAN,)
    AUTO_FOCUS = "ButtonRow"
    pane: ClassVar[str] = "a plan"

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(proposal)
        self._executor: Executor | None = None
        self._numbers: dict[int, int] = {}
        """Step (by identity) → its number."""
        self._leaves = False

    # buttons

    @on(ButtonRow.Pressed)
    def _press(self, event: ButtonRow.Pressed) -> None:
        event.stop()
        name = event.name
        if name in {"cancel", "close"}:
            self.dismiss(self.outcome)
        elif name == "apply":
            self._apply()
        elif name == "save":
            self.action_save_plan()
        elif name == "stop":
            self.stop()
        elif name == "undo":
            self.action_show_journal()

    def _apply(self) -> None:
        """Run at once, or ask for the name first."""
        if self.plan is None or self.state != "shown" or self.why_not():
            return
        wanted = confirmation_of(self.plan, production=self._is_production)
        if wanted.phrase is None:
            self._run("yes")
            return
        self.reason.say(safe(f"Type {wanted.phrase} and press enter: {', and '.join(wanted.reasons)}. Escape cancels."))
        self.entry.display = True
        self.entry.value = ""
        self.entry.border_title = None
        self.entry.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The name was typed."""
        event.stop()
        if event.input is self.entry:
            self._run(event.value.strip())

    def _run(self, phrase: str) -> None:
        """Confirm; what is refused is said, and nothing was sent."""
        plan = self.plan
        if plan is None or self.state != "shown":
            return
        try:
            confirmed = confirm(plan, writable=self.session.writable, production=self._is_production, phrase=phrase)
        except RegtuiError as error:
            self.reason.say(safe(f"{error.sentence} Nothing was changed."))
            return
        self._close_entry()
        self._numbers = {id(step): number for number, step in enumerate(plan.steps)}
        self._executor = Executor(self.session.registry, self.session.reader, Journal(), progress=self._progressed)
        self.has_run = True
        self.show_state("running")
        self.status.set_state(SafeText("running"))
        self.carry_out(self._executor, confirmed)

    def _is_production(self, host: str) -> bool:
        return self.session.settings.registry(host).production

    def _close_entry(self) -> None:
        if self.entry.display:
            self.entry.display = False
            self.reason.say(SafeText(""))
        self.buttons.focus()

    # the run

    @work(exclusive=True, group="run", exit_on_error=False)
    async def carry_out(self, executor: Executor, confirmed: Confirmed) -> None:
        """Run the plan; results come by `_progressed`, the end is shown here."""
        try:
            run = await self.proposal.run(executor, confirmed)
        except RegtuiError as error:
            self.show_state("finished")
            self.status.set_state(SafeText("ended early"))
            self.reason.say(safe(f"{error} How far it came stands in the journal: u in the explorer.", 500))
            return
        self._finish(run)

    def _finish(self, run: Run) -> None:
        self.outcome = run
        self.results = dict(enumerate(run.results))
        for place in run.plan.places:
            self.session.refresh(place.host, place.repository)
        self.progress_line.say(SafeText(""))
        self.show_state("finished")
        self.status.set_state(summary_of(run))
        self.draw()
        self.table.action_move_top()
        if self._leaves:
            self.app.exit()

    def _progressed(self, progress: Progress) -> None:
        if progress.step is not None and progress.result is not None:
            number = self._numbers.get(id(progress.step))
            if number is not None:
                self.results[number] = progress.result
        if progress.blob is not None:
            self.blobs[progress.blob.digest] = progress.blob
        pause = REDRAW_SLOWLY if getattr(self.app, "slow_line", False) else REDRAW
        if monotonic() - self.drawn > max(pause, 5 * self.draw_seconds) and self.state == "running":
            self.draw()
            self._tell_progress(progress)

    def _tell_progress(self, progress: Progress) -> None:
        parts = [f"{bar(progress.done / max(progress.total, 1), _BAR)} {progress.done:,} of {progress.total:,} steps"]
        if self.blobs:
            copied = sum(blob.copied for blob in self.blobs.values())
            known = sum(blob.size for blob in self.blobs.values())
            parts.append(f"{len(self.blobs):,} blobs, {size_text(copied)} of {size_text(known)}")
        failed = sum(result.outcome == "failed" for result in self.results.values())
        if failed:
            parts.append(f"{failed:,} failed")
        if self.stopping:
            parts.append("stopping")
        self.progress_line.say(SafeText(" · ".join(parts)))
        self.status.set_state(SafeText(f"running {progress.done:,} of {progress.total:,}"))

    def stop(self) -> None:
        """Start no more steps; those under way end, and the journal stays true."""
        if self._executor is not None and self.is_writing and not self.stopping:
            self.stopping = True
            self._executor.cancel()
            self.reason.say(SafeText("Stopping: the steps under way still end, no more are started."))

    def stop_and_leave(self) -> None:
        """As `stop`, and quit once the run has ended."""
        self._leaves = True
        self.stop()

    # keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Switches only where the proposal has them; undo only when there is something to undo."""
        if action.startswith("switch_"):
            return self.state in {"shown", "refused"} and action.removeprefix("switch_") in self.proposal.options
        if action == "show_journal":
            return self.state == "finished" and self.can_undo
        if action == "save_plan":
            return self.plan is not None
        if action == "choose_platforms":
            return self.state in {"shown", "refused"} and bool(self.proposal.platforms)
        return super().check_action(action, parameters)

    @on(SwitchLine.Pressed)
    def _clicked(self, event: SwitchLine.Pressed) -> None:
        self._switch(event.name)

    def _switch(self, name: str) -> None:
        if self.state in {"shown", "refused"} and name in self.proposal.options:
            self._close_entry()
            self.proposal.switch(name)
            self.make_plan()

    def action_switch_manifests(self) -> None:
        """m"""
        self._switch("manifests")

    def action_switch_trash(self) -> None:
        """b"""
        self._switch("trash")

    def action_switch_referrers(self) -> None:
        """a"""
        self._switch("referrers")

    def action_switch_overwrite(self) -> None:
        """O"""
        self._switch("overwrite")

    def action_switch_move(self) -> None:
        """M"""
        self._switch("move")

    def action_switch_force(self) -> None:
        """F"""
        self._switch("force")

    @work(exclusive=True, group="platforms", exit_on_error=False)
    async def action_choose_platforms(self) -> None:
        """w: all platforms, or one of them."""
        chosen = await self.app.push_screen_wait(ChooseScreen(SafeText("Platforms"), self.proposal.platforms))
        if chosen >= 0 and self.state in {"shown", "refused"}:
            self.proposal.choose_platform(chosen)
            self.make_plan()

    def action_step_back(self) -> None:
        """escape, q: the filter first, then the typed name, then leave; a run is stopped, never left alone."""
        if self.filter.source_of(self.table):
            self.filter.clear_for(self.table)
        elif self.entry.display:
            self._close_entry()
            self.show_state("shown")
        elif self.is_writing:
            self.stop()
        else:
            self.dismiss(self.outcome)

    def action_filter_list(self) -> None:
        """/"""
        self.filter.open_for(self.table)

    @work(exclusive=True, group="rules", exit_on_error=False)
    async def action_show_rules(self) -> None:
        """L: what is protected, and where to change that."""
        lines = [
            *self.proposal.rules(),
            SafeText("`protected` in the settings changes it: for all, or for one registry."),
        ]
        width = room_in_choices(self.app.size.width)
        rows = [part for line in lines for part in wrap(line, width)]
        await self.app.push_screen_wait(ChooseScreen(SafeText("Protected tags"), rows, note=SafeText("escape closes")))

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_save_plan(self) -> None:
        """ctrl+s: `regtui apply` takes the file."""
        plan = self.plan
        if plan is None:
            return
        answer = await self.app.push_screen_wait(
            GoToScreen("Save the plan as JSON; `regtui apply FILE` runs it", _name_of(plan))
        )
        if answer:
            text = json.dumps(to_json(plan), indent=2) + "\n"
            said, is_good = await asyncio.to_thread(save_new, Path(answer), text)
            self.notify(said, severity="information" if is_good else "warning", markup=False)

    def action_show_journal(self) -> None:
        """u: put back what this run changed."""
        if self.outcome is not None and self.can_undo:
            self.app.push_screen(PlanScreen(UndoProposal(self.session, self.outcome.entry)))


def _name_of(plan: Plan) -> str:
    repository = plan.places[0].repository.replace("/", "-") if plan.places else "nothing"
    return f"{plan.kind}-{repository}.json"
