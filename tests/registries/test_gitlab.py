"""GitLab: the contract, and what is GitLab's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regtui.oci import Digest
from regtui.registries.contract import Capability
from regtui.registries.detect import open_registry
from regtui.registries.gitlab import GitLabRegistry
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import Conflict, Forbidden, NotFound, Unauthorized, Unsupported
from tests.fakes.gitlab import DEPLOY, JOB, PERSON, FakeGitLab
from tests.registries.contract import IMAGE, INDEX, TAGS, Place, WritingContract, collect
from tests.registries.proofs import SIGN_IN, Level, Proof, proves

proof = Proof(
    "GitLab",
    "gitlab",
    Level.FAKE,
    lacks=frozenset(
        {
            Capability.SEARCH,
            Capability.SCAN_REPORT,
            Capability.TRIGGER_SCAN,
            Capability.IMMUTABLE_TAGS,
            Capability.SOFT_DELETE,
        }
    ),
    source="its documentation; its API's description is not at hand to be checked against",
)
POLICY = {
    "cadence": "1d",
    "enabled": True,
    "keep_n": 10,
    "older_than": "30d",
    "name_regex": "dev-.*",
    "name_regex_keep": "v.*",
    "next_run_at": "2026-01-02T00:00:00Z",
}


def filled(**options: bool) -> FakeGitLab:
    fake = FakeGitLab(**options)
    for tag, made in TAGS.items():
        fake.put("shop/cart/image", made, tag)
    return fake


@pytest.fixture
def gitlab():
    """A filled GitLab with a metadata database."""
    with filled() as fake:
        yield fake


@pytest.fixture
def open_at(connect):
    """The registry of a fake for a user, with settings; nothing is waited for."""

    def make(fake: FakeGitLab, user: tuple[str, ...] = PERSON, **settings: object) -> GitLabRegistry:
        registry = GitLabRegistry(connect(fake.host, *user), settings=RegistrySettings(fake.host, **settings))
        registry.pause = 0
        return registry

    return make


class TestContract(WritingContract):
    proof = proof

    @pytest.fixture(params=["database", "no database", "old"])
    def place(self, request, open_at):
        with filled(database=request.param == "database", old=request.param == "old") as fake:
            yield Place(
                open_at(fake),
                "shop/cart/image",
                "shop/cart/new",
                missing="shop/cart/nothing",
                deletes_tags=True,
                deletes_manifests=True,
                has_referrers_api=True,
                lacks=frozenset() if request.param == "database" else frozenset({Capability.TAG_DETAILS}),
            )


@proves(Capability.TAG_DETAILS)
async def test_a_thousand_tags_with_details_take_one_request(gitlab, open_at):
    gitlab.put("shop/cart/big", IMAGE, *(f"t{number:04}" for number in range(1000)))
    registry = open_at(gitlab)
    await registry.has_database()
    await registry.manifest("shop/cart/big", IMAGE.digest)
    gitlab.registry.asked.clear()
    gitlab.gitlab.asked.clear()
    tags = await collect(registry.tags("shop/cart/big"))
    assert (len(tags), len(gitlab.registry.asked), len(gitlab.gitlab.asked)) == (1000, 1, 0)
    assert all(tag.digest and tag.size and tag.pushed for tag in tags)
    gitlab.put("shop/cart/big", IMAGE, "u")
    assert len(await collect(registry.tags("shop/cart/big"))) == 1001
    assert len(gitlab.registry.asked) == 3


async def test_what_a_row_tells(gitlab, open_at):
    rows = {tag.name: tag for tag in await collect(open_at(gitlab).tags("shop/cart/image"))}
    image, index = rows["v1"], rows["multi"]
    assert (image.digest, image.media_type) == (IMAGE.digest, IMAGE.media_type)
    assert (index.digest, index.media_type) == (INDEX.digest, INDEX.media_type)
    assert image.size == len(IMAGE.raw) + sum(len(need.raw) for need in IMAGE.needs)
    assert index.size is None
    assert image.pushed == datetime(2026, 3, 1, 0, 0, 1, 123000, tzinfo=UTC)
    assert (image.platforms, image.created) == (None, None)


@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("database", [True, False])
async def test_whether_there_is_a_database_is_found_out(open_at, database, says):
    with filled(database=database, says=says) as fake:
        registry = open_at(fake)
        assert await registry.has_database() is database
        support = (await registry.capabilities())[Capability.TAG_DETAILS]
        assert support.available is database
        probes = [asked for asked in fake.registry.asked if asked.path == "/gitlab/v1/"]
        assert bool(probes) is not says


@proves(Capability.LIST_REPOSITORIES)
async def test_repositories(gitlab, open_at):
    gitlab.put("shop/sub/web", IMAGE, "v1")
    gitlab.put("alice/toys/robot", IMAGE, "v1", "v2")
    registry = open_at(gitlab)
    found = {row.path: row for row in await collect(registry.repositories())}
    assert sorted(found) == ["alice/toys/robot", "shop/cart/image", "shop/sub/web"]
    assert found["alice/toys/robot"].tags == 2

    async def listed(prefix: str, **settings: object) -> list[str]:
        return [row.path for row in await collect(open_at(gitlab, **settings).repositories(prefix))]

    assert await listed("shop/") == ["shop/cart/image", "shop/sub/web"]
    assert await listed("shop/sub/web") == ["shop/sub/web"]
    assert await listed("shop/cart/im") == ["shop/cart/image"]
    assert await listed("alice/toys/robot") == ["alice/toys/robot"]
    assert await listed("nobody/here") == []
    assert await listed("sho") == ["shop/cart/image", "shop/sub/web"]
    assert await listed("", namespaces=("shop/sub",), repositories=("a/b",)) == ["a/b", "shop/sub/web"]


async def test_many_repositories_come_in_pages(gitlab, open_at):
    for number in range(250):
        gitlab.put(f"shop/cart/n{number:03}", IMAGE, "v1")
    assert len(await collect(open_at(gitlab).repositories("shop/"))) == 251


@proves(SIGN_IN)
@pytest.mark.parametrize("user", [PERSON, JOB, DEPLOY])
async def test_signing_in(gitlab, open_at, user):
    gitlab.world.private.add("shop/cart")
    registry = open_at(gitlab, user)
    assert (await registry.manifest("shop/cart/image", "v1")).digest == IMAGE.digest
    assert registry.identity().name == user[0]
    with pytest.raises(Unauthorized):
        await open_at(gitlab, ()).manifest("shop/cart/image", "v1")
    if user == DEPLOY:  # for the registry alone
        with pytest.raises(Unsupported, match="token for GitLab's API") as raised:
            await collect(registry.repositories())
        assert "read_api" in raised.value.hint
        support = (await registry.capabilities())[Capability.LIST_REPOSITORIES]
        assert (support.available, "read_api" in support.reason) == (False, True)
        pages = [page async for page in open_at(gitlab, user, repositories=("shop/cart/image",)).repositories()]
        assert [row.path for page in pages for row in page.items] == ["shop/cart/image"]
        assert "read_api" in pages[-1].stopped
    else:
        assert [row.path for row in await collect(registry.repositories())] == ["shop/cart/image"]
    # The tokens of the REST API go to the GitLab alone, in its own field.
    fields = {"private-token", "job-token"}
    assert not any(fields & asked.headers.keys() for asked in gitlab.registry.asked)


async def test_the_rest_api_is_where_the_settings_say(gitlab, open_at, connect):
    registry = open_at(gitlab, api=gitlab.home)
    assert [row.path for row in await collect(registry.repositories())] == ["shop/cart/image"]
    assert gitlab.registry.asked == []


async def test_a_registry_that_names_no_gitlab(distribution, connect, docker_registry):
    registry = GitLabRegistry(connect(docker_registry))
    with pytest.raises(Unsupported, match="does not say which GitLab") as raised:
        await registry.rest()
    assert "api =" in raised.value.hint


async def test_an_old_registry_deletes_tags_by_its_own_path(open_at):
    with filled(old=True) as fake:
        registry = open_at(fake)
        await registry.delete_tag("shop/cart/image", "v1")
        assert "/v2/shop/cart/image/tags/reference/v1" in [asked.path for asked in fake.registry.asked]
        assert sorted(fake.world.repositories["shop/cart/image"].tags) == ["also", "multi", "note"]
        with pytest.raises(NotFound):
            await registry.delete_tag("shop/cart/image", "v1")


async def test_a_repository_is_gone_when_gitlab_has_carried_it_out(gitlab, open_at):
    await open_at(gitlab).delete_repository("shop/cart/image")
    looks = [asked for asked in gitlab.gitlab.asked if asked.path.startswith("/api/v4/registry/repositories/")]
    assert len(looks) == 3
    gitlab.put("shop/cart/image", IMAGE, "v1")
    gitlab.world.queue = 1000
    with pytest.raises(Conflict, match="not carried it out yet"):
        await open_at(gitlab).delete_repository("shop/cart/image")
    with pytest.raises(NotFound):
        await open_at(gitlab).delete_repository("shop/cart/nothing")
    with pytest.raises(Unsupported, match="token for GitLab's API"):
        await open_at(gitlab, DEPLOY).delete_repository("shop/cart/image")


@proves(Capability.RETENTION)
async def test_the_cleanup_policy(gitlab, open_at):
    registry = open_at(gitlab)
    assert await registry.retention("shop/cart/image") is None
    gitlab.world.policies["shop/cart"] = POLICY
    found = await registry.retention("shop/cart/image")
    assert (found.format, found.enabled, found.body) == ("gitlab", True, POLICY)
    assert found.sentences == (
        "Remove tags that match dev-.* and are older than 30d.",
        "Keep the 10 newest of each image.",
        "Keep tags that match v.*.",
        "It runs every 1d; `latest` always stays.",
    )


async def test_what_is_protected_stays(gitlab, open_at):
    gitlab.world.protected.add("shop/cart/image:v1")
    with pytest.raises(Forbidden):
        await open_at(gitlab).delete_tag("shop/cart/image", "v1")
    await open_at(gitlab).delete_manifest("shop/cart/image", Digest.parse(TAGS["note"].digest))
    assert "v1" in gitlab.world.repositories["shop/cart/image"].tags


async def test_it_is_recognised(gitlab, connect):
    assert (await open_registry(connect(gitlab.host))).kind == "gitlab"
    assert type(await open_registry(connect("registry.gitlab.com"))) is GitLabRegistry
