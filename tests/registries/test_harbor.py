"""Harbor: the contract, and what is Harbor's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regtui.oci import Digest, Platform, parse_manifest
from regtui.registries.contract import Capability
from regtui.registries.detect import open_registry
from regtui.registries.harbor import HarborRegistry
from regtui.session.details import is_complete
from regtui.transport.errors import Conflict, Forbidden, NotFound, Unauthorized, Unsupported
from regtui.trust.reports import read_scan_report
from tests.fakes.harbor import ADMIN, API, OIDC, ROBOT, FakeHarbor, Project
from tests.registries.contract import ARM, IMAGE, INDEX, SBOM, TAGS, Place, WritingContract, collect
from tests.registries.proofs import SIGN_IN, Level, Proof, proves
from tests.servers import content

proof = Proof(
    "Harbor",
    "harbor",
    Level.FAKE,
    lacks=frozenset({Capability.SOFT_DELETE}),
    source="its documentation and source; every REST call checked against the swagger file of 2.15.2",
)
OTHER = content.image({"etc/other": b"other"})
REPORT = {
    "generated_at": "2026-03-03T03:03:06.000Z",
    "scanner": {"name": "Trivy", "vendor": "Aqua Security", "version": "v0.70.0"},
    "severity": "High",
    "vulnerabilities": [
        {"id": "CVE-2026-0001", "package": "openssl", "version": "1.1", "fix_version": "1.2", "severity": "High"},
        {"id": "CVE-2026-0002", "package": "zlib", "version": "1.0", "fix_version": "", "severity": "Low"},
        {"id": "CVE-2026-0003", "package": "zlib", "version": "1.0", "fix_version": "", "severity": "Low"},
    ],
}
POLICY = {
    "id": 1,
    "algorithm": "or",
    "scope": {"level": "project", "ref": 1},
    "trigger": {"kind": "Schedule", "settings": {"cron": "0 0 0 * * *"}, "references": {}},
    "rules": [
        {
            "id": 1,
            "priority": 0,
            "disabled": False,
            "action": "retain",
            "template": "latestPushedK",
            "params": {"latestPushedK": 10},
            "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "v*", "extras": "{}"}],
            "scope_selectors": {
                "repository": [{"kind": "doublestar", "decoration": "repoExcludes", "pattern": "base/**"}]
            },
        }
    ],
}


@pytest.fixture
def harbor():
    """A filled Harbor; when the test is over, both sides must have kept to the swagger file."""
    with FakeHarbor() as fake:
        for tag, made in TAGS.items():
            fake.put("shop/cart/web", made, tag)
        yield fake
        fake.watch.check()


@pytest.fixture
def opened(harbor, connect):
    """The registry for a user."""

    def make(user: tuple[str, str] | tuple[()] = ADMIN) -> HarborRegistry:
        return HarborRegistry(connect(harbor.host, *user))

    return make


class TestContract(WritingContract):
    proof = proof

    @pytest.fixture
    def place(self, harbor, opened):
        return Place(
            opened(),
            "shop/cart/web",
            "shop/new/one",
            deletes_tags=True,
            deletes_manifests=True,
            has_referrers_api=True,
        )


def rest_calls(fake: FakeHarbor) -> list[str]:
    return [f"{asked.method} {asked.path.removeprefix(API)}" for asked in fake.asked if asked.path.startswith(API)]


def test_the_official_description_is_there(harbor):
    harbor.watch.require()


@proves(Capability.TAG_DETAILS)
async def test_a_thousand_tags_with_everything_take_ten_requests(harbor, opened):
    harbor.repositories.clear()
    for number in range(1000):
        harbor.put("shop/big", content.image(labels={"number": str(number)}), f"t{number}")
    tags = await collect(opened().tags("shop/big"))
    assert (len(tags), len(harbor.asked)) == (1000, 10)
    assert all(is_complete(tag) for tag in tags)
    assert [tag.name for tag in tags[:2]] == ["t999", "t998"]


async def test_a_thousand_tags_of_one_digest_take_one_request(harbor, opened):
    harbor.put("shop/one", IMAGE, *(f"t{number}" for number in range(1000)))
    assert len(await collect(opened().tags("shop/one"))) == 1000
    assert len(harbor.asked) == 1


@proves(Capability.IMMUTABLE_TAGS)
async def test_what_a_row_tells(harbor, opened):
    harbor.put("shop/cart/web", content.image({"x": b"untagged"}))
    signature = content.artifact("application/vnd.dev.cosign.artifact.sig.v1+json")
    harbor.put("shop/cart/web", signature, f"sha256-{IMAGE.digest[7:]}.sig")
    harbor.scans[IMAGE.digest], harbor.reports[IMAGE.digest] = "Success", REPORT
    harbor.scans[INDEX.digest] = "Running"
    harbor.pulled["shop/cart/web", "v1"] = "2026-05-05T05:05:05.000Z"
    harbor.projects["shop"].immutable = "v.*"
    rows = {tag.name: tag for tag in await collect(opened().tags("shop/cart/web"))}
    image, also, index = rows["v1"], rows["also"], rows["multi"]
    assert (image.digest, image.media_type) == (IMAGE.digest, IMAGE.media_type)
    assert image.size == len(IMAGE.raw) + sum(len(need.raw) for need in IMAGE.needs)
    assert image.platforms == (Platform("linux", "amd64"),)
    assert index.platforms == (Platform("linux", "amd64"), Platform("linux", "arm64"))
    assert image.created == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert image.pushed is not None
    assert (image.pulled, also.pulled) == (datetime(2026, 5, 5, 5, 5, 5, tzinfo=UTC), None)
    assert (image.vulnerabilities, index.vulnerabilities) == ({"high": 1, "low": 2}, None)
    assert (image.signed, index.signed) == (True, False)
    assert (image.immutable, also.immutable) == (True, False)
    (untagged,) = (row for row in rows.values() if row.is_untagged)
    assert untagged.digest not in {IMAGE.digest, ARM.digest, SBOM.digest}
    hanging = {"note", f"sha256-{IMAGE.digest[7:]}.sig"}
    assert set(rows) == {"v1", "also", "multi", untagged.name, *hanging}
    assert {rows[name].digest for name in hanging} == {None}


@proves(Capability.LIST_REPOSITORIES)
async def test_repositories_come_in_one_list(harbor, opened):
    for number in range(250):
        harbor.put(f"shop/many/n{number:03}", IMAGE, "v1")
    found = await collect(opened().repositories())
    assert len(found) == 251
    assert rest_calls(harbor) == ["GET /systeminfo", *["GET /repositories"] * 3]
    first = next(row for row in found if row.description)
    assert first.description == "About shop/cart/web"
    assert first.updated == datetime(2026, 2, 2, 2, 2, 2, 222000, tzinfo=UTC)
    assert (first.tags, first.size) == (None, None)
    harbor.asked.clear()
    assert [row.path for row in await collect(opened().repositories("shop/many/n00"))] == [
        f"shop/many/n00{number}" for number in range(10)
    ]
    assert rest_calls(harbor) == ["GET /systeminfo", "GET /repositories"]
    assert await collect(opened().repositories("Shop, *")) == []


@proves(Capability.SEARCH)
async def test_search(harbor, opened):
    harbor.put("42/tools/cartographer", IMAGE, "v1")
    found = [row.path for row in await collect(opened().search("Cart"))]
    assert found == ["42/tools/cartographer", "shop/cart/web"]
    assert [row.path for row in await collect(opened(()).search("cart"))] == ["shop/cart/web"]
    assert await collect(opened().search("* , ~")) == []


@proves(SIGN_IN)
@pytest.mark.parametrize("user", [ADMIN, ROBOT])
async def test_signing_in(harbor, opened, user):
    harbor.put("42/secret", IMAGE, "v1")
    registry = opened(user)
    assert "42/secret" in [row.path for row in await collect(registry.repositories())]
    assert (await registry.manifest("42/secret", "v1")).digest == IMAGE.digest
    assert registry.identity().name == user[0]
    stranger = opened(())
    assert [row.path for row in await collect(stranger.repositories())] == ["shop/cart/web"]
    assert (await stranger.manifest("shop/cart/web", "v1")).digest == IMAGE.digest
    with pytest.raises(Unauthorized):
        await collect(stranger.tags("42/secret"))
    assert stranger.identity().name is None
    wrong = opened((user[0], "wrong"))
    pages = [page async for page in wrong.tags("shop/cart/web")]
    assert sum(len(page.items) for page in pages) == 3  # to Harbor that is a stranger
    assert "does not accept the credential" in pages[-1].stopped
    assert wrong.identity().name is None
    with pytest.raises(Unauthorized, match="does not accept the credential of") as raised:
        await collect(wrong.repositories())
    assert f"{user[0]} (from test)" in str(raised.value)


@proves(SIGN_IN)
async def test_the_secret_of_an_oidc_user_opens_the_projects_lists(harbor, opened):
    harbor.put("42/secret", IMAGE, "v1")
    registry = opened(OIDC)
    assert [row.path for row in await collect(registry.repositories())] == ["shop/cart/web", "42/secret"]
    assert [row.path for row in await collect(registry.repositories("42/"))] == ["42/secret"]
    assert [row.path for row in await collect(registry.repositories("sho"))] == ["shop/cart/web"]
    (tag,) = await collect(registry.tags("42/secret"))
    assert is_complete(tag)
    with pytest.raises(Unauthorized, match=r"does not give the scan report of .* in 42/secret to olga"):
        await registry.scan_report("42/secret", Digest.parse(IMAGE.digest))


@proves(Capability.SCAN_REPORT)
async def test_scan_reports(harbor, opened):
    registry, digest = opened(), Digest.parse(IMAGE.digest)
    found = await registry.scan_report("shop/cart/web", digest)
    assert (found.state, found.body) == ("none", None)
    harbor.scans[IMAGE.digest] = "Scheduled"
    assert (await registry.scan_report("shop/cart/web", digest)).state == "queued"
    harbor.scans[IMAGE.digest], harbor.reports[IMAGE.digest] = "Success", REPORT
    found = await registry.scan_report("shop/cart/web", digest)
    assert (found.state, found.scanner) == ("complete", "Trivy v0.70.0")
    report = read_scan_report(found)
    assert sorted(finding.id for finding in report.findings) == ["CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"]
    with pytest.raises(NotFound):
        await registry.scan_report("shop/cart/web", Digest.of(b"nowhere"))
    assert (await registry.scan_report("shop/cart/web", Digest.parse(SBOM.digest))).state == "none"


@proves(Capability.TRIGGER_SCAN)
async def test_starting_a_scan(harbor, opened):
    registry, digest = opened(), Digest.parse(IMAGE.digest)
    await registry.trigger_scan("shop/cart/web", digest)
    found = await registry.scan_report("shop/cart/web", digest)
    assert (found.state, found.message) == ("running", "Harbor says: running (40 %).")
    with pytest.raises(Conflict, match="under way already"):
        await registry.trigger_scan("shop/cart/web", digest)
    with pytest.raises(Unsupported, match="can't scan"):
        await registry.trigger_scan("shop/cart/web", Digest.parse(SBOM.digest))
    harbor.scanner = ""
    with pytest.raises(Unsupported, match="no scanner"):
        await registry.trigger_scan("shop/cart/web", digest)


@proves(Capability.RETENTION)
async def test_retention(harbor, opened):
    assert await opened().retention("shop/cart/web") is None
    harbor.projects["shop"].policy = POLICY
    found = await opened().retention("shop/cart/web")
    assert (found.format, found.enabled, found.body) == ("harbor", True, POLICY)
    assert found.sentences == (
        "Keep the 10 most recently pushed, of tags matching v*, in repositories not matching base/**.",
        "It runs on the schedule 0 0 0 * * *.",
    )
    harbor.projects["42"].policy = {**POLICY, "trigger": {"kind": "Schedule", "settings": {"cron": ""}}}
    other = await opened().retention("42/anything")
    assert other.enabled is False


async def test_deletes_name_the_artifact_by_its_digest(harbor, opened):
    await opened().delete_tag("shop/cart/web", "v1")
    place = "/projects/shop/repositories/cart%252Fweb/artifacts"
    assert rest_calls(harbor) == [f"DELETE {place}/{IMAGE.digest}/tags/v1"]
    assert harbor.repositories["shop/cart/web"].tags.keys() == {"also", "multi", "note"}


@proves(Capability.IMMUTABLE_TAGS)
async def test_what_is_immutable_stays(harbor, opened):
    harbor.projects["shop"].immutable = "v.*"
    harbor.put("shop/cart/web", OTHER, "v2")
    registry = opened()
    with pytest.raises(Conflict, match="makes this immutable"):
        await registry.delete_tag("shop/cart/web", "v1")
    with pytest.raises(Conflict, match="makes this immutable"):
        await registry.delete_manifest("shop/cart/web", Digest.parse(OTHER.digest))
    with pytest.raises(Conflict, match="makes this immutable"):
        await registry.delete_repository("shop/cart/web")
    with pytest.raises(Conflict, match="makes this immutable"):
        await registry.put_manifest("shop/cart/web", "v1", parse_manifest(ARM.raw, ARM.media_type))
    assert harbor.repositories["shop/cart/web"].tags["v1"] == IMAGE.digest


async def test_a_child_of_an_index_stays(opened):
    with pytest.raises(Conflict, match="index of shop/cart/web holds this") as raised:
        await opened().delete_manifest("shop/cart/web", Digest.parse(ARM.digest))
    assert "Delete the index first" in raised.value.hint


async def test_what_a_policy_keeps_back_is_said(harbor, opened):
    harbor.projects["shop"].keeps_back = {IMAGE.digest}
    registry = opened()
    with pytest.raises(Forbidden, match="policy of the project shop keeps this image"):
        await registry.manifest("shop/cart/web", "v1")
    with pytest.raises(Forbidden, match="policy of the project shop keeps this image"):
        await registry.head_manifest("shop/cart/web", "v1")
    assert "v1" in [row.name for row in await collect(registry.tags("shop/cart/web"))]
    await registry.delete_tag("shop/cart/web", "v1")
    assert "v1" not in harbor.repositories["shop/cart/web"].tags


async def test_quotas_caches_and_read_only(harbor, opened):
    registry, image = opened(), parse_manifest(IMAGE.raw, IMAGE.media_type)
    harbor.projects["shop"].quota_is_full = True
    with pytest.raises(Forbidden, match="quota of the project shop is used up"):
        await registry.put_manifest("shop/cart/web", "new", image)
    harbor.projects["cache"] = Project(3, is_cache=True)
    with pytest.raises(Unsupported, match="cache of another registry"):
        await registry.put_manifest("cache/nginx", "new", image)
    assert (await registry.capabilities())[Capability.DELETE_TAG].available is None
    harbor.read_only = True
    with pytest.raises(Forbidden, match="set to read-only"):
        await registry.delete_repository("shop/cart/web")
    support = (await opened().capabilities())[Capability.DELETE_TAG]
    assert support.available is False
    assert "read-only" in support.reason


async def test_a_path_without_a_project(opened):
    with pytest.raises(NotFound, match="no repository nginx") as raised:
        await collect(opened().tags("nginx"))
    assert "project/name" in raised.value.hint


async def test_without_the_rest_api_it_is_plain(connect):
    with FakeHarbor(old=True) as fake:
        fake.put("shop/cart", IMAGE, "v1")
        registry = HarborRegistry(connect(fake.host, *ADMIN))
        assert [row.path for row in await collect(registry.repositories())] == ["shop/cart"]
        assert [row.name for row in await collect(registry.tags("shop/cart"))] == ["v1"]


async def test_a_stranger_may_look_whether_it_answers(harbor, opened):
    await opened(()).check()
    with pytest.raises(Unauthorized):
        await opened((ADMIN[0], "wrong")).check()


async def test_it_is_recognised_by_its_challenge(harbor, connect):
    registry = await open_registry(connect(harbor.host))
    assert (type(registry), registry.kind) == (HarborRegistry, "harbor")
