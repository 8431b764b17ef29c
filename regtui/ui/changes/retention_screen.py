"""Retention: a rule as a small form, and beside it what the rule does to the real tags, while one types."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from regtui.oci import RegtuiError
from regtui.operations.gather import gather
from regtui.operations.retention import with_signatures
from regtui.operations.retention_export import export_acr, export_ecr, export_gitlab, export_harbor
from regtui.operations.retention_import import effect_of
from regtui.registries.contract import closing
from regtui.ui.actions import Bound
from regtui.ui.actions import Place as Spot
from regtui.ui.changes.buttons import Button, ButtonRow, Sentence
from regtui.ui.changes.plan_screen import PlanScreen
from regtui.ui.changes.pruning import PruneProposal
from regtui.ui.changes.read_table import ReadTable
from regtui.ui.changes.rule_fields import FIELDS, FLAGS, Verdict, rules_of, verdicts
from regtui.ui.changes.text_screen import TextScreen
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.choose import ChooseScreen
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.status_bar import StatusBar
from regtui.ui.widgets.tick import Tick
from regtui.ui.words import age_text, size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import ComposeResult
    from textual.events import Resize
    from textual.timer import Timer

    from regtui.operations.graph import Graph
    from regtui.operations.plan import Place
    from regtui.operations.retention import Rules
    from regtui.registries.contract import RetentionRules, TagSummary
    from regtui.session import Session

TYPING: Final = 0.15
"""Seconds after the last key before the rule is tried: many thousand tags take a moment."""
SHOWING: Final = 0.4
"""Seconds between two pictures while details arrive."""
WIDE: Final = 100
EXPORTS: Final[Mapping[str, Callable[[Rules, str], str]]] = {
    "ECR lifecycle policy (JSON)": lambda rules, _: export_ecr(rules),
    "Harbor retention (JSON)": export_harbor,
    "acr purge (command)": export_acr,
    "GitLab cleanup policy (JSON)": export_gitlab,
}
"""The rule in a vendor's own words. Each raises OperationError for what that vendor can't say."""


class RetentionScreen(Bound, Screen[bool]):
    """Gives whether anything was run."""

    PLACES = (Spot.PLAN,)
    AUTO_FOCUS = "#match"
    DEFAULT_CSS = """
    RetentionScreen { layout: vertical; }
    RetentionScreen > #halves { height: 1fr; }
    RetentionScreen #form { width: 44; height: auto; padding: 0 1; background: $surface; }
    RetentionScreen #form > Horizontal { height: 1; }
    RetentionScreen #form .label { width: 18; color: $text-muted; }
    RetentionScreen #form Input { width: 1fr; height: 1; border: none; padding: 0 1; background: $boost; }
    RetentionScreen #form Input:focus { border: none; background: $panel; }
    RetentionScreen RowTable { height: 1fr; width: 1fr; border: round $panel-lighten-2; }
    RetentionScreen RowTable:focus { border: round $accent; }
    RetentionScreen.-narrow #halves { layout: vertical; }
    RetentionScreen.-narrow #form { width: 1fr; }
    """
    pane: ClassVar[str] = "retention"

    def __init__(self, session: Session, place: Place, now: datetime | None = None) -> None:
        super().__init__()
        self.session = session
        self.place = place
        self.now = now or datetime.now(UTC)
        self.tags: dict[str, TagSummary] = {}
        self.unread = 0
        self.graph: Graph | None = None
        """What hangs together, once signatures were asked for."""
        self.has_run = False
        self.status = StatusBar()
        self.table = _verdict_table(self.now)
        self.untagged = Tick("untagged, too", False, compact=True, id="untagged")
        self.flags = [Tick(flag.label, False, compact=True, id=flag.name) for flag in FLAGS]
        self.ticks = [*self.flags, self.untagged]
        self.sentence = Sentence()
        self.buttons = ButtonRow(self.table)
        self.filter = FilterInput()
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """The form beside its effect."""
        yield self.status
        with Horizontal(id="halves"):
            with Vertical(id="form"):
                for field in FIELDS:
                    with Horizontal():
                        yield Static(Content(field.label), classes="label")
                        entry = Input(placeholder=field.hint, id=field.name, select_on_focus=False)
                        entry.cursor_blink = False
                        yield entry
                for pair in (self.ticks[:2], self.ticks[2:]):
                    with Horizontal():
                        yield from pair
            yield self.table
        yield self.sentence
        yield self.buttons
        yield self.filter
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the tags."""
        self.status.set_breadcrumb(safe(f"Retention · {self.place.host} · {self.place.repository}"))
        self.buttons.show(
            Button("cancel", SafeText("Cancel")),
            Button("plan", SafeText("Plan…")),
            Button("export", SafeText("Export…")),
            Button("own", SafeText("The registry's own…")),
        )
        self.load()

    # the tags

    @work(exclusive=True, group="tags", exit_on_error=False)
    async def load(self) -> None:
        """Every tag with its date and size, as they arrive."""
        place = self.place
        self.table.listing = Listing("loading")
        loop = asyncio.get_running_loop()
        shown = loop.time()
        try:
            registry = await self.session.registry(place.host)
            async with closing(registry.tags(place.repository)) as pages:
                async for page in pages:
                    self.tags.update((tag.name, tag) for tag in page.items)
            details = self.session.tag_details(place.host, place.repository, list(self.tags.values()))
            async with closing(details) as rows:
                done = 0
                async for detail in rows:
                    done += 1
                    self.unread += detail.error is not None
                    self.tags[detail.tag.name] = detail.tag
                    if loop.time() - shown > SHOWING:
                        shown = loop.time()
                        self.status.set_state(SafeText(f"reading {done:,} of {len(self.tags):,}"))
                        self.try_rule()
        except RegtuiError as error:
            self.table.listing = Listing("stopped", None, safe(error.sentence, 80))
            self.sentence.say(safe(str(error), 500))
            return
        self.table.listing = Listing("complete")
        unread = f"{self.unread:,} could not be read and stay" if self.unread else ""
        self.status.set_state(SafeText(unread or "nothing has been sent yet"))
        self.try_rule()

    # the rule

    @property
    def texts(self) -> dict[str, str]:
        """What stands in the fields."""
        return {field.name: self.query_one(f"#{field.name}", Input).value for field in FIELDS}

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.input.id in {field.name for field in FIELDS}:
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(TYPING, self.try_rule)

    @on(Tick.Changed)
    def _turned(self, event: Tick.Changed) -> None:
        if event.checkbox.id == "unsigned" and event.value and self.graph is None:
            self.read_signatures()
        self.try_rule()

    @work(exclusive=True, group="signatures", exit_on_error=False)
    async def read_signatures(self) -> None:
        """What hangs on each tag: listings seldom tell."""
        place = self.place

        def tell(done: int, known: int) -> None:
            self.status.set_state(SafeText(f"reading signatures: {done:,} of {known:,}"))

        try:
            registry = await self.session.registry(place.host)
            self.graph = await gather(registry, self.session.reader, place.repository, progress=tell)
        except RegtuiError as error:
            self.sentence.say(safe(str(error), 500))
            return
        self.status.set_state(SafeText("signatures are read: present is not verified"))
        self.try_rule()

    def rule(self) -> tuple[Rules, SafeText]:
        """The rule as it stands, and what is wrong with it."""
        return rules_of(self.texts, [flag.id or "" for flag in self.flags if flag.value])

    @work(exclusive=True, group="rule", exit_on_error=False)
    async def try_rule(self) -> None:
        """Show what the rule does, off the loop."""
        rules, problem = self.rule()
        tags: list[TagSummary] = list(self.tags.values())
        if self.graph is not None:
            tags = list(with_signatures(tags, self.graph))
        protection = self.session.settings.registry(self.place.host).protection
        found = await asyncio.to_thread(verdicts, rules, tags, self.now, protection)
        self.table.reset(found)
        going = [verdict for verdict in found if verdict.goes]
        sizes = [verdict.tag.size for verdict in going]
        known = sum(size for size in sizes if size is not None)
        words = f"{len(going):,} of {len(found):,} tags go"
        if going:
            words += f" · {size_text(known)} at most: the plan is exact"
        self.table.title = SafeText(words)
        self.sentence.say(problem or self._advice(rules, going))

    def _advice(self, rules: Rules, going: list[Verdict]) -> SafeText:
        if rules.takes_nothing and not self.untagged.value:
            return SafeText("Fill in at least one field that limits the rule; without any it would take every tag.")
        if len(going) * 2 > len(self.tags) and going:
            return SafeText("This takes more than half of the repository.")
        return SafeText("")

    # what comes of it

    @on(ButtonRow.Pressed)
    def _press(self, event: ButtonRow.Pressed) -> None:
        event.stop()
        if event.name == "cancel":
            self.dismiss(self.has_run)
        elif event.name == "plan":
            self.open_plan()
        elif event.name == "export":
            self.export()
        else:
            self.show_own()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field: on to the buttons."""
        event.stop()
        self.buttons.focus()

    @work(exclusive=True, group="plan", exit_on_error=False)
    async def open_plan(self) -> None:
        """The plan of the rule as it stands."""
        rules, problem = self.rule()
        if problem:
            self.sentence.say(problem)
            return
        if rules.takes_nothing and not self.untagged.value:
            self.sentence.say(self._advice(rules, []))
            return
        proposal = PruneProposal(
            self.session, self.place, rules, list(self.tags.values()), untagged=self.untagged.value
        )
        screen = PlanScreen(proposal)
        await self.app.push_screen_wait(screen)
        if screen.has_run:
            self.has_run = True
            self.tags.clear()
            self.graph, self.unread = None, 0
            self.load()

    @work(exclusive=True, group="export", exit_on_error=False)
    async def export(self) -> None:
        """The rule as a vendor writes it."""
        rules, problem = self.rule()
        if problem:
            self.sentence.say(problem)
            return
        names = list(EXPORTS)
        chosen = await self.app.push_screen_wait(ChooseScreen(SafeText("Export as"), [SafeText(n) for n in names]))
        if chosen < 0:
            return
        try:
            text = EXPORTS[names[chosen]](rules, self.place.repository)
        except RegtuiError as error:
            self.sentence.say(safe(str(error), 500))
            return
        name = f"retention-{self.place.repository.replace('/', '-')}.txt"
        self.app.push_screen(TextScreen(SafeText(names[chosen]), text, name))

    @work(exclusive=True, group="own", exit_on_error=False)
    async def show_own(self) -> None:
        """The rules that the registry itself keeps: what they do, and their own words."""
        try:
            registry = await self.session.registry(self.place.host)
            rules = await registry.retention(self.place.repository)
        except RegtuiError as error:
            self.sentence.say(safe(str(error), 500))
            return
        if rules is None:
            self.sentence.say(SafeText("The registry has no retention rule of its own for this repository."))
            return
        state = {True: "in force", False: "switched off", None: "whether they are in force is not known"}
        parts = [f"Rules of {rules.format}: {state[rules.enabled]}", "", *rules.sentences, ""]
        parts += [*self._effect(rules), ""]
        text = "\n".join([*parts, json.dumps(rules.body, indent=2, ensure_ascii=False, default=str), ""])
        self.app.push_screen(TextScreen(SafeText("The registry's own rules"), text, "retention.txt"))

    def _effect(self, rules: RetentionRules) -> list[str]:
        """What the registry's own rules will remove of the tags that are there."""
        try:
            effect = effect_of(rules, self.place.repository, self.tags.values(), self.now)
        except RegtuiError as error:
            return [str(error)]
        lines = [f"They will remove {len(effect.goes):,} of {len(self.tags):,} tags."]
        lines += [f"  {tag}: {rule}" for tag, rule in effect.goes.items()]
        return [*lines, *(f"Not understood: {text}" for text in effect.unknown)]

    # keys

    def on_resize(self, event: Resize) -> None:
        """Side by side where there is room."""
        self.set_class(event.size.width < WIDE, "-narrow")

    def action_step_back(self) -> None:
        """escape"""
        if self.filter.source_of(self.table):
            self.filter.clear_for(self.table)
        else:
            self.dismiss(self.has_run)

    def action_filter_list(self) -> None:
        """/"""
        self.filter.open_for(self.table)


def _verdict_table(now: datetime) -> ReadTable[Verdict]:
    columns: list[Column[Verdict]] = [
        Column("verdict", SafeText(""), _word, 5, tone=_tone, sort=lambda row: not row.goes),
        Column("tag", SafeText("tag"), lambda row: safe(row.tag.name), 12, flex=2),
        Column("age", SafeText("age"), lambda row: safe(age_text(row.moment, now)), 6, align="right"),
        Column("size", SafeText("size"), lambda row: safe(size_text(row.tag.size)), 9, align="right", priority=1,
               sort=lambda row: row.tag.size, descending=True),
        Column("why", SafeText("why it stays"), lambda row: row.why, 14, flex=1, tone="dim"),
    ]  # fmt: skip
    return ReadTable(
        columns, key=lambda row: row.tag.name, text=lambda row: f"{_word(row)} {row.tag.name} {row.why}",
        title=SafeText("Tags"), id="verdicts",
    )  # fmt: skip


def _word(row: Verdict) -> SafeText:
    return SafeText("goes" if row.goes else "stays")


def _tone(row: Verdict) -> Tone:
    return "warning" if row.goes else "dim"
