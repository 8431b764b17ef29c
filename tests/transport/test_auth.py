"""Signing in: token services as they are and as they should not be, Basic, ready tokens, and who gets what."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from regtui.credentials.values import Credential, Secret
from regtui.transport.errors import (
    BadAnswer,
    CredentialRefused,
    Forbidden,
    RateLimited,
    RegistryError,
    Unauthorized,
    Unreachable,
)
from regtui.transport.registry_auth import RegistryAuth
from tests.fakes.hostile import as_json, oci_error, rate_limited
from tests.fakes.serve import Reply, Seen, Server
from tests.fakes.token_server import BearerRegistry, TokenServer, accept_everything, basic
from tests.transport.conftest import ALICE, PASSWORD, Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.transport.conftest import Connect


PULL = "repository:a/b:pull"
PUSH = "repository:a/b:pull,push"
TAGS = "/v2/a/b/tags/list"


@pytest.fixture
async def tokens() -> AsyncIterator[TokenServer]:
    async with TokenServer() as server:
        yield server


@pytest.fixture
async def registry(tokens: TokenServer) -> AsyncIterator[BearerRegistry]:
    async with BearerRegistry(accept_everything, tokens=tokens) as server:
        yield server


async def test_a_challenge_is_answered_once_and_then_ahead(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    client = connect(registry.host, ALICE)
    for _ in range(3):
        await client.request("GET", TAGS, scope=PULL)
    assert [bool(seen.authorization) for seen in registry.seen] == [False, True, True, True]
    (asked,) = tokens.seen
    assert asked.query == {
        "service": ["registry.test"],
        "scope": [PULL],
        "client_id": ["regtui"],
        "account": ["alice"],
    }
    assert asked.authorization == basic("alice", PASSWORD)
    assert client.signed_in_as == "alice"


async def test_another_scope_needs_a_token_but_no_challenge(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    client = connect(registry.host)
    await client.request("GET", TAGS, scope=PULL)
    await client.request("GET", "/v2/c/tags/list", scope="repository:c:pull")
    assert [bool(seen.authorization) for seen in registry.seen] == [False, True, True]
    assert len(tokens.seen) == 2
    assert all(seen.authorization is None for seen in tokens.seen)
    assert client.signed_in_as is None


async def test_a_greater_scope_is_fetched_when_the_registry_asks_for_it(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    client = connect(registry.host, ALICE)
    await client.request("GET", TAGS, scope=PULL)
    await client.request("PUT", "/v2/a/b/manifests/x", content=b"{}", scope=PULL)
    await client.request("PUT", "/v2/a/b/manifests/y", content=b"{}", scope=PULL)
    assert [seen.query["scope"] for seen in tokens.seen] == [[PULL], [PUSH]]
    assert [seen.method for seen in registry.seen] == ["GET", "GET", "PUT", "PUT", "PUT"]


async def test_several_scopes_go_out_apart(connect: Connect, registry: BearerRegistry, tokens: TokenServer) -> None:
    mount = (PUSH, "repository:c:pull")
    await connect(registry.host).request("POST", "/v2/a/b/blobs/uploads/", scope=mount)
    assert tokens.seen[0].query["scope"] == [PUSH, "repository:c:pull"]


async def test_without_a_scope_the_challenge_decides(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    await connect(registry.host).request("GET", "/v2/_catalog")
    await connect(registry.host).request("GET", "/v2/")
    assert [seen.query.get("scope") for seen in tokens.seen] == [["registry:catalog:*"], None]


async def test_a_challenge_without_scope_gets_what_the_request_needs(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    registry.names_scope = False
    await connect(registry.host).request("GET", TAGS, scope=PULL)
    assert tokens.seen[0].query["scope"] == [PULL]


async def test_sixteen_at_once_fetch_one_token(connect: Connect, registry: BearerRegistry, tokens: TokenServer) -> None:
    client = connect(registry.host, ALICE)
    await asyncio.gather(*(client.request("GET", TAGS, scope=PULL) for _ in range(16)))
    assert len(tokens.seen) == 1


async def test_sixteen_at_once_with_a_wrong_password_try_it_once(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    source = Source(Credential("alice", Secret("wrong"), source="the test"))
    client = connect(registry.host, source=source)
    results = await asyncio.gather(
        *(client.request("GET", TAGS, scope=PULL) for _ in range(16)), return_exceptions=True
    )
    assert {type(result) for result in results} == {CredentialRefused}
    assert len(tokens.seen) == 1
    assert source.forgotten == [registry.host]
    assert "the credential of alice (from the test)" in str(results[0])
    assert "regtui login" in str(results[0])
    assert "wrong" not in str(results[0]).replace("may be wrong", "")


async def test_one_who_gives_up_leaves_the_token_to_the_others(connect: Connect, tokens: TokenServer) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    class Slow(TokenServer):
        async def answer(self, seen: Seen) -> Reply:
            asked.set()
            await go_on.wait()
            return await super().answer(seen)

    async with Slow() as slow, BearerRegistry(accept_everything, tokens=slow) as registry:
        client = connect(registry.host)
        first = asyncio.create_task(client.request("GET", TAGS, scope=PULL))
        await asyncio.wait_for(asked.wait(), 10)
        others = [asyncio.create_task(client.request("GET", TAGS, scope=PULL)) for _ in range(4)]
        first.cancel()
        go_on.set()
        answers = await asyncio.wait_for(asyncio.gather(*others), 10)
    assert [answer.status for answer in answers] == [200] * 4
    assert len(slow.seen) == 2


async def test_a_token_that_is_no_longer_valid_is_replaced_once(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    client = connect(registry.host)
    await client.request("GET", TAGS, scope=PULL)
    tokens.revoke()
    await client.request("GET", TAGS, scope=PULL)
    assert len(tokens.seen) == 2
    assert len(registry.seen) == 4


async def test_a_token_that_is_never_enough_ends_in_unauthorized(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    tokens.grants["alice"] = ()
    client = connect(registry.host, ALICE)
    with pytest.raises(Unauthorized, match="tags of a/b to alice") as caught:
        await client.request("GET", TAGS, scope=PULL)
    assert (len(tokens.seen), len(registry.seen)) == (1, 2)
    assert (caught.value.status, caught.value.code) == (401, "UNAUTHORIZED")


async def test_a_registry_that_always_challenges_anew_is_left(connect: Connect, tokens: TokenServer) -> None:
    async with Server() as registry:
        numbers = iter(range(100))
        registry.handler = lambda _: Reply(
            401, (("WWW-Authenticate", f'Bearer realm="{tokens.realm}",scope="repository:x{next(numbers)}:pull"'),)
        )
        with pytest.raises(Unauthorized):
            await connect(registry.host).request("GET", TAGS)
    assert len(registry.seen) == 3


@pytest.mark.parametrize(("expires_in", "fetches"), [(300, 1), (3600, 1), (6, 3), (1, 3), (None, 1), (0, 1), (-5, 1)])
async def test_tokens_are_renewed_before_they_end(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer, expires_in: int | None, fetches: int
) -> None:
    tokens.expires_in = expires_in
    client = connect(registry.host)
    clock = iter(range(0, 1000, 2))
    assert isinstance(client._auth, RegistryAuth)
    client._auth._now = lambda: float(next(clock))
    for _ in range(3):
        await client.request("GET", TAGS, scope=PULL)
    assert len(tokens.seen) == fetches


async def test_access_token_will_do_as_a_name(connect: Connect, registry: BearerRegistry, tokens: TokenServer) -> None:
    tokens.field_name = "access_token"
    tokens.extra = {"token": ""}
    assert (await connect(registry.host).request("GET", TAGS, scope=PULL)).status == 200


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(200, (), b"<html>"), BadAnswer),
        (Reply(200, (), b"{}"), BadAnswer),
        (as_json({"token": "a b\r\nX: y"}), BadAnswer),
        (as_json({"token": 12}), BadAnswer),
        (as_json([]), BadAnswer),
        (oci_error(403, "DENIED", "no"), Unauthorized),
        (oci_error(400, "X"), RegistryError),
        (rate_limited(3600), RateLimited),
        (Reply(500, (), b""), RegistryError),
        (Reply(200, (), b"x", cut=0, announce=10), Unreachable),
        (Reply(200, (), b" " * (2 << 20)), BadAnswer),
    ],
)
async def test_token_services_that_misbehave(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer, reply: Reply, error: type[RegistryError]
) -> None:
    tokens.misbehave = reply
    with pytest.raises(error) as caught:
        await connect(registry.host).request("GET", TAGS, scope=PULL)
    assert caught.value.host == registry.host


async def test_a_signed_in_user_without_access_is_forbidden(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    tokens.misbehave = oci_error(403, "DENIED", "no")
    source = Source(ALICE)
    with pytest.raises(Forbidden):
        await connect(registry.host, source=source).request("GET", TAGS, scope=PULL)
    assert source.forgotten == []


async def test_a_scope_that_the_service_does_not_know_is_narrowed(connect: Connect, registry: BearerRegistry) -> None:
    class Strict(TokenServer):
        async def answer(self, seen: Seen) -> Reply:
            odd = any("delete" in scope for scope in seen.query["scope"])
            return Reply(400) if odd else await super().answer(seen)

    async with Strict() as strict:
        registry.tokens = strict
        scope = "repository:a/b:pull,delete"
        assert (await connect(registry.host).request("GET", TAGS, scope=scope)).status == 200
    assert [seen.query["scope"] for seen in strict.seen] == [[scope], [PULL]]


async def test_an_identity_token_is_posted(connect: Connect, registry: BearerRegistry, tokens: TokenServer) -> None:
    tokens.refresh = {"identity&=": "alice"}
    who = Credential("alice", identity_token=Secret("identity&="))
    await connect(registry.host, who).request("GET", TAGS, scope=(PULL, "repository:c:pull"))
    (asked,) = tokens.seen
    assert (asked.method, asked.query, asked.authorization) == ("POST", {}, None)
    assert b"refresh_token=identity%26%3D" in asked.body
    assert b"scope=repository%3Aa%2Fb%3Apull+repository%3Ac%3Apull" in asked.body


@pytest.mark.parametrize("status", [400, 401, 404, 405])
async def test_without_post_the_password_is_used(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer, status: int
) -> None:
    tokens.post_status = status
    both = Credential("alice", Secret(PASSWORD), identity_token=Secret("x"))
    await connect(registry.host, both).request("GET", TAGS, scope=PULL)
    assert [seen.method for seen in tokens.seen] == ["POST", "GET"]


async def test_without_post_and_password_there_is_no_way(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    tokens.refresh = {"right": "alice"}
    with pytest.raises(Unauthorized):
        await connect(registry.host, Credential(identity_token=Secret("x"))).request("GET", TAGS, scope=PULL)
    assert [seen.method for seen in tokens.seen] == ["POST"]


async def test_a_ready_token_is_sent_as_it_is(connect: Connect, registry: BearerRegistry, tokens: TokenServer) -> None:
    tokens.issued["ready"] = (PULL,)
    client = connect(registry.host, Credential(registry_token=Secret("ready")))
    await client.request("GET", TAGS, scope=PULL)
    await client.request("GET", TAGS, scope=PULL)
    assert tokens.seen == []
    assert [seen.authorization for seen in registry.seen] == [None, "Bearer ready", "Bearer ready"]


async def test_a_ready_token_that_is_refused_is_not_tried_again(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    with pytest.raises(Unauthorized):
        await connect(registry.host, Credential(registry_token=Secret("old"))).request("GET", TAGS, scope=PULL)
    assert len(registry.seen) == 2


async def test_bearer_and_basic_as_two_fields(connect: Connect, registry: BearerRegistry, tokens: TokenServer) -> None:
    class Both(BearerRegistry):
        async def answer(self, seen: Seen) -> Reply:
            reply = await super().answer(seen)
            return Reply(reply.status, (("WWW-Authenticate", 'Basic realm="b"'), *reply.headers), reply.body)

    async with Both(accept_everything, tokens=tokens) as both:
        await connect(both.host, ALICE).request("GET", TAGS, scope=PULL)
    assert len(tokens.seen) == 1


async def test_a_relative_realm_with_a_query_of_its_own(connect: Connect) -> None:
    def handler(seen: Seen) -> Reply:
        if seen.path == "/auth/token":
            return as_json({"token": "t"})
        if seen.authorization == "Bearer t":
            return as_json({})
        return Reply(401, (("WWW-Authenticate", 'Bearer realm="/auth/token?service=mine&x=1",service="theirs"'),))

    async with Server(handler) as registry:
        await connect(registry.host).request("GET", TAGS, scope=PULL)
    assert registry.seen[1].query == {"service": ["mine"], "x": ["1"], "scope": [PULL], "client_id": ["regtui"]}


async def test_a_reader_thread_and_the_loop_share_tokens(
    connect: Connect, registry: BearerRegistry, tokens: TokenServer
) -> None:
    client = connect(registry.host, ALICE)

    def read() -> bytes:
        with client.open_blocking("/v2/a/b/blobs/x", scope=PULL) as stream:
            return stream.read()

    assert await asyncio.to_thread(read) == b"{}"
    await client.request("GET", TAGS, scope=PULL)
    assert await asyncio.to_thread(read) == b"{}"
    assert len(tokens.seen) == 1
    assert len(registry.seen) == 4


async def test_forgetting_looks_up_anew(connect: Connect, registry: BearerRegistry, tokens: TokenServer) -> None:
    source = Source()
    client = connect(registry.host, source=source)
    await client.request("GET", TAGS, scope=PULL)
    source.credential = ALICE
    client.forget_credential()
    await client.request("GET", TAGS, scope=PULL)
    assert client.signed_in_as == "alice"
    assert source.asked == [registry.host] * 2


async def test_no_secret_is_seen_anywhere(connect: Connect, registry: BearerRegistry, tokens: TokenServer) -> None:
    client = connect(registry.host, ALICE)
    await client.request("GET", TAGS, scope=PULL)
    (token,) = tokens.issued
    seen = repr((client, client._auth, client._auth._store, client.log.records))  # type: ignore[attr-defined]
    for secret in (token, PASSWORD, basic("alice", PASSWORD).split()[1]):
        assert secret not in seen
