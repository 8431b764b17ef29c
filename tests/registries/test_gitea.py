"""Gitea: the contract at a real one and at a fake, and what is its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regtui.oci import Digest
from regtui.registries.contract import Capability
from regtui.registries.detect import open_registry
from regtui.registries.gitea import GiteaRegistry
from regtui.transport.errors import BadRequest, CredentialRefused, NotFound
from tests.fakes.gitea import GiteaFake
from tests.registries.contract import (
    IMAGE,
    OWN,
    TAGS,
    Place,
    WritingContract,
    collect,
    fill_fake,
    tag_names,
)
from tests.registries.proofs import SIGN_IN, Level, Proof, proves
from tests.servers.starting import PASSWORD, USER
from tests.servers.upload import Uploader

ALICE = (USER, PASSWORD)
CART = "alice/shop/cart"
LACKS = frozenset(
    {
        *(Capability.REFERRERS, Capability.SEARCH, Capability.TAG_DETAILS, Capability.SCAN_REPORT),
        *(Capability.TRIGGER_SCAN, Capability.RETENTION, Capability.IMMUTABLE_TAGS, Capability.SOFT_DELETE),
    }
)
SOURCE = "its source code, and a real Gitea 1.26 where that could be built"
proof = Proof("Gitea, Forgejo", "gitea", Level.FAKE, LACKS, SOURCE)


class GiteaContract(WritingContract):
    """What differs from other registries."""

    async def test_a_deleted_manifest_can_be_put_again(self, place):
        """Not here: layers go with the last version that holds them. Pushed with them it is there again."""
        await self.fill(place, "one", made=OWN)
        saved = await place.registry.manifest(place.other, "one")
        await place.registry.delete_manifest(place.other, saved.digest)
        with pytest.raises(BadRequest, match="push the image anew"):
            await place.registry.put_manifest(place.other, "one", saved)
        await self.fill(place, "one", made=OWN)
        assert (await place.registry.manifest(place.other, "one")).raw == OWN.raw


class TestFake(GiteaContract):
    proof = proof

    @pytest.fixture(params=["with API", "without", "small pages"])
    async def place(self, request, connect):
        options = {"without": {"api": False}, "small pages": {"page": 2}}.get(request.param, {})
        with GiteaFake(**options) as fake:
            fill_fake(fake, CART, referrers_api=False)
            yield Place(
                GiteaRegistry(connect(fake.host, *ALICE)),
                CART,
                "alice/shop/new",
                deletes_tags=True,
                deletes_manifests=True,
                lacks=frozenset({Capability.DELETE_REPOSITORY}) if request.param == "without" else frozenset(),
            )

    async def test_a_repository_goes_with_all_that_is_in_it(self, place):
        if Capability.DELETE_REPOSITORY not in place.lacks:
            await super().test_a_repository_goes_with_all_that_is_in_it(place)


@pytest.mark.real
class TestReal(GiteaContract):
    proof = Proof("Gitea, Forgejo", "gitea", Level.REAL, LACKS, SOURCE)

    @pytest.fixture
    async def place(self, gitea, namespace, connect):
        uploader = Uploader(gitea, *ALICE)
        repository = f"alice/{namespace}/cart"
        for tag, made in TAGS.items():
            uploader.push(repository, made, tag)
        uploader.push_referrers_tag(repository, TAGS["multi"], TAGS["note"])
        return Place(
            GiteaRegistry(connect(gitea, *ALICE)),
            repository,
            f"alice/{namespace}/new",
            deletes_tags=True,
            deletes_manifests=True,
        )

    @proves(SIGN_IN)
    async def test_signing_in(self, place, gitea, connect):
        assert isinstance(await open_registry(connect(gitea, *ALICE)), GiteaRegistry), "told by its two challenges"
        await place.registry.manifest(place.repository, "v1")
        assert place.registry.identity().name == USER
        with pytest.raises(CredentialRefused):
            await collect(GiteaRegistry(connect(gitea, USER, "old")).repositories())
        stranger = GiteaRegistry(connect(gitea))
        assert (await stranger.manifest(place.repository, "v1")).digest == IMAGE.digest
        assert await tag_names(stranger, place.repository) == sorted(TAGS)

    async def test_the_time_of_push_comes_with_the_list(self, place):
        rows = await collect(place.registry.tags(place.repository))
        assert all(abs((datetime.now(UTC) - row.pushed).total_seconds()) < 3600 for row in rows)


@pytest.fixture
def gitea_at(connect):
    """Makes a registry for a fake."""
    return lambda fake, user=ALICE: GiteaRegistry(connect(fake.host, *(user or ())))


async def test_a_thousand_tags_take_twenty_pages_for_their_times(gitea_at):
    with GiteaFake() as fake:
        fake.put("alice/app", IMAGE, *(f"t{number:04}" for number in range(1000)))
        registry = gitea_at(fake)
        await registry.check()
        fake.asked.clear()
        rows = await collect(registry.tags("alice/app"))
        assert {row.pushed for row in rows} == {datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}
        lists = [asked for asked in fake.asked if asked.path.endswith("/tags/list")]
        assert (len(rows), len(lists)) == (1000, 2), "the second one is empty and ends the list"
        assert sum(asked.path.startswith("/api/") for asked in fake.asked) == 21


@proves(SIGN_IN)
async def test_strangers_read_as_nobody_unless_everybody_has_to_sign_in(gitea_at):
    with GiteaFake() as fake:
        fill_fake(fake, CART, referrers_api=False)
        assert await tag_names(gitea_at(fake, None), CART) == sorted(TAGS)
        with pytest.raises(CredentialRefused):
            await collect(gitea_at(fake, (USER, "old")).repositories())
        fake.sign_in_is_required = True
        assert await tag_names(gitea_at(fake), CART) == sorted(TAGS)
        assert isinstance(await open_registry(gitea_at(fake).client), GiteaRegistry)


async def test_a_package_that_is_not_there(gitea_at):
    with GiteaFake() as fake:
        registry = gitea_at(fake)
        for path in ("alice/none", "alone"):
            with pytest.raises(NotFound):
                await registry.delete_repository(path)
        with pytest.raises(NotFound):
            await registry.delete_manifest("alice/none", Digest.of(b"nothing"))
