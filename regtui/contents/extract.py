"""Files and folders out of an image onto this disk, safely.

Everything goes into a folder or file that did not exist before; links are made last, so nothing is ever written
through one; devices and pipes are left out; set-user-id and the like are dropped unless asked for.
"""

from __future__ import annotations

import os
import posixpath
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from regtui.contents.columns import IMPLIED, Kind
from regtui.contents.cursor import TarCursor
from regtui.contents.errors import ContentsError, IndexingCancelled, NotReadable, UnsafeExtraction
from regtui.contents.links import content_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from regtui.contents.tree import ImageTree, Occurrence

_BAD_NAMES: Final = frozenset({"", ".", ".."})
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(slots=True)
class Extracted:
    """What came of it. `skipped` names the paths that were left out, each with the reason in words."""

    files: int = 0
    folders: int = 0
    links: int = 0
    bytes: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Plan:
    """What is to be made, by where it goes: folders in order, files by layer, links last."""

    folders: list[tuple[Path, Occurrence]] = field(default_factory=list)
    files: dict[int, dict[int, list[tuple[Path, Occurrence]]]] = field(default_factory=dict)
    links: list[tuple[Path, str]] = field(default_factory=list)


class Extraction:
    """Extracts one file or folder. Blocking: run it in a worker thread.

    `open_layer(layer, offset)` opens a blocking stream of a layer's blob from a byte on; it is closed as soon as
    enough was read. `progress(files, bytes)` is told now and then, `cancelled` is asked often.
    """

    def __init__(
        self,
        tree: ImageTree,
        open_layer: Callable[[int, int], BinaryIO],
        *,
        layer: int | None = None,
        keep_special_bits: bool = False,
        progress: Callable[[Extracted], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._tree, self._open, self._layer = tree, open_layer, layer
        self._bits = 0o7777 if keep_special_bits else 0o777
        self._progress, self._cancelled = progress, cancelled
        self._done = Extracted()
        self._top = ""

    def run(self, node: int, destination: Path) -> Extracted:
        """Extract `node` to `destination`, which must not exist, though the folder above it must.

        Raises UnsafeExtraction when it exists, NotReadable for what has no content, IndexingCancelled, DamagedLayer,
        ContentsError when the disk refuses, and what `open_layer` raises. What was written so far stays.
        """
        here = self._tree.occurrence(node, self._layer)
        if here is None:
            raise NotReadable("This path is not in the image.")
        if os.path.lexists(destination):
            raise UnsafeExtraction(f"{destination} exists already.", hint="Name a place that does not exist yet.")
        plan = _Plan()
        self._top = self._path(node)
        if self._tree.kind(here) == Kind.DIRECTORY:
            self._gather(plan, node, here, destination)
        else:
            self._add_file(plan, destination, content_of(self._tree, node, self._layer))
        try:
            self._make(plan)
        except OSError as error:
            raise ContentsError(f"Extracting stopped: {error.strerror} ({error.filename}).") from error
        return self._done

    def _path(self, node: int) -> str:
        return "/" + os.fsdecode(self._tree.path(node))

    def _gather(self, plan: _Plan, top: int, here: Occurrence, destination: Path) -> None:
        pending = [(top, here, destination)]
        while pending:
            folder, found, place = pending.pop()
            plan.folders.append((place, found))
            for child in sorted(self._tree.children(folder)):
                inside = self._tree.occurrence(child, self._layer)
                if inside is None:
                    continue
                name = os.fsdecode(self._tree.name(child))
                if name in _BAD_NAMES or not _fits_here(name):
                    self._skip(child, "its name can't be used on this system")
                elif self._tree.kind(inside) == Kind.DIRECTORY:
                    pending.append((child, inside, place / name))
                else:
                    self._add(plan, child, inside, place / name)

    def _add(self, plan: _Plan, node: int, here: Occurrence, place: Path) -> None:
        kind = self._tree.kind(here)
        if kind == Kind.SYMLINK:
            target = self._inside(node, os.fsdecode(self._tree.index(here.layer).link(here.row) or b""))
            if target is None:
                self._skip(node, "the link leads out of what is extracted")
            else:
                plan.links.append((place, target))
        elif kind in {Kind.REGULAR, Kind.HARDLINK}:
            try:
                self._add_file(plan, place, content_of(self._tree, node, self._layer))
            except NotReadable as error:
                self._skip(node, error.sentence[0].lower() + error.sentence[1:].rstrip("."))
        else:
            self._skip(node, "devices and pipes are not extracted")

    def _add_file(self, plan: _Plan, place: Path, content: Occurrence) -> None:
        rows = plan.files.setdefault(content.layer, {})
        rows.setdefault(content.row, []).append((place, content))

    def _inside(self, node: int, target: str) -> str | None:
        """A symlink's target relative to the link, when it stays within what is extracted; else None."""
        above = posixpath.dirname(self._path(node))
        whole = posixpath.normpath(posixpath.join(above, target))
        whole = "/" + whole.lstrip("/")
        top = self._top.rstrip("/")
        if not target or (whole != top and not whole.startswith(f"{top}/")):
            return None
        return posixpath.relpath(whole, above)

    def _skip(self, node: int, reason: str) -> None:
        self._done.skipped.append((self._path(node), reason))

    def _make(self, plan: _Plan) -> None:
        for place, _ in plan.folders:
            place.mkdir(mode=0o700)
            self._done.folders += 1
        for layer, rows in sorted(plan.files.items()):
            self._make_files(layer, rows)
        for place, target in plan.links:
            try:
                place.symlink_to(target)
                self._done.links += 1
            except FileExistsError:
                self._done.skipped.append((str(place), "this file system takes two names for one"))
        for place, here in reversed(plan.folders):
            self._finish(place, here, folder=True)

    def _make_files(self, layer: int, rows: dict[int, list[tuple[Path, Occurrence]]]) -> None:
        index = self._tree.index(layer)
        cursor = TarCursor(index, lambda offset: self._open(layer, offset))
        try:
            for row in sorted(rows, key=lambda row: index.data_offset(row) or 0):
                (first, here), *others = rows[row]
                if not self._write(cursor, row, first):
                    continue
                self._finish(first, here)
                for place, _ in others:
                    self._repeat(first, place)
        finally:
            cursor.close()

    def _write(self, cursor: TarCursor, row: int, place: Path) -> bool:
        try:
            handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW, 0o600)
        except FileExistsError:
            self._done.skipped.append((str(place), "this file system takes two names for one"))
            return False
        with open(handle, "wb") as file:
            for offset, piece in cursor.content(row):
                self._look_up()
                file.seek(offset)
                file.write(piece)
                self._done.bytes += len(piece)
            file.truncate(cursor.index.columns.size[row])
        self._done.files += 1
        if self._progress is not None:
            self._progress(self._done)
        return True

    def _repeat(self, first: Path, place: Path) -> None:
        """Another name of a file that was just written."""
        try:
            os.link(first, place, follow_symlinks=False)
        except FileExistsError:
            self._done.skipped.append((str(place), "this file system takes two names for one"))
            return
        self._done.files += 1

    def _finish(self, place: Path, here: Occurrence, *, folder: bool = False) -> None:
        """Mode and time, as far as the system takes them; the owner stays whoever runs this."""
        columns = self._tree.index(here.layer).columns
        if columns.kind[here.row] & IMPLIED:
            place.chmod(0o755)
            return
        mode = columns.mode[here.row] & self._bits
        # A time that no clock of this system shows is not worth failing for.
        with suppress(OverflowError, OSError, ValueError):
            os.utime(place, (columns.mtime[here.row],) * 2)
        place.chmod(mode | (0o700 if folder else 0o400))

    def _look_up(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise IndexingCancelled("Extracting was cancelled.")


def _fits_here(name: str) -> bool:
    """Whether a name means one file below its folder on this system."""
    separators = {"/", "\0", os.sep, os.altsep or "/"}
    if os.name == "nt":
        separators |= set('<>:"|?*') | {chr(code) for code in range(32)}
    return not any(character in separators for character in name)
