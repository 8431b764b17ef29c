"""Certificates, plain HTTP, and what is said when one is met instead of the other."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from regtui.transport import tls
from regtui.transport.errors import BadAnswer, RegistryError, TimedOut, TlsFailure, Unreachable
from regtui.transport.failures import failure
from tests.fakes.hostile import HostileRegistry, redirect
from tests.fakes.serve import Server
from tests.fakes.token_server import BasicRegistry, accept_everything
from tests.transport.conftest import ALICE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from regtui.transport.client import RegistryClient
    from tests.transport.conftest import Connect

AUTHORITY = trustme.CA()


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return str(path)


def serving(*names: str, **more: Any) -> ssl.SSLContext:
    """A server's context with a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(*names, **more).configure_cert(context)
    return context


@pytest.fixture
async def registry() -> AsyncIterator[HostileRegistry]:
    async with HostileRegistry(tls=serving("127.0.0.1")) as server:
        yield server


async def ask(client: RegistryClient) -> int:
    return (await client.request("GET", "/v2/")).status


async def read(client: RegistryClient) -> int:
    def in_a_thread() -> int:
        with client.open_blocking("/v2/") as stream:
            return 200 if stream.read() == b"{}" else 0

    return await asyncio.to_thread(in_a_thread)


both = pytest.mark.parametrize("way", [ask, read])


@both
async def test_an_authority_that_is_given(connect: Connect, registry: HostileRegistry, ca_file: str, way: Any) -> None:
    client = connect(registry.host, plain_http=False, ca_file=ca_file)
    assert await way(client) == 200
    assert client.base_url == registry.base_url


@both
async def test_an_authority_that_nobody_knows(connect: Connect, registry: HostileRegistry, way: Any) -> None:
    client = connect(registry.host, plain_http=False)
    with pytest.raises(TlsFailure, match="authority that is not trusted") as caught:
        await way(client)
    assert "ca_file" in str(caught.value)
    assert registry.seen == []
    assert client.base_url.startswith("https:")


@both
async def test_insecure_asks_for_no_certificate(connect: Connect, registry: HostileRegistry, way: Any) -> None:
    assert await way(connect(registry.host, plain_http=False, insecure=True)) == 200


@both
async def test_a_certificate_for_another_name(connect: Connect, ca_file: str, way: Any) -> None:
    async with Server(tls=serving("other.example")) as server:
        with pytest.raises(TlsFailure, match="for another name"):
            await way(connect(server.host, plain_http=False, ca_file=ca_file))


@both
async def test_a_certificate_that_has_ended(connect: Connect, ca_file: str, way: Any) -> None:
    ended = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    async with Server(tls=serving("127.0.0.1", not_after=ended)) as server:
        with pytest.raises(TlsFailure, match="expired"):
            await way(connect(server.host, plain_http=False, ca_file=ca_file))


@both
async def test_loopback_without_tls_is_asked_in_plain(connect: Connect, way: Any) -> None:
    async with BasicRegistry(accept_everything) as server:
        client = connect(server.host, ALICE, plain_http=False)
        assert await way(client) == 200
        assert client.base_url == f"http://{server.host}"
        assert await way(client) == 200
    # The TLS greeting is no request; nothing went out before the server was known to speak plain HTTP.
    assert [seen.authorization is not None for seen in server.seen] == [False, True, True]


async def test_many_at_once_fall_back_together(connect: Connect) -> None:
    async with HostileRegistry() as server:
        client = connect(server.host, plain_http=False)
        assert await asyncio.gather(*(ask(client) for _ in range(20))) == [200] * 20


async def test_other_names_never_fall_back(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    from regtui.transport import options

    monkeypatch.setattr(options, "is_loopback", lambda _: False)
    async with HostileRegistry() as server:
        with pytest.raises(TlsFailure, match="does not speak TLS") as caught:
            await ask(connect(server.host, plain_http=False))
    assert "plain_http" in str(caught.value)
    assert server.seen == []


async def test_tls_where_plain_was_asked_for(connect: Connect, registry: HostileRegistry) -> None:
    with pytest.raises(RegistryError):
        await ask(connect(registry.host))


async def test_redirects_never_leave_tls(connect: Connect, registry: HostileRegistry, ca_file: str) -> None:
    async with Server(accept_everything) as storage:
        registry.script("/v2/x", redirect(f"{storage.base_url}/y"))
        client = connect(registry.host, plain_http=False, ca_file=ca_file)
        with pytest.raises(BadAnswer, match="plain http"):
            await client.request("GET", "/v2/x")
    assert storage.seen == []


async def test_insecure_holds_for_no_other_host(connect: Connect, registry: HostileRegistry) -> None:
    async with Server(accept_everything, tls=serving("localhost")) as storage:
        registry.script("/v2/x", redirect(f"https://localhost:{storage.host.partition(':')[2]}/y"))
        client = connect(registry.host, plain_http=False, insecure=True)
        with pytest.raises(TlsFailure, match=r"localhost \(asked for 127"):
            await client.request("GET", "/v2/x")
    assert storage.seen == []


@both
async def test_a_ca_file_that_is_none(connect: Connect, tmp_path: Path, way: Any) -> None:
    nothing = tmp_path / "empty.pem"
    nothing.write_text("hello")
    for path, words in ((nothing, "holds no certificates"), (tmp_path / "missing.pem", "can't be opened")):
        with pytest.raises(TlsFailure, match=words):
            await way(connect("127.0.0.1:1", plain_http=False, ca_file=str(path)))


def test_contexts_are_shared(ca_file: str) -> None:
    assert tls.context_for(None) is tls.context_for(None)
    assert tls.context_for(ca_file) is tls.context_for(ca_file)
    assert tls.context_for(ca_file) is not tls.context_for(None)
    assert tls.context_for(ca_file, checked=False) is tls.context_for(None, checked=False)
    assert tls.context_for(None).verify_mode is ssl.CERT_REQUIRED
    assert tls.context_for(None).check_hostname


def test_without_a_system_store_the_bundled_authorities_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "_has_system_store", lambda _: False)
    assert tls._checking(None).cert_store_stats()["x509_ca"] > 50


@both
async def test_a_port_where_nothing_listens(connect: Connect, way: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(Unreachable, match="Nothing listens") as caught:
            await way(connect(host, plain_http=False))
    assert caught.value.refused


@both
async def test_a_port_that_never_answers_the_greeting(connect: Connect, way: Any) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(10)  # the system takes the connection, nobody reads from it
        client = connect(f"127.0.0.1:{silent.getsockname()[1]}", plain_http=False, connect_timeout=0.05)
        with pytest.raises(TimedOut, match="in time") as caught:
            await way(client)
    assert not caught.value.sent
    assert client.base_url.startswith("https:")


def test_a_name_that_can_not_be_looked_up() -> None:
    error = OSError("x")
    error.__cause__ = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    import httpx

    found = httpx.ConnectError("x")
    found.__cause__ = error
    unreachable = failure(found, "https://r.example/v2/?token=hunter2", host="r.example")
    assert isinstance(unreachable, Unreachable)
    assert "not a name that can be looked up" in unreachable.sentence
    assert not unreachable.sent
    assert "hunter2" not in str(unreachable)
