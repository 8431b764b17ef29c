"""The explorer: registries, repositories, tags and the detail of one image, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.containers import Horizontal

from regtui.oci import Reference, RegtuiError
from regtui.ui.actions import Bound, Place
from regtui.ui.changes.keys import Changing
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.browsing import Browsing
from regtui.ui.screens.comparing import Comparing
from regtui.ui.screens.configuring import Configuring
from regtui.ui.screens.freeing import Freeing
from regtui.ui.screens.inside import Inside
from regtui.ui.screens.taking import Taking
from regtui.ui.screens.vouching import GROUPS as TRUST_GROUPS
from regtui.ui.screens.vouching import Vouching
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.line_list import LineList
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.status_bar import StatusBar
from regtui.ui.widgets.tree_table import TreeTable

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import ComposeResult
    from textual.events import DescendantFocus, Resize
    from textual.widget import Widget

    from regtui.session import Image, Session, Target
    from regtui.transport.request_log import RequestRecord

PASSING: Final = 0.12
"""Seconds that the cursor must rest on a row before anything is fetched for it."""
WIDE: Final = 110
TINY: Final = (60, 16)


class ExplorerScreen(Bound, Changing, Taking, Configuring, Inside, Comparing, Freeing, Vouching, Browsing):
    """Miller columns over the detail. What a key does here stands in the action table."""

    PLACES = (Place.EXPLORER,)
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    ExplorerScreen { layout: vertical; }
    ExplorerScreen #lists { height: 2fr; }
    ExplorerScreen #detail { height: 3fr; border: round $panel-lighten-2; }
    ExplorerScreen #lists > LineList { height: 1fr; border: round $panel-lighten-2; }
    ExplorerScreen #registries { width: 26; }
    ExplorerScreen #repositories { width: 1fr; }
    ExplorerScreen #tags { width: 2fr; }
    ExplorerScreen #lists > LineList, ExplorerScreen #detail {
        border-title-color: $text-muted; border-subtitle-color: $text-muted;
    }
    ExplorerScreen #lists > LineList:focus, ExplorerScreen #detail:focus-within { border-title-color: $text-accent; }
    ExplorerScreen #lists > LineList:focus, ExplorerScreen #detail:focus-within { border: round $accent; }
    ExplorerScreen.-narrow #registries { width: 1fr; }
    ExplorerScreen .-away { display: none; }
    """
    NAMES: ClassVar[tuple[str, ...]] = ("registries", "repositories", "tags", "detail")

    def __init__(self, session: Session, target: Target | None, *, now: datetime | None = None) -> None:
        super().__init__(session, now)
        self.target = target
        self.zoomed = False
        self.pane = "registries"
        self.first_pane = "registries"
        self.status = StatusBar()
        self.filter = FilterInput()
        self.footer = KeyFooter()

    def compose(self) -> ComposeResult:
        """Status line, lists, detail, filter line, footer."""
        yield self.status
        with Horizontal(id="lists"):
            yield self.registries
            yield self.repositories
            yield self.tags
        yield self.detail
        yield self.filter
        yield self.footer

    def on_mount(self) -> None:
        """Start where the command line points to."""
        self.filter.display = False
        self.detail.border_title = "4 Detail"
        self.tags.sort_by("")
        self.fit_panes()
        if self.target is None:
            self.detail.tell("Choose a registry and press enter.", "o opens any image reference; ? shows all keys.")
            self.go("registries")
        else:
            self.open_target(self.target)
        self.first_pane = self.pane
        self.load_registries()
        self.session.log.subscribe(self._request_made)
        self.tell_status()

    def _request_made(self, record: RequestRecord) -> None:
        """Called in the thread that made the request."""
        del record
        self.call_later(self.tell_status)

    def open_target(self, target: Target) -> None:
        """Go straight to a place: an image first, so that it costs the fewest requests."""
        self.session.remember(target.host)
        if target.path is None:
            self.open_host(target.host)
            self.go("repositories")
            return
        self.host, self.path = target.host, target.path
        self.wanted_platform = None
        self.source.clear()
        self.repositories.rebuild()
        if target.is_image:
            self.tags.reset((), self.tags.listing)
            self.tags_later, self.is_opening = target.tag, True
            self.load_image(target.reference())
            self.go("detail")
        else:
            self.load_tags(target.path)
            self.go("tags")
        if target.is_local:
            self.load_repositories(target.host)
        self.tell_status()

    # what the lists tell

    @on(RowTable.Opened, "#registries")
    def _open_registry(self, event: RowTable.Opened) -> None:
        self.session.remember(event.value.known.host)
        self.open_host(event.value.known.host)
        self.go("repositories")
        self.tell_status()

    @on(FilterInput.Changed)
    def _count_again(self, event: FilterInput.Changed) -> None:
        if event.target is self.repositories:
            self.count_repositories()

    @on(TreeTable.Highlighted, "#repositories")
    def _pass_repository(self, event: TreeTable.Highlighted) -> None:
        node = event.value
        if node is not None and node.value is not None and self.pane == "repositories":
            self.set_timer(PASSING, lambda: self._rest_on(node.path))

    def _rest_on(self, path: str) -> None:
        current = self.repositories.current
        if current is not None and current.path == path and self.pane == "repositories":
            self.open_repository(path)
            self.tell_status()

    @on(TreeTable.Opened, "#repositories")
    def _open_repository(self, event: TreeTable.Opened) -> None:
        node = event.value
        if node is None:
            return
        if node.value is None:
            self.repositories.action_expand()
            return
        self.open_repository(node.path)
        self.go("tags")
        self.tell_status()

    @on(RowTable.Highlighted, "#tags")
    def _pass_tag(self, event: RowTable.Highlighted) -> None:
        if event.value is not None and self.pane == "tags":
            self.load_image(self._reference_of(event.value.name), wait=PASSING)
        if event.value is not None:
            self.load_details()

    @on(RowTable.Opened, "#tags")
    def _open_tag(self, event: RowTable.Opened) -> None:
        self.load_image(self._reference_of(event.value.name))
        self.go("detail")

    def _reference_of(self, tag: str) -> Reference:
        return Reference.at(self.host or "", self.path or "", tag)

    def image_shown(self, image: Image) -> None:
        """Name the image in the title of its pane; only now come the tags beside it."""
        self.detail.border_title = safe(f"4 {image.reference.path}:{image.reference.tag or image.top.digest.short}")
        self.tell_status()

    # panes

    def pane_widget(self, name: str) -> Widget:
        """The list to focus for a pane."""
        return self.detail.current_list if name == "detail" else self.query_one(f"#{name}")

    def go(self, name: str) -> None:
        """Focus a pane; in a narrow terminal it takes the place of the others."""
        self.pane = name
        if name == "repositories" and self.host is not None and self.listed != self.host:
            self.load_repositories(self.host)
        self.fit_panes()
        self.set_focus(self.pane_widget(name), scroll_visible=False)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """A click or tab went to another pane."""
        for name in self.NAMES:
            pane = self.query_one(f"#{name}")
            if pane is event.widget or pane in event.widget.ancestors:
                self.pane = name
        self.fit_panes()

    def on_resize(self, event: Resize) -> None:
        """Show as many panes as fit."""
        del event
        self.fit_panes()

    def fit_panes(self) -> None:
        """Which panes stand on the screen: all when it is wide, else the focused list and the detail."""
        width, height = self.app.size
        tiny = width < TINY[0] or height < TINY[1]
        alone = self.zoomed or tiny
        self.set_class(alone or width < WIDE, "-narrow")
        for name in self.NAMES[:3]:
            away = (name != self.pane) if alone else (width < WIDE and name != self._list_beside())
            self.query_one(f"#{name}").set_class(away, "-away")
        self.query_one("#lists").set_class(alone and self.pane == "detail", "-away")
        self.detail.set_class(alone and self.pane != "detail", "-away")
        self.status.set_breadcrumb(self._breadcrumb())

    def _list_beside(self) -> str:
        return self.pane if self.pane != "detail" else ("tags" if self.path is not None else "repositories")

    def _breadcrumb(self) -> SafeText:
        current = self.detail.image
        host = self.host
        # A layout is known by its folder; the whole path stands in the overview.
        place = host.rstrip("/").rpartition("/")[2] if host is not None and host.startswith("/") else host
        parts = [place, self.path, current.reference.tag if current is not None else None]
        return safe(" > ".join(part for part in parts if part) or "regtui", 200)

    def tell_status(self) -> None:
        """The status line: where, who, what may be done, what is under way."""
        self.tell_writable()
        self.status.set_breadcrumb(self._breadcrumb())
        if self.host is None:
            self.status.set_state(SafeText(""))
            return
        words = ["writable" if self.session.writable(self.host) else "read-only"]
        registry = self.session.opened(self.host)
        rate = self.session.rate(self.host)
        if self.session.log.in_flight:
            words.append(f"{self.session.log.in_flight} in flight")
        if rate is not None:
            words.append(f"{rate:,} requests left")
        who = self.session.who(self.host) if registry is not None else None
        self.status.set_state(safe(" · ".join([who, *words] if who else words), 120))

    # actions of the action table

    def action_focus_registries(self) -> None:
        """1"""
        self.go("registries")

    def action_focus_repositories(self) -> None:
        """2"""
        self.go("repositories")

    def action_focus_tags(self) -> None:
        """3"""
        self.go("tags")

    def action_focus_detail(self) -> None:
        """4"""
        self.go("detail")

    def action_next_pane(self) -> None:
        """tab"""
        self.go(self.NAMES[(self.NAMES.index(self.pane) + 1) % 4])

    def action_previous_pane(self) -> None:
        """shift+tab"""
        self.go(self.NAMES[(self.NAMES.index(self.pane) - 1) % 4])

    def action_leave_pane(self) -> None:
        """h, left: one pane to the left."""
        self.go(self.NAMES[max(0, self.NAMES.index(self.pane) - 1)])

    def action_enter_pane(self) -> None:
        """l, right: as enter, or one pane to the right."""
        focused = self.focused
        if isinstance(focused, LineList) and self.pane != "detail":
            focused.action_open_line()

    def action_zoom_pane(self) -> None:
        """z"""
        self.zoomed = not self.zoomed
        self.fit_panes()

    def action_previous_tab(self) -> None:
        """["""
        self.detail.step(-1)

    def action_next_tab(self) -> None:
        """]"""
        self.detail.step(1)

    def action_describe(self) -> None:
        """d"""
        self.detail.switch("overview")
        self.go("detail")

    def action_show_raw(self) -> None:
        """y"""
        self.detail.switch("raw")
        self.go("detail")

    def action_toggle_companions(self) -> None:
        """a: signature tags; among repositories tree or flat."""
        if self.pane == "repositories":
            self.toggle_flat()
            return
        self.shows_attachments = not self.shows_attachments
        if self.path is not None:
            self.load_tags(self.path)

    def action_refresh_pane(self) -> None:
        """r, f5: ask again, past the cache."""
        if self.host is None:
            self.load_registries()
            return
        self.session.refresh(self.host, self.path if self.pane in {"tags", "detail"} else None)
        if self.pane == "registries":
            self.load_registries()
        elif self.pane == "repositories":
            self.source.clear()
            self.load_repositories(self.host)
        elif self.path is not None and self.pane == "tags":
            current = self.tags.current
            self.load_tags(self.path, keep=current.name if current is not None else None)
        elif self.detail.image is not None:
            self.load_image(self._unpinned(self.detail.image.reference))

    @staticmethod
    def _unpinned(reference: Reference) -> Reference:
        return reference if reference.tag is None else Reference(reference.host, reference.path, reference.tag)

    def action_step_back(self) -> None:
        """escape: the filter first, then the marks, then one pane back."""
        focused = self.focused
        if isinstance(focused, (RowTable, TreeTable)):
            if self.filter.source_of(focused):
                self.filter.clear_for(focused)
                return
            if focused.model.marks:
                focused.action_clear_marks()
                return
        if self.zoomed:
            self.action_zoom_pane()
            return
        if self.stop_contents():
            return
        self.workers.cancel_group(self, "image")
        self.action_leave_pane()

    def action_filter_list(self) -> None:
        """/"""
        focused = self.focused
        if isinstance(focused, (RowTable, TreeTable)):
            self.filter.open_for(focused)

    def action_cancel(self) -> None:
        """Stop everything that loads."""
        for group in ("repositories", "tags", "details", "image", "contents", *TRUST_GROUPS):
            self.workers.cancel_group(self, group)

    @property
    def is_loading(self) -> bool:
        """Whether a worker of this screen runs."""
        return any(worker.is_running for worker in self.workers if worker.node is self)

    async def go_to(self, text: str) -> None:
        """Open what a person typed or pasted; the error, if any, is a notification."""
        from regtui.session import parse_target

        try:
            target = parse_target(text)
        except RegtuiError as error:
            self.notify(str(safe(str(error), 500)), severity="error", markup=False)
            return
        self.open_target(target)
        self.load_registries()
