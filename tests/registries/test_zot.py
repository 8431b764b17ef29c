"""zot: the contract, and what is zot's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regtui.oci import Digest, Platform, parse_manifest
from regtui.registries.contract import Capability
from regtui.registries.detect import open_registry
from regtui.registries.zot import ZotRegistry
from regtui.session.details import is_complete
from regtui.transport.errors import Conflict, NotFound, Unauthorized, Unsupported
from regtui.trust.reports import read_scan_report
from regtui.trust.severity import Severity
from tests.fakes.zot import SEARCH, ZotFake, cve
from tests.registries.contract import ARM, IMAGE, INDEX, SBOM, TAGS, Place, WritingContract, collect, tag_names
from tests.registries.proofs import SIGN_IN, Level, Proof, proves
from tests.servers import content

ALICE = ("alice", "zak_0123456789")
BY_SEARCH = frozenset({Capability.SEARCH, Capability.TAG_DETAILS, Capability.SCAN_REPORT})
PROOF = Proof(
    "zot",
    "zot",
    Level.FAKE,
    lacks=frozenset(
        {
            Capability.DELETE_REPOSITORY,
            Capability.TRIGGER_SCAN,
            Capability.RETENTION,
            Capability.IMMUTABLE_TAGS,
            Capability.SOFT_DELETE,
        }
    ),
    source="its documentation; every query checked against its GraphQL schema, every call against its API description",
)
proof = PROOF


def filled(fake: ZotFake) -> ZotFake:
    for tag, made in TAGS.items():
        fake.put("shop/cart", made, tag)
    return fake


class TestContract(WritingContract):
    proof = PROOF

    @pytest.fixture(params=["search", "minimal", "small pages"])
    async def place(self, request, connect):
        options = {"search": {}, "minimal": {"search": False}, "small pages": {"most_rows": 2, "page": 2}}
        with filled(ZotFake(**options[request.param])) as fake:
            yield Place(
                ZotRegistry(connect(fake.host)),
                "shop/cart",
                "shop/new",
                deletes_tags=True,
                deletes_manifests=True,
                has_referrers_api=True,
                lacks=BY_SEARCH if request.param == "minimal" else frozenset(),
            )
            fake.watch.check()


@pytest.fixture
def zot(connect):
    """Makes a registry for a fake."""

    def make(fake: ZotFake, user: tuple[str, str] | None = None) -> ZotRegistry:
        return ZotRegistry(connect(fake.host, *(user or ())))

    return make


def searches(fake: ZotFake) -> int:
    return sum(asked.path == SEARCH for asked in fake.asked)


async def test_a_thousand_tags_with_everything_take_one_request(zot):
    with ZotFake() as fake:
        fake.put("app", INDEX, *(f"t{number}" for number in range(1000)))
        registry = zot(fake)
        await registry.capabilities()
        fake.asked.clear()
        tags = await collect(registry.tags("app"))
        assert (len(tags), len(fake.asked)) == (1000, 1)
        assert all(is_complete(tag) for tag in tags)


async def test_what_a_row_tells(zot):
    with filled(ZotFake()) as fake:
        fake.found[IMAGE.digest] = [cve(1, "CRITICAL"), cve(2, "LOW"), cve(3, "LOW")]
        fake.scanned_clean.add(INDEX.digest)
        fake.pulled["shop/cart", "v1"] = "2026-05-05T05:05:05Z"
        rows = {tag.name: tag for tag in await collect(zot(fake).tags("shop/cart"))}
    image, index, note = rows["v1"], rows["multi"], rows["note"]
    assert image.digest == IMAGE.digest
    assert image.size == len(IMAGE.raw) + sum(len(need.raw) for need in IMAGE.needs)
    assert image.platforms == (Platform("linux", "amd64"),)
    assert image.pushed == datetime(2026, 2, 2, 0, 0, 0, 123_456, tzinfo=UTC)
    assert (image.created, image.pulled) == (
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2026, 5, 5, 5, 5, 5, tzinfo=UTC),
    )
    assert image.vulnerabilities == {"critical": 1, "low": 2}
    assert index.platforms == (Platform("linux", "amd64"), Platform("linux", "arm64"))
    assert (index.vulnerabilities, index.pulled, index.signed) == ({}, None, False)
    assert (note.platforms, note.vulnerabilities) == ((), None)


async def test_fields_that_this_version_lacks_are_left_out_and_asked_for_once(zot):
    without = ("TaggedTimestamp", "LastPullTimestamp", "UnknownCount")
    with filled(ZotFake(without=without)) as fake:
        registry = zot(fake)
        rows = await collect(registry.tags("shop/cart"))
        assert {row.pushed for row in rows} == {datetime(2026, 2, 1, tzinfo=UTC)}
        assert {row.pulled for row in rows} == {None}
        assert searches(fake) == 2
        await collect(registry.tags("shop/cart"))
        assert searches(fake) == 3


async def test_repositories_come_with_size_and_change(zot):
    with filled(ZotFake()) as fake:
        fake.put("other", ARM, "x")
        found = {one.path: one for one in await collect(zot(fake).repositories())}
        assert found["shop/cart"].size > 0
        assert found["other"].updated == datetime(2026, 3, 1, tzinfo=UTC)
        assert [one.path for one in await collect(zot(fake).search("cart"))] == ["shop/cart"]
        assert await collect(zot(fake).search("cart:v1")) == []


async def test_without_search_it_is_plain_and_says_so(zot):
    with filled(ZotFake(search=False)) as fake:
        registry = zot(fake)
        assert await tag_names(registry, "shop/cart") == sorted(TAGS)
        capabilities = await registry.capabilities()
        assert "search extension" in capabilities[Capability.TAG_DETAILS].reason
        with pytest.raises(Unsupported, match="search extension"):
            await collect(registry.search("x"))
        with pytest.raises(Unsupported, match="search extension"):
            await registry.scan_report("shop/cart", Digest.parse(IMAGE.digest))
        assert searches(fake) == 0


@proves(Capability.SCAN_REPORT)
async def test_cves_come_whole_over_pages(zot):
    with filled(ZotFake(most_rows=2)) as fake:
        fake.found[IMAGE.digest] = [cve(number) for number in range(5)]
        registry = zot(fake)
        scan = await registry.scan_report("shop/cart", Digest.parse(IMAGE.digest))
        assert (scan.state, scan.source) == ("complete", "zot")
        report = read_scan_report(scan)
        assert [finding.id for finding in report.findings] == [f"CVE-2026-{number:04}" for number in range(5)]
        assert {finding.severity for finding in report.findings} == {Severity.HIGH}
        assert [finding.fixed for finding in report.findings][:2] == [(), ("3.0.2",)]
        assert {finding.path for finding in report.findings} == {None}
        assert report.notes == ()
        assert (await registry.capabilities())[Capability.SCAN_REPORT].available


async def test_scanned_and_clean_is_not_the_same_as_not_scanned(zot):
    with filled(ZotFake()) as fake:
        fake.scanned_clean.add(INDEX.digest)
        registry = zot(fake)
        assert read_scan_report(await registry.scan_report("shop/cart", Digest.parse(INDEX.digest))).findings == ()
        assert (await registry.scan_report("shop/cart", Digest.parse(ARM.digest))).state == "none"
        with pytest.raises(NotFound):
            await registry.scan_report("shop/cart", Digest.of(b"nothing"))


async def test_cve_scanning_that_is_off(zot):
    with filled(ZotFake(cves=False)) as fake:
        registry = zot(fake)
        with pytest.raises(Unsupported, match="switched off"):
            await registry.scan_report("shop/cart", Digest.parse(IMAGE.digest))
        assert (await registry.capabilities())[Capability.SCAN_REPORT].available is False


async def test_what_zot_refuses_is_said_in_its_own_terms(zot):
    with filled(ZotFake()) as fake:
        registry = zot(fake)
        with pytest.raises(Conflict, match="Delete the index first"):
            await registry.delete_manifest("shop/cart", Digest.parse(ARM.digest))
        with pytest.raises(NotFound, match="no repository no/where"):
            await registry.delete_manifest("no/where", Digest.parse(ARM.digest))
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        docker = parse_manifest(IMAGE.raw.replace(content.OCI_MANIFEST.encode(), kind.encode()), kind)
        with pytest.raises(Unsupported, match="docker2s2"):
            await registry.put_manifest("shop/cart", "docker", docker)
        await registry.delete_manifest("shop/cart", Digest.parse(INDEX.digest))
        await registry.delete_manifest("shop/cart", Digest.parse(ARM.digest))


@proves(SIGN_IN)
async def test_who_has_an_api_key_uses_it_where_strangers_are_let_in(zot):
    with filled(ZotFake(user=ALICE, lets_strangers_in=True)) as fake:
        fake.put("hello", IMAGE, "v1")
        fake.public.add("hello")
        assert [one.path for one in await collect(zot(fake).repositories())] == ["hello"]
        assert [one.path for one in await collect(zot(fake, ALICE).repositories())] == ["hello", "shop/cart"]
        with pytest.raises(Unauthorized, match="credential of alice"):
            await collect(zot(fake, ("alice", "zak_old")).repositories())


async def test_strangers_are_kept_out(zot):
    with filled(ZotFake(user=ALICE)) as fake:
        with pytest.raises(Unauthorized, match="regtui login"):
            await collect(zot(fake).tags("shop/cart"))
        assert await tag_names(zot(fake, ALICE), "shop/cart") == sorted(TAGS)


@pytest.mark.parametrize("strangers", [True, False])
async def test_it_is_recognised_by_its_challenge(connect, strangers):
    with filled(ZotFake(user=ALICE, lets_strangers_in=strangers)) as fake:
        assert isinstance(await open_registry(connect(fake.host, *ALICE)), ZotRegistry)


async def test_an_answer_that_is_none(zot):
    with filled(ZotFake()) as fake:
        fake.put("shop/cart", SBOM, "dev")
        fake.most_rows = 0
        assert "dev" in await tag_names(zot(fake), "shop/cart"), "rows that never come are listed by name"
