"""C: one big blob, verified, against curl: over a line of 50 MB/s and over loopback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks import samples
from benchmarks.alone import download, download_alone
from benchmarks.clients import REPOSITORY
from benchmarks.measure import MB, Outcome, in_child, interleaved, process
from benchmarks.servers import need, nginx, slow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Scale

LINE = 50 * MB


def c1(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """500 MB that don't compress."""
    size = scale.of(500, 10) * MB
    root = scratch / "blob"
    digest = samples.static_blob(root, size)
    path = f"/v2/{REPOSITORY}/blobs/{digest}"
    with slow(root, rate=LINE) as host:
        own, curl = _against_curl(min(scale.rounds, 3), host, path, digest, size)
        detail = f"{own:.3f} s / {curl:.3f} s for {size // MB} MB"
        yield Outcome("C1", "verified download over 50 MB/s / curl", own / curl, 1.05, detail=detail)
    with nginx(scratch, root) as host:
        own, curl = _against_curl(scale.rounds, host, path, digest, size)
        detail = f"{own:.3f} s / {curl:.3f} s, {size / own / MB:,.0f} MB/s"
        yield Outcome("C1", "verified download over loopback / curl", own / curl, 4, detail=detail)
        told = in_child(download_alone, host=host, digest=digest, size=size)
    yield Outcome("C1", "memory of the whole process at most", told / MB, 45, "MB")


def _against_curl(rounds: int, host: str, path: str, digest: str, size: int) -> list[float]:
    return interleaved(
        rounds,
        lambda: asyncio.run(download(host, digest, size)),
        lambda: process([need("curl"), "-sfo", "/dev/null", f"http://{host}{path}"]),
    )
