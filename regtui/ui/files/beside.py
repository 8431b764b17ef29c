"""The lists beside the files: what is wasted, by which layer, which packages there are, the largest files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import ContentSwitcher

from regtui.ui.actions import Place
from regtui.ui.files.keys import FileKeys
from regtui.ui.safe_text import UNKNOWN, SafeText, safe
from regtui.ui.widgets.bars import bar
from regtui.ui.widgets.columns import Column
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.tab_strip import TabStrip
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from textual.app import ComposeResult

    from regtui.ui.facts.waste import FileRow, Findings, PackageRow, WasteRow

TABS: Final = (
    ("wasted", SafeText("Waste")),
    ("by-layer", SafeText("By layer")),
    ("packages", SafeText("Packages")),
    ("largest", SafeText("Largest")),
)


class BesideTable(FileKeys, RowTable[Any]):
    """One of the lists; enter goes to the path in the tree."""

    PLACES = (Place.BESIDE,)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave_list", "Files", show=False)]

    class Left(Message):
        """Back to the tree."""

    def action_leave_list(self) -> None:
        """escape: the screen clears filter and marks first."""
        if self.filter_source or self.model.marks:
            raise SkipAction
        self.post_message(self.Left())

    def action_show_beside(self) -> None:
        """b"""
        self.post_message(Beside.NextWanted())


class Beside(Vertical):
    """The lists and the line that names them."""

    DEFAULT_CSS = """
    Beside > ContentSwitcher { height: 1fr; }
    Beside RowTable { height: 1fr; }
    """

    class NextWanted(Message):
        """The next of the lists."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.tables = {
            "wasted": _table("wasted", _WASTE, lambda row: row.key, lambda row: row.path + row.why),
            "by-layer": _table("by-layer", _SHARES, lambda row: row.layer, lambda row: row.made_by),
            "packages": _table("packages", _PACKAGES, lambda row: row.key, lambda row: f"{row.manager} {row.name}"),
            "largest": _table("largest", _LARGEST, lambda row: row.node, lambda row: row.path),
        }
        self._tabs = TabStrip(TABS)
        self._switcher = ContentSwitcher(initial="wasted")

    def compose(self) -> ComposeResult:
        """Names over lists."""
        yield self._tabs
        with self._switcher:
            yield from self.tables.values()

    @property
    def current(self) -> BesideTable:
        """The list that is shown."""
        return self.tables[self._switcher.current or "wasted"]

    def show(self, findings: Findings) -> None:
        """Fill all of them."""
        rows: dict[str, Sequence[Any]] = {
            "wasted": findings.wasted,
            "by-layer": findings.shares,
            "packages": findings.packages,
            "largest": findings.largest,
        }
        for name, table in self.tables.items():
            table.reset(rows[name], Listing("complete"))

    def clear(self) -> None:
        """There is nothing to tell."""
        for table in self.tables.values():
            table.reset((), Listing("idle"))

    def switch(self, tab: str) -> None:
        """Show one of the lists; the focus stays in the list that is shown."""
        had_focus = self.has_focus_within
        self._switcher.current = self._tabs.active = tab
        if had_focus:
            self.current.focus()

    def next(self) -> None:
        """Show the next list."""
        names = [name for name, _ in TABS]
        self.switch(names[(names.index(self.current.id or "wasted") + 1) % len(names)])

    def on_tab_strip_chosen(self, event: TabStrip.Chosen) -> None:
        """A click on a name."""
        event.stop()
        self.switch(event.tab)
        self.current.focus()


def _table(
    name: str, columns: Sequence[Column[Any]], key: Callable[[Any], Hashable], text: Callable[[Any], str]
) -> BesideTable:
    return BesideTable(columns, key=key, text=text, id=name)


def _bytes(row: WasteRow | PackageRow | FileRow) -> SafeText:
    return safe(size_text(row.bytes))


def _layer(layer: int | None) -> SafeText:
    return UNKNOWN if layer is None else safe(str(layer + 1))


_SIZE: Final[Column[Any]] = Column(
    "bytes", SafeText("bytes"), _bytes, 9, align="right", sort=lambda row: row.bytes, descending=True
)
_WASTE: Final[tuple[Column[Any], ...]] = (
    _SIZE,
    Column(
        "path",
        SafeText("what is wasted"),
        lambda row: safe(row.path, 600),
        12,
        flex=1,
        keeps_end=True,
        tone=lambda row: "accent" if row.node is None else "",
    ),
    Column("why", SafeText("why"), lambda row: safe(row.why), 12, tone="dim", priority=1),
)
_SHARES: Final[tuple[Column[Any], ...]] = (
    Column("layer", SafeText("#"), lambda row: _layer(row.layer), 3, align="right"),
    Column("added", SafeText("added"), lambda row: safe(size_text(row.added)), 9, align="right", sort=lambda r: r.added,
           descending=True),
    Column("hidden", SafeText("hidden"), lambda row: safe(size_text(row.hidden)), 9, align="right",
           sort=lambda r: r.hidden, descending=True),
    Column("share", SafeText("waste"), lambda row: bar(row.share, 8), 8, tone="warning", is_data=False),
    Column("made by", SafeText("made by"), lambda row: safe(row.made_by or "—", 600), 8, flex=1,
           tone="dim", priority=1),
)  # fmt: skip
_PACKAGES: Final[tuple[Column[Any], ...]] = (
    _SIZE,
    Column("name", SafeText("package"), lambda row: safe(row.name, 300), 12, flex=2, sort=lambda row: row.name,
           tone=lambda row: "accent" if row.manager is None else ""),
    Column("version", SafeText("version"), lambda row: safe(row.version or "", 100), 8, flex=1, tone="dim", priority=1),
    Column("manager", SafeText("from"), lambda row: safe(row.manager or ""), 6, tone="dim", priority=2,
           sort=lambda row: row.manager),
    Column("layer", SafeText("layer"), lambda row: _layer(row.layer) if row.manager else SafeText(""), 5, align="right",
           tone="dim", priority=3, sort=lambda row: row.layer),
)  # fmt: skip
_LARGEST: Final[tuple[Column[Any], ...]] = (
    _SIZE,
    Column("path", SafeText("path"), lambda row: safe(row.path, 600), 12, flex=1, sort=lambda row: row.path,
           keeps_end=True),
    Column("layer", SafeText("layer"), lambda row: _layer(row.layer), 5, align="right", tone="dim", priority=1,
           sort=lambda row: row.layer),
)  # fmt: skip
