"""Indexes the layers of a layout in a process of its own, and tells as JSON what memory that took.

`python alone.py LAYOUT`: imports nothing but what a command would, since all of it counts.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import sys


def _status(field: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith(field))


def _give_back() -> None:
    """Hand what is free back to the system (glibc keeps it), so that only what is held counts."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


async def main(layout: str) -> dict[str, int]:
    """Read the image as a command does: two layers at once, stacked, with its waste and packages."""
    from regtui.contents.packages.inventory import inventory_of
    from regtui.contents.view import View
    from regtui.contents.waste import waste_of
    from regtui.session import Session, SessionOptions, parse_image

    session = Session.start(SessionOptions(use_cache=False))
    image = await session.image(parse_image(f"{layout}:latest"))
    # Loaded now, so that the tree is measured without the modules that make it.
    assert session.contents is not None
    _give_back()
    before = _status("VmRSS")
    contents = await session.contents.contents(image)
    read = _status("VmHWM")
    tree = contents.tree
    for index in tree.layers:
        if index is not None and index.checkpoints is not None:
            index.checkpoints.drop()
    _give_back()
    kept = _status("VmRSS")
    waste_of(tree)
    View(tree)
    shown = _status("VmHWM")
    inventory_of(tree)
    entries = sum(index.entries for index in tree.layers if index is not None)
    await session.close()
    return {
        "before": before,
        "reading": read,
        "kept": kept,
        "with_waste": shown,
        "peak": _status("VmHWM"),
        "nodes": len(tree),
        "entries": entries,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1]))))
