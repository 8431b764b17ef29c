"""The viewer: one file of an image, read by one Range where a checkpoint allows it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work

from regtui.oci import RegtuiError
from regtui.ui.actions import Bound, Place
from regtui.ui.files.colours import coloured
from regtui.ui.files.viewer import FileView
from regtui.ui.models.file_text import FileModel, look_at
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.file_taking import FileTaking
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.message_pane import MessagePane
from regtui.ui.widgets.status_bar import StatusBar
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from regtui.session import Session
    from regtui.session.image_files import FileRead
    from regtui.ui.files.place import FilePlace
    from regtui.ui.models.file_text import Looked


class ViewerScreen(Bound, FileTaking):
    """One file over the whole screen; escape goes back."""

    PLACES = (Place.VIEW,)
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    ViewerScreen { layout: vertical; }
    ViewerScreen > FileView, ViewerScreen > MessagePane { height: 1fr; }
    """

    def __init__(self, session: Session, place: FilePlace) -> None:
        super().__init__()
        self.session = session
        self.place = place
        self.pane = "a file"
        self.status = StatusBar()
        self.view = FileView(id="file")
        self.message = MessagePane(SafeText("Reading…"))
        self.filter = FilterInput()

    def compose(self) -> ComposeResult:
        """Title, lines, the line to search in, keys."""
        yield self.status
        yield self.message
        yield self.view
        yield self.filter
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read it."""
        self.filter.display = self.view.display = False
        self.status.set_breadcrumb(safe(self.place.path, 600))
        self.read_file()

    def file_here(self) -> FilePlace:
        """The file that is shown."""
        return self.place

    @work(exclusive=True, group="file", exit_on_error=False)
    async def read_file(self) -> None:
        """Read the beginning of the file and show it; colours come after the text."""
        place = self.place
        try:
            read = await self.session.image_files(place.contents).look_into(place.node, layer=place.layer)
        except RegtuiError as error:
            self.message.show(safe(error.sentence, 500), safe(error.hint or "escape goes back", 500), "error")
            return
        content = read.content
        looked = await asyncio.to_thread(look_at, content.data, whole=not content.truncated)
        self.status.set_state(_told(read, looked))
        if read.path != place.path:
            self.status.set_breadcrumb(safe(f"{place.path} → {read.path}", 600))
        if looked.kind == "empty":
            self.message.show(SafeText("The file is empty."))
            return
        self.message.display, self.view.display = False, True
        self.view.show(FileModel(looked, content.data))
        self.view.focus()
        if looked.kind == "text":
            pieces = await asyncio.to_thread(coloured, place.path, looked.lines)
            if pieces is not None:
                self.view.paint(pieces)

    @property
    def is_loading(self) -> bool:
        """Whether the file is still being read."""
        return any(worker.is_running for worker in self.workers if worker.node is self)

    def action_cancel(self) -> None:
        """Stop reading, and go back: there is nothing to see."""
        self.dismiss(None)

    def action_step_back(self) -> None:
        """escape: what was looked for first, then back."""
        if self.view.filter_source:
            self.filter.clear_for(self.view)
        else:
            self.dismiss(None)

    def action_filter_list(self) -> None:
        """/"""
        if self.view.display:
            self.filter.open_for(self.view)


def _told(read: FileRead, looked: Looked) -> SafeText:
    """What it is and what it cost, the most important first: the last parts go when there is no room."""
    content = read.content
    size = size_text(content.size)
    if content.truncated:
        size = f"first {size_text(len(content.data))} of {size}"
    parts = [size, f"layer {read.layer + 1}", looked.kind]
    times = "1 request" if read.requests == 1 else f"{read.requests} requests"
    parts.append(f"read {size_text(read.fetched)} in {times}")
    if content.verified:
        parts.append("matches its hash")
    return safe(" · ".join(parts))
