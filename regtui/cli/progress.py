"""Progress on stderr while layers and manifests are read: one line, only on a terminal, wiped at the end."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from shutil import get_terminal_size
from time import monotonic
from typing import TYPE_CHECKING, Final

from regtui.ui.safe_text import safe
from regtui.ui.words import count_text, size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from regtui.contents.extract import Extracted
    from regtui.session.contents import LayerProgress
    from regtui.session.usage import UsageProgress

_EVERY: Final = 0.1
"""Seconds between two updates of the line."""


@contextmanager
def cleared() -> Iterator[None]:
    """Wipe the line when the work is over, however it ends."""
    try:
        yield
    finally:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def layers_progress() -> Callable[[LayerProgress], None] | None:
    """Shows layers being read, with speed; None when nobody would see it."""
    if not sys.stderr.isatty():
        return None
    line, began = _Line(), monotonic()

    def show(step: LayerProgress) -> None:
        layer = min(step.done + 1, step.layers)
        done = f"{size_text(step.read)} of {size_text(step.total)}"
        speed = f"{size_text(int(step.read / max(monotonic() - began, 0.001)))}/s"
        line.show(f"layer {layer} of {step.layers} · {done} · {speed} · {count_text(step.entries)} entries")

    return show


def usage_progress() -> Callable[[UsageProgress], None] | None:
    """Shows tags being read; None when nobody would see it."""
    if not sys.stderr.isatty():
        return None
    line = _Line()

    def show(step: UsageProgress) -> None:
        line.show(f"{step.repository} · {count_text(step.read)} of {count_text(step.tags)} tags")

    return show


def extract_progress() -> Callable[[Extracted], None] | None:
    """Shows files being written; None when nobody would see it."""
    if not sys.stderr.isatty():
        return None
    line = _Line()

    def show(done: Extracted) -> None:
        line.show(f"{count_text(done.files)} files · {size_text(done.bytes)} written")

    return show


class _Line:
    """One line of the terminal that is written over."""

    def __init__(self) -> None:
        self._next = 0.0

    def show(self, text: str) -> None:
        """Put this in its place, now and then."""
        now = monotonic()
        if now >= self._next:
            self._next = now + _EVERY
            # A line that wraps could not be wiped.
            width = get_terminal_size((80, 24)).columns - 1
            sys.stderr.write(f"\r\x1b[K{safe(text, width)}")
            sys.stderr.flush()
