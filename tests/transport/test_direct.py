"""The blocking transport over the standard library's client: connections kept, dropped, broken."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from regtui.transport.direct import CHUNK, DirectTransport
from tests.fakes.serve import Reply, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

CONTENT = bytes(range(256)) * 4096
TIMEOUT = {"connect": 10, "read": 10, "write": 10, "pool": None}


@asynccontextmanager
async def serving(*replies: Reply) -> AsyncIterator[tuple[Server, Callable[..., asyncio.Future[httpx.Response]]]]:
    """A server that gives these replies in order, the last again and again, and a way to ask it in a thread."""
    left = list(replies)
    transport = DirectTransport(None)

    async with Server(lambda _: left.pop(0) if left[1:] else left[0]) as server:

        def ask(method: str = "GET", *, pieces: int | None = None, content: bytes | None = None) -> httpx.Response:
            request = httpx.Request(
                method, f"http://{server.host}/v2/", content=content, extensions={"timeout": TIMEOUT}
            )
            answer = transport.handle_request(request)
            try:
                if pieces is None:
                    answer.read()
                else:
                    for _ in zip(range(pieces), answer.stream, strict=False):  # type: ignore[arg-type]
                        pass
            finally:
                answer.stream.close()  # type: ignore[union-attr]
            return answer

        def in_a_thread(*args: str, **more: object) -> asyncio.Future[httpx.Response]:
            return asyncio.ensure_future(asyncio.to_thread(ask, *args, **more))  # type: ignore[arg-type]

        try:
            yield server, in_a_thread
        finally:
            transport.close()


def numbers(server: Server) -> list[int]:
    return [seen.connection for seen in server.seen]


async def test_a_connection_is_kept_when_its_answer_was_read() -> None:
    chunked = Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    async with serving(Reply(200, (), CONTENT), Reply(200), Reply(404, (), b"no"), chunked) as (server, ask):
        assert (await ask()).content == CONTENT
        assert (await ask("HEAD")).content == b""
        assert (await ask(content=b"a question")).status_code == 404
        assert (await ask()).content == b"abcde"
    assert numbers(server) == [1, 1, 1, 1]
    assert [seen.body for seen in server.seen] == [b"", b"", b"a question", b""]


async def test_a_connection_whose_answer_was_left_is_closed() -> None:
    async with serving(Reply(200, (), CONTENT)) as (server, ask):
        await ask(pieces=1)
        assert (await ask()).content == CONTENT
    assert len(CONTENT) > CHUNK
    assert numbers(server) == [1, 2]


@pytest.mark.parametrize("goodbye", [True, False])
async def test_a_connection_that_is_over_is_not_used_again(goodbye: bool) -> None:
    close = (("Connection", "close"),) if goodbye else ()
    async with serving(Reply(200, close, b"{}")) as (server, ask):
        assert (await ask()).content == b"{}"
        server.hang_up()
        for _ in range(5):  # the goodbye is on its way once the loop has closed the connection
            await asyncio.sleep(0)
        assert (await ask()).content == b"{}"
    assert numbers(server) == [1, 2]


async def test_connections_in_parallel() -> None:
    async with serving(Reply(200, (), CONTENT)) as (server, ask):
        answers = await asyncio.gather(*(ask() for _ in range(4)))
        assert {answer.content for answer in answers} == {CONTENT}
    assert len(server.seen) == 4


async def test_a_body_without_a_length_ends_with_its_connection() -> None:
    async with serving(Reply(200, (), CONTENT, announce=-1)) as (_, ask):
        assert (await ask()).content == CONTENT


@pytest.mark.parametrize(
    "broken",
    [
        Reply(200, (), CONTENT, cut=100),
        Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nrubbish\r\n"),
        Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 2000 + b"\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"),
        Reply(raw=b""),
    ],
    ids=["cut", "chunk-cut", "no-chunk", "no-http", "many-fields", "long-field", "nothing"],
)
async def test_what_is_no_whole_answer(broken: Reply) -> None:
    async with serving(broken) as (_, ask):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await ask()


async def test_header_fields_are_sent_and_read_as_they_are() -> None:
    reply = Reply(200, (("X-Odd", "caf\xe9"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")))
    async with serving(reply) as (server, ask):
        answer = await ask()
    assert (b"X-Odd", b"caf\xe9") in answer.headers.raw
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert server.seen[0].headers["host"] == server.host
    assert "accept-encoding" not in server.seen[0].headers


async def test_nobody_listens() -> None:
    async with Server() as server:
        gone = server.host
    request = httpx.Request("GET", f"http://{gone}/", extensions={"timeout": TIMEOUT})
    with pytest.raises(httpx.ConnectError) as caught:
        await asyncio.to_thread(DirectTransport(None).handle_request, request)
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)
