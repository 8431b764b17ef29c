"""Streams and downloads: verified, bounded, and over broken connections; in the loop and in threads."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from regtui.oci.digest import Digest
from regtui.oci.errors import DigestMismatch, SizeMismatch
from regtui.transport.errors import BadAnswer, NotFound, TimedOut, Unauthorized, Unreachable
from tests.fakes.hostile import HostileRegistry, oci_error, partial, redirect
from tests.fakes.serve import Reply, Seen, Server
from tests.fakes.token_server import BasicRegistry, basic
from tests.transport.conftest import ALICE, PASSWORD

if TYPE_CHECKING:
    from regtui.transport.client import RegistryClient
    from tests.transport.conftest import Connect

CONTENT = random.Random(7).randbytes(700_000)
DIGEST = Digest.of(CONTENT)
PATH = f"/v2/a/blobs/{DIGEST}"


async def downloaded(client: RegistryClient, offset: int = 0, size: int | None = len(CONTENT)) -> bytes:
    return b"".join([chunk async for chunk in client.download(PATH, digest=DIGEST, size=size, offset=offset)])


async def read_in_a_thread(client: RegistryClient, offset: int = 0) -> bytes:
    def read() -> bytes:
        with client.open_blocking(PATH, offset=offset) as stream:
            return stream.read()

    return await asyncio.to_thread(read)


both = pytest.mark.parametrize("read", [downloaded, read_in_a_thread])


class Breaking(Server):
    """Serves CONTENT, and breaks each of its first answers after so many bytes."""

    def __init__(self, *cuts: int | None, ranges: bool = True) -> None:
        super().__init__(self.breaking)
        self.cuts = list(cuts)
        self.ranges = ranges

    def breaking(self, seen: Seen) -> Reply:
        cut = self.cuts.pop(0) if self.cuts else None
        if self.ranges:
            return partial(seen, CONTENT, cut=cut)
        return Reply(200, (), CONTENT, cut=cut)


@both
@pytest.mark.parametrize("offset", [0, 1, 400_000, len(CONTENT) - 1])
async def test_the_bytes_come(connect: Connect, read: Any, offset: int) -> None:
    async with Breaking() as registry:
        assert await read(connect(registry.host), offset) == CONTENT[offset:]
    (seen,) = registry.seen
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers.get("range") == (f"bytes={offset}-" if offset else None)


@both
@pytest.mark.parametrize("offset", [0, 1000])
async def test_a_broken_connection_goes_on_where_it_stood(connect: Connect, read: Any, offset: int) -> None:
    async with Breaking(300_000, 0, 100_000) as registry:
        assert await read(connect(registry.host), offset) == CONTENT[offset:]
    starts = [int(seen.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-")) for seen in registry.seen]
    assert starts[0] == offset
    assert starts == sorted(starts)
    assert starts[-1] == offset + 400_000


@both
async def test_without_ranges_what_is_known_is_passed_over(connect: Connect, read: Any) -> None:
    async with Breaking(300_000, 200_000, 500_000, ranges=False) as registry:
        assert await read(connect(registry.host), 10) == CONTENT[10:]
    assert len(registry.seen) == 4


@both
async def test_an_end_that_never_comes_nearer_is_given_up(connect: Connect, read: Any) -> None:
    async with Breaking(300_000, *[0] * 50) as registry:
        with pytest.raises(Unreachable, match="middle"):
            await read(connect(registry.host), 0)
    assert len(registry.seen) == 5


@both
async def test_progress_resets_the_count(connect: Connect, read: Any) -> None:
    async with Breaking(*[50_000] * 12) as registry:
        assert await read(connect(registry.host), 0) == CONTENT
    assert len(registry.seen) == 13


@both
async def test_a_wrong_part_is_refused(connect: Connect, read: Any) -> None:
    async with Server(lambda _: Reply(206, (("Content-Range", "bytes 0-9/10"),), b"0123456789")) as registry:
        with pytest.raises(BadAnswer, match="another part"):
            await read(connect(registry.host), 5)


@both
async def test_refusals_are_errors(connect: Connect, read: Any) -> None:
    async with HostileRegistry() as registry:
        registry.script(PATH, oci_error(404, "BLOB_UNKNOWN", "blob unknown"))
        with pytest.raises(NotFound, match="has no blob"):
            await read(connect(registry.host), 0)


@both
async def test_storage_gets_no_credentials(connect: Connect, read: Any) -> None:
    async with Breaking(1000) as storage, BasicRegistry(lambda _: redirect(f"{storage.base_url}/x?sig=1")) as registry:
        assert await read(connect(registry.host, ALICE), 0) == CONTENT
    assert [seen.authorization for seen in storage.seen] == [None, None]
    assert [seen.authorization for seen in registry.seen] == [None, *[basic("alice", PASSWORD)] * 2]


@both
async def test_nothing_listens(connect: Connect, read: Any) -> None:
    async with Server() as registry:
        host = registry.host
    with pytest.raises(Unreachable, match="refused") as caught:
        await read(connect(host), 0)
    assert caught.value.refused
    assert not isinstance(caught.value, TimedOut)


@both
async def test_silence_is_told(connect: Connect, read: Any) -> None:
    async with Server(lambda _: Reply(200, (), CONTENT, cut=0, stall=True)) as registry:
        with pytest.raises(TimedOut):
            await read(connect(registry.host, read_timeout=0.02), 0)
    assert len(registry.seen) == 5


@both
async def test_a_length_that_nobody_told(connect: Connect, read: Any) -> None:
    async with Server(lambda _: Reply(200, (), CONTENT, announce=-1)) as registry:
        assert await read(connect(registry.host), 0) == CONTENT


async def test_other_content_is_never_given_whole(connect: Connect) -> None:
    other = bytearray(CONTENT)
    other[5] ^= 1
    async with Server(lambda _: Reply(200, (), bytes(other))) as registry:
        chunks = connect(registry.host).download(PATH, digest=DIGEST, size=len(CONTENT))
        got = 0

        async def read() -> None:
            nonlocal got
            async for chunk in chunks:
                got += len(chunk)

        with pytest.raises(DigestMismatch):
            await read()
    assert got < len(CONTENT)


@pytest.mark.parametrize("offset", [0, 10])
async def test_more_than_the_descriptor_says_is_refused(connect: Connect, offset: int) -> None:
    async with Breaking() as registry:
        with pytest.raises(SizeMismatch):
            await downloaded(connect(registry.host), offset, len(CONTENT) - 1)


async def test_less_than_the_descriptor_says_is_asked_for_again_and_then_refused(connect: Connect) -> None:
    async with Server(lambda seen: partial(seen, CONTENT[:-1])) as registry:
        with pytest.raises(SizeMismatch, match="shorter"):
            await downloaded(connect(registry.host))
    assert len(registry.seen) == 2


@both
async def test_right_at_the_end_there_is_nothing(connect: Connect, read: Any) -> None:
    def handler(seen: Seen) -> Reply:
        return Reply(416, (("Content-Range", f"bytes */{len(CONTENT)}"),), b"an error's text")

    async with Server(handler) as registry:
        assert await read(connect(registry.host), len(CONTENT)) == b""
        with pytest.raises(SizeMismatch):
            await read(connect(registry.host), len(CONTENT) + 1)


async def test_an_empty_blob(connect: Connect) -> None:
    empty = Digest.of(b"")
    async with Server(lambda _: Reply(200)) as registry:
        client = connect(registry.host)
        assert [chunk async for chunk in client.download("/v2/a/blobs/e", digest=empty, size=0)] == []
        with client.open_blocking("/v2/a/blobs/e") as stream:
            assert await asyncio.to_thread(stream.read) == b""


async def test_a_download_left_early_gives_its_connection_back(connect: Connect) -> None:
    async with Breaking() as registry:
        client = connect(registry.host, max_connections=1)
        for _ in range(3):
            chunks = client.download(PATH, digest=DIGEST, size=len(CONTENT))
            await anext(aiter(chunks))
            await chunks.aclose()
        assert await downloaded(client) == CONTENT
    assert client.log.in_flight == 0


async def test_a_cancelled_request_gives_its_connection_back(connect: Connect) -> None:
    arrived = asyncio.Event()

    async def handler(seen: Seen) -> Reply:
        if seen.path == "/v2/slow":
            arrived.set()
            await asyncio.Event().wait()
        return Reply(200)

    async with Server(handler) as registry:
        client = connect(registry.host, max_connections=1)
        slow = asyncio.create_task(client.request("GET", "/v2/slow"))
        await asyncio.wait_for(arrived.wait(), 10)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert (await asyncio.wait_for(client.request("GET", "/v2/"), 10)).status == 200
    assert client.log.in_flight == 0


async def test_a_stream_shows_head_and_bytes(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        digest = registry.add_blob(CONTENT)
        async with connect(registry.host).stream(f"/v2/a/blobs/{digest}", headers={"Range": "bytes=5-9"}) as answer:
            assert (answer.status, answer.headers["content-range"]) == (206, f"bytes 5-9/{len(CONTENT)}")
            assert b"".join([chunk async for chunk in answer.chunks()]) == CONTENT[5:10]
        with pytest.raises(NotFound):
            async with connect(registry.host).stream("/v2/a/blobs/none"):
                pass


async def test_compressed_blobs_stay_compressed(connect: Connect) -> None:
    headers = (("Content-Encoding", "gzip"),)
    async with Server(lambda _: Reply(200, headers, CONTENT)) as registry:
        client = connect(registry.host)
        assert await downloaded(client) == CONTENT
        assert await read_in_a_thread(client) == CONTENT


async def test_a_thread_reads_like_from_a_file(connect: Connect) -> None:
    async with Breaking() as registry:
        client = connect(registry.host)

        def read() -> None:
            stream = client.open_blocking(PATH)
            assert stream.readable()
            assert stream.tell() == 0
            assert stream.read(0) == b""
            assert len(stream.read(10)) == 10
            buffer = bytearray(1000)
            count = stream.readinto(buffer)  # type: ignore[attr-defined]
            assert buffer[:count] == CONTENT[10 : 10 + count]
            assert stream.tell() == 10 + count
            rest = io.BufferedReader(cast(io.RawIOBase, stream)).read()
            assert hashlib.sha256(CONTENT[: 10 + count] + rest).hexdigest() == DIGEST.encoded
            stream.close()
            assert stream.closed
            stream.close()
            with pytest.raises(ValueError, match="closed"):
                stream.read(1)

        assert registry.seen == []
        await asyncio.to_thread(read)
    assert len(registry.seen) == 1


async def test_closing_from_elsewhere_wakes_the_reader(connect: Connect) -> None:
    async with Server(lambda _: Reply(200, (), CONTENT, cut=100, stall=True)) as registry:
        client = connect(registry.host)
        stream = client.open_blocking(PATH)
        assert await asyncio.to_thread(stream.read, 100) == CONTENT[:100]
        waiting = asyncio.create_task(asyncio.to_thread(stream.read, 100))
        await asyncio.to_thread(wait_until_reading, stream)
        stream.close()
        with pytest.raises(ValueError, match="closed"):
            await asyncio.wait_for(waiting, 10)
    assert client.log.in_flight == 0
    assert len(registry.seen) == 1


def wait_until_reading(stream: Any) -> None:
    """Until another thread is inside a read: it then holds the stream's turn."""
    end = time.monotonic() + 10
    while not stream._turn.locked():
        assert time.monotonic() < end


async def test_a_refused_credential_shows_in_the_thread(connect: Connect) -> None:
    async with BasicRegistry() as registry:
        with pytest.raises(Unauthorized):
            await read_in_a_thread(connect(registry.host))


async def test_threads_read_at_the_same_time(connect: Connect) -> None:
    async with Breaking() as registry:
        client = connect(registry.host)
        assert await asyncio.gather(*(read_in_a_thread(client) for _ in range(4))) == [CONTENT] * 4
