"""B: the details of 1,000 tags, 2,000 requests, against wrk, skopeo and what the round trip allows."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from benchmarks import samples
from benchmarks.clients import REPOSITORY, reader_of, registry
from benchmarks.measure import Outcome, clean_environ, in_child, interleaved, process, watched_loop
from benchmarks.servers import distribution, need, nginx, slow
from regtui.transport.request_log import RequestLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from benchmarks.measure import Scale
    from regtui.registries.distribution import DistributionRegistry

AT_ONCE = 16
DELAY = 0.03
_WRK_SCRIPT = """
local paths = {{ {paths} }}
local next = 0
request = function()
  next = next % #paths + 1
  return wrk.format("GET", paths[next])
end
"""


def b1_b2(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """Against distribution: the requests per second that it can answer at all, and skopeo in eight processes."""
    count = scale.of(1_000, 40)
    storage = scratch / "images"
    samples.many_images(storage, count)
    script = _wrk_script(scratch, count)
    with distribution(scratch, storage) as host:
        requests = 2 * count
        own, ceiling = interleaved(
            scale.rounds, lambda: asyncio.run(_all_details(host, count)), lambda: requests / _wrk(host, script, scale)
        )
        detail = f"{requests / own:,.0f} / {requests / ceiling:,.0f} requests/s, {AT_ONCE} connections"
        yield Outcome("B1", f"{requests:,} requests / wrk", ceiling / own, 0.5, want="at least", detail=detail)
        some = min(scale.of(100, 8), count)
        repository = f"{host}/{REPOSITORY}"
        names = "".join(f"docker://{repository}:{name}\n" for name in samples.tag_names(some))
        skopeo = [need("xargs"), "-P8", "-n1", need("skopeo"), "inspect", "--no-tags", "--tls-verify=false"]
        regtui = [sys.executable, "-m", "regtui", "tags", repository, "--details", "--json", "--no-cache"]
        environ = {"HOME": str(scratch), "XDG_CONFIG_HOME": str(scratch)}
        each, peer = interleaved(
            min(scale.rounds, 3),
            lambda: process([*regtui, "--plain-http", host], environ) / count,
            lambda: process(skopeo, shell_input=names) / some,
        )
        detail = f"{each * 1e3:.2f} ms / {peer * 1e3:.2f} ms per tag, whole processes"
        yield Outcome("B2", "details per tag / skopeo inspect, 8 at once", each / peer, 0.3, detail=detail)


def b3(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """Every answer 30 ms late: the share of what c connections can carry at best."""
    count = scale.of(1_000, 32)
    root = scratch / "slow"
    samples.static_images(root, count)
    paths = samples.image_paths(count)
    with slow(root, delay=DELAY) as host:
        rates = {}
        for connections in (16, 32, 64):
            (seconds,) = interleaved(min(scale.rounds, 3), lambda c=connections: asyncio.run(_fetch(host, paths, c)))
            rates[connections] = len(paths) / seconds
    for connections in (16, 32):
        best = connections / DELAY
        detail = f"{rates[connections]:,.0f} of {best:,.0f} requests/s"
        what = f"share of the limit with {connections} at once, 30 ms"
        yield Outcome("B3", what, rates[connections] / best, 0.9, want="at least", detail=detail)
    detail = f"{rates[64]:,.0f} / {rates[32]:,.0f} requests/s"
    yield Outcome("B3", "64 at once / 32 at once", rates[64] / rates[32], 1.0, want="at least", detail=detail)


def b4(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """What the client itself costs, on a server that is faster than it."""
    count = scale.of(1_000, 32)
    root = scratch / "static"
    samples.static_images(root, count)
    with nginx(scratch, root) as host:
        told = [in_child(fan_out_alone, host=host, count=count) for _ in range(min(scale.rounds, 3))]
        again = in_child(visit_twice, host=host, folder=str(scratch / "cache"))
    best = min(told, key=lambda each: each["cpu"])
    detail = f"{best['rate']:,.0f} requests/s from nginx"
    yield Outcome("B4", f"CPU per request, {AT_ONCE} at once", best["cpu"] * 1e3, 0.5, "ms", detail=detail)
    yield Outcome("B4", "lag of the loop meanwhile, p99", best["lag"] * 1e3, 16, "ms")
    yield Outcome("B4", "requests when a digest is visited again", again, 0, "requests")


def fan_out_alone(host: str, count: int) -> dict[str, float]:
    """In a process of its own: every detail of every tag; CPU per request, requests per second, lag."""

    async def run() -> dict[str, float]:
        async with registry(host, connections=AT_ONCE) as opened:
            await _details(opened, count)
            async with watched_loop() as lag:
                started, cpu = perf_counter(), process_time()
                await _details(opened, count)
                cpu, seconds = process_time() - cpu, perf_counter() - started
            return {"cpu": cpu / count / 2, "rate": 2 * count / seconds, "lag": lag.percentile(0.99)}

    return asyncio.run(run())


def visit_twice(host: str, folder: str) -> int:
    """In a process of its own: how many requests the second visit of an image makes, by another session's reader."""
    from regtui.oci import Descriptor, Digest, Reference
    from regtui.storage.cache import Cache

    image = samples.image(0)
    reference = Reference.parse(f"{host}/{REPOSITORY}@{image.digest}")
    config = image.needs[0]
    descriptor = Descriptor(config.media_type, Digest.parse(config.digest), len(config.raw))

    async def run() -> int:
        log = RequestLog()
        async with registry(host, log=log) as opened:
            for _ in range(2):
                before = log.total
                reader = reader_of(opened, Cache(Path(folder)))
                await reader.manifest(reference)
                await reader.small_blob(reference, descriptor)
        return log.total - before

    return asyncio.run(run())


async def _all_details(host: str, count: int) -> float:
    async with registry(host, connections=AT_ONCE) as opened:
        started = perf_counter()
        await _details(opened, count)
        return perf_counter() - started


async def _details(opened: DistributionRegistry, count: int) -> None:
    """The session's own fan-out, without a cache."""
    from regtui.registries.contract import TagSummary
    from regtui.session.details import tag_details

    tags = [TagSummary(name) for name in samples.tag_names(count)]
    found: AsyncIterator[Any] = tag_details(reader_of(opened), opened.host, REPOSITORY, tags, at_once=AT_ONCE)
    async for detail in found:
        if detail.error is not None:
            raise detail.error


async def _fetch(host: str, paths: Sequence[str], connections: int) -> float:
    """Every path once, by as many workers as connections."""
    waiting = iter(paths)
    async with registry(host, connections=connections) as opened:

        async def work() -> None:
            for path in waiting:
                await opened.client.request("GET", path)

        started = perf_counter()
        await asyncio.gather(*(work() for _ in range(connections)))
        return perf_counter() - started


def _wrk_script(scratch: Path, count: int) -> Path:
    script = scratch / "paths.lua"
    script.write_text(_WRK_SCRIPT.format(paths=", ".join(f'"{path}"' for path in samples.image_paths(count))))
    return script


def _wrk(host: str, script: Path, scale: Scale) -> float:
    """Requests per second that wrk gets for the same paths, over as many connections."""
    seconds = scale.of(4, 1)
    accept = f"Accept: {samples.OCI_MANIFEST}, */*"
    command = [need("wrk"), "-H", accept, "-t1", f"-c{AT_ONCE}", f"-d{seconds}s", "-s", str(script), f"http://{host}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=clean_environ())
    assert "Non-2xx" not in done.stdout, done.stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])
