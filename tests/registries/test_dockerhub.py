"""Docker Hub: the contract, and what is Docker Hub's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regtui.oci import Digest, Platform
from regtui.registries.contract import Capability
from regtui.registries.detect import open_registry
from regtui.registries.dockerhub import DockerHub
from regtui.session.details import is_complete
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import Conflict, Forbidden, NotFound, RateLimited, Unauthorized, Unreachable, Unsupported
from regtui.transport.patience import Patience
from tests.fakes.dockerhub import ALICE, BOB, FakeDockerHub
from tests.registries.contract import ARM, IMAGE, INDEX, TAGS, Place, WritingContract, collect
from tests.registries.proofs import SIGN_IN, Level, Proof, proves

proof = Proof(
    "Docker Hub",
    "dockerhub",
    Level.FAKE,
    lacks=frozenset(
        {
            Capability.SCAN_REPORT,
            Capability.TRIGGER_SCAN,
            Capability.RETENTION,
            Capability.IMMUTABLE_TAGS,
            Capability.SOFT_DELETE,
        }
    ),
    source="its documentation and clients; calls of the Hub API checked against its OpenAPI file of 2026",
)


@pytest.fixture
def hub():
    """A filled Docker Hub; when the test is over, both sides must have kept to the description."""
    with FakeDockerHub() as fake:
        for tag, made in TAGS.items():
            fake.put("shop/cart", made, tag)
        fake.put("library/cartridge", IMAGE, "latest")
        yield fake
        fake.hub.watch.check()


@pytest.fixture
def opened(hub, connect):
    """The registry for a user, with settings."""

    def make(user: tuple[str, ...] = (), **settings: object) -> DockerHub:
        client = connect(hub.host, *user, patience=Patience(tries=1))
        return DockerHub(client, settings=RegistrySettings(hub.host, api=hub.api, **settings))

    return make


class TestContract(WritingContract):
    proof = proof

    @pytest.fixture
    def place(self, opened):
        return Place(
            opened(ALICE),
            "shop/cart",
            "shop/new",
            deletes_tags=True,
            deletes_manifests=True,
            has_referrers_api=True,
        )


def test_the_official_description_is_there(hub):
    hub.hub.watch.require()


def of_tags(hub: FakeDockerHub) -> int:
    return sum(asked.path.endswith("/tags") for asked in hub.hub.asked)


@proves(Capability.TAG_DETAILS)
async def test_a_thousand_tags_with_everything_take_ten_requests(hub, opened):
    hub.put("shop/big", INDEX, *(f"t{number}" for number in range(1000)))
    tags = await collect(opened(ALICE).tags("shop/big"))
    assert len(tags) == 1000
    assert all(is_complete(tag) for tag in tags)
    # One more for the login, whatever is asked for then.
    assert (of_tags(hub), hub.world.logins, len(hub.hub.asked)) == (10, 1, 11)
    assert (hub.registry.asked, hub.world.pulls_left) == ([], 100)
    assert tags[0].name == "t999"


async def test_strangers_are_told_where_the_list_ends(hub, opened):
    hub.put("shop/big", IMAGE, *(f"t{number}" for number in range(1000)))
    pages = [page async for page in opened().tags("shop/big")]
    assert sum(len(page.items) for page in pages) == 300
    assert "regtui login docker.io" in pages[-1].stopped
    assert pages[0].total == 1000


async def test_what_a_row_tells(hub, opened):
    hub.world.pulled["shop/cart", "v1"] = "2026-05-05T05:05:05.5Z"
    rows = {tag.name: tag for tag in await collect(opened().tags("shop/cart"))}
    image, index = rows["v1"], rows["multi"]
    assert (image.digest, image.media_type) == (IMAGE.digest, IMAGE.media_type)
    assert image.size == sum(len(need.raw) for need in IMAGE.needs)
    assert image.platforms == (Platform("linux", "amd64"),)
    assert index.platforms == (Platform("linux", "amd64"), Platform("linux", "arm64"))
    assert index.size == sum(len(need.raw) for made in (IMAGE, ARM) for need in made.needs)
    assert (image.pulled, index.pulled) == (datetime(2026, 5, 5, 5, 5, 5, 500000, tzinfo=UTC), None)
    assert image.pushed is not None
    assert (image.created, image.immutable, image.vulnerabilities) == (None, None, None)


@proves(Capability.LIST_REPOSITORIES)
async def test_repositories_by_namespace(hub, opened):
    hub.put("alice/tools", IMAGE, "v1")
    hub.world.private.add("alice/tools")
    mine = await collect(opened(ALICE).repositories())
    assert sorted(row.path for row in mine) == ["alice/tools", "shop/cart"]
    assert (mine[0].size, mine[0].description) == (4096, "About tools")
    assert [row.path for row in await collect(opened().repositories("library"))] == ["library/cartridge"]
    assert [row.path for row in await collect(opened().repositories("library/cart"))] == ["library/cartridge"]
    assert [row.path for row in await collect(opened(namespaces=("shop", "library")).repositories())] == [
        "shop/cart",
        "library/cartridge",
    ]
    assert await collect(opened().repositories("alice")) == []
    with pytest.raises(Unsupported, match="by namespace only") as raised:
        await collect(opened().repositories())
    assert "search" in raised.value.hint
    support = (await opened().capabilities())[Capability.LIST_REPOSITORIES]
    assert support.available is False
    assert "by namespace only" in support.reason


async def test_pinned_repositories_are_listed_where_there_is_no_namespace(opened):
    registry = opened(repositories=("library/nginx",))
    pages = [page async for page in registry.repositories()]
    assert [row.path for page in pages for row in page.items] == ["library/nginx"]
    assert "by namespace only" in pages[0].stopped
    assert (await registry.capabilities())[Capability.LIST_REPOSITORIES].available is True


@proves(Capability.SEARCH)
@pytest.mark.parametrize("has_new_search", [True, False])
async def test_search(hub, opened, has_new_search):
    hub.world.has_new_search = has_new_search
    found = await collect(opened().search("cart"))
    assert sorted(row.path for row in found) == ["library/cartridge", "shop/cart"]
    assert [row.path for row in await collect(opened().search(" library/cartridge "))] == ["library/cartridge"]
    assert await collect(opened().search("  ")) == []
    for number in range(150):
        hub.put(f"shop/many{number}", IMAGE, "v1")
    assert len(await collect(opened().search("many"))) == 150


@proves(SIGN_IN)
async def test_signing_in_to_both_services(hub, opened):
    hub.put("shop/secret", IMAGE, "v1")
    hub.world.private.add("shop/secret")
    registry = opened(ALICE)
    assert len(await collect(registry.tags("shop/secret"))) == 1
    assert (await registry.manifest("shop/secret", "v1")).digest == IMAGE.digest
    assert registry.identity().name == "alice"
    with pytest.raises(NotFound):
        await collect(opened().tags("shop/secret"))
    # Each credential went to its own place, and nowhere else.
    assert {asked.path for asked in hub.hub.asked if b"dckr_pat" in asked.body} == {"/v2/auth/token"}
    assert all("authorization" not in asked.headers for asked in hub.storage.asked)
    assert not any("Basic" in asked.headers.get("authorization", "") for asked in hub.registry.asked + hub.hub.asked)


@proves(SIGN_IN)
async def test_a_token_that_ended_is_fetched_anew_and_only_once(hub, opened):
    registry = opened(ALICE)
    await collect(registry.tags("shop/cart"))
    hub.world.sessions.clear()
    await collect(registry.tags("shop/cart"))
    assert hub.world.logins == 2
    await registry.client.close()


async def test_a_login_that_is_refused_still_reads_what_is_public(hub, opened):
    registry = opened(BOB)
    assert len(await collect(registry.tags("shop/cart"))) == 4
    assert len(await collect(registry.tags("shop/cart"))) == 4
    assert hub.world.logins == 1
    support = (await registry.capabilities())[Capability.DELETE_TAG]
    # Not False: regtui would then look for another way, and Docker Hub's registry has no safe one.
    assert support.available is None
    assert "Incorrect authentication credentials" in support.reason
    with pytest.raises(Unauthorized, match="does not accept the credential of bob") as raised:
        await registry.delete_tag("shop/cart", "v1")
    assert "access token" in raised.value.hint


async def test_a_manifest_goes_after_its_tags(hub, opened):
    registry = opened(ALICE)
    await registry.delete_manifest("shop/cart", Digest.parse(TAGS["note"].digest))
    assert sorted(hub.world.repositories["shop/cart"].tags) == ["also", "multi", "v1"]
    with pytest.raises(Conflict, match="Docker Hub keeps") as raised:
        await registry.delete_manifest("shop/cart", Digest.parse(ARM.digest))
    assert "index still holds it" in raised.value.hint
    with pytest.raises(NotFound):
        await registry.delete_manifest("shop/cart", Digest.of(b"nowhere"))


async def test_strangers_are_told_to_sign_in(opened):
    support = (await opened().capabilities())[Capability.DELETE_TAG]
    assert support.available is False
    assert "regtui login" in support.reason


async def test_what_others_own_is_not_deleted(hub, opened):
    with pytest.raises(Forbidden, match="does not allow tag latest of library/cartridge to alice"):
        await opened(ALICE).delete_tag("library/cartridge", "latest")
    assert "latest" in hub.world.repositories["library/cartridge"].tags
    with pytest.raises(Unauthorized):
        await opened(("alice", "wrong")).delete_repository("shop/cart")
    with pytest.raises(NotFound, match="two parts"):
        await opened(ALICE).delete_repository("nginx")


async def test_the_pull_limit_is_shown_and_spared(hub, opened):
    registry = opened()
    for _ in range(3):
        await registry.head_manifest("shop/cart", "v1")
    identity = registry.identity()
    assert (identity.rate_limit, identity.rate_remaining) == (100, 100)
    await registry.manifest("shop/cart", "v1")
    assert registry.identity().rate_remaining == 99
    hub.world.pulls_left = 0
    with pytest.raises(RateLimited) as raised:
        await registry.manifest("shop/cart", "v1")
    assert "signing in often raises the limit" in raised.value.hint


async def test_the_limit_of_the_hub_api(hub, opened):
    hub.world.limited = True
    with pytest.raises(RateLimited) as raised:
        await collect(opened().tags("shop/cart"))
    assert raised.value.retry_after > 1_000_000


async def test_where_only_the_registry_can_be_reached_names_are_listed(hub, connect):
    client = connect(hub.host, *ALICE, patience=Patience(tries=1))
    registry = DockerHub(client, settings=RegistrySettings(hub.host, api="127.0.0.1:9"))
    assert sorted(tag.name for tag in await collect(registry.tags("shop/cart"))) == sorted(TAGS)
    support = (await registry.capabilities())[Capability.DELETE_TAG]
    assert support.available is None
    assert "127.0.0.1" in support.reason
    with pytest.raises(Unreachable):
        await collect(registry.repositories())


async def test_it_is_recognised_by_its_name(connect):
    registry = await open_registry(connect("docker.io"))
    assert (type(registry), registry.host) == (DockerHub, "docker.io")
    assert registry.client.base_url.endswith("//registry-1.docker.io")
    assert registry.hub.base_url.endswith("//hub.docker.com")
