"""The detail pane: tabs over one image."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar, cast

from textual.containers import Vertical
from textual.message import Message
from textual.widgets import ContentSwitcher

from regtui.ui.facts.layers import LayerRow, history_rows, layer_rows
from regtui.ui.facts.overview import Fact, overview, wrapped
from regtui.ui.layers_pane import LayersPane
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.bars import bar
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.json_pane import JsonPane
from regtui.ui.widgets.line_list import LineList
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.tab_strip import TabStrip
from regtui.ui.words import size_text, time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from textual.app import ComposeResult

    from regtui.session import Image
    from regtui.ui.files.pane import FilesPane
    from regtui.ui.trust.pane import TrustPane
    from regtui.ui.trust.scan_pane import ScanPane

    Pane = TypeVar("Pane", FilesPane, TrustPane, ScanPane)

TABS: Final = (
    ("overview", SafeText("Overview")),
    ("layers", SafeText("Layers")),
    ("files", SafeText("Files")),
    ("history", SafeText("History")),
    ("trust", SafeText("Trust")),
    ("scan", SafeText("Scan")),
    ("config", SafeText("Config")),
    ("raw", SafeText("Raw")),
)
VALUES_FROM: Final = 17
"""Cells of the overview that are no room for values."""
MAKE_AFTER: Final = 0.1
"""Seconds by which the first frame is out, before what it can do without is loaded."""
_TONES: Final[Mapping[str, Tone]] = {"head": "accent", "warn": "warning", "dim": "dim", "error": "error"}


class DetailPane(Vertical):
    """Everything about one image. `show` fills it, `tell` puts a sentence in its place.

    The tabs that take the longest to load are made when they are first wanted, or else behind the first frame.
    """

    DEFAULT_CSS = """
    DetailPane { height: 1fr; }
    DetailPane > ContentSwitcher { height: 1fr; }
    DetailPane LineList { height: 1fr; }
    """

    class FilesWanted(Message):
        """The Files tab is looked at, and the image's layers have not been read yet."""

        def __init__(self, image: Image) -> None:
            super().__init__()
            self.image = image

    class TrustWanted(Message):
        """The Trust or the Scan tab is looked at, and nothing has been asked for it yet."""

        def __init__(self, image: Image, tab: str) -> None:
            super().__init__()
            self.image = image
            self.tab = tab

    class TabLeft(Message):
        """A tab is no longer looked at: what it was loading can stop."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, *, id: str = "detail", now: datetime | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.image: Image | None = None
        self.sizes: dict[str, int | None] = {}
        self._filled: set[str] = set()
        self._now = now
        self._sentence: tuple[str, str] | None = None
        self._made: dict[str, FilesPane | TrustPane | ScanPane] = {}
        self._overview = _facts_table()
        self._told: list[Fact] = []
        """The sentence that stands in place of an image, and the hint."""
        self._layers = LayersPane(_layers_table("layer-list"), id="layers")
        self._history = _layers_table("history")
        self._config = JsonPane(id="config")
        self._raw = JsonPane(id="raw")
        self._tabs = TabStrip(TABS, id="tabs")
        self._switcher = ContentSwitcher(initial="overview")

    def compose(self) -> ComposeResult:
        """The tab strip over the tabs."""
        yield self._tabs
        with self._switcher:
            yield self._overview
            yield self._layers
            yield self._history
            yield self._config
            yield self._raw

    def on_mount(self) -> None:
        """Make the other tabs while nobody waits for them."""
        self.set_timer(MAKE_AFTER, self._make_all)

    def _make_all(self) -> None:
        _ = self.files, self.trust, self.scan

    @property
    def files(self) -> FilesPane:
        """The Files tab."""
        from regtui.ui.files.pane import FilesPane

        return self._late("files", FilesPane)

    @property
    def trust(self) -> TrustPane:
        """The Trust tab."""
        from regtui.ui.trust.pane import TrustPane

        return self._late("trust", TrustPane)

    @property
    def scan(self) -> ScanPane:
        """The Scan tab."""
        from regtui.ui.trust.scan_pane import ScanPane

        return self._late("scan", partial(ScanPane, now=self._now))

    def _late(self, tab: str, make: Callable[..., Pane]) -> Pane:
        """A tab that is made when it is first wanted, with what was told meanwhile."""
        if tab not in self._made:
            pane = self._made[tab] = make(id=tab)
            pane.display = False
            self._switcher.mount(pane)
            if self._sentence is not None:
                pane.tell(*self._sentence)
        return cast("Pane", self._made[tab])

    @property
    def tab(self) -> str:
        """The tab that is shown."""
        return self._switcher.current or "overview"

    @property
    def current_list(self) -> LineList:
        """The list on the tab that is shown."""
        if self.tab == "layers":
            return self._layers.focus_list
        if self.tab == "files":
            return self.files.focus_list
        if self.tab == "trust":
            return self.trust.hanging
        return self.scan.findings if self.tab == "scan" else self.query_one(f"#{self.tab}", LineList)

    def show(self, image: Image) -> None:
        """Fill the pane with an image; the tab stays."""
        self.image = image
        self._told, self._sentence = [], None
        self._filled.clear()
        self._tabs.note = safe(str(image.platform)) if image.platform is not None else SafeText("")
        self._fill(self.tab)

    def show_sizes(self, sizes: Mapping[str, int | None]) -> None:
        """The sizes of platforms that were read since, by digest."""
        self.sizes.update(sizes)
        self._filled.discard("overview")
        self._fill(self.tab)

    def tell(self, sentence: str, hint: str | None = None, *, tone: str = "dim") -> None:
        """Show a sentence instead of an image: what is loading, what went wrong, what to press."""
        self.image = None
        self._filled = {name for name, _ in TABS}
        self._tabs.note = SafeText("")
        facts = [Fact(SafeText(""), safe(sentence, 1000), tone)]
        if hint:
            facts.append(Fact(SafeText(""), safe(hint, 1000), "fact"))
        self._told, self._sentence = facts, (sentence, hint or "")
        self._show_told()
        self._layers.show()
        for pane in self._made.values():
            pane.tell(*self._sentence)
        self._history.reset()
        self._config.show(b"")
        self._raw.show(b"")

    def on_resize(self) -> None:
        """A sentence wraps anew."""
        if self._told:
            self._show_told()

    def _show_told(self) -> None:
        self._overview.reset(wrapped(self._told, self.size.width - VALUES_FROM))

    def switch(self, tab: str) -> None:
        """Show a tab; the focus goes along when it was in the pane."""
        had_focus = self.has_focus_within
        left = self.tab
        if tab in {"files", "trust", "scan"}:
            self._make_all()
        self._switcher.current = tab
        self._tabs.active = tab
        self._fill(tab)
        if had_focus:
            self.current_list.focus()
        if left != tab:
            self.post_message(self.TabLeft(left))

    def files_stopped(self) -> None:
        """The layers were not read to the end: ask again when the tab is looked at the next time."""
        self.stopped("files")

    def stopped(self, tab: str) -> None:
        """A tab was left before it was full: ask again when it is looked at the next time."""
        self._filled.discard(tab)

    def step(self, by: int) -> None:
        """Show the next tab, or the one before."""
        names = [name for name, _ in TABS]
        self.switch(names[(names.index(self.tab) + by) % len(names)])

    def on_tab_strip_chosen(self, event: TabStrip.Chosen) -> None:
        """A tab was clicked."""
        self.switch(event.tab)

    def _fill(self, tab: str) -> None:
        """Work out a tab's content when it is first looked at."""
        if self.image is None or tab in self._filled:
            return
        self._filled.add(tab)
        image = self.image
        if tab == "overview":
            self._overview.reset(overview(image, self.sizes))
        elif tab == "layers":
            self._layers.show(layer_rows(image))
        elif tab == "files":
            self.post_message(self.FilesWanted(image))
        elif tab in {"trust", "scan"}:
            self.post_message(self.TrustWanted(image, tab))
        elif tab == "history":
            self._history.reset(history_rows(image))
        elif tab == "config":
            self._config.show(image.config.raw if image.config is not None else b"")
        else:
            self._raw.show(image.top.raw)


