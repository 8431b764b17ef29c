"""Pull: where to, as what, which platform; then each blob as it comes, and what came of it. No registry is changed."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from textual import on, work
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from regtui.oci import Index, RegtuiError
from regtui.operations.pulling import Destination, Form, Puller, plan_pull
from regtui.session import own_platform
from regtui.storage.journal import Journal
from regtui.ui.actions import Bound
from regtui.ui.actions import Place as Spot
from regtui.ui.changes.buttons import Button, ButtonRow, Sentence
from regtui.ui.changes.choice_line import ChoiceLine
from regtui.ui.changes.read_table import ReadTable
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.bars import bar
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.tick import Tick
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from regtui.oci import Digest, Platform, Reference
    from regtui.operations.pulling import Pulled
    from regtui.operations.work import BlobProgress, Progress
    from regtui.session import Session

REDRAW: Final = 0.12
"""Seconds between two pictures of the blobs."""
FORMS: Final[tuple[tuple[Form, SafeText, str], ...]] = (
    (Form.OCI, SafeText("OCI archive"), ".tar"),
    (Form.DOCKER, SafeText("docker archive"), ".docker.tar"),
    (Form.LAYOUT, SafeText("OCI layout"), ""),
)
_BAR: Final = 16
_TONES: Final[dict[str, Tone]] = {"done": "success", "there": "dim", "mounted": "dim"}

State = Literal["asking", "running", "finished"]


class PullScreen(Bound, ModalScreen[None]):
    """One image to this disk. What was broken off is taken up again by the next pull to the same place."""

    PLACES = (Spot.PLAN,)
    AUTO_FOCUS = "#path"
    DEFAULT_CSS = """
    PullScreen { align: center middle; }
    PullScreen > Vertical {
        width: 96%; max-width: 110; height: 90%; max-height: 30;
        border: round $accent; background: $surface; border-title-color: $text-accent;
    }
    PullScreen Horizontal { height: 1; }
    PullScreen .label { width: 12; padding: 0 1; color: $text-muted; }
    PullScreen Input { width: 1fr; height: 1; border: none; padding: 0 1; background: $boost; }
    PullScreen Input:focus { border: none; background: $panel; }
    PullScreen Tick { width: 1fr; }
    PullScreen ReadTable { height: 1fr; }
    """
    pane: ClassVar[str] = "pull"

    def __init__(self, session: Session, reference: Reference) -> None:
        super().__init__()
        self.session = session
        self.reference = reference
        self.state: State = "asking"
        self.pulled: Pulled | None = None
        self.path = Input(select_on_focus=False, id="path")
        self.form = ChoiceLine([label for _, label, _ in FORMS], id="form")
        self.platform = ChoiceLine([SafeText("all platforms")], id="platform")
        self.referrers = Tick("signatures and attestations, too", False, compact=True, id="referrers")
        self.overwrite = Tick("replace what is there", False, compact=True, id="overwrite")
        self.table = _blobs_table()
        self.sentence = Sentence()
        self.buttons = ButtonRow(self.table)
        self._platforms: tuple[Platform, ...] = ()
        self._blobs: dict[Digest, BlobProgress] = {}
        self._puller: Puller | None = None
        self._drawn = 0.0

    def compose(self) -> ComposeResult:
        """The question over the blobs."""
        with Vertical() as box:
            box.border_title = Content(
                safe(f"Pull {self.reference.path}:{self.reference.tag or self.reference.locator}")
            )
            for label, widget in (("to", self.path), ("as", self.form), ("for", self.platform)):
                with Horizontal():
                    yield Static(Content(label), classes="label")
                    yield widget
            yield self.referrers
            yield self.overwrite
            yield self.table
            yield self.sentence
            yield self.buttons

    def on_mount(self) -> None:
        """A name to begin with, and the platforms that there are."""
        self.path.cursor_blink = False
        self.path.value = self._proposed(0)
        self.path.cursor_position = len(self.path.value)
        self._show_buttons()
        self.look()

    @property
    def is_writing(self) -> bool:
        """Whether a pull is under way: then leaving asks first."""
        return self.state == "running"

    def _proposed(self, form: int) -> str:
        name = self.reference.path.rpartition("/")[2]
        tag = self.reference.tag or str(self.reference.locator)[7:19]
        return f"{name}-{tag}{FORMS[form][2]}"

    @work(exclusive=True, group="look", exit_on_error=False)
    async def look(self) -> None:
        """Which platforms can be chosen."""
        try:
            top = await self.session.reader.manifest(self.reference)
        except RegtuiError as error:
            self.sentence.say(safe(str(error), 500))
            return
        if isinstance(top, Index):
            found = (entry.platform for entry in top.platforms)
            self._platforms = tuple(platform for platform in found if platform is not None)
            self.platform.offer([SafeText("all platforms"), *(safe(str(p)) for p in self._platforms)])

    @on(ChoiceLine.Changed)
    def _chose(self) -> None:
        """The name follows the form as long as it is the one that was proposed."""
        if self.path.value in {self._proposed(number) for number in range(len(FORMS))}:
            self.path.value = self._proposed(self.form.chosen)
        if FORMS[self.form.chosen][0] is Form.DOCKER and not self.platform.chosen and self._platforms:
            self.sentence.say(SafeText("docker load takes one platform: this machine's, unless one is chosen."))
        else:
            self.sentence.say(SafeText(""))

    # the pull

    @on(ButtonRow.Pressed)
    def _press(self, event: ButtonRow.Pressed) -> None:
        event.stop()
        if event.name == "pull":
            self._begin()
        elif event.name == "stop":
            self.stop()
        else:
            self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the path: it is the answer."""
        event.stop()
        self._begin()

    def _begin(self) -> None:
        if self.state != "running":
            self.state = "running"
            self._blobs.clear()
            self.sentence.say(SafeText("looking what has to be fetched"))
            self._show_buttons()
            self.buttons.focus()
            self.pull()

    @work(exclusive=True, group="pull", exit_on_error=False)
    async def pull(self) -> None:
        """Plan and fetch; nothing half-written ever has the final name."""
        try:
            destination = Destination.of(self.path.value.strip(), FORMS[self.form.chosen][0])
            wanted = (self._platforms[self.platform.chosen - 1],) if self.platform.chosen else ()
            planned = await plan_pull(
                await self.session.registry(self.reference.host),
                self.session.reader,
                self.reference,
                destination,
                platforms=wanted,
                own_platform=own_platform(),
                referrers=self.referrers.value,
                overwrite=self.overwrite.value,
            )
            self._puller = Puller(self.session.registry, self.session.reader, Journal(), progress=self._progressed)
            self.pulled = await self._puller.run(planned)
        except RegtuiError as error:
            self._end("asking", safe(f"{error.sentence} {self._hint_of(error)}", 500))
            return
        finally:
            self._puller = None
        pulled = self.pulled
        self._end(
            "finished",
            safe(
                f"{pulled.path} has it: {size_text(pulled.bytes)} in {pulled.fetched:,} blobs fetched, "
                f"{pulled.skipped:,} were there. {pulled.digest}",
                500,
            ),
        )

    def _hint_of(self, error: RegtuiError) -> str:
        """Hints name options of the command line; here they are boxes and lines."""
        hint = error.hint or ""
        if "--overwrite" in hint:
            return "Tick the box that replaces it, or name another file."
        return "Choose one platform." if "--platform" in hint else hint

    def _end(self, state: State, words: SafeText) -> None:
        self.state = state
        self._draw()
        self.sentence.say(words)
        self._show_buttons()
        if state == "asking":
            self.path.focus()

    def _progressed(self, progress: Progress) -> None:
        blob = progress.blob
        if blob is not None:
            self._blobs[blob.digest] = blob
            if monotonic() - self._drawn > REDRAW:
                self._draw()

    def _draw(self) -> None:
        self._drawn = monotonic()
        blobs = list(self._blobs.values())
        self.table.reset(blobs, Listing())
        got, known = sum(blob.copied for blob in blobs), sum(blob.size for blob in blobs)
        if blobs:
            self.sentence.say(SafeText(f"{len(blobs):,} blobs · {size_text(got)} of {size_text(known)}"))

    def stop(self) -> None:
        """Break off; the blobs that came stay for the next try."""
        if self._puller is not None:
            self._puller.cancel()
            self.sentence.say(SafeText("Stopping…"))

    def stop_and_leave(self) -> None:
        """As `stop`, and quit."""
        self.stop()
        self.app.exit()

    def _show_buttons(self) -> None:
        if self.state == "running":
            self.buttons.show(Button("stop", SafeText("Stop")))
        elif self.state == "finished":
            self.buttons.show(Button("close", SafeText("Close")))
        else:
            self.buttons.show(Button("cancel", SafeText("Cancel")), Button("pull", SafeText("Pull")))

    def action_step_back(self) -> None:
        """escape: stop first, then leave."""
        if self.is_writing:
            self.stop()
        else:
            self.dismiss(None)


def _blobs_table() -> ReadTable[BlobProgress]:
    columns: list[Column[BlobProgress]] = [
        Column("digest", SafeText("blob"), lambda row: safe(row.digest.short), 14, tone="dim"),
        Column("state", SafeText("state"), lambda row: safe(row.state), 9, tone=lambda row: _TONES.get(row.state, "")),
        Column("bar", SafeText(""), lambda row: bar(row.copied / row.size if row.size else 1.0, _BAR), _BAR,
               priority=1),
        Column("bytes", SafeText("bytes"), lambda row: SafeText(f"{size_text(row.copied)} of {size_text(row.size)}"),
               22, flex=1),
    ]  # fmt: skip
    return ReadTable(columns, key=lambda row: row.digest, text=lambda row: row.digest, show_header=False, id="blobs")
