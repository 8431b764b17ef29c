"""One path of an image that a key is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.contents.columns import Kind

if TYPE_CHECKING:
    from regtui.contents.view import View
    from regtui.session.contents import ImageContents


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A path as the view that it was chosen in has it: `layer` is the layer up to which the image is looked at."""

    contents: ImageContents
    node: int
    layer: int
    path: str
    kind: Kind
    size: int

    @property
    def name(self) -> str:
        """The last part of the path; of the root, the image's."""
        return self.path.rstrip("/").rpartition("/")[2] or self.contents.image.reference.path.rpartition("/")[2]

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.kind == Kind.DIRECTORY


def place_of(contents: ImageContents, view: View, node: int) -> FilePlace:
    """A node of a view; what the view's layer removed is looked at as it was before."""
    here = contents.tree.occurrence(node, view.layer) if node else None
    layer = view.layer if here is not None or not node or view.since < 0 else view.since
    return FilePlace(contents, node, layer, view.path(node), view.kind(node), view.size(node))
