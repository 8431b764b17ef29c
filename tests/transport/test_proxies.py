"""Requests through a proxy of the environment, and the ones that never go through it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from regtui.transport.errors import Unreachable
from tests.fakes.serve import Reply, Server
from tests.fakes.token_server import basic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.transport.client import RegistryClient
    from tests.transport.conftest import Connect


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    async with Server(lambda _: Reply(200, (), b"{}")) as server:
        monkeypatch.setenv("http_proxy", f"http://alice:wonderland@{server.host}")
        monkeypatch.setenv("https_proxy", f"http://alice:wonderland@{server.host}")
        yield server


def read(client: RegistryClient) -> bytes:
    with client.open_blocking("/v2/") as stream:
        return stream.read()


async def test_names_of_the_world_go_through_it(connect: Connect, proxy: Server) -> None:
    client = connect("registry.invalid")
    assert (await client.request("GET", "/v2/")).body == b"{}"
    assert await asyncio.to_thread(read, client) == b"{}"
    assert [seen.target for seen in proxy.seen] == ["http://registry.invalid/v2/"] * 2
    assert [seen.headers["proxy-authorization"] for seen in proxy.seen] == [basic("alice", "wonderland")] * 2
    assert "wonderland" not in repr((client, client.log.records))


async def test_this_machine_is_asked_straight(connect: Connect, proxy: Server) -> None:
    async with Server(lambda _: Reply(200)) as registry:
        client = connect(registry.host)
        await client.request("GET", "/v2/")
        await asyncio.to_thread(read, client)
    assert (len(registry.seen), len(proxy.seen)) == (2, 0)


async def test_a_proxy_that_lets_nothing_through(connect: Connect, proxy: Server) -> None:
    proxy.handler = lambda _: Reply(403)
    client = connect("registry.invalid", plain_http=False)
    with pytest.raises(Unreachable, match="proxy on the way to registry"):
        await client.request("GET", "/v2/")
    with pytest.raises(Unreachable, match="proxy on the way to registry"):
        await asyncio.to_thread(read, client)
    assert {(seen.method, seen.target) for seen in proxy.seen} == {("CONNECT", "registry.invalid:443")}
    assert {seen.headers.get("proxy-authorization") for seen in proxy.seen} == {basic("alice", "wonderland")}


async def test_a_proxy_that_is_not_there(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Server() as gone:
        pass
    monkeypatch.setenv("http_proxy", f"http://{gone.host}")
    client = connect("registry.invalid")
    with pytest.raises(Unreachable) as caught:
        await client.request("GET", "/v2/")
    assert not caught.value.sent
