"""What can be done with one file of an image: extract it, read it in the pager or the editor."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from textual import work
from textual.app import SuspendNotSupported
from textual.screen import Screen
from textual.worker import get_current_worker

from regtui.contents.columns import Kind
from regtui.oci import RegtuiError
from regtui.ui.files.programs import program, run_over_copy
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.words import counted, size_text

if TYPE_CHECKING:
    from regtui.contents.extract import Extracted
    from regtui.session import Session
    from regtui.ui.files.place import FilePlace

LARGEST_COPY: Final = 64 << 20
"""Bytes of a file that pager and editor get."""
NAMED: Final = 3
"""Skipped paths that are named; the rest is counted."""


class FileTaking(Screen[None]):
    """Mixin of screens on which a file can stand under the cursor."""

    session: Session

    def file_here(self) -> FilePlace | None:
        """The file or folder that a key is about."""
        raise NotImplementedError

    @work(exclusive=True, group="extract", exit_on_error=False)
    async def action_extract_file(self) -> None:
        """e"""
        place = self.file_here()
        if place is None:
            self._warn("No file is chosen here.")
            return
        what = safe(f"{place.path}{'/' if place.is_folder else ''} ({size_text(place.size)})", 200)
        from regtui.ui.screens.asking import ExtractScreen

        wish = await self.app.push_screen_wait(ExtractScreen(what, safe(place.name, 200)))
        if wish is None:
            return
        destination = await asyncio.to_thread(_destination, wish.destination, place.name)
        await self._extract(place, destination, keep_special_bits=wish.keep_special_bits)

    async def _extract(self, place: FilePlace, destination: Path, *, keep_special_bits: bool) -> None:
        from regtui.ui.screens.asking import WorkingScreen

        dialog = WorkingScreen(safe(f"Extracting {place.path}", 200))
        worker, loop = get_current_worker(), asyncio.get_running_loop()
        await self.app.push_screen(dialog, lambda stopped: worker.cancel() if stopped else None)
        told = [0.0]

        def progress(done: Extracted) -> None:
            if loop.time() - told[0] >= 0.25:  # a slow line does not need more
                told[0] = loop.time()
                loop.call_soon_threadsafe(dialog.tell, _how_far(done, place.size))

        try:
            files = self.session.image_files(place.contents)
            done = await files.extract(
                files.locate(place.path, layer=place.layer),
                destination,
                layer=place.layer,
                keep_special_bits=keep_special_bits,
                progress=progress,
            )
        except RegtuiError as error:
            dialog.dismiss(False)
            self._warn(str(error))
        except asyncio.CancelledError:
            self._warn(f"Stopped. What was written so far is at {destination}.")
            raise
        else:
            dialog.dismiss(False)
            self.notify(_result(done, destination), markup=False, timeout=8)

    @work(exclusive=True, group="program", exit_on_error=False)
    async def action_page_file(self) -> None:
        """f3"""
        await self._run("pager")

    @work(exclusive=True, group="program", exit_on_error=False)
    async def action_edit_file(self) -> None:
        """f4"""
        await self._run("editor")

    async def _run(self, kind: Literal["pager", "editor"]) -> None:
        place = self.file_here()
        if place is None or place.kind not in {Kind.REGULAR, Kind.HARDLINK, Kind.SYMLINK}:
            self._warn("No file is chosen here.")
            return
        command = program(kind)
        if command is None:
            self._warn(f"No {kind} was found: set {'PAGER' if kind == 'pager' else 'EDITOR'} to one.")
            return
        try:
            files = self.session.image_files(place.contents)
            read = await files.look_into(place.node, layer=place.layer, most=LARGEST_COPY)
            with self.app.suspend():
                problem = run_over_copy(command, place.name, read.content.data)
        except RegtuiError as error:
            self._warn(str(error))
        except SuspendNotSupported:
            self._warn(f"This terminal can't be handed to a {kind}: enter shows the file here, e extracts it.")
        else:
            if problem is not None:
                self._warn(problem)
            elif read.content.truncated:
                self._warn(f"Only the first {size_text(LARGEST_COPY)} of {size_text(read.content.size)} were read.")
            elif kind == "editor":
                self.notify("That was a copy, which is removed now; e extracts the file.", markup=False)

    def _warn(self, sentence: str) -> None:
        self.notify(safe(sentence, 500), severity="warning", markup=False)


def _destination(typed: str, name: str) -> Path:
    """Where to, as `cp` understands it: into a folder that is there, else under this name."""
    place = Path(typed).expanduser()
    return place / name if place.is_dir() else place


def _how_far(done: Extracted, size: int) -> SafeText:
    return safe(f"{counted(done.files, 'file')} · {size_text(done.bytes)} of {size_text(size)}")


def _result(done: Extracted, destination: Path) -> SafeText:
    parts = [f"Extracted {counted(done.files, 'file')}, {size_text(done.bytes)}, to {destination}."]
    if done.skipped:
        named = "; ".join(f"{path} ({reason})" for path, reason in done.skipped[:NAMED])
        more = f" and {len(done.skipped) - NAMED:,} more" if len(done.skipped) > NAMED else ""
        parts.append(f"Left out: {named}{more}.")
    return safe(" ".join(parts), 600)