def _facts_table() -> RowTable[Fact]:
    columns: Sequence[Column[Fact]] = [
        Column("name", SafeText(""), lambda fact: fact.name, 11, tone="dim"),
        Column("value", SafeText(""), lambda fact: fact.value, 20, flex=1, tone=lambda fact: _TONES.get(fact.kind, "")),
    ]
    return RowTable(columns, key=id, text=lambda fact: fact.name + fact.value, show_header=False, id="overview")


def _layers_table(name: str) -> RowTable[LayerRow]:
    columns: list[Column[LayerRow]] = [
        Column(
            "number", SafeText("#"), lambda row: safe("" if row.number is None else str(row.number)), 3, align="right"
        ),
        Column(
            "size",
            SafeText("size"),
            lambda row: safe("" if row.layer is None else size_text(row.size)),
            9,
            align="right",
            sort=lambda row: row.size,
            descending=True,
        ),
        Column(
            "share", SafeText("share"), lambda row: bar(row.share, 10), 10, tone="accent", priority=2, is_data=False
        ),
        Column("from", SafeText("made by"), _made_by, 20, flex=1, tone=lambda row: "" if row.layer else "dim"),
    ]
    if name == "history":
        columns.append(
            Column("created", SafeText("created"), lambda row: safe(time_text(row.created)), 20, tone="dim", priority=3)
        )
    columns.append(
        Column(
            "digest",
            SafeText("digest"),
            lambda row: safe("" if row.layer is None else row.layer.digest.short),
            12,
            tone="dim",
            priority=1,
        )
    )
    return RowTable(columns, key=lambda row: row.key, text=lambda row: row.instruction or "", id=name)


def _made_by(row: LayerRow) -> SafeText:
    text = row.instruction or "—"
    return safe(f"{text}  ({row.note})" if row.note else text, 600)
