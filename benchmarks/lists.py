"""F3: a list of 100,000 rows in a terminal: shown at once, cheap to move in."""

from __future__ import annotations

import json
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.measure import MB, Outcome, percentile
from benchmarks.starting import own_folders, wait_for_file
from tests.ui.pty_harness import END_OF_FRAME, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Scale

DOWN, PAGE_DOWN = b"\x1b[B", b"\x1b[6~"


def f3(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """The pane of tags, 120x40."""
    count = scale.of(100_000, 2_000)
    report = scratch / "list.json"
    arguments = ("-m", "benchmarks.apps.long_list", str(report), str(count))
    with Terminal(*arguments, environ=own_folders(scratch)) as terminal:
        wait_for_file(terminal, report)
        terminal.settle()
        steps = [press(terminal, DOWN) for _ in range(scale.of(60, 5))]
        pages = [press(terminal, PAGE_DOWN) for _ in range(scale.of(30, 3))]
    told = json.loads(report.read_text())
    rows = f"{count:,} rows"
    yield Outcome("F3", f"{rows} shown after the data is there", told["shown"] * 1e3, 100, "ms")
    yield Outcome("F3", f"memory of the list beyond its {rows}", told["memory"] / MB, 1, "MB")
    yield Outcome("F3", "cursor step, p95", percentile([seconds for seconds, _ in steps], 0.95) * 1e3, 8, "ms")
    sizes = [size for _, size in steps]
    yield Outcome("F3", "cursor step, median bytes to the terminal", percentile(sizes, 0.5), 600, "bytes")
    yield Outcome("F3", "page down, median", percentile([seconds for seconds, _ in pages], 0.5) * 1e3, 12, "ms")


def press(terminal: Terminal, keys: bytes) -> tuple[float, int]:
    """Type; seconds until the next frame has come whole, and the bytes until all is quiet."""
    got, started = b"", perf_counter()
    terminal.send(keys)
    while END_OF_FRAME not in got and perf_counter() < started + 5:
        got += terminal.read(0.5)
    seconds = perf_counter() - started
    return seconds, len(got + terminal.settle())
