"""A: listing tags and repositories, against curl, skopeo and http.client."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks import samples
from benchmarks.clients import REPOSITORY, registry
from benchmarks.measure import MB, Outcome, in_child, interleaved, percentile, process, watched_loop
from benchmarks.memory import resident
from benchmarks.servers import distribution, need, nginx
from regtui.transport.request_log import RequestLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Scale

PAGE = 1_000


def a1_a3(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """100,000 tags that come in one body, and what the list does with them."""
    count = scale.of(100_000, 1_000)
    storage = scratch / "tags"
    samples.many_tags(storage, count)
    with distribution(scratch, storage) as host:
        address = f"http://{host}/v2/{REPOSITORY}/tags/list"
        own, curl, skopeo = interleaved(
            scale.rounds,
            lambda: asyncio.run(_list_tags(host, count)),
            lambda: process([need("curl"), "-sfo", "/dev/null", address]),
            lambda: process([need("skopeo"), "list-tags", "--tls-verify=false", f"docker://{host}/{REPOSITORY}"]),
        )
        tags = f"{count:,} tags"
        yield Outcome("A1", f"{tags} as a list / curl", own / curl, 1.3, detail=f"{own:.3f} s / {curl:.3f} s")
        yield Outcome("A1", f"{tags} / skopeo list-tags", own / skopeo, 0.75, detail=f"{own:.3f} s / {skopeo:.3f} s")
        told = in_child(list_and_sort, host=host, count=count)
        yield Outcome("A3", f"memory for {tags}", told["memory"] / MB, 15, "MB")
        yield Outcome("A3", "longest block of the loop, listing and sorting", told["lag"] * 1e3, 16, "ms")
        yield Outcome("A3", "filter keystroke, p95", told["keystroke"] * 1e3, 16, "ms")


def a2(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """100 pages of 1,000 tags, each naming the next."""
    pages = scale.of(100, 5)
    root = scratch / "pages"
    links = samples.tag_pages(root, pages, PAGE)
    with nginx(scratch, root, links) as host:
        own, raw = interleaved(
            scale.rounds,
            lambda: asyncio.run(_list_tags(host, pages * PAGE)),
            lambda: _http_client(host, pages * PAGE),
        )
        detail = f"{own:.3f} s / {raw:.3f} s, both parse and follow Link"
        yield Outcome("A2", f"{pages} pages of {PAGE:,} / http.client", own / raw, 3, detail=detail)
        asked = asyncio.run(_asked_for_first_page(host))
        yield Outcome("A2", "requests before the first page is given", asked, 1, "requests")


def a4(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """A catalog of 10,000 repositories, which distribution walks anew for every page."""
    count = scale.of(10_000, 200)
    storage = scratch / "catalog"
    samples.many_repositories(storage, count)
    with distribution(scratch, storage) as host:
        addresses = _catalog_pages(host)
        curl_line = [part for address in addresses for part in ("-o", "/dev/null", address)]
        own, curl = interleaved(
            min(scale.rounds, 3),
            lambda: asyncio.run(_list_repositories(host, count)),
            lambda: process([need("curl"), "-sf", *curl_line]),
        )
        detail = f"{own:.3f} s / {curl:.3f} s, n=1000, one connection"
        yield Outcome("A4", f"catalog of {count:,} / curl", own / curl, 1.1, detail=detail)


async def _list_tags(host: str, expected: int) -> float:
    async with registry(host) as opened:
        started = perf_counter()
        found = [tag async for page in opened.tags(REPOSITORY) for tag in page.items]
        seconds = perf_counter() - started
    assert len(found) == expected, f"{len(found)} of {expected} tags"
    return seconds


async def _list_repositories(host: str, expected: int) -> float:
    async with registry(host) as opened:
        started = perf_counter()
        found = [item async for page in opened.repositories() for item in page.items]
        seconds = perf_counter() - started
    assert len(found) == expected, f"{len(found)} of {expected} repositories"
    return seconds


async def _asked_for_first_page(host: str) -> int:
    log = RequestLog()
    async with registry(host, log=log) as opened:
        before = log.total
        pages = opened.tags(REPOSITORY)
        assert (await anext(pages)).items
        asked = log.total - before
        await pages.aclose()
    return asked


def _http_client(host: str, expected: int) -> float:
    """The same pages with the standard library: read, parse, follow Link."""
    connection = http.client.HTTPConnection(host)
    connection.request("GET", "/v2/")
    connection.getresponse().read()
    started, names = perf_counter(), []
    target: str | None = f"/v2/{REPOSITORY}/tags/list?n={PAGE}"
    while target is not None:
        connection.request("GET", target)
        answer = connection.getresponse()
        names += json.loads(answer.read())["tags"]
        link = re.match(r"<([^>]*)>", answer.headers.get("Link") or "")
        target = link[1] if link else None
    seconds = perf_counter() - started
    connection.close()
    assert len(names) == expected
    return seconds


def _catalog_pages(host: str) -> list[str]:
    """The addresses of a catalog's pages."""
    connection = http.client.HTTPConnection(host)
    found, target = [], f"/v2/_catalog?n={PAGE}"
    while target:
        found.append(f"http://{host}{target}")
        connection.request("GET", target)
        answer = connection.getresponse()
        answer.read()
        link = re.match(r"<([^>]*)>", answer.headers.get("Link") or "")
        target = link[1] if link else ""
    connection.close()
    return found


def list_and_sort(host: str, count: int) -> dict[str, Any]:
    """In a process of its own: list, sort and filter as the pane of tags does; memory, lag, keystrokes."""
    from regtui.oci.tags import version_key
    from regtui.ui.facts.tags import TagBook, TagRow
    from regtui.ui.models.rows import RowModel

    model: RowModel[TagRow] = RowModel(
        lambda row: row.name, lambda row: row.name, {"tag": lambda row: version_key(row.name)}
    )

    async def run() -> tuple[int, float]:
        async with registry(host) as opened:
            book, before = TagBook(), resident()
            async with watched_loop() as lag:
                async for page in opened.tags(REPOSITORY):
                    model.append(book.rows(page.items))
                while not model.apply(await asyncio.to_thread(model.prepare("tag"))):
                    pass
            assert len(model) == count
            return resident() - before, max(lag.late)

    memory, lag = asyncio.run(run())
    keystrokes = []
    for word in ("v1.2-alpine3", "alpine", "99", "!alpine6"):
        for length in range(1, len(word) + 1):
            started = perf_counter()
            model.set_filter(word[:length])
            keystrokes.append(perf_counter() - started)
        model.set_filter("")
    return {"memory": memory, "lag": lag, "keystroke": percentile(keystrokes, 0.95)}
