"""The base of everything that can be long: lines drawn on demand, a cursor, few bytes on the wire.

A move draws two lines. When the cursor reaches the edge the view jumps by half a page, since Textual repaints
the whole view for every scroll. Nothing is animated and nothing reacts to the mouse merely hovering.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from rich.segment import Segment
from textual.cache import LRUCache
from textual.events import Key
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from regtui.ui._textual import set_border_text
from regtui.ui.actions import Bound, Place
from regtui.ui.safe_text import SafeText
from regtui.ui.widgets.columns import fit
from regtui.ui.widgets.glyphs import Glyphs, glyphs_for

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from rich.style import Style
    from textual import events


class LineModel(Protocol):
    """What a list needs to know of its model."""

    version: int
    cursor: int

    def __len__(self) -> int: ...

    def move_to(self, position: int) -> int:
        """Put the cursor on a line, or as near as there are lines; where it is now."""


class LineList(Bound, ScrollView, can_focus=True):
    """Lines with a cursor. Subclasses say what a line shows; owners change the model and then call `sync`."""

    PLACES: ClassVar[tuple[Place, ...]] = (Place.LIST,)
    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line--cursor",
        "line--header",
        "line--dim",
        "line--accent",
        "line--warning",
        "line--error",
        "line--success",
        "line--marked",
    }
    DEFAULT_CSS = """
    LineList {
        background: $surface; color: $foreground; overflow-x: hidden; overflow-y: auto;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        scrollbar-background: $surface; scrollbar-background-hover: $surface; scrollbar-background-active: $surface;
        & > .line--cursor {
            background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .line--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        & > .line--header { color: $text-muted; text-style: bold; }
        & > .line--dim { color: $text-muted; }
        & > .line--accent { color: $text-accent; }
        & > .line--warning { color: $text-warning; }
        & > .line--error { color: $text-error; }
        & > .line--success { color: $text-success; }
        & > .line--marked { color: $text-accent; text-style: bold; }
    }
    """

    class ListMessage(Message):
        """A message of a list about one of its lines."""

        def __init__(self, list_: LineList, position: int, value: Any, key: Hashable) -> None:
            super().__init__()
            self.list = list_
            self.position = position
            self.value = value
            """The row or node on the line; None on an empty list or a note."""
            self.key = key
            """What names it for good."""

        @property
        def control(self) -> LineList:
            """The list, for `@on(…, "#id")`."""
            return self.list

    class Highlighted(ListMessage):
        """The cursor stands on another row. Comes with every key repeat: wait a moment before fetching anything."""

        def can_replace(self, message: Message) -> bool:
            """Only the last of several waiting ones counts."""
            return isinstance(message, type(self)) and message.list is self.list

    class Opened(ListMessage):
        """Enter, or a second click on the same line."""

    def __init__(self, *, id: str | None = None, classes: str | None = None, glyphs: Glyphs | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.glyphs = glyphs if glyphs is not None else glyphs_for()
        self._strips: LRUCache[tuple[Any, ...], Strip] = LRUCache(512)
        self._styles: dict[str, Style] = {}
        self._drawn: tuple[int, int] = (-1, -1)
        self._told: Hashable = _NOTHING
        self._is_fresh_focus = False

    # for subclasses

    @property
    def line_model(self) -> LineModel:
        """The model that is shown."""
        raise NotImplementedError

    def draw_line(self, position: int, width: int, *, is_cursor: bool) -> Strip:
        """One line of the model in exactly `width` cells."""
        raise NotImplementedError

    def line_flags(self, position: int) -> Hashable:
        """What changes how a line looks without a new model version: its mark."""
        return None

    def identity(self, position: int) -> tuple[Any, Hashable]:
        """The value on a line and what names it."""
        raise NotImplementedError

    @property
    def header_lines(self) -> int:
        """Lines above the first that don't scroll: 0 or 1."""
        return 0

    def draw_header(self, width: int) -> Strip:
        """The line above, when there is one."""
        return Strip.blank(width, self.line_style("header"))

    def click_header(self, x: int) -> None:
        """A click on the line above, `x` cells from the left."""

    # for owners

    def sync(self) -> None:
        """Show the model as it is now. Call it after every change that was not made through this widget."""
        model = self.line_model
        count = len(model)
        before, self._drawn = self._drawn, (model.version, count)
        if before[0] != model.version:
            self._strips.clear()
        size = Size(self.line_width, count + self.header_lines)
        if size != self.virtual_size:
            self.virtual_size = size
        self._reveal(model.cursor)
        if before != self._drawn:
            self.refresh(self.size.region)
        self._tell()

    def forget_drawn(self) -> None:
        """Another model is shown from now on: nothing that was drawn is true any more."""
        self._drawn = (-1, -1)
        self._strips.clear()

    def show_title(self, title: SafeText, footnote: SafeText = SafeText("")) -> None:  # noqa: B008 - a constant
        """Text in the upper and lower border; only those two lines are drawn again."""
        set_border_text(self, title, footnote)

    def place_cursor(self, position: int) -> None:
        """Move the cursor as a key would."""
        model = self.line_model
        old = model.cursor
        flags = self._flags_in_view()
        new = model.move_to(position)
        self._reveal(new)
        if old != new:
            self.refresh_line(old)
            self.refresh_line(new)
        self._refresh_flagged(flags)
        self._tell()

    @property
    def line_width(self) -> int:
        """Cells of a line; the scrollbar has its own."""
        return max(0, self.size.width - self.scrollbar_size_vertical)

    @property
    def page_size(self) -> int:
        """How many lines of the model are visible at once."""
        return max(1, self.size.height - self.header_lines)

    # drawing

    def margin(self, *, is_cursor: bool, is_marked: bool) -> tuple[str, str]:
        """The sign before a line and its style: cursor and mark must be told apart without colour."""
        signs = self.glyphs
        if is_marked:
            return f"{signs.cursor_on_mark if is_cursor else signs.mark} ", "marked"
        return (f"{signs.cursor} ", "") if is_cursor else ("  ", "")

    def line_style(self, name: str = "") -> Style:
        """The style of a component, `""` for plain text."""
        style = self._styles.get(name)
        if style is None:
            style = self.get_component_rich_style(f"line--{name}") if name else self.rich_style
            self._styles[name] = style
        return style

    def strip_of(self, parts: Iterable[tuple[str, str]], width: int, *, is_cursor: bool) -> Strip:
        """A strip of (text, style name) parts, filled up to `width`.

        Each change of style costs some forty bytes: the cursor's line has one, and spaces take their neighbour's.
        """
        if is_cursor:
            text = fit("".join([text for text, _ in parts]), width, ellipsis="")
            return Strip([Segment(text, self.line_style("cursor"))], width)
        segments: list[Segment] = []
        run, name = "", ""
        for text, part in parts:
            if not text:
                continue
            if part == name or (run and text.isspace()):
                run += text
            elif run.isspace():
                run, name = run + text, part
            else:
                if run:
                    segments.append(Segment(run, self.line_style(name)))
                run, name = text, part
        if run:
            segments.append(Segment(run, self.line_style(name)))
        return Strip(segments).adjust_cell_length(width, self.line_style())

    def render_line(self, y: int) -> Strip:
        """One line of the view, from the cache when nothing about it has changed."""
        width = self.line_width
        if y < self.header_lines:
            return self.draw_header(width)
        model = self.line_model
        position = self.scroll_offset.y + y - self.header_lines
        if position >= len(model):
            return Strip.blank(width, self.line_style())
        is_cursor = position == model.cursor
        key = (position, model.version, width, is_cursor and (self.has_focus, True), self.line_flags(position))
        strip = self._strips.get(key)
        if strip is None:
            strip = self.draw_line(position, width, is_cursor=is_cursor)
            self._strips[key] = strip
        return strip

    def refresh_line(self, y: int) -> None:
        """Draw the line of one position again, when it can be seen."""
        line = y - self.scroll_offset.y + self.header_lines
        if self.header_lines <= line < self.size.height:
            self.refresh(Region(0, line, self.line_width, 1))

    def notify_style_update(self) -> None:
        """The theme or the focus has changed: forget drawn lines."""
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    # moving

    def action_move_down(self) -> None:
        """To the next line."""
        self.place_cursor(self.line_model.cursor + 1)

    def action_move_up(self) -> None:
        """To the line before."""
        self.place_cursor(self.line_model.cursor - 1)

    def action_move_top(self) -> None:
        """To the first line."""
        self.place_cursor(0)

    def action_move_bottom(self) -> None:
        """To the last line."""
        self.place_cursor(len(self.line_model) - 1)

    def action_move_page_down(self) -> None:
        """Down by a page."""
        self._page(self.page_size)

    def action_move_page_up(self) -> None:
        """Up by a page."""
        self._page(-self.page_size)

    def action_open_line(self) -> None:
        """Open what is under the cursor."""
        if len(self.line_model):
            position = self.line_model.cursor
            self.post_message(self.Opened(self, position, *self.identity(position)))

    # events

    def on_mount(self) -> None:
        """Show what the model has by now."""
        self.sync()

    def on_resize(self) -> None:
        """The view has another size: keep the cursor in it."""
        self._strips.clear()
        self.sync()

    def on_focus(self) -> None:
        """Remember that a click that gives the focus is no second click."""
        self._is_fresh_focus = True

    def on_key(self, event: events.Key) -> None:
        """Keys have been used since the focus came. What was typed ahead while the focus left goes where it went."""
        self._is_fresh_focus = False
        focused = self.screen.focused
        if focused is not None and focused is not self and self not in focused.ancestors:
            event.stop()
            event.prevent_default()
            focused.post_message(Key(event.key, event.character))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a second one opens; a click on the header sorts."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        fresh, self._is_fresh_focus = self._is_fresh_focus, False
        if offset.y < self.header_lines:
            self.click_header(offset.x)
            return
        position = self.scroll_offset.y + offset.y - self.header_lines
        if position >= len(self.line_model):
            return
        if position == self.line_model.cursor and not fresh:
            self.action_open_line()
        else:
            self.place_cursor(position)

    # inside

    def _page(self, lines: int) -> None:
        """Move the cursor and the view by the same number of lines, so that the cursor stays where it is on screen."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)
        self.place_cursor(self.line_model.cursor + lines)

    def _reveal(self, position: int) -> None:
        """Bring a line into view; from just outside by half a page."""
        top, page = self.scroll_offset.y, self.page_size
        if top <= position < top + page or not self.is_mounted:
            return
        target = position - page // 2
        if position >= len(self.line_model) - 1:
            target = position - page + 1
        self.scroll_to(y=max(0, target), animate=False, force=True)

    def _flags_in_view(self) -> list[Hashable]:
        top = self.scroll_offset.y
        return [self.line_flags(position) for position in range(top, min(top + self.page_size, len(self.line_model)))]

    def _refresh_flagged(self, before: list[Hashable]) -> None:
        """Draw again what a growing range of marks has changed in view."""
        after = self._flags_in_view()
        if len(after) != len(before):
            return
        for offset, (old, new) in enumerate(zip(before, after, strict=True)):
            if old != new:
                self.refresh_line(self.scroll_offset.y + offset)

    def _tell(self) -> None:
        """Post Highlighted when the cursor stands on something else than last told."""
        model = self.line_model
        value, key = self.identity(model.cursor) if len(model) else (None, None)
        if key == self._told:
            return
        had = self._told is not _NOTHING
        self._told = key
        if had or len(model):
            self.post_message(self.Highlighted(self, model.cursor, value, key))


_NOTHING = object()
