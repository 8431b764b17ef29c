"""Plain distribution against registries that answer oddly: what is believed, what is refused, what is asked next."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from regtui.oci import (
    Descriptor,
    Digest,
    DigestMismatch,
    InvalidManifest,
    UnsupportedManifest,
    parse_manifest,
)
from regtui.registries.contract import Capability
from regtui.registries.distribution import DistributionRegistry
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import (
    BadAnswer,
    BadRequest,
    Conflict,
    Forbidden,
    RegistryError,
    ServerFault,
    Unsupported,
)
from tests.registries.contract import IMAGE, INDEX, SBOM, collect, descriptor_of, stream_of
from tests.servers import content
from tests.servers.oci11 import FakeRegistry, Reply, error, json_reply

SUBJECT = Digest.parse(IMAGE.digest)
LAYER = IMAGE.needs[1]


class Odd(FakeRegistry):
    """A registry whose answers a test can change: change(asked, reply) gives the reply to send."""

    def __init__(self, change, **options):
        super().__init__(**options)
        self._change = change

    def answer(self, asked):
        return self._change(asked, super().answer(asked)) or super().answer(asked)


@pytest.fixture
def odd(distribution):
    """Makes a filled odd registry: (the fake, the DistributionRegistry on it)."""
    made = []

    def make(change=lambda asked, reply: reply, **options):
        fake = Odd(change, **options)
        fake.__enter__()
        made.append(fake)
        fake.put("app", INDEX, "multi")
        fake.put("app", IMAGE, "v1")
        return fake, distribution(fake.host)

    yield make
    for fake in made:
        fake.__exit__(None, None, None)


def only(path, answer):
    """A change of the replies to one path (its end); `answer` is a Reply, or makes one of (asked, reply)."""

    def change(asked, reply):
        if not asked.path.endswith(path):
            return reply
        return answer if isinstance(answer, Reply) else answer(asked, reply)

    return change


# listing ---------------------------------------------------------------------------------------------------------

HTML = Reply(200, b"<html>sign in</html>", {"Content-Type": "text/html"})
BASIC = {"WWW-Authenticate": 'Basic realm="x"'}


@pytest.mark.parametrize(
    "answer",
    [
        Reply(401, b"", BASIC),
        error(403, "DENIED"),
        error(404, "UNSUPPORTED"),
        Reply(404, b"404 page not found"),
        error(405, "UNSUPPORTED"),
        HTML,
        json_reply(["a"]),
        json_reply({"repositories": "a"}),
    ],
)
async def test_a_catalog_that_is_kept_back_says_how_to_go_on(odd, answer):
    _, registry = odd(only("_catalog", answer))
    with pytest.raises(Unsupported, match="does not list its repositories") as raised:
        await collect(registry.repositories())
    assert "/path/name" in raised.value.hint
    assert raised.value.__cause__ is not None
    assert not (await registry.capabilities()).has(Capability.LIST_REPOSITORIES)


async def test_where_there_is_no_catalog_the_pinned_repositories_are_listed(odd):
    fake, registry = odd(only("_catalog", error(404, "UNSUPPORTED")))
    pinned = RegistrySettings(fake.host, repositories=("team/app", "team/web", "other"))
    registry = DistributionRegistry(registry.client, settings=pinned)
    pages = [page async for page in registry.repositories("team/")]
    assert [[r.path for r in page.items] for page in pages] == [["team/app", "team/web"]]
    assert "pinned" in pages[0].stopped
    assert (await registry.capabilities())[Capability.LIST_REPOSITORIES].available is True


async def test_a_broken_catalog_is_an_error_not_a_missing_one(odd):
    _, registry = odd(only("_catalog", Reply(400, b"")))
    with pytest.raises(BadRequest):
        await collect(registry.repositories())
    with pytest.raises(BadRequest):
        await registry.capabilities()


async def test_pages_are_followed_wherever_the_link_points(odd):
    def elsewhere(asked, reply):
        if "Link" in reply.headers:
            reply.headers["Link"] = reply.headers["Link"].replace("</v2/", "<http://inner.test:8081/repository/x/v2/")
        return reply

    fake, registry = odd(elsewhere, page=2)
    for n in range(5):
        fake.put("app", IMAGE, f"t{n}")
    assert [t.name for t in await collect(registry.tags("app"))] == ["multi", "t0", "t1", "t2", "t3", "t4", "v1"]
    pages = [page async for page in registry.tags("app")]
    assert [len(page.items) for page in pages] == [2, 2, 2, 1]
    assert {page.total for page in pages} == {None}


@pytest.mark.parametrize("body", [{"tags": None}, {"tags": []}, {"name": "app"}])
async def test_no_tags_is_an_empty_page(odd, body):
    _, registry = odd(only("tags/list", json_reply(body)))
    assert [page.items async for page in registry.tags("app")] == [()]


async def test_a_server_that_ignores_last_ends_with_a_note(odd):
    same = json_reply({"tags": ["a", "b"]}, Link='</v2/app/tags/list?last=b>; rel="next"')
    fake, registry = odd(only("tags/list", same))
    pages = [page async for page in registry.tags("app")]
    assert [t.name for page in pages for t in page.items] == ["a", "b"]
    assert "same page" in pages[-1].stopped
    assert len(fake.asked) == 2


async def test_names_that_no_client_could_use_are_left_out_and_counted(odd):
    bad = ["ok", "../x", "a b", "\x1b[31mred", "x" * 129, 7, None, "", "fine"]
    _, registry = odd(only("tags/list", json_reply({"tags": bad})))
    (page,) = [page async for page in registry.tags("app")]
    assert [t.name for t in page.items] == ["ok", "fine"]
    assert page.stopped.startswith("5 names")


async def test_a_huge_page_is_handed_on_in_parts(odd):
    names = [f"t{n:05}" for n in range(5001)]
    fake, registry = odd(only("tags/list", json_reply({"tags": names})))
    pages = [page async for page in registry.tags("app")]
    assert [len(page.items) for page in pages] == [2000, 2000, 1001]
    assert {page.total for page in pages} == {5001}
    assert len(fake.asked) == 1


async def test_n_is_left_to_a_registry_that_refuses_it(odd):
    def strict(asked, reply):
        return error(400, "PAGINATION_NUMBER_INVALID") if "n" in asked.query else json_reply({"tags": ["a"]})

    _, registry = odd(only("tags/list", strict))
    assert [t.name for t in await collect(registry.tags("app"))] == ["a"]


async def test_after_the_first_page_the_rest_is_asked_for_at_once(odd):
    fake, registry = odd(page=10_000)
    registry.page_size = 3
    for n in range(20):
        fake.put("app", IMAGE, f"t{n:02}")
    assert len(await collect(registry.tags("app"))) == 22
    assert [asked.query for asked in fake.asked] == [{"n": "3"}, {"last": "t01"}]


async def test_a_registry_that_keeps_to_small_pages_is_asked_for_larger_ones_again(odd):
    def stingy(asked, reply):
        return fake.names(replace(asked, query={"n": "2"} | asked.query), "tags", list(fake.repositories["app"].tags))

    fake, registry = odd(only("tags/list", stingy))
    registry.page_size = 5
    for n in range(12):
        fake.put("app", IMAGE, f"t{n:02}")
    assert len(await collect(registry.tags("app"))) == 14
    assert [asked.query.get("n") for asked in fake.asked] == ["5", None, "5", "5"]


async def test_a_rest_that_is_too_large_at_once_comes_in_pages(odd):
    def too_much(asked, reply):
        return reply if "n" in asked.query else Reply(200, b'{"tags":["' + b"a" * (17 << 20) + b'"]}')

    fake, registry = odd(only("tags/list", too_much))
    registry.page_size = 2
    for n in range(5):
        fake.put("app", IMAGE, f"t{n}")
    assert len(await collect(registry.tags("app"))) == 7
    assert [asked.query.get("n") for asked in fake.asked] == ["2", None, "2", "2", "2"]


async def test_the_next_page_is_not_asked_for_when_nobody_looks(odd):
    fake, registry = odd(page=1)
    pages = registry.tags("app")
    await anext(pages)
    await pages.aclose()
    assert len(fake.asked) == 1


# manifests -------------------------------------------------------------------------------------------------------


def heads(answer):
    """A change of the replies to HEAD only."""
    return lambda asked, reply: answer(reply) if asked.method == "HEAD" else reply


@pytest.mark.parametrize(
    "answer",
    [
        lambda reply: Reply(404),
        lambda reply: Reply(405),
        lambda reply: replace(reply, headers={"Content-Type": reply.headers["Content-Type"]}),
        lambda reply: replace(reply, headers={**reply.headers, "Docker-Content-Digest": "nonsense"}),
        lambda reply: replace(reply, headers={"Docker-Content-Digest": IMAGE.digest}),
    ],
)
async def test_a_head_that_tells_too_little_is_made_good_by_a_get(odd, answer):
    fake, registry = odd(heads(answer))
    head = await registry.head_manifest("app", "v1")
    assert (head.digest, head.media_type, head.size) == (IMAGE.digest, IMAGE.media_type, len(IMAGE.raw))
    assert [asked.method for asked in fake.asked] == ["HEAD", "GET"]


async def test_every_question_for_a_manifest_names_the_types(odd):
    fake, registry = odd()
    await registry.head_manifest("app", "v1")
    await registry.manifest("app", "v1")
    for asked in fake.asked:
        for kind in ("image.index.v1", "manifest.list.v2", "image.manifest.v1", "distribution.manifest.v2"):
            assert kind in asked.headers["accept"]
        assert "*/*" not in asked.headers["accept"]


@pytest.mark.parametrize("locator", ["v1", IMAGE.digest])
async def test_other_bytes_are_refused(odd, locator):
    _, registry = odd(lambda asked, reply: replace(reply, body=reply.body.replace(b"2026", b"2027") + b" "))
    with pytest.raises(DigestMismatch):
        await registry.manifest("app", locator)


async def test_a_digest_of_another_algorithm_is_checked_with_it(odd):
    right = "sha512:" + hashlib.sha512(IMAGE.raw).hexdigest()
    _, registry = odd(lambda asked, reply: replace(reply, headers={**reply.headers, "Docker-Content-Digest": right}))
    assert (await registry.manifest("app", "v1")).digest == right
    wrong = "sha512:" + "0" * 128
    _, registry = odd(lambda asked, reply: replace(reply, headers={**reply.headers, "Docker-Content-Digest": wrong}))
    with pytest.raises(DigestMismatch):
        await registry.manifest("app", "v1")


async def test_without_a_digest_header_the_bytes_are_hashed(odd):
    _, registry = odd(lambda asked, reply: replace(reply, headers={"Content-Type": "text/plain"}))
    manifest = await registry.manifest("app", "v1")
    assert (manifest.digest, manifest.media_type) == (IMAGE.digest, IMAGE.media_type)


async def test_what_is_not_what_it_claims_to_be_is_refused(odd):
    for body, headers, problem in [
        (IMAGE.raw, {"Content-Type": content.OCI_INDEX}, InvalidManifest),
        (b"<html>", {"Content-Type": "text/html"}, InvalidManifest),
        (
            b'{"schemaVersion":1,"fsLayers":[],"history":[]}',
            {
                "Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws",
                "Docker-Content-Digest": "sha256:" + "1" * 64,
            },
            UnsupportedManifest,
        ),
    ]:
        _, registry = odd(only("manifests/v1", Reply(200, body, headers)))
        with pytest.raises(problem):
            await registry.manifest("app", "v1")


async def test_a_manifest_without_end_is_not_taken_in(odd):
    _, registry = odd(only("manifests/v1", Reply(200, b" " * (9 << 20), {"Content-Type": IMAGE.media_type})))
    with pytest.raises(RegistryError):
        await registry.manifest("app", "v1")


# blobs -----------------------------------------------------------------------------------------------------------


async def test_a_part_of_a_blob_from_a_registry_that_knows_no_ranges(odd):
    whole = only(LAYER.digest, lambda asked, reply: Reply(200, LAYER.raw))
    _, registry = odd(whole)
    assert await registry.blob_range("app", descriptor_of(LAYER), 10, 30) == LAYER.raw[10:30]
    huge = Descriptor("application/octet-stream", Digest.parse(LAYER.digest), 1 << 40)
    with pytest.raises(Unsupported, match="part of a blob"):
        await registry.blob_range("app", huge, 1 << 30, 1 << 31)


async def test_a_blob_with_other_bytes_is_refused(odd):
    _, registry = odd(only(LAYER.digest, Reply(200, bytes(len(LAYER.raw)))))
    with pytest.raises(DigestMismatch):
        await registry.small_blob("app", descriptor_of(LAYER))


# referrers -------------------------------------------------------------------------------------------------------


def notes(count):
    return [content.artifact("text/note", f"{n}".encode(), subject=IMAGE) for n in range(count)]


async def test_a_missing_referrers_api_is_remembered(odd):
    fake, registry = odd(referrers=False)
    assert (await registry.referrers("app", SUBJECT)).source == "none"
    assert (await registry.referrers("app", SUBJECT)).source == "none"
    asked = [a.path.split("/")[3] for a in fake.asked]
    assert asked == ["referrers", "manifests", "manifests"]
    assert "No referrers API" in (await registry.capabilities())[Capability.REFERRERS].reason


async def test_an_unknown_repository_does_not_mean_a_missing_api(odd):
    _, registry = odd()
    assert (await registry.referrers("nowhere", SUBJECT)).source == "none"
    assert (await registry.capabilities())[Capability.REFERRERS].available is None
    assert (await registry.referrers("app", SUBJECT)).source == "api"
    assert (await registry.capabilities())[Capability.REFERRERS].available is True


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Reply(401, b"", BASIC), RegistryError),
        (error(403, "DENIED"), Forbidden),
        (error(400, "DIGEST_INVALID"), BadRequest),
        (HTML, BadAnswer),
        (json_reply({"errors": []}), BadAnswer),
    ],
)
async def test_a_refusal_is_never_taken_for_no_referrers(odd, answer, problem):
    _, registry = odd(lambda asked, reply: answer if "/referrers/" in asked.path else reply)
    with pytest.raises(problem):
        await registry.referrers("app", SUBJECT)


async def test_referrers_come_in_pages_and_are_filtered(odd):
    fake, registry = odd(page=2)
    made = notes(5)
    for note in made:
        fake.put("app", note)
    fake.put("app", content.artifact("text/other", b"x", subject=IMAGE))
    found = await registry.referrers("app", SUBJECT)
    assert len(found.descriptors) == 6
    wanted = await registry.referrers("app", SUBJECT, "text/note")
    assert sorted(d.digest for d in wanted.descriptors) == sorted(note.digest for note in made)


async def test_a_filter_that_the_registry_ignores_is_applied_here(odd):
    def ignoring(asked, reply):
        asked.query.pop("artifactType", None)

    fake, registry = odd(ignoring)
    fake.put("app", SBOM)
    fake.put("app", content.artifact("text/other", b"x", subject=INDEX))
    wanted = await registry.referrers("app", Digest.parse(INDEX.digest), "text/other")
    assert [d.artifact_type for d in wanted.descriptors] == ["text/other"]


async def test_a_referrers_tag_that_is_no_index_means_none(odd):
    fake, registry = odd(referrers=False)
    fake.put("app", content.artifact("text/x"), SUBJECT.replace(":", "-"))
    assert (await registry.referrers("app", SUBJECT)).source == "none"
    note = notes(1)[0]
    fake.put("app", note)
    with pytest.raises(Conflict, match="not an index"):
        await registry.put_manifest("app", note.digest, parse_manifest(note.raw, note.media_type))


async def test_an_entry_that_another_writer_overwrote_is_written_again(odd):
    lost = []

    def losing(asked, reply):
        if asked.method == "PUT" and "/manifests/sha256-" in asked.path and len(lost) < 2:
            lost.append(asked)
            return Reply(201)  # as if another had put its own at once
        return None

    def change(asked, reply):
        return losing(asked, reply) or reply

    fake, registry = odd(change, referrers=False)
    note = notes(1)[0]
    fake.put("app", note)
    tag = SUBJECT.replace(":", "-")
    original = fake.answer

    def answer(asked):
        return losing(asked, None) or original(asked)

    fake.answer = answer
    await registry.put_manifest("app", note.digest, parse_manifest(note.raw, note.media_type))
    assert len(lost) == 2
    listed = json.loads(fake.repositories["app"].manifests[fake.repositories["app"].tags[tag]][1])
    assert [entry["digest"] for entry in listed["manifests"]] == [note.digest]


async def test_an_entry_that_never_stays_is_reported(odd):
    fake, registry = odd(referrers=False)
    original = fake.answer

    def answer(asked):
        if asked.method == "PUT" and "/manifests/sha256-" in asked.path:
            return Reply(201)
        return original(asked)

    fake.answer = answer
    note = notes(1)[0]
    fake.put("app", note)
    with pytest.raises(Conflict, match="keep changing"):
        await registry.put_manifest("app", note.digest, parse_manifest(note.raw, note.media_type))


async def test_a_registry_that_enters_referrers_itself_is_left_to_it(odd):
    fake, registry = odd()
    note = notes(1)[0]
    fake.put("app", note)
    await registry.put_manifest("app", note.digest, parse_manifest(note.raw, note.media_type))
    assert [asked.method for asked in fake.asked] == ["PUT"]


# writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    [
        "{path}",
        "http://{host}{path}",
        "https://{host}{path}",
        "http://{name}:1{path}",
        "https://{name}{path}",
        "//{host}{path}",
    ],
)
async def test_uploads_go_on_where_the_registry_says_on_this_host(odd, location):
    def elsewhere(asked, reply):
        if asked.method == "POST":
            host, path = asked.headers["host"], reply.headers["Location"]
            reply.headers["Location"] = location.format(host=host, name=host.partition(":")[0], path=path)
        return reply

    fake, registry = odd(elsewhere)
    await registry.put_blob("new", descriptor_of(LAYER), stream_of(LAYER.raw))
    assert fake.repositories["new"].blobs[LAYER.digest] == LAYER.raw


@pytest.mark.parametrize("location", ["http://other.test/v2/x", "http://[bad/v2", None, "ftp://127.0.0.1/x"])
async def test_uploads_never_go_to_another_host(odd, location):
    def elsewhere(asked, reply):
        return Reply(202, headers={"Location": location} if location else {}) if asked.method == "POST" else reply

    fake, registry = odd(elsewhere)
    with pytest.raises(RegistryError):
        await registry.put_blob("new", descriptor_of(LAYER), stream_of(LAYER.raw))
    assert "PUT" not in [asked.method for asked in fake.asked]


async def test_a_refused_upload_is_cancelled(odd):
    fake, registry = odd()
    wrong = Descriptor("application/octet-stream", Digest.of(b"other"), len(LAYER.raw))
    with pytest.raises(BadRequest):
        await registry.put_blob("new", wrong, stream_of(LAYER.raw))
    assert [asked.method for asked in fake.asked] == ["POST", "PUT", "DELETE"]


async def test_a_mount_that_is_refused_leaves_no_session_behind(odd):
    fake, registry = odd(mount=False)
    assert not await registry.mount_blob("new", Digest.parse(LAYER.digest), "app")
    post, cancel = fake.asked
    assert post.query == {"mount": LAYER.digest, "from": "app"}
    assert (cancel.method, cancel.path) == ("DELETE", "/v2/new/blobs/uploads/1")
    fake, registry = odd()
    assert await registry.mount_blob("new", Digest.parse(LAYER.digest), "app")
    assert len(fake.asked) == 1


async def test_a_manifest_is_put_with_its_own_type_and_what_came_back_is_compared(odd):
    fake, registry = odd()
    manifest = await registry.manifest("app", "v1")
    await registry.put_manifest("app", "again", manifest)
    put = fake.asked[-1]
    assert (put.body, put.headers["content-type"]) == (IMAGE.raw, IMAGE.media_type)
    other = Reply(201, headers={"Docker-Content-Digest": Digest.of(b"other")})
    _, registry = odd(lambda asked, reply: other if asked.method == "PUT" else reply)
    with pytest.raises(DigestMismatch, match="stored"):
        await registry.put_manifest("app", "again", manifest)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (error(400, "DIGEST_INVALID"), Unsupported),
        (error(400, "UNSUPPORTED"), Unsupported),
        (error(405, "UNSUPPORTED"), Unsupported),
        (error(400, "MANIFEST_INVALID"), BadRequest),
        (error(403, "DENIED"), Forbidden),
        (error(412, "PRECONDITION"), Conflict),
        (Reply(500), ServerFault),
    ],
)
async def test_a_tag_is_deleted_alone_or_not_at_all(odd, answer, problem):
    fake, registry = odd(lambda asked, reply: answer if asked.method == "DELETE" else reply)
    with pytest.raises(problem):
        await registry.delete_tag("app", "v1")
    assert {asked.path for asked in fake.asked if asked.method == "DELETE"} == {"/v2/app/manifests/v1"}


@pytest.mark.parametrize(
    ("answer", "available"),
    [
        (error(404, "MANIFEST_UNKNOWN"), True),
        (Reply(202), True),
        (error(405, "UNSUPPORTED"), False),
        (Reply(405, b"Method not allowed", {"Allow": "GET, HEAD"}), False),
        (error(403, "DENIED"), False),
        (error(400, "UNSUPPORTED"), False),
        (error(400, "DIGEST_INVALID"), None),
    ],
)
async def test_the_probe_of_deletion(odd, answer, available):
    fake, registry = odd(lambda asked, reply: answer if asked.method == "DELETE" else reply)
    support = await registry.probe_delete("app")
    assert support.available is available
    assert support.available or support.reason
    (asked,) = fake.asked
    assert asked.path == "/v2/app/manifests/sha256:" + "0" * 64


async def test_nothing_is_written_by_looking(odd):
    fake, registry = odd()
    await registry.capabilities()
    await collect(registry.repositories())
    await collect(registry.tags("app"))
    await registry.manifest("app", "v1")
    await registry.referrers("app", SUBJECT)
    await registry.has_blob("app", descriptor_of(LAYER))
    assert {asked.method for asked in fake.asked} <= {"GET", "HEAD"}


async def test_a_repository_can_not_be_deleted_as_a_whole(odd):
    fake, registry = odd()
    with pytest.raises(Unsupported, match="as a whole"):
        await registry.delete_repository("app")
    assert fake.asked == []


# scopes ----------------------------------------------------------------------------------------------------------


class Asked(Exception):
    pass


class Recorder:
    """Notes the scope of the first request."""

    host = "registry.test"
    signed_in_as = None

    def __init__(self):
        self.scope = None

    def _note(self, *_args, scope=(), **_rest):
        self.scope = scope
        raise Asked

    async def request(self, *args, **rest):
        self._note(*args, **rest)

    download = stream = open_blocking = _note


@pytest.mark.parametrize(
    ("call", "scope"),
    [
        (lambda r: collect(r.repositories()), "registry:catalog:*"),
        (lambda r: collect(r.tags("a/b")), "repository:a/b:pull"),
        (lambda r: r.head_manifest("a/b", "v1"), "repository:a/b:pull"),
        (lambda r: r.manifest("a/b", "v1"), "repository:a/b:pull"),
        (lambda r: r.referrers("a/b", SUBJECT), "repository:a/b:pull"),
        (lambda r: r.has_blob("a/b", descriptor_of(LAYER)), "repository:a/b:pull"),
        (lambda r: r.blob_range("a/b", descriptor_of(LAYER), 0, 5), "repository:a/b:pull"),
        (lambda r: r.small_blob("a/b", descriptor_of(LAYER)), "repository:a/b:pull"),
        (lambda r: r.put_blob("a/b", descriptor_of(LAYER), stream_of(b"")), "repository:a/b:pull,push"),
        (lambda r: r.put_manifest("a/b", "v1", parse_manifest(IMAGE.raw)), "repository:a/b:pull,push"),
        (
            lambda r: r.mount_blob("a/b", Digest.parse(LAYER.digest), "c"),
            ("repository:a/b:pull,push", "repository:c:pull"),
        ),
        (lambda r: r.delete_tag("a/b", "v1"), "repository:a/b:pull,delete"),
        (lambda r: r.delete_manifest("a/b", SUBJECT), "repository:a/b:pull,delete"),
    ],
)
async def test_no_more_is_asked_for_than_is_needed(call, scope):
    client = Recorder()
    with pytest.raises(Asked):
        await call(DistributionRegistry(client))
    assert client.scope == scope
