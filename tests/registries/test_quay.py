"""Quay: the contract, and what is Quay's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from regtui.oci import Digest, parse_manifest
from regtui.registries.contract import Capability, DeletedManifest
from regtui.registries.detect import open_registry
from regtui.registries.quay import QuayRegistry
from regtui.registries.quay_rows import deleted_of, merged, report_of
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import Conflict, NotFound, Unauthorized, Unsupported
from regtui.trust.reports import read_scan_report
from tests.fakes.quay import NOW, OAUTH, PERSON, ROBOT, WINDOW, FakeQuay
from tests.registries.contract import ARM, IMAGE, INDEX, TAGS, Place, WritingContract, collect
from tests.registries.proofs import SIGN_IN, Level, Proof, proves

proof = Proof(
    "Quay",
    "quay",
    Level.FAKE,
    lacks=frozenset({Capability.TRIGGER_SCAN}),
    source="its documentation and source; it publishes no description that could be checked against",
)


@pytest.fixture
def quay():
    """A filled Quay."""
    with FakeQuay() as fake:
        for tag, made in TAGS.items():
            fake.put("shop/cart", made, tag)
        yield fake


@pytest.fixture
def opened(quay, connect):
    """The registry for a user, with settings."""

    def make(user: tuple[str, ...] = OAUTH, **settings: object) -> QuayRegistry:
        return QuayRegistry(connect(quay.host, *user), settings=RegistrySettings(quay.host, **settings))

    return make


class TestContract(WritingContract):
    proof = proof

    @pytest.fixture
    def place(self, opened):
        return Place(
            opened(),
            "shop/cart",
            "shop/new",
            deletes_tags=True,
            deletes_manifests=True,
            has_referrers_api=True,
        )


class TestWithARobot(WritingContract):
    """What signs in to the registry alone."""

    proof = proof

    @pytest.fixture
    def place(self, opened):
        return Place(
            opened(ROBOT),
            "shop/cart",
            "shop/new",
            deletes_tags=True,
            deletes_manifests=True,
            has_referrers_api=True,
            lacks=frozenset({Capability.DELETE_REPOSITORY, Capability.RETENTION, Capability.SOFT_DELETE}),
        )


def rest_calls(quay: FakeQuay) -> int:
    return sum(asked.path.startswith("/api/") for asked in quay.asked)


@proves(Capability.TAG_DETAILS)
async def test_a_thousand_tags_with_details_take_ten_requests(quay, opened):
    quay.put("shop/big", IMAGE, *(f"t{number}" for number in range(1000)))
    tags = await collect(opened().tags("shop/big"))
    assert (len(tags), len(quay.asked)) == (1000, 10)
    assert all(tag.digest and tag.size and tag.pushed for tag in tags)
    assert tags[0].name == "t999"


@proves(Capability.IMMUTABLE_TAGS)
async def test_what_a_row_tells(quay, opened):
    quay.immutable.add("shop/cart:v1")
    rows = {tag.name: tag for tag in await collect(opened().tags("shop/cart"))}
    image, index = rows["v1"], rows["multi"]
    assert (image.digest, index.digest) == (IMAGE.digest, INDEX.digest)
    assert (image.size, index.size) == (sum(len(need.raw) for need in IMAGE.needs), None)
    assert image.pushed == datetime.fromtimestamp(NOW - 100_000, UTC)
    assert (image.immutable, index.immutable) == (True, False)
    assert (image.media_type, image.platforms, image.created) == (None, None, None)


@proves(Capability.LIST_REPOSITORIES)
async def test_repositories_by_namespace(quay, opened):
    for number in range(5):
        quay.put(f"shop/n{number}", IMAGE, "v1")
    quay.put("other/app", IMAGE, "v1")
    quay.private.add("shop/n0")
    mine = await collect(opened().repositories())
    assert [row.path for row in mine] == ["shop/cart", *(f"shop/n{number}" for number in range(5))]
    assert (mine[0].size, mine[0].description) == (4096, "About cart")
    assert mine[0].updated == datetime.fromtimestamp(NOW - 500, UTC)
    assert [row.path for row in await collect(opened(()).repositories("other"))] == ["other/app"]
    assert [row.path for row in await collect(opened(()).repositories("shop/n"))] == [
        f"shop/n{number}" for number in range(1, 5)
    ]
    by_settings = opened((), namespaces=("other",), repositories=("shop/cart",))
    assert [row.path for row in await collect(by_settings.repositories())] == ["shop/cart", "other/app"]


async def test_the_catalog_serves_who_has_no_oauth_token(quay, opened):
    for number in range(250):
        quay.put(f"shop/n{number:03}", IMAGE, "v1")
    assert len(await collect(opened(ROBOT).repositories())) == 251


async def test_where_the_catalog_is_empty_a_namespace_is_needed(quay, opened):
    quay.has_catalog = False
    with pytest.raises(Unsupported, match="by namespace") as raised:
        await collect(opened(()).repositories())
    assert "Name one" in raised.value.hint
    pages = [page async for page in opened((), repositories=("shop/cart",)).repositories()]
    assert [row.path for page in pages for row in page.items] == ["shop/cart"]
    assert "by namespace" in pages[-1].stopped


@proves(Capability.SEARCH)
async def test_search(quay, opened):
    for number in range(25):
        quay.put(f"many/app{number}", IMAGE, "v1")
    quay.private.add("many/app0")
    assert len(await collect(opened(()).search("app"))) == 24
    assert len(await collect(opened().search("app"))) == 25
    assert await collect(opened().search(" ")) == []


@proves(SIGN_IN)
@pytest.mark.parametrize(("user", "name"), [(OAUTH, "alice"), (ROBOT, "shop+ci"), (PERSON, "alice")])
async def test_signing_in(quay, opened, user, name):
    quay.private.add("shop/cart")
    registry = opened(user)
    await registry.capabilities()
    assert sorted(tag.name for tag in await collect(registry.tags("shop/cart"))) == sorted(TAGS)
    assert (await registry.manifest("shop/cart", "v1")).digest == IMAGE.digest
    assert registry.identity().name == name
    with pytest.raises(Unauthorized):
        await collect(opened(()).tags("shop/cart"))
    # Only an OAuth token is for the REST API: no password goes there.
    sent = {asked.headers.get("authorization", "") for asked in quay.asked if asked.path.startswith("/api/")}
    assert sent <= {"", f"Bearer {OAUTH[1]}"}


async def test_deletes_ask_for_the_scope_that_quay_knows(quay, opened):
    await opened(ROBOT).delete_manifest("shop/cart", Digest.parse(IMAGE.digest))
    assert sorted(quay.repositories["shop/cart"].tags) == ["multi", "note"]
    with pytest.raises(NotFound):
        await opened(ROBOT).delete_manifest("shop/cart", Digest.parse(ARM.digest))


@proves(Capability.SOFT_DELETE)
async def test_the_time_machine(quay, opened):
    registry = opened()
    await registry.delete_tag("shop/cart", "v1")
    quay.put("shop/cart", ARM, "also")
    (moved_away,) = await collect(registry.deleted("shop/cart"))
    assert (moved_away.digest, moved_away.tags) == (IMAGE.digest, ("v1",))
    assert moved_away.kept_until - moved_away.deleted == timedelta(seconds=WINDOW)
    await registry.restore("shop/cart", moved_away)
    assert (await registry.manifest("shop/cart", "v1")).digest == IMAGE.digest
    assert await collect(registry.deleted("shop/cart")) == []
    with pytest.raises(NotFound):
        await registry.restore("shop/cart", DeletedManifest(Digest.of(b"nowhere"), ("v1",)))
    with pytest.raises(Unsupported, match="none to restore"):
        await registry.restore("shop/cart", DeletedManifest(Digest.parse(IMAGE.digest)))
    with pytest.raises(Unsupported, match="OAuth access token"):
        await collect(opened(ROBOT).deleted("shop/cart"))


def test_what_counts_as_deleted():
    now = datetime.fromtimestamp(1_000_000, UTC)
    digest = IMAGE.digest
    rows = [
        {"name": "gone", "manifest_digest": digest, "start_ts": 1, "end_ts": 999_000},
        {"name": "with", "manifest_digest": digest, "start_ts": 1, "end_ts": 999_500},
        {"name": "expired", "manifest_digest": ARM.digest, "start_ts": 1, "end_ts": 900_000},
        {"name": "again", "manifest_digest": ARM.digest, "start_ts": 1, "end_ts": 999_000},
        {"name": "again", "manifest_digest": ARM.digest, "start_ts": 999_100},
        {"name": "soon", "manifest_digest": ARM.digest, "start_ts": 1, "end_ts": 2_000_000},
        {"name": "no tag!", "manifest_digest": ARM.digest, "end_ts": 999_000},
        {"name": "odd", "manifest_digest": 7, "end_ts": "yesterday"},
    ]
    (found,) = deleted_of(rows, 10_000, now)
    assert (found.digest, found.tags) == (digest, ("gone", "with"))
    assert found.deleted == datetime.fromtimestamp(999_500, UTC)
    assert {one.digest for one in deleted_of(rows, None, now)} == {digest, ARM.digest}


def scanned(*names: str) -> dict:
    found = [{"Name": name, "Severity": "High", "FixedBy": "2", "Metadata": {}} for name in names]
    feature = {"Name": "openssl", "Version": "1", "Vulnerabilities": found, "BaseScores": [], "CVEIds": []}
    return {"status": "scanned", "data": {"Layer": {"Name": "x", "Features": [feature]}}}


@proves(Capability.SCAN_REPORT)
async def test_scan_reports(quay, opened):
    registry = opened()
    waiting = await registry.scan_report("shop/cart", Digest.parse(IMAGE.digest))
    assert (waiting.state, waiting.message) == ("queued", "Clair has it in its queue.")
    assert (await registry.scan_report("shop/cart", Digest.parse(INDEX.digest))).state == "queued"
    quay.security[IMAGE.digest] = scanned("CVE-1", "CVE-2")
    found = await registry.scan_report("shop/cart", Digest.parse(IMAGE.digest))
    assert (found.state, found.source) == ("complete", "Quay")
    assert [finding.id for finding in read_scan_report(found).findings] == ["CVE-1", "CVE-2"]
    whole = await registry.scan_report("shop/cart", Digest.parse(INDEX.digest))
    assert whole.message == "Of linux/amd64; not scanned: linux/arm64."
    quay.security[ARM.digest] = scanned("CVE-1", "CVE-2")
    whole = await registry.scan_report("shop/cart", Digest.parse(INDEX.digest))
    assert whole.message == "Of linux/amd64, linux/arm64."
    assert [finding.id for finding in read_scan_report(whole).findings] == ["CVE-1", "CVE-2"]
    with pytest.raises(NotFound):
        await registry.scan_report("shop/cart", Digest.of(b"nowhere"))


def test_reports_that_are_none():
    assert report_of({"status": "manifest_layer_too_large", "data": None}).state == "unsupported"
    assert report_of({"status": "scanned", "data": None}).state == "none"
    assert report_of(["odd"]).state == "unsupported"
    assert merged({"a": report_of({"status": "failed"}), "b": report_of({"status": "queued"})}).state == "queued"


@proves(Capability.RETENTION)
async def test_auto_prune_policies(quay, opened):
    registry = opened()
    assert await registry.retention("shop/cart") is None
    quay.policies["shop"] = [{"uuid": "1", "method": "creation_date", "value": "30d"}]
    assert (await registry.retention("shop/cart")).sentences == ("Keep tags for 30d (all of shop).",)
    quay.policies["shop/cart"] = [
        {"uuid": "2", "method": "number_of_tags", "value": 10, "tagPattern": "v.*", "tagPatternMatches": False}
    ]
    found = await registry.retention("shop/cart")
    assert found.format == "quay"
    assert found.sentences == ("Keep the 10 newest tags, of those that do not match v.* (this repository).",)


async def test_what_is_immutable_or_mirrored_stays(quay, opened):
    quay.immutable.add("shop/cart:v1")
    registry = opened()
    for change in (
        registry.delete_tag("shop/cart", "v1"),
        registry.put_manifest("shop/cart", "v1", parse_manifest(ARM.raw, ARM.media_type)),
    ):
        with pytest.raises(Conflict, match="tag v1 of shop/cart is immutable"):
            await change
    quay.mirrored.add("shop/cart")
    with pytest.raises(Unsupported):
        await registry.delete_tag("shop/cart", "also")


async def test_it_is_recognised(quay, connect):
    assert (await open_registry(connect(quay.host))).kind == "quay"
    assert type(await open_registry(connect("quay.io"))) is QuayRegistry
