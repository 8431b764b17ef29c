"""The keys that are about a file, or about all of them, for every list in which files stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    from textual.widget import Widget

    Host = Widget
else:
    Host = object

What = Literal["extract", "page", "edit", "duplicates"]


class FileKeys(Host):
    """Mixin for lists: tells the screen what is wanted of the file under the cursor."""

    class Pressed(Message):
        """Something is wanted of the file under the cursor."""

        def __init__(self, what: What) -> None:
            super().__init__()
            self.what = what

    def action_extract_file(self) -> None:
        """e"""
        self.post_message(FileKeys.Pressed("extract"))

    def action_page_file(self) -> None:
        """f3"""
        self.post_message(FileKeys.Pressed("page"))

    def action_find_duplicates(self) -> None:
        """F"""
        self.post_message(FileKeys.Pressed("duplicates"))

    def action_edit_file(self) -> None:
        """f4"""
        self.post_message(FileKeys.Pressed("edit"))
