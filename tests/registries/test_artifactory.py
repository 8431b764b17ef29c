"""Artifactory: the contract by repository path and by an address of one repository, and what is its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regtui.oci import Digest
from regtui.registries.artifactory import ArtifactoryRegistry
from regtui.registries.contract import Capability, DeletedManifest
from regtui.registries.detect import open_registry
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import Conflict, CredentialRefused, Forbidden, NotFound, Unsupported
from regtui.trust.reports import read_scan_report
from tests.fakes.artifactory import ArtifactoryFake, Hosting
from tests.registries.contract import ARM, IMAGE, INDEX, TAGS, Place, WritingContract, collect, fill_fake, tag_names
from tests.registries.proofs import SIGN_IN, Level, Proof, proves

ALICE = ("alice", "wonderland")
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
CART = "docker-local/shop/cart"
PROOF = Proof(
    "JFrog Artifactory",
    "artifactory",
    Level.FAKE,
    lacks=frozenset({Capability.REFERRERS, Capability.SEARCH, Capability.TRIGGER_SCAN, Capability.IMMUTABLE_TAGS}),
    source="its documentation and what its own clients do; JFrog publishes no description to check calls against",
)
proof = PROOF
NO_XRAY = frozenset({Capability.SCAN_REPORT})
BY_REST = NO_XRAY | {
    *(Capability.TAG_DETAILS, Capability.DELETE_REPOSITORY),
    *(Capability.RETENTION, Capability.SOFT_DELETE),
}


def filled(fake: ArtifactoryFake) -> ArtifactoryFake:
    fill_fake(fake, CART, referrers_api=False)
    return fake


class TestRepositoryPath(WritingContract):
    proof = PROOF

    @pytest.fixture(params=["open", "user", "small pages"])
    async def place(self, request, connect):
        options = {"open": {"xray": True}, "user": {"user": ALICE}, "small pages": {"page": 2, "aql_sorts": False}}
        with filled(ArtifactoryFake(**options[request.param])) as fake:
            yield Place(
                ArtifactoryRegistry(connect(fake.host, *(fake.user or ()))),
                CART,
                "docker-local/shop/new",
                deletes_tags=True,
                deletes_manifests=True,
                lacks=frozenset() if fake.has_xray else NO_XRAY,
            )


class TestWithoutRest(WritingContract):
    proof = PROOF

    @pytest.fixture
    async def place(self, connect):
        with filled(ArtifactoryFake(rest=False)) as fake:
            registry = ArtifactoryRegistry(connect(fake.host))
            other = "docker-local/shop/new"
            yield Place(
                registry,
                CART,
                other,
                deletes_tags=True,
                deletes_manifests=True,
                lacks=BY_REST - {Capability.DELETE_TAG},
            )


@pytest.fixture
def artifactory(connect):
    """Makes a registry for a fake."""

    def make(fake: ArtifactoryFake, user: tuple[str, str] | None = None, **settings) -> ArtifactoryRegistry:
        return ArtifactoryRegistry(connect(fake.host, *(user or ())), settings=RegistrySettings(fake.host, **settings))

    return make


async def test_a_thousand_tags_take_two_questions_and_the_names(artifactory):
    with ArtifactoryFake() as fake:
        fake.put("docker-local/app", IMAGE, *(f"t{number:04}" for number in range(999)))
        registry = artifactory(fake)
        await registry.capabilities()
        fake.asked.clear()
        tags = await collect(registry.tags("docker-local/app"))
        assert len(tags) == 999
        assert {tag.size for tag in tags} == {sum(len(need.raw) for need in IMAGE.needs)}
        assert [asked.path.rpartition("/")[2] for asked in fake.asked] == ["list", "aql", "aql"]


async def test_what_a_row_tells(artifactory):
    with filled(ArtifactoryFake()) as fake:
        rows = {tag.name: tag for tag in await collect(artifactory(fake).tags(CART))}
    assert (rows["v1"].digest, rows["v1"].media_type) == (IMAGE.digest, IMAGE.media_type)
    assert rows["v1"].pushed == datetime(2026, 2, 3, 3, 5, 6, 789_000, tzinfo=UTC)
    assert (rows["v1"].pulled, rows["also"].pulled) == (datetime(2026, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC), None)
    assert (rows["multi"].digest, rows["multi"].size) == (INDEX.digest, None)


async def test_names_are_left_where_there_is_no_aql(artifactory):
    with filled(ArtifactoryFake(aql=False)) as fake:
        registry = artifactory(fake)
        assert await tag_names(registry, CART) == sorted(TAGS)
        assert {tag.digest for tag in await collect(registry.tags(CART))} == {None}


async def test_a_folder_that_holds_another_image_is_never_deleted(artifactory):
    with ArtifactoryFake() as fake:
        fake.put("docker-local/team", IMAGE, "app", "other")
        fake.put("docker-local/team/app", ARM, "1.0")
        registry = artifactory(fake)
        assert await tag_names(registry, "docker-local/team") == ["app", "other"]
        with pytest.raises(Conflict, match=r"holds others: 1\.0"):
            await registry.delete_tag("docker-local/team", "app")
        with pytest.raises(Conflict, match="holds other images: team/app"):
            await registry.delete_repository("docker-local/team")
        assert not [asked for asked in fake.asked if asked.method == "DELETE"]
        await registry.delete_tag("docker-local/team", "other")
        with pytest.raises(Conflict, match="a tag of the image above it"):
            await registry.delete_repository("docker-local/team/app")
        await registry.delete_tag("docker-local/team/app", "1.0")
        await registry.delete_tag("docker-local/team", "app")


def merged(fake: ArtifactoryFake) -> ArtifactoryFake:
    fake.hosting |= {"hub": Hosting("REMOTE"), "docker": Hosting("VIRTUAL", members=("docker-local", "hub"))}
    fake.put("hub/shop/cart", ARM, "v1", "upstream")
    return fake


async def test_virtual_and_remote_ones_are_read_and_never_deleted_from(artifactory):
    with merged(filled(ArtifactoryFake())) as fake:
        registry = artifactory(fake)
        paths = [one.path for one in await collect(registry.repositories())]
        assert paths == ["docker/shop/cart", CART, "hub/shop/cart"]
        rows = {tag.name: tag for tag in await collect(registry.tags("docker/shop/cart"))}
        assert rows["v1"].digest is None, "its members contradict each other"
        assert (rows["upstream"].digest, rows["also"].digest) == (ARM.digest, IMAGE.digest)
        cached = {tag.name: tag.digest for tag in await collect(registry.tags("hub/shop/cart"))}
        assert cached == {"v1": ARM.digest, "upstream": ARM.digest}
        with pytest.raises(Unsupported, match="local repository"):
            await registry.delete_tag("docker/shop/cart", "v1")
        with pytest.raises(Unsupported, match="empty its cache"):
            await registry.delete_manifest("hub/shop/cart", Digest.parse(ARM.digest))


@proves(SIGN_IN)
async def test_tokens_go_as_bearer_and_passwords_by_basic(artifactory):
    with filled(ArtifactoryFake(user=("alice", TOKEN), token=TOKEN)) as fake:
        assert CART in [one.path for one in await collect(artifactory(fake, ("alice", TOKEN)).repositories())]
        rest = [asked for asked in fake.asked if asked.path.startswith("/artifactory/api/rep")]
        assert {asked.headers["authorization"] for asked in rest} == {f"Bearer {TOKEN}"}
    with filled(ArtifactoryFake(user=ALICE)) as fake:
        registry = artifactory(fake, ALICE)
        assert await tag_names(registry, CART) == sorted(TAGS)
        assert fake.tokens, "the registry itself gave a token for the password"
        fake.asked.clear()
        with pytest.raises(CredentialRefused, match="credential of alice"):
            await collect(artifactory(fake, ("alice", "old")).repositories())
        assert len(fake.asked) == 1, "a wrong password is not tried twice"


@proves(Capability.SOFT_DELETE)
async def test_what_was_deleted_comes_back_from_the_trash_can(artifactory):
    with filled(ArtifactoryFake()) as fake:
        registry = artifactory(fake)
        assert await collect(registry.deleted(CART)) == []
        await registry.delete_tag(CART, "v1")
        (deleted,) = await collect(registry.deleted(CART))
        assert (deleted.digest, deleted.tags) == (IMAGE.digest, ("v1",))
        await registry.restore(CART, deleted)
        assert await tag_names(registry, CART) == sorted(TAGS)
        assert await collect(registry.deleted(CART)) == []
        with pytest.raises(NotFound):
            await registry.restore(CART, deleted)
        with pytest.raises(Conflict):
            await registry.restore(CART, DeletedManifest(None, locator="docker-local/other/v1"))
        fake.is_admin = False
        await registry.delete_tag(CART, "v1")
        with pytest.raises(Forbidden):
            await registry.restore(CART, deleted)


@proves(Capability.SCAN_REPORT)
async def test_reports_of_xray(artifactory):
    with filled(ArtifactoryFake(xray=True)) as fake:
        fake.summaries[IMAGE.digest.removeprefix("sha256:")] = {
            "general": {"component_id": "docker://shop/cart:v1", "pkg_type": "Docker"},
            "issues": [
                {
                    "issue_id": "XRAY-1",
                    "issue_type": "security",
                    "severity": "High",
                    "cves": [{"cve": "CVE-2026-0001"}],
                    "components": [{"component_id": "deb://debian:bookworm:openssl", "fixed_versions": ["[3.0.2]"]}],
                },
                {"issue_id": "XRAY-2", "issue_type": "license", "severity": "High"},
            ],
        }
        registry = artifactory(fake)
        report = read_scan_report(await registry.scan_report(CART, Digest.parse(IMAGE.digest)))
        assert [(one.id, one.severity) for one in report.findings] == [("CVE-2026-0001", "high")]
        other = await registry.scan_report(CART, Digest.parse(INDEX.digest))
        assert (other.state, other.message[:8]) == ("none", "Artifact")
    with filled(ArtifactoryFake()) as fake, pytest.raises(Unsupported, match="no Xray"):
        await artifactory(fake).scan_report(CART, Digest.parse(IMAGE.digest))


@proves(Capability.RETENTION)
async def test_rules_in_words(artifactory):
    with filled(ArtifactoryFake()) as fake:
        registry = artifactory(fake)
        assert await registry.retention(CART) is None
        fake.hosting["docker-local"].settings = {"maxUniqueTags": 5, "dockerTagRetention": 3}
        rules = await registry.retention(CART)
        assert rules.sentences == (
            "At most 5 tags of an image are kept; a push deletes the oldest.",
            "3 overwritten versions of a tag are kept.",
        )
        fake.is_admin = False
        with pytest.raises(Unsupported, match="settings of docker-local"):
            await registry.retention(CART)


async def test_an_address_that_is_one_repository_alone(artifactory):
    with merged(filled(ArtifactoryFake())) as fake:
        registry = artifactory(fake, api=fake.host, namespaces=("docker-local",))
        assert await registry.place_of("shop/cart") == (
            (await registry.home()).stores["docker-local"],
            "shop/cart",
        )
        doubtful = artifactory(fake, api=fake.host)
        support = (await doubtful.capabilities())[Capability.TAG_DETAILS]
        assert (support.available, "namespaces" in support.reason) == (None, True)
        assert (await doubtful.place_of(CART))[1] == "shop/cart"
        assert await doubtful.place_of("shop/cart") is None


async def test_it_is_recognised_by_its_own_fields(connect):
    with filled(ArtifactoryFake(user=ALICE)) as fake:
        assert isinstance(await open_registry(connect(fake.host)), ArtifactoryRegistry)
