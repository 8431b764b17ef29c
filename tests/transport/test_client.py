"""Requests as a whole: redirects, limits, refusals, uploads, rates, and hosts that mean harm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from regtui.oci.errors import SizeMismatch
from regtui.transport.errors import (
    BadAnswer,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    RegistryError,
    ServerFault,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from regtui.transport.exchange import Response
from regtui.transport.headers import Headers
from regtui.transport.rate import RateLimit
from regtui.transport.refusals import describe, read_error, refusal
from regtui.transport.steps import NeedCredential
from tests.fakes.hostile import BOMB, HOSTILE_TEXTS, HUGE, HostileRegistry, as_json, oci_error, rate_limited, redirect
from tests.fakes.serve import Reply, Server
from tests.fakes.token_server import BasicRegistry, BearerRegistry, TokenServer, accept_everything, basic
from tests.transport.conftest import ALICE, PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    from regtui.credentials.values import Credential
    from regtui.transport.exchange import Request
    from regtui.transport.steps import Step
    from tests.transport.conftest import Connect

BLOB = "/v2/a/blobs/x"
SIGNED = "?X-Amz-Signature=hunter2"


async def content(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_credentials_do_not_follow_a_redirect(connect: Connect) -> None:
    async with Server(lambda _: Reply(200, (("Set-Cookie", "a=b"),), b"blob")) as storage, BasicRegistry() as registry:
        registry.handler = lambda _: Reply(307, (("Location", f"{storage.base_url}/b{SIGNED}"), ("Set-Cookie", "c=d")))
        client = connect(registry.host, ALICE)
        for _ in range(2):
            headers = {"X-Secret": PASSWORD, "Range": "bytes=0-"}
            answer = await client.request("GET", BLOB, headers=headers)
    assert answer.body == b"blob"
    assert len(storage.seen) == 2
    for seen in storage.seen:
        assert sorted(seen.headers) == ["accept", "accept-encoding", "host", "range", "user-agent"]
        assert seen.target == f"/b{SIGNED}"
    assert all("cookie" not in seen.headers for seen in registry.seen)
    assert "hunter2" not in repr((client.log.records, answer))


async def test_nothing_is_signed_in_any_more_after_leaving(connect: Connect) -> None:
    async with Server() as storage, BasicRegistry(accept_everything) as registry:
        storage.handler = lambda _: redirect(f"{registry.base_url}/v2/secret")
        client = connect(registry.host, ALICE)
        await client.request("GET", "/v2/")
        registry.handler = lambda _: redirect(f"{storage.base_url}/x")
        with pytest.raises(Unauthorized):
            await client.request("GET", BLOB)
    assert registry.seen[-1].path == "/v2/secret"
    assert registry.seen[-1].authorization is None


async def test_redirects_inside_the_registry_stay_signed_in(connect: Connect) -> None:
    async with BasicRegistry() as registry:
        registry.handler = lambda seen: redirect("/v2/") if seen.path == "/v2" else as_json({})
        await connect(registry.host, ALICE).request("GET", "/v2")
    assert [bool(seen.authorization) for seen in registry.seen] == [False, True, True]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_reads_follow_every_kind_of_redirect(connect: Connect, method: str, status: int) -> None:
    async with HostileRegistry() as registry:
        registry.script("/v2/x", redirect("y?a=b%2Fc", status))
        registry.script("/v2/y", as_json({}))
        answer = await connect(registry.host).request(method, "/v2/x")
    assert [(seen.method, seen.target) for seen in registry.seen] == [(method, "/v2/x"), (method, "/v2/y?a=b%2Fc")]
    assert answer.url.endswith("/v2/y?a=b%2Fc")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
async def test_writes_follow_none(connect: Connect, method: str) -> None:
    async with HostileRegistry() as registry:
        registry.script("/v2/x", redirect("/v2/y"))
        with pytest.raises(BadAnswer, match="307"):
            await connect(registry.host).request(method, "/v2/x")
    assert registry.paths() == ["/v2/x"]


@pytest.mark.parametrize(
    "location", ["https://[::1/", "ftp://example.com/x", "file:///etc/passwd", "http://", "javascript:alert(1)"]
)
async def test_redirects_to_nowhere(connect: Connect, location: str) -> None:
    async with HostileRegistry() as registry:
        registry.script("/v2/x", redirect(location))
        with pytest.raises(BadAnswer):
            await connect(registry.host).request("GET", "/v2/x")


async def test_a_password_in_a_location_is_left_out(connect: Connect) -> None:
    async with Server(accept_everything) as storage, HostileRegistry() as registry:
        registry.script("/v2/x", redirect(f"http://alice:{PASSWORD}@{storage.host}/y"))
        await connect(registry.host).request("GET", "/v2/x")
    assert storage.seen[0].authorization is None


async def test_redirects_in_circles_end(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        with pytest.raises(BadAnswer, match="circles"):
            await connect(registry.host).request("GET", "/v2/circle/a")
    assert len(registry.seen) <= 13


async def test_a_redirect_without_a_location_is_no_answer(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        registry.script("/v2/x", Reply(307))
        with pytest.raises(BadAnswer):
            await connect(registry.host).request("GET", "/v2/x")


async def test_storage_that_refuses_is_told_apart(connect: Connect) -> None:
    async with (
        Server(lambda _: Reply(403, (), b"<Error>AccessDenied</Error>")) as storage,
        HostileRegistry() as registry,
    ):
        registry.script(BLOB, redirect(f"{storage.base_url}/{SIGNED}"))
        with pytest.raises(BadAnswer, match="storage that 127") as caught:
            await connect(registry.host, ALICE).request("GET", BLOB)
    assert "hunter2" not in str(caught.value)


async def test_the_user_agent_says_who_asks(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        await connect(registry.host).request("GET", "/v2/", headers={"Accept": "a/b"})
    assert registry.seen[0].headers["user-agent"].startswith("regtui/")
    assert registry.seen[0].headers["accept"] == "a/b"


async def test_paths_arrive_as_they_were_meant(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        client = connect(registry.host)
        for path in ("/api/a%252Fb/c%2Fd", "/v2/a/manifests/sha256:ab"):
            await client.request("GET", path, params={"q": "x=y&z"}, expect=frozenset({404}))
    assert [seen.target for seen in registry.seen] == [
        "/api/a%252Fb/c%2Fd?q=x%3Dy%26z",
        "/v2/a/manifests/sha256:ab?q=x%3Dy%26z",
    ]


async def test_bodies_that_are_too_long(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        client = connect(registry.host)
        with pytest.raises(BadAnswer, match="more than the 4194304 bytes"):
            await client.request("GET", "/v2/huge/manifests/latest", limit=4 << 20)
        with pytest.raises(BadAnswer, match="more than the"):
            await client.request("GET", "/v2/bomb/tags/list", limit=1 << 20)
        registry.script(
            "/v2/chunked", Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n" * 3)
        )
        with pytest.raises(BadAnswer):
            await client.request("GET", "/v2/chunked", limit=4)
        bomb = await client.request("GET", "/v2/bomb/tags/list", limit=BOMB + 100)
        assert len(bomb.json()["tags"][0]) == BOMB
        assert sum(record.bytes for record in client.log.records) < HUGE / 10
        assert (await client.request("HEAD", "/v2/huge/manifests/latest")).headers["content-length"] == str(HUGE)


@pytest.mark.parametrize(
    ("trap", "error"),
    [("flood", BadAnswer), ("nonsense", BadAnswer), ("short", Unreachable), ("broken", ServerFault)],
)
async def test_answers_that_are_broken(connect: Connect, trap: str, error: type[RegistryError]) -> None:
    async with HostileRegistry() as registry:
        client = connect(registry.host)
        with pytest.raises(error) as caught:
            await client.request("GET", f"/v2/{trap}/tags/list")
        assert caught.value.host == registry.host
        assert (await client.request("GET", "/v2/")).status == 200
    assert client.log.in_flight == 0


async def test_a_web_page_is_no_json(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        answer = await connect(registry.host).request("GET", "/v2/web/tags/list")
        with pytest.raises(BadAnswer, match="no JSON"):
            answer.json()


async def test_names_come_as_they_are(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        answer = await connect(registry.host).request("GET", "/v2/names/tags/list")
    assert answer.json()["tags"] == ["latest", *HOSTILE_TEXTS]


async def test_rates_are_kept(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        registry.script("/v2/x", as_json({}, ("RateLimit-Limit", "100;w=21600"), ("RateLimit-Remaining", "7;w=21600")))
        client = connect(registry.host)
        assert client.rate is None
        await client.request("GET", "/v2/x")
        await client.request("GET", "/v2/")
    assert client.rate == RateLimit(100, 7, 21600)


async def test_uploads_are_streamed_with_their_length(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        registry.script("/v2/a/blobs/uploads/1", Reply(201))
        client = connect(registry.host)
        path = f"{registry.base_url}/v2/a/blobs/uploads/1?_state=s%3D&digest=d"
        await client.upload("PUT", path, content(b"abc", b"", b"def"), size=6)
    (put,) = [seen for seen in registry.seen if seen.method == "PUT"]
    assert (put.body, put.headers["content-length"], "transfer-encoding" in put.headers) == (b"abcdef", "6", False)
    assert put.query == {"_state": ["s="], "digest": ["d"]}


async def test_uploads_sign_in_beforehand(connect: Connect) -> None:
    async with TokenServer() as tokens, BearerRegistry(lambda _: Reply(201), tokens=tokens) as registry:
        client = connect(registry.host, ALICE)
        scope = "repository:a:pull,push"
        for _ in range(2):
            await client.upload("PUT", "/v2/a/blobs/uploads/1", content(b"abc"), size=3, scope=scope)
    assert [seen.method for seen in registry.seen] == ["GET", "GET", "PUT", "PUT"]
    assert [seen.body for seen in registry.seen] == [b"", b"", b"abc", b"abc"]


async def test_uploads_that_are_refused_are_not_repeated(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        registry.script("/v2/a/blobs/uploads/1", Reply(503))
        client = connect(registry.host)
        with pytest.raises(ServerFault, match="an upload to a"):
            await client.upload("PUT", "/v2/a/blobs/uploads/1", content(b"abc"), size=3)
    assert registry.paths("PUT") == ["/v2/a/blobs/uploads/1"]


@pytest.mark.parametrize("size", [5, 7])
async def test_uploads_of_another_length_than_announced(connect: Connect, size: int) -> None:
    async with HostileRegistry() as registry:
        registry.script("/v2/a/blobs/uploads/1", Reply(201))
        client = connect(registry.host, read_timeout=5.0)
        with pytest.raises(SizeMismatch):
            await client.upload("PUT", "/v2/a/blobs/uploads/1", content(b"abc", b"def"), size=size)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "NAME_INVALID", BadRequest),
        (400, "UNSUPPORTED", Unsupported),
        (401, "UNAUTHORIZED", Unauthorized),
        (403, "DENIED", Forbidden),
        (404, "MANIFEST_UNKNOWN", NotFound),
        (404, "UNSUPPORTED", Unsupported),
        (405, "UNSUPPORTED", Unsupported),
        (409, "CONFLICT", Conflict),
        (412, "PRECONDITION", Conflict),
        (413, "SIZE_INVALID", BadRequest),
        (429, "TOOMANYREQUESTS", RateLimited),
        (500, "UNKNOWN", ServerFault),
        (501, "UNKNOWN", Unsupported),
        (503, "UNAVAILABLE", ServerFault),
        (204, "", BadAnswer),
        (302, "", BadAnswer),
    ],
)
def test_every_refusal_has_its_error(status: int, code: str, error: type[RegistryError]) -> None:
    reply = oci_error(status, code, "own words", {"any": "thing"})
    response = Response(status, Headers(reply.headers), reply.body, "https://r.example/v2/")
    found = refusal("r.example", describe("GET", "https://r.example/v2/a/b/manifests/t"), response)
    assert type(found) is error
    assert (found.status, found.code, found.detail) == (status, code or None, "own words")
    assert "r.example" in found.sentence
    assert "manifest t of a/b" in found.sentence
    assert found.sentence.endswith(".")


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (b"", None, None),
        (b"404 page not found\n", None, "404 page not found"),
        (b"<!doctype html><title>Bad\n gateway</title>", None, "Bad gateway"),
        (b"<html>", None, None),
        (b"\xff\xfe", None, "\ufffd\ufffd"),
        (b'{"code":"UNAUTHORIZED","message":"no"}', "UNAUTHORIZED", "no"),
        (b'{"message":"no"}', None, "no"),
        (b'{"details":"no"}', None, "no"),
        (b'{"error":"invalid_grant","error_description":"no"}', None, "no"),
        (b'{"error":{"code":404,"message":"no","status":"NOT_FOUND"}}', None, "no"),
        (b'{"errors":[{"status":404,"message":"no"}]}', None, "no"),
        (b'{"errors":["no"]}', None, "no"),
        (b'{"errors":[]}', None, None),
        (b'{"errors":{}}', None, None),
        (b'{"errors":[{"code":"A","message":"x","detail":"y"},{"code":"B","message":"z"}]}', "A", "x: y; z"),
        (b'{"errors":[{"code":"A","message":"x","detail":{"y":1}}]}', "A", "x"),
        (b'{"errors":[null,5,{"code":7}]}', None, None),
        (b"[[[", None, "[[["),
        (b"[" * 60_000, None, "[" * 499 + "…"),
        (b"12", None, None),
        (json.dumps({"message": "x" * 9000}).encode(), None, "x" * 499 + "…"),
        (json.dumps({"code": "C" * 900}).encode(), "C" * 64, None),
    ],
)
def test_error_bodies_of_every_form(body: bytes, code: str | None, detail: str | None) -> None:
    assert read_error(Response(404, Headers(), body, "https://r.example/")) == (code, detail)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/v2/", "the registry API"),
        ("/v2/_catalog?n=1", "the list of repositories"),
        ("/v2/a/b/manifests/latest", "manifest latest of a/b"),
        ("/v2/a/b/blobs/sha256:ab", "blob sha256:ab of a/b"),
        ("/v2/a/b/blobs/uploads/x?_state=s", "an upload to a/b"),
        ("/v2/a/tags/list", "the tags of a"),
        ("/v2/a/referrers/sha256:ab", "the referrers of sha256:ab in a"),
        ("/api/v2.0/projects?secret=x", "GET /api/v2.0/projects"),
    ],
)
def test_what_was_asked_in_words(url: str, words: str) -> None:
    assert describe("GET", f"https://r.example{url}") == words


async def test_errors_of_a_real_exchange_carry_everything(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        registry.script("/v2/a/manifests/x", oci_error(404, "MANIFEST_UNKNOWN", "manifest unknown", {"Tag": "x"}))
        with pytest.raises(NotFound) as caught:
            await connect(registry.host).request("GET", f"/v2/a/manifests/x{SIGNED}")
    error = caught.value
    assert (error.host, error.status, error.code) == (registry.host, 404, "MANIFEST_UNKNOWN")
    assert str(error).startswith(f"{registry.host} has no manifest x of a. ")
    assert "hunter2" not in str(error)


async def test_expected_statuses_are_answers(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        answer = await connect(registry.host).request("GET", "/v2/none/tags/list", expect=frozenset({200, 404}))
    assert (answer.status, answer.json()["errors"][0]["code"]) == (404, "NAME_UNKNOWN")


async def test_endless_lists_give_what_is_asked_for(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        client = connect(registry.host)
        path = "/v2/endless/tags/list"
        for _ in range(3):
            answer = await client.request("GET", path)
            path = answer.headers["link"].partition(">")[0].removeprefix("<")
    assert [seen.query.get("last") for seen in registry.seen] == [None, ["t99"], ["t199"]]


async def test_a_client_can_be_closed_while_nothing_was_asked(connect: Connect) -> None:
    client = connect("r.example", plain_http=False)
    assert client.base_url == "https://r.example"
    await client.close()
    await client.close()


async def test_connections_are_kept_and_limited(connect: Connect) -> None:
    import asyncio

    async with HostileRegistry() as registry:
        client = connect(registry.host, max_connections=3)
        await asyncio.gather(*(client.request("GET", "/v2/") for _ in range(30)))
    assert len(registry.seen) == 30
    assert registry.connections <= 3


async def test_a_429_without_a_number(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        registry.script("/v2/x", rate_limited())
        with pytest.raises(RateLimited, match="Try again later") as caught:
            await connect(registry.host).request("GET", "/v2/x")
    assert (caught.value.retry_after, len(registry.seen)) == (None, 4)


class AsTheUser:
    """Signs in as an API of a vendor's own does, and knows how to forget."""

    def __init__(self) -> None:
        self.found: list[Credential] = []

    def flow(self, request: Request) -> Generator[Step, Any, None]:
        credential = yield NeedCredential()
        self.found.append(credential)
        yield request.with_headers(authorization=basic(credential.username, credential.password.reveal()))

    def forget(self) -> None:
        self.found.clear()


async def test_a_client_beside_another_has_its_credential_at_another_host(connect: Connect) -> None:
    async with BasicRegistry(accept_everything) as registry, Server(accept_everything) as api:
        client, auth = connect(registry.host, ALICE), AsTheUser()
        await client.request("GET", "/v2/")
        other = client.beside(api.host, auth=auth)
        await other.request("GET", "/api/things")
        assert (other.host, auth.found) == (registry.host, [ALICE])
        assert api.seen[-1].authorization == basic("alice", PASSWORD)
        assert client.log.records[-1].url == f"{api.base_url}/api/things"
        client.forget_credential()
        assert auth.found == []
        await client.close()
        assert "not connected" in repr(other)
