"""GHCR: the contract, and what is GitHub's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regtui.oci import Digest
from regtui.registries.contract import Capability, DeletedManifest
from regtui.registries.detect import make_registry
from regtui.registries.ghcr import GhcrRegistry
from regtui.registries.recognise import kind_of_host
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import Conflict, CredentialRefused, Forbidden, NotFound, RateLimited, Unsupported
from tests.fakes.ghcr import GhcrFake
from tests.registries.contract import ARM, IMAGE, INDEX, TAGS, Place, WritingContract, collect, fill_fake, tag_names
from tests.registries.proofs import SIGN_IN, Level, Proof, proves
from tests.servers import content

ALICE = ("alice", "ghp_secret")
CART = "octo-org/shop/cart"
PROOF = Proof(
    "GHCR",
    "ghcr",
    Level.FAKE,
    lacks=frozenset(
        {
            *(Capability.SEARCH, Capability.REFERRERS, Capability.DELETE_TAG, Capability.SCAN_REPORT),
            *(Capability.TRIGGER_SCAN, Capability.RETENTION, Capability.IMMUTABLE_TAGS),
        }
    ),
    source="GitHub's documentation and what others report; every REST call and answer checked against its description",
)
proof = PROOF
BY_TOKEN = frozenset(
    {
        *(Capability.LIST_REPOSITORIES, Capability.TAG_DETAILS, Capability.SOFT_DELETE),
        *(Capability.DELETE_MANIFEST, Capability.DELETE_REPOSITORY),
    }
)


def filled(fake: GhcrFake, path: str = CART) -> GhcrFake:
    fill_fake(fake, path, referrers_api=False)
    return fake


@pytest.fixture
def ghcr(connect):
    """Makes a registry for a fake."""

    def make(fake: GhcrFake, user: tuple[str, str] | None = ALICE, **settings) -> GhcrRegistry:
        about = RegistrySettings(fake.host, api=fake.host, **settings)
        return GhcrRegistry(connect(fake.host, *(user or ())), settings=about)

    return make


class TestContract(WritingContract):
    proof = PROOF

    @pytest.fixture(params=["organisation", "own", "another user", "workflow token"])
    async def place(self, request, ghcr):
        owner = {"organisation": "octo-org", "own": "alice"}.get(request.param, "bob")
        options = {"scopes": None} if request.param == "workflow token" else {}
        with filled(GhcrFake(**options), f"{owner}/shop/cart") as fake:
            registry = ghcr(fake, namespaces=() if owner == "alice" else (owner,))
            # the last version of a package goes only with it
            fake.put(f"{owner}/shop/new", content.image({"etc/other": b"x"}), "keep")
            del fake.repositories[f"{owner}/shop/new"].tags["keep"]
            yield Place(registry, f"{owner}/shop/cart", f"{owner}/shop/new", deletes_manifests=True)
            fake.watch.check()


class TestWithoutToken(WritingContract):
    proof = PROOF

    @pytest.fixture
    async def place(self, ghcr):
        with filled(GhcrFake()) as fake:
            registry = ghcr(fake, None, repositories=(CART, "octo-org/shop/new"))
            yield Place(registry, CART, "octo-org/shop/new", lacks=BY_TOKEN - {Capability.LIST_REPOSITORIES})
            fake.watch.check()


async def test_a_thousand_tags_take_ten_requests(ghcr):
    with GhcrFake() as fake:
        for number in range(1000):
            fake.put("octo-org/app", content.artifact("text/n", f"{number}".encode()), f"t{number}")
        registry = ghcr(fake)
        await registry.capabilities()
        await collect(registry.repositories("octo-org/"))
        fake.asked.clear()
        rows = await collect(registry.tags("octo-org/app"))
        assert (len(rows), len(fake.asked)) == (1000, 10)
        assert [row.name for row in rows] == [f"t{number}" for number in range(999, -1, -1)], "the newest first"
        assert {row.pushed for row in rows} == {datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}
        fake.asked.clear()
        await registry.delete_manifest("octo-org/app", rows[500].digest)
        assert len(fake.asked) == 1, "its number is known from the list"


async def test_what_has_no_tag_comes_last(ghcr):
    with filled(GhcrFake()) as fake:
        rows = await collect(ghcr(fake).tags(CART))
    untagged = [row for row in rows if row.is_untagged]
    assert rows[-len(untagged) :] == untagged
    assert ARM.digest in {row.digest for row in untagged}, "a part of the index"


async def test_the_referrers_api_that_leads_astray_is_never_asked(ghcr):
    with filled(GhcrFake()) as fake:
        found = await ghcr(fake).referrers(CART, Digest.parse(INDEX.digest))
        assert found.source == "tag"
        assert not [asked for asked in fake.asked if "referrers" in asked.path]


async def test_owners_are_listed_one_by_one(ghcr):
    with filled(GhcrFake()) as fake:
        fake.put("alice/tool", IMAGE, "v1")
        fake.put("bob/thing", IMAGE, "v1")
        paths = [one.path for one in await collect(ghcr(fake, namespaces=("Octo-Org", "nobody")).repositories())]
        assert paths == ["alice/tool", CART]
        assert [one.path for one in await collect(ghcr(fake).repositories("bob/"))] == ["bob/thing"]
        pinned = ghcr(fake, None, repositories=("bob/thing",))
        assert [one.path for one in await collect(pinned.repositories())] == ["bob/thing"]
        with pytest.raises(Unsupported, match="classic personal access token"):
            await collect(ghcr(fake, None).repositories())
        (described,) = await collect(ghcr(fake).repositories("bob/"))
        assert (described.description, described.updated) == ("private", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC))


@proves(SIGN_IN)
async def test_one_token_for_both_and_what_it_may(ghcr):
    with filled(GhcrFake(scopes="read:packages")) as fake:
        registry = ghcr(fake)
        capabilities = await registry.capabilities()
        assert capabilities[Capability.TAG_DETAILS].available
        assert capabilities[Capability.DELETE_MANIFEST].reason == "Your token lacks delete:packages."
        assert not (await registry.probe_delete(CART)).available
        with pytest.raises(Forbidden, match="needs delete:packages; it has read:packages"):
            await registry.delete_manifest(CART, Digest.parse(IMAGE.digest))
        await registry.manifest(CART, "v1")
        assert registry.identity().name == "alice"
        assert registry.identity().rate_remaining == fake.left
    with filled(GhcrFake()) as fake, pytest.raises(CredentialRefused):
        await collect(ghcr(fake, ("alice", "ghp_old")).repositories())


async def test_without_a_token_names_are_listed_by_the_registry(ghcr):
    with filled(GhcrFake(page=2)) as fake:
        registry = ghcr(fake, None)
        assert await tag_names(registry, CART) == sorted(TAGS)
        with pytest.raises(Unsupported, match="classic personal access token"):
            await registry.delete_manifest(CART, Digest.parse(IMAGE.digest))
        assert not (await registry.probe_delete(CART)).available


@proves(Capability.SOFT_DELETE)
async def test_what_was_deleted_comes_back_with_its_tags(ghcr):
    with filled(GhcrFake()) as fake:
        registry = ghcr(fake)
        await registry.delete_manifest(CART, Digest.parse(IMAGE.digest))
        assert await tag_names(registry, CART) == ["multi", "note"]
        (deleted,) = await collect(registry.deleted(CART))
        assert (deleted.digest, set(deleted.tags)) == (IMAGE.digest, {"v1", "also"})
        assert (deleted.kept_until - deleted.deleted).days == 30
        await registry.restore(CART, deleted)
        assert await tag_names(registry, CART) == sorted(TAGS)
        for gone in (deleted, DeletedManifest(None)):
            with pytest.raises(NotFound):
                await registry.restore(CART, gone)
        fake.watch.check()


async def test_what_github_keeps(ghcr):
    with GhcrFake() as fake:
        fake.put("octo-org/one", content.artifact("text/n"), "v1")
        registry = ghcr(fake)
        (row,) = await collect(registry.tags("octo-org/one"))
        with pytest.raises(Conflict, match="only with its package"):
            await registry.delete_manifest("octo-org/one", row.digest)
        fake.downloaded.add("octo-org/one")
        with pytest.raises(Conflict, match="5,000"):
            await registry.delete_repository("octo-org/one")


async def test_the_hour_is_over(ghcr):
    with filled(GhcrFake(limit=1)) as fake:
        registry = ghcr(fake)
        with pytest.raises(RateLimited, match="per hour"):
            await collect(registry.repositories("octo-org/"))
        assert registry.identity().rate_remaining == 0


def test_where_the_api_is(connect):
    assert kind_of_host("ghcr.io") == "ghcr"
    for host, base in (("ghcr.io", "api.github.com"), ("containers.corp.ghe.com", "corp.ghe.com")):
        registry = make_registry("ghcr", connect(host))
        assert isinstance(registry, GhcrRegistry)
        assert registry._api._client.base_url == f"http://{base}"
        assert registry._api._prefix == ("" if host == "ghcr.io" else "/api/v3")
