"""The places opened last, for the first screen: hosts, repositories and references, never a secret."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from regtui.oci.errors import InvalidReference
from regtui.oci.reference import Reference, is_host
from regtui.storage.errors import StorageError
from regtui.storage.files import read_bounded, write_private
from regtui.storage.paths import state_folder

if TYPE_CHECKING:
    from pathlib import Path

_MOST: Final = 50
_LARGEST_FILE: Final = 1 << 20


class Recent:
    """What was opened, newest first. It is a comfort: a file that can't be read or written is as good as none."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def places(self) -> tuple[str, ...]:
        """Hosts and references, newest first."""
        try:
            raw = read_bounded(self._file(), _LARGEST_FILE)
            document = json.loads(raw) if raw else None
        except (OSError, ValueError, RecursionError, StorageError):
            return ()
        listed = document.get("places") if isinstance(document, dict) else None
        if not isinstance(listed, list):
            return ()
        return tuple(dict.fromkeys(place for place in listed if isinstance(place, str) and _is_place(place)))[:_MOST]

    def add(self, place: str) -> None:
        """Put a host or reference in front. What is neither is not written: it could hold anything."""
        if not _is_place(place):
            return
        places = [place, *(known for known in self.places() if known != place)][:_MOST]
        with suppress(OSError, StorageError):
            write_private(self._file(), json.dumps({"places": places}, indent=1).encode())

    def clear(self) -> None:
        """Forget them all."""
        with suppress(OSError, StorageError):
            self._file().unlink(missing_ok=True)

    def _file(self) -> Path:
        return self._path or state_folder() / "recent.json"


def _is_place(text: str) -> bool:
    if is_host(text):
        return True
    try:
        Reference.parse(text, default_tag=None)
    except InvalidReference:
        return False
    return True
