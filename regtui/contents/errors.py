"""What can go wrong while looking into a layer.

RegtuiError                       (oci/errors.py)
└── ContentsError                 something inside an image can't be shown
    ├── NotBrowsable              foreign, encrypted, squashfs, Nydus or no layer at all
    ├── DamagedLayer              the bytes break their format where a whole answer was needed
    ├── IndexingCancelled         the user left; nothing is wrong
    ├── IndexCorrupted            a stored index that can't be trusted: index the layer again
    ├── NotInImage                no such file in the image
    ├── NotReadable               a file without content, too large, or behind a loop of links
    └── UnsafeExtraction          extracting would overwrite or leave the destination
"""

from __future__ import annotations

from regtui.oci.errors import RegtuiError


class ContentsError(RegtuiError):
    """Something inside an image can't be shown."""


class NotBrowsable(ContentsError):
    """A blob that has no file tree regtui can read. `reason` is one of the words of `stream.browsable`."""

    def __init__(self, sentence: str, *, reason: str, hint: str | None = None) -> None:
        super().__init__(sentence, hint=hint)
        self.reason = reason


class DamagedLayer(ContentsError):
    """The bytes break their format."""


class IndexingCancelled(ContentsError):
    """Indexing was stopped on request."""


class IndexCorrupted(ContentsError):
    """A stored index that can't be trusted."""


class NotInImage(ContentsError):
    """No such file in the image."""


class NotReadable(ContentsError):
    """The file has no content to read, or more than was asked to be read."""


class UnsafeExtraction(ContentsError):
    """Extracting would overwrite something or leave the destination."""
