"""F4: the Files tab over an image of 300,000 entries, in a terminal: key to screen, read and looked at by hand."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

from benchmarks.lists import DOWN, PAGE_DOWN, press
from benchmarks.measure import Outcome, percentile
from benchmarks.starting import own_folders
from tests.servers.content import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST
from tests.ui.pty_harness import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Scale

IMAGE = "bench/files"
STEP = 50
"""Milliseconds that a step of the cursor may take; more feels slow."""
_PER_FOLDER = 1_000


def f4(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """Open the tab, open a folder of a third of all entries, walk through it, look at the layers."""
    count = scale.of(300_000, 3_000)
    layout = scratch / "layout"
    entries = many_files(layout, count)
    with Terminal("-m", "regtui", f"{layout}/{IMAGE}:latest", environ=own_folders(scratch)) as terminal:
        terminal.wait_for(b"4 bench/files")
        terminal.settle()
        terminal.press(b"]")
        terminal.press(b"]")
        terminal.wait_for(b"unpacked", seconds=120)
        terminal.settle()
        terminal.press(b"g")
        unfolded, _ = press(terminal, b"l")
        steps = [press(terminal, DOWN) for _ in range(scale.of(80, 5))]
        pages = [press(terminal, PAGE_DOWN) for _ in range(scale.of(30, 3))]
        ends = [press(terminal, key)[0] for key in (b"G", b"g") * scale.of(5, 1)]
        layers = [press(terminal, key)[0] for key in (b">", b"<") * scale.of(5, 1)]
    seconds, sizes = zip(*steps, strict=True)
    page_seconds, page_sizes = zip(*pages, strict=True)
    among = f"{entries:,} entries"
    yield Outcome("F4", f"cursor step, median, {among}", percentile(seconds, 0.5) * 1e3, STEP, "ms")
    yield Outcome("F4", f"cursor step, p95, {among}", percentile(seconds, 0.95) * 1e3, STEP, "ms")
    yield Outcome("F4", "cursor step, median bytes to the terminal", percentile(sizes, 0.5), 600, "bytes")
    yield Outcome("F4", "page down, median", percentile(page_seconds, 0.5) * 1e3, STEP, "ms")
    yield Outcome("F4", "page down, median bytes to the terminal", percentile(page_sizes, 0.5), 9_000, "bytes")
    yield Outcome("F4", "to the last line and the first, median", percentile(ends, 0.5) * 1e3, STEP, "ms")
    yield Outcome("F4", f"opening a folder of {count // 3:,}", unfolded * 1e3, 500, "ms")
    yield Outcome("F4", "another layer, first answer, median", percentile(layers, 0.5) * 1e3, 500, "ms")


def many_files(layout: Path, count: int) -> int:
    """An OCI layout with an image of two layers and about `count` entries; how many there are.

    A third of them lie flat in one folder, the rest a thousand to a folder.
    """
    flat = [f"a-flat/file-{number:06}.txt" for number in range(count // 3)]
    nested = [f"srv/part-{number // _PER_FOLDER:04}/item-{number:06}.so" for number in range(count - len(flat))]
    layers = [_layer(flat), _layer(nested)]
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [_digest(raw) for raw, _ in layers]},
        "history": [{"created_by": "COPY a-flat /"}, {"created_by": "COPY srv /srv"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _put(blobs, json.dumps(config).encode(), OCI_CONFIG),
        "layers": [_put(blobs, packed, OCI_LAYER) for _, packed in layers],
    }
    entry = _put(blobs, json.dumps(manifest).encode(), OCI_MANIFEST)
    entry["annotations"] = {"org.opencontainers.image.ref.name": f"{IMAGE}:latest"}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return len(flat) + len(nested) + len({path.rpartition("/")[0] for path in nested}) + 2


def _layer(paths: list[str]) -> tuple[bytes, bytes]:
    """(tar, gzip) of small files; every one has some bytes, so that sizes add up."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number, path in enumerate(paths):
            info = tarfile.TarInfo(path)
            info.size, info.mtime = number % 7, 1_700_000_000
            tar.addfile(info, io.BytesIO(b"content"[: info.size]))
    raw = made.getvalue()
    return raw, gzip.compress(raw, 1, mtime=0)


def _put(blobs: Path, raw: bytes, media_type: str) -> dict[str, object]:
    digest = _digest(raw)
    (blobs / digest.partition(":")[2]).write_bytes(raw)
    return {"mediaType": media_type, "digest": digest, "size": len(raw)}


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"
