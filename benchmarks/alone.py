"""What is measured in a process of its own whose memory counts: imports only what regtui itself would."""

from __future__ import annotations

import asyncio
from time import perf_counter

from benchmarks.clients import REPOSITORY, registry
from benchmarks.memory import peak_resident
from regtui.oci import Descriptor, Digest


async def download(host: str, digest: str, size: int) -> float:
    """Read a whole blob, verified; its seconds."""
    blob = Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", Digest.parse(digest), size)
    async with registry(host) as opened:
        started, got = perf_counter(), 0
        async for chunk in opened.blob(REPOSITORY, blob):
            got += len(chunk)
        assert got == size
        return perf_counter() - started


def download_alone(host: str, digest: str, size: int) -> int:
    """In a process of its own: the most memory that it held."""
    asyncio.run(download(host, digest, size))
    return peak_resident()
