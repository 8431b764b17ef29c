"""The contract, kept by every kind that needs no vendor: layouts and archives, distribution 2.8 and 3, crane's."""

from __future__ import annotations

import pytest

from regtui.oci import Digest
from regtui.registries.contract import Capability
from regtui.registries.layout import LayoutRegistry
from regtui.transport.errors import NotFound, Unauthorized, Unsupported
from tests.registries.contract import IMAGE, TAGS, Place, ReadingContract, WritingContract, tag_names
from tests.registries.local_places import archive, folder, layout_files
from tests.registries.proofs import SIGN_IN, Level, Proof, proves
from tests.servers.oci11 import FakeRegistry
from tests.servers.starting import PASSWORD, USER, start_distribution
from tests.servers.upload import Uploader

PLAIN = frozenset[str](Capability) - {
    Capability.LIST_REPOSITORIES,
    Capability.REFERRERS,
    Capability.PUSH,
    Capability.DELETE_TAG,
    Capability.DELETE_MANIFEST,
}
"""What the protocol has no call for."""


class TestLayout(ReadingContract):
    proof = Proof(
        "OCI layout, archives",
        "layout",
        Level.REAL,
        {SIGN_IN, *Capability} - {Capability.LIST_REPOSITORIES, Capability.REFERRERS, Capability.TAG_DETAILS},
    )

    @pytest.fixture(params=["w", "w:gz"])
    async def place(self, request, tmp_path):
        registry = LayoutRegistry(archive(tmp_path / "layout.tar", shop(), mode=request.param))
        yield Place(registry, "shop/cart", has_referrers_api=True)
        await registry.close()


class TestLayoutFolder(WritingContract):
    proof = Proof(
        "OCI layout, folder",
        "layout",
        Level.REAL,
        TestLayout.proof.lacks - {Capability.PUSH, Capability.DELETE_TAG, Capability.DELETE_MANIFEST},
    )

    @pytest.fixture
    async def place(self, tmp_path):
        registry = LayoutRegistry(folder(tmp_path / "layout", shop()))
        yield Place(
            registry, "shop/cart", "shop/new", deletes_tags=True, deletes_manifests=True, has_referrers_api=True
        )
        await registry.close()


def shop() -> dict[str, bytes]:
    """The files of a layout with what the contract wants to find."""
    return layout_files(*((made, f"shop/cart:{tag}") for tag, made in TAGS.items()))


def filled(host: str, repository: str, *, referrers_api: bool) -> None:
    """Push what the contract wants to find, as another client would."""
    uploader = Uploader(host)
    for tag, made in TAGS.items():
        uploader.push(repository, made, tag)
    if not referrers_api:
        uploader.push_referrers_tag(repository, TAGS["multi"], TAGS["note"])


async def signs_in(distribution, folder, program):
    """A password opens what is closed to strangers."""
    with start_distribution(folder, program=program, htpasswd=True) as server:
        Uploader(server.host, USER, PASSWORD).push("app", IMAGE, "one")
        with pytest.raises(Unauthorized):
            await distribution(server.host).manifest("app", "one")
        friend = distribution(server.host, user=USER, password=PASSWORD)
        assert (await friend.manifest("app", "one")).digest == IMAGE.digest
        assert friend.identity().name == USER


@pytest.mark.real
class TestDistribution2(WritingContract):
    proof = Proof("distribution 2.8", "distribution", Level.REAL, PLAIN | {Capability.REFERRERS, Capability.DELETE_TAG})

    @pytest.fixture
    async def place(self, docker_registry, namespace, distribution):
        filled(docker_registry, f"{namespace}/cart", referrers_api=False)
        return Place(distribution(docker_registry), f"{namespace}/cart", f"{namespace}/new", deletes_manifests=True)

    @proves(SIGN_IN)
    async def test_signing_in(self, tmp_path, distribution):
        await signs_in(distribution, tmp_path, "docker-registry")


@pytest.mark.real
class TestDistribution3(WritingContract):
    proof = Proof("distribution 3", "distribution", Level.REAL, PLAIN | {Capability.REFERRERS})

    @pytest.fixture
    async def place(self, registry_v3, namespace, distribution):
        filled(registry_v3, f"{namespace}/cart", referrers_api=False)
        return Place(
            distribution(registry_v3),
            f"{namespace}/cart",
            f"{namespace}/new",
            deletes_tags=True,
            deletes_manifests=True,
        )

    @proves(SIGN_IN)
    async def test_signing_in(self, tmp_path, distribution):
        await signs_in(distribution, tmp_path, "registry-v3")


@pytest.mark.real
class TestCrane(WritingContract):
    proof = Proof("crane's registry", "distribution", Level.REAL, PLAIN | {Capability.REFERRERS, SIGN_IN})

    @pytest.fixture
    async def place(self, crane_registry, namespace, distribution):
        filled(crane_registry, f"{namespace}/cart", referrers_api=False)
        return Place(
            distribution(crane_registry),
            f"{namespace}/cart",
            f"{namespace}/new",
            deletes_tags=True,
            deletes_manifests=True,
            reads_from_offsets=False,
        )

    @proves(Capability.DELETE_MANIFEST)
    async def test_deleting_a_manifest_takes_its_tags_along(self, place):
        """Not here: it keeps a copy of the manifest per tag, and deletes only what is asked for."""
        await self.fill(place, "one")
        await self.fill(place)
        await place.registry.delete_manifest(place.other, Digest.parse(IMAGE.digest))
        with pytest.raises(NotFound):
            await place.registry.manifest(place.other, IMAGE.digest)
        assert await tag_names(place.registry, place.other) == ["one"]


@pytest.mark.real
class TestOlareg(WritingContract):
    proof = Proof("olareg", "distribution", Level.REAL, PLAIN | {SIGN_IN, Capability.LIST_REPOSITORIES})

    @pytest.fixture
    async def place(self, olareg, namespace, distribution):
        filled(olareg, f"{namespace}/cart", referrers_api=True)
        return Place(
            distribution(olareg),
            f"{namespace}/cart",
            f"{namespace}/new",
            deletes_tags=True,
            deletes_manifests=True,
            has_referrers_api=True,
        )

    async def test_the_repository_is_listed(self, place):
        """Not here: it has no catalog."""
        with pytest.raises(Unsupported, match="pin it"):
            await anext(place.registry.repositories())

    async def test_an_unknown_repository_is_not_found(self, place):
        """Not here: to olareg every repository is there, and most are empty."""
        assert await tag_names(place.registry, "no/such/repository") == []


class TestOci11(WritingContract):
    proof = Proof(
        "OCI distribution 1.1",
        "distribution",
        Level.FAKE,
        PLAIN,
        source="a small registry of the tests' own, written from the specification",
    )

    @pytest.fixture(params=[1000, 2])
    async def place(self, request, distribution):
        with FakeRegistry(page=request.param) as fake:
            for tag, made in TAGS.items():
                fake.put("shop/cart", made, tag)
            yield Place(
                distribution(fake.host),
                "shop/cart",
                "shop/new",
                deletes_tags=True,
                deletes_manifests=True,
                has_referrers_api=True,
            )
