"""Nexus 3: the contract by the main port and by a connector, and what is Nexus's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regtui.oci import Digest, parse_manifest
from regtui.registries.contract import Capability
from regtui.registries.detect import open_registry
from regtui.registries.nexus import NexusRegistry
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import BadRequest, Conflict, NotFound, Unauthorized, Unsupported
from tests.fakes.nexus import Hosting, NexusConnector, NexusFake
from tests.registries.contract import ARM, IMAGE, TAGS, Place, WritingContract, collect, fill_fake, tag_names
from tests.registries.proofs import SIGN_IN, Level, Proof, proves

ALICE = ("alice", "wonderland")
CART = "docker-hosted/shop/cart"
PROOF = Proof(
    "Nexus 3",
    "nexus",
    Level.FAKE,
    lacks=frozenset({Capability.REFERRERS, Capability.SCAN_REPORT, Capability.TRIGGER_SCAN, Capability.SOFT_DELETE}),
    source="what is documented and reported of it; every REST call and answer checked against its API description",
)
proof = PROOF
FOR_ADMINS = frozenset({Capability.RETENTION, Capability.IMMUTABLE_TAGS})
BY_REST = FOR_ADMINS | {
    *(Capability.SEARCH, Capability.TAG_DETAILS, Capability.DELETE_TAG, Capability.DELETE_REPOSITORY),
}
PUSHED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def filled(fake: NexusFake) -> NexusFake:
    fill_fake(fake, CART, referrers_api=False)
    return fake


class TestMainPort(WritingContract):
    proof = PROOF

    @pytest.fixture(params=["admin", "user", "small pages"])
    async def place(self, request, connect):
        options = {"admin": {}, "user": {"user": ALICE, "is_admin": False}, "small pages": {"page": 2}}
        with filled(NexusFake(**options[request.param])) as fake:
            registry = NexusRegistry(connect(fake.host, *(fake.user or ())))
            lacks = frozenset() if fake.is_admin else FOR_ADMINS
            yield Place(
                registry, CART, "docker-hosted/shop/new", deletes_tags=True, deletes_manifests=True, lacks=lacks
            )
            fake.watch.check()


class TestConnector(WritingContract):
    proof = PROOF

    @pytest.fixture(params=["named", "by port"])
    async def place(self, request, connect):
        with filled(NexusFake(page=2)) as nexus, NexusConnector(nexus, "docker-hosted") as fake:
            nexus.hosting["other"] = Hosting()
            named = ("docker-hosted",) if request.param == "named" else ()
            if not named:
                nexus.hosting["docker-hosted"].docker["httpPort"] = int(fake.host.partition(":")[2])
            settings = RegistrySettings(fake.host, api=nexus.host, namespaces=named)
            registry = NexusRegistry(connect(fake.host), settings=settings)
            yield Place(registry, "shop/cart", "shop/new", deletes_tags=True, deletes_manifests=True)
            nexus.watch.check()


class TestWithoutRest(WritingContract):
    proof = PROOF

    @pytest.fixture
    async def place(self, connect):
        with filled(NexusFake(rest=False)) as fake:
            fake.public.update(fake.hosting)
            registry = NexusRegistry(connect(fake.host))
            yield Place(registry, CART, "docker-hosted/shop/new", deletes_manifests=True, lacks=BY_REST)

    async def test_deleting_a_manifest_takes_its_tags_along(self, place):
        """Not here: by the digest alone, Nexus leaves the tags behind; they resolve no more."""
        await self.fill(place, "one")
        await place.registry.delete_manifest(place.other, Digest.parse(IMAGE.digest))
        with pytest.raises(NotFound):
            await place.registry.manifest(place.other, "one")


@pytest.fixture
def nexus(connect):
    """Makes a registry for a fake."""

    def make(fake: NexusFake, user: tuple[str, str] | None = None, **settings) -> NexusRegistry:
        return NexusRegistry(connect(fake.host, *(user or ())), settings=RegistrySettings(fake.host, **settings))

    return make


async def test_a_thousand_tags_take_twenty_pages_of_the_search(nexus):
    with NexusFake() as fake:
        fake.put("docker-hosted/app", IMAGE, *(f"t{number:04}" for number in range(1000)))
        registry = nexus(fake)
        await registry.capabilities()
        fake.asked.clear()
        tags = await collect(registry.tags("docker-hosted/app"))
        assert len(tags) == 1000
        assert {(tag.digest, tag.pushed) for tag in tags} == {(IMAGE.digest, PUSHED)}
        searches = sum(asked.path.endswith("/v1/search") for asked in fake.asked)
        assert (searches, len(fake.asked)) == (20, 22), "one for the names, one HEAD that proves the checksums"
        fake.asked.clear()
        await collect(registry.tags("docker-hosted/app"))
        assert len(fake.asked) == 21


async def test_what_a_row_tells(nexus):
    with filled(NexusFake()) as fake:
        fake.hosting["docker-hosted"] = Hosting(write_policy="ALLOW_ONCE", latest_too=True)
        fake.put(CART, ARM, "latest")
        rows = {tag.name: tag for tag in await collect(nexus(fake).tags(CART))}
    assert (rows["v1"].digest, rows["v1"].media_type) == (IMAGE.digest, IMAGE.media_type)
    assert (rows["v1"].pushed, rows["v1"].size) == (PUSHED, None)
    assert rows["v1"].pulled == datetime(2026, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC)
    assert rows["multi"].pulled is None
    assert (rows["v1"].immutable, rows["latest"].immutable) == (True, False)


async def test_checksums_that_are_not_the_digest_are_not_taken_for_it(nexus):
    with filled(NexusFake(wrong_checksums=True)) as fake:
        rows = await collect(nexus(fake).tags(CART))
    assert {row.digest for row in rows} == {None}
    assert {row.pushed for row in rows} == {PUSHED}


async def test_the_index_may_lag_behind(nexus):
    with filled(NexusFake()) as fake:
        fake.unindexed.add((CART, "v1"))
        fake.ghosts.add((CART, "gone"))
        registry = nexus(fake)
        rows = {tag.name: tag for tag in await collect(registry.tags(CART))}
        assert "gone" not in rows
        assert (rows["v1"].digest, rows["also"].digest) == (None, IMAGE.digest)
        with pytest.raises(Conflict, match="try again"):
            await registry.delete_tag(CART, "v1")
        with pytest.raises(NotFound):
            await registry.delete_tag(CART, "never")


async def test_old_versions_that_know_no_head(nexus):
    with filled(NexusFake(head_is_missing=True)) as fake:
        registry = nexus(fake)
        assert (await registry.head_manifest(CART, "v1")).digest == IMAGE.digest
        assert {row.digest for row in await collect(registry.tags(CART)) if row.name == "v1"} == {IMAGE.digest}


def grouped(fake: NexusFake) -> NexusFake:
    fake.hosting |= {
        "docker-proxy": Hosting("proxy"),
        "docker-all": Hosting("group", members=("docker-hosted", "docker-proxy")),
    }
    fake.put("docker-proxy/shop/cart", ARM, "v1", "upstream")
    return fake


async def test_groups_and_proxies_are_read_and_never_deleted_from(nexus):
    with grouped(filled(NexusFake())) as fake:
        registry = nexus(fake)
        paths = [one.path for one in await collect(registry.repositories())]
        assert paths == ["docker-all/shop/cart", CART, "docker-proxy/shop/cart"]
        rows = {tag.name: tag for tag in await collect(registry.tags("docker-all/shop/cart"))}
        assert rows["v1"].digest is None, "its members contradict each other"
        assert (rows["upstream"].digest, rows["also"].digest) == (ARM.digest, IMAGE.digest)
        with pytest.raises(Unsupported, match="in the member"):
            await registry.delete_tag("docker-all/shop/cart", "v1")
        with pytest.raises(Unsupported, match="empty its cache"):
            await registry.delete_manifest("docker-proxy/shop/cart", Digest.parse(ARM.digest))
        with pytest.raises(Unsupported):
            await registry.delete_repository("docker-proxy/shop/cart")
        fake.watch.check()


async def test_a_list_that_is_cut_is_said_to_be(nexus):
    with grouped(NexusFake(cut_groups_at=1000)) as fake:
        for number in range(1001):
            fake.repositories[f"docker-hosted/n{number:04}"] = fake.repositories["docker-proxy/shop/cart"]
        pages = [page async for page in nexus(fake).repositories("docker-all/")]
        assert sum(len(page.items) for page in pages) == 1000
        assert "cut the list of docker-all" in pages[-1].stopped


async def test_a_repository_that_can_not_be_listed_ends_nothing(nexus):
    with filled(NexusFake()) as fake:
        fake.hosting["broken"] = Hosting()
        real = fake._catalog
        fake._catalog = lambda asked, name: real(asked, "no-such") if name == "broken" else real(asked, name)
        pages = [page async for page in nexus(fake).repositories()]
        assert [one.path for page in pages for one in page.items] == [CART]
        assert "broken can't be listed" in pages[0].stopped


@proves(SIGN_IN)
async def test_who_has_a_password_sees_more_than_strangers(nexus):
    with filled(NexusFake(user=ALICE)) as fake:
        fake.hosting["open"] = Hosting()
        fake.put("open/hello", IMAGE, "v1")
        fake.public.add("open")
        assert [one.path for one in await collect(nexus(fake).repositories())] == ["open/hello"]
        assert [one.path for one in await collect(nexus(fake, ALICE).repositories())] == [CART, "open/hello"]
        with pytest.raises(Unauthorized, match="credential of alice"):
            await collect(nexus(fake, ("alice", "old")).repositories())
        assert [one.path for one in await collect(nexus(fake, ALICE, namespaces=("open",)).repositories())] == [
            "open/hello"
        ]


async def test_strangers_who_may_see_nothing_are_told_so(nexus):
    with filled(NexusFake(user=ALICE, open_to_strangers=False)) as fake:
        registry = nexus(fake)
        with pytest.raises(Unauthorized, match="regtui login"):
            await collect(registry.tags(CART))
        assert "tells you nothing" in (await registry.capabilities())[Capability.TAG_DETAILS].reason


async def test_search_finds_images_once(nexus):
    with grouped(filled(NexusFake())) as fake:
        found = [one.path for one in await collect(nexus(fake).search("cart"))]
    assert found == [CART, "docker-proxy/shop/cart"]


@proves(Capability.RETENTION)
async def test_cleanup_policies_in_words(nexus):
    with filled(NexusFake()) as fake:
        registry = nexus(fake)
        assert await registry.retention(CART) is None
    with filled(NexusFake()) as fake:
        fake.hosting["docker-hosted"].policies = ("old", "unknown")
        fake.policies = [
            {
                "name": "old",
                "format": "docker",
                "criteriaLastBlobUpdated": 30,
                "criteriaLastDownloaded": 7,
                "retain": 5,
            },
        ]
        rules = await nexus(fake).retention(CART)
        assert rules.sentences == (
            "old deletes what is not pushed for 30 days and not pulled for 7 days, and keeps the newest 5.",
            "unknown (Nexus does not tell you what it deletes).",
        )
        fake.watch.check()
    with filled(NexusFake(is_admin=False)) as fake, pytest.raises(Unsupported, match="dministrators"):
        await nexus(fake).retention(CART)


async def test_deleting_an_image_removes_every_tag(nexus):
    with filled(NexusFake()) as fake:
        registry = nexus(fake)
        await registry.delete_repository(CART)
        assert fake.repositories[CART].tags == {}
        with pytest.raises(NotFound):
            await registry.delete_repository(CART)


@proves(Capability.IMMUTABLE_TAGS)
async def test_tags_that_may_be_pushed_once(nexus):
    with filled(NexusFake()) as fake:
        fake.hosting["docker-hosted"].write_policy = "ALLOW_ONCE"
        with pytest.raises(BadRequest, match="once only"):
            await nexus(fake).put_manifest(CART, "v1", parse_manifest(ARM.raw, ARM.media_type))
        assert {row.immutable for row in await collect(nexus(fake).tags(CART))} == {True}


async def test_a_connector_needs_to_be_told_which_repository_it_is(nexus, connect):
    with filled(NexusFake(is_admin=False)) as main, NexusConnector(main, "docker-hosted") as fake:
        main.hosting["other"] = Hosting()
        registry = NexusRegistry(connect(fake.host), settings=RegistrySettings(fake.host, api=main.host))
        reason = (await registry.capabilities())[Capability.TAG_DETAILS].reason
        assert "namespaces" in reason
        assert "docker-hosted, other" in reason
        assert await tag_names(registry, "shop/cart") == sorted(TAGS)
        plain = NexusRegistry(connect(fake.host))
        assert "set `api`" in (await plain.capabilities())[Capability.TAG_DETAILS].reason
        with pytest.raises(Unsupported):
            await plain.delete_tag("shop/cart", "v1")


async def test_it_is_recognised_by_its_server_field(connect):
    with filled(NexusFake()) as fake:
        assert isinstance(await open_registry(connect(fake.host)), NexusRegistry)
