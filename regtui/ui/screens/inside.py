"""What is inside of the image that the explorer shows: reading its layers, looking at them, opening files."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual import on, work

from regtui.contents.columns import Kind
from regtui.oci import RegtuiError
from regtui.ui.detail import DetailPane
from regtui.ui.facts.layers import layer_rows
from regtui.ui.files.keys import FileKeys
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.browsing import Browsing
from regtui.ui.screens.choose import ChooseScreen
from regtui.ui.screens.file_taking import FileTaking
from regtui.ui.widgets.tree_table import TreeTable
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.session import Image
    from regtui.session.contents import LayerProgress
    from regtui.ui.files.pane import FilesPane
    from regtui.ui.files.place import FilePlace


class Inside(FileTaking, Browsing):
    """The workers of the Files tab."""

    def file_here(self) -> FilePlace | None:
        """The file under the cursor of the Files tab."""
        return self.detail.files.file_here()

    @on(DetailPane.FilesWanted)
    def _read_files(self, event: DetailPane.FilesWanted) -> None:
        self.load_contents(event.image)

    @on(DetailPane.TabLeft)
    def _leave_files(self, event: DetailPane.TabLeft) -> None:
        if event.tab == "files":
            self.stop_contents()

    def stop_contents(self) -> bool:
        """Stop reading layers at once; whether any were being read."""
        return bool(self.workers.cancel_group(self, "contents"))

    @work(exclusive=True, group="contents", exit_on_error=False)
    async def load_contents(self, image: Image, *, hash_files: bool = False) -> None:
        """Read the layers of an image and show its tree; leaving the tab stops it. `hash_files` compares contents."""
        from regtui.contents.stream import IndexOptions
        from regtui.contents.view import View
        from regtui.ui.facts.waste import findings_of
        from regtui.ui.files.looking import view_of

        files = self.detail.files
        files.begin()
        try:
            contents = await self.session.contents.contents(
                image,
                _progress(files, slow=bool(getattr(self.app, "slow_line", False))),
                lambda tree: files.post_message(files.Grown(View(tree))),
                options=IndexOptions(hash_files=True) if hash_files else None,
            )
            files.state(SafeText("adding up…"))
            view = await asyncio.to_thread(view_of, contents.tree, files.looking)
            findings = await asyncio.to_thread(findings_of, contents)
            if self.detail.image is image:
                files.show(contents, findings, view)
        except RegtuiError as error:
            if self.detail.image is image:
                files.tell(str(error))
        except asyncio.CancelledError:
            if self.detail.image is image:
                files.state(SafeText("stopped · r reads on; what is shown is what was read so far"))
                self.detail.files_stopped()
            raise

    def on_files_pane_view_wanted(self, event: FilesPane.ViewWanted) -> None:
        """By its name: the Files tab's module is not loaded before the first frame."""
        self.make_view(event)

    @work(exclusive=True, group="view of files", exit_on_error=False)
    async def make_view(self, event: FilesPane.ViewWanted) -> None:
        """Look at the same tree in another way."""
        from regtui.ui.files.looking import view_of

        files = self.detail.files
        contents = files.contents
        if contents is None:
            return
        view = await asyncio.to_thread(view_of, contents.tree, event.looking)
        if files.contents is contents:
            files.show_view(view, event.looking)

    def on_files_pane_layer_wanted(self) -> None:
        """The person wants to see one layer alone."""
        self._choose_layer()

    @work(exclusive=True, group="layer", exit_on_error=False)
    async def _choose_layer(self) -> None:
        image, files = self.detail.image, self.detail.files
        if image is None or files.contents is None:
            self.notify("The layers are not read yet.", severity="warning", markup=False)
            return
        lines = [SafeText("all layers")]
        lines += [
            safe(f"{row.number:>3} {size_text(row.size):>10}  {row.instruction or '—'}") for row in layer_rows(image)
        ]
        now = 0 if files.looking.layer is None else files.looking.layer + 1
        chosen = await self.app.push_screen_wait(ChooseScreen(SafeText("Layer"), lines, now))
        if chosen >= 0:
            files.look_at(files.looking.at_layer(chosen - 1 if chosen else None))

    @on(TreeTable.Opened, "#file-tree")
    def _open_file(self, event: TreeTable.Opened) -> None:
        event.stop()
        place, files = self.file_here(), self.detail.files
        if place is None or place.is_folder:
            files.file_tree.toggle()
            return
        folder = _linked_folder(place)
        if folder is not None:
            files.go_to_node(folder)
            return
        from regtui.ui.screens.view_file import ViewerScreen

        self.app.push_screen(ViewerScreen(self.session, place))

    @on(FileKeys.Pressed)
    def _take_file(self, event: FileKeys.Pressed) -> None:
        takes: dict[str, Callable[[], Any]] = {
            "extract": self.action_extract_file,
            "page": self.action_page_file,
            "edit": self.action_edit_file,
            "duplicates": self._find_duplicates,
        }
        takes[event.what]()

    def _find_duplicates(self) -> None:
        image = self.detail.image
        if image is not None:
            self.load_contents(image, hash_files=True)


def _linked_folder(place: FilePlace) -> int | None:
    """The folder that a symlink leads to, None for every other path."""
    if place.kind != Kind.SYMLINK:
        return None
    from regtui.contents.links import resolve

    tree = place.contents.tree
    try:
        node = resolve(tree, tree.path(place.node), 0, place.layer)
    except RegtuiError:
        return None  # the viewer says what is wrong with the link
    here = tree.occurrence(node, place.layer) if node is not None else None
    return node if here is not None and tree.kind(here) == Kind.DIRECTORY else None


def _progress(files: FilesPane, *, slow: bool) -> Callable[[LayerProgress], None]:
    """A callback for worker threads."""
    from regtui.ui.files.progress import ReadingProgress

    progress = ReadingProgress()

    def tell(step: LayerProgress) -> None:
        told = progress.step(step, monotonic(), slow=slow)
        if told is not None:
            files.post_message(told)

    return tell
