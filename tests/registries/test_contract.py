"""The contract, kept by every kind that needs no vendor: layouts and archives, distribution 2.8 and 3, crane's."""

from __future__ import annotations

import pytest

from regtui.oci import Digest
from regtui.registries.layout import LayoutRegistry
from regtui.transport.errors import NotFound
from tests.registries.contract import IMAGE, TAGS, Place, ReadingContract, WritingContract, tag_names
from tests.registries.local_places import archive, folder, layout_files
from tests.servers.oci11 import FakeRegistry
from tests.servers.upload import Uploader


class TestLayout(ReadingContract):
    @pytest.fixture(params=["folder", "archive", "gzip"])
    async def place(self, request, tmp_path):
        files = layout_files(*((made, f"shop/cart:{tag}") for tag, made in TAGS.items()))
        if request.param == "folder":
            path = folder(tmp_path / "layout", files)
        else:
            path = archive(tmp_path / "layout.tar", files, mode="w" if request.param == "archive" else "w:gz")
        registry = LayoutRegistry(path)
        yield Place(registry, "shop/cart", has_referrers_api=True)
        await registry.close()


def filled(host: str, repository: str, *, referrers_api: bool) -> None:
    """Push what the contract wants to find, as another client would."""
    uploader = Uploader(host)
    for tag, made in TAGS.items():
        uploader.push(repository, made, tag)
    if not referrers_api:
        uploader.push_referrers_tag(repository, TAGS["multi"], TAGS["note"])


@pytest.mark.real
class TestDistribution2(WritingContract):
    @pytest.fixture
    async def place(self, docker_registry, namespace, distribution):
        filled(docker_registry, f"{namespace}/cart", referrers_api=False)
        return Place(distribution(docker_registry), f"{namespace}/cart", f"{namespace}/new", deletes_manifests=True)


@pytest.mark.real
class TestDistribution3(WritingContract):
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


@pytest.mark.real
class TestCrane(WritingContract):
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

    async def test_deleting_a_manifest_takes_its_tags_along(self, place):
        """Not here: it keeps a copy of the manifest per tag, and deletes only what is asked for."""
        await self.fill(place, "one")
        await self.fill(place)
        await place.registry.delete_manifest(place.other, Digest.parse(IMAGE.digest))
        with pytest.raises(NotFound):
            await place.registry.manifest(place.other, IMAGE.digest)
        assert await tag_names(place.registry, place.other) == ["one"]


class TestOci11(WritingContract):
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
