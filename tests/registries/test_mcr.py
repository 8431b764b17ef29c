"""MCR: the contract of what is only read, and what is Microsoft's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regtui.oci import Descriptor, Digest, parse_manifest
from regtui.registries.contract import Capability
from regtui.registries.detect import make_registry
from regtui.registries.mcr import McrRegistry
from regtui.registries.recognise import kind_of_host
from regtui.transport.errors import NotFound, Unreachable, Unsupported
from regtui.transport.patience import Patience
from tests.fakes.mcr import McrFake
from tests.registries.contract import (
    IMAGE,
    INDEX,
    TAGS,
    Place,
    ReadingContract,
    collect,
    fill_fake,
    stream_of,
    tag_names,
)
from tests.registries.proofs import SIGN_IN, Level, Proof

OFFERED = {
    *(Capability.LIST_REPOSITORIES, Capability.SEARCH, Capability.TAG_DETAILS, Capability.REFERRERS),
}
proof = Proof(
    "MCR",
    "mcr",
    Level.FAKE,
    lacks=frozenset({SIGN_IN, *Capability} - OFFERED),
    source="Microsoft's guidance and what others report of its portal; no description of either API is published",
)


def filled(fake: McrFake) -> McrFake:
    fill_fake(fake, "dotnet/sdk", referrers_api=True)
    return fake


class TestContract(ReadingContract):
    proof = proof

    @pytest.fixture
    async def place(self, connect):
        with filled(McrFake()) as fake:
            registry = McrRegistry(connect(fake.host, "alice", "never to be sent"))
            yield Place(registry, "dotnet/sdk", has_referrers_api=True)


@pytest.fixture
def mcr(connect):
    """Makes a registry for a fake, for a user whose credential must not be sent."""
    return lambda fake: McrRegistry(connect(fake.host, "alice", "never to be sent"))


async def test_every_tag_takes_one_answer_beside_the_names(mcr):
    with McrFake() as fake:
        fake.put("dotnet/sdk", IMAGE, *(f"t{number}" for number in range(1000)))
        registry = mcr(fake)
        tags = await collect(registry.tags("dotnet/sdk"))
        assert {(tag.digest, tag.pushed) for tag in tags} == {
            (IMAGE.digest, datetime(2026, 2, 3, 4, 5, 6, 123_456, tzinfo=UTC))
        }
        assert (len(tags), len(fake.asked)) == (1000, 3), "one HEAD proves the portal, once"
        fake.asked.clear()
        await collect(registry.tags("dotnet/sdk"))
        assert len(fake.asked) == 2


@pytest.mark.parametrize("options", [{"portal": False}, {"wrong_portal": True}])
async def test_a_portal_that_is_gone_or_wrong_is_not_believed(mcr, options):
    with filled(McrFake(**options)) as fake:
        registry = mcr(fake)
        assert await tag_names(registry, "dotnet/sdk") == sorted(TAGS)
        assert {tag.digest for tag in await collect(registry.tags("dotnet/sdk"))} == {None}
        with pytest.raises(NotFound):
            await collect(registry.tags("dotnet/none"))


async def test_the_catalog_is_asked_for_once_and_searched_here(mcr):
    with filled(McrFake()) as fake:
        for name in ("oss/kubernetes/pause", "dotnet/sdk/extra", "azure-cli"):
            fake.put(name, IMAGE, "v1")
        registry = mcr(fake)
        assert len(await collect(registry.repositories())) == 4
        assert [one.path for one in await collect(registry.search("SDK dotnet"))] == ["dotnet/sdk", "dotnet/sdk/extra"]
        assert [one.path for one in await collect(registry.repositories("oss/"))] == ["oss/kubernetes/pause"]
        assert len(fake.asked) == 1


async def test_nothing_can_be_changed_and_nothing_is_tried(mcr):
    with filled(McrFake()) as fake:
        registry = mcr(fake)
        image = parse_manifest(IMAGE.raw, IMAGE.media_type)
        layer = Descriptor("application/octet-stream", Digest.parse(IMAGE.needs[1].digest), 1)
        for attempt in (
            registry.put_manifest("dotnet/sdk", "v2", image),
            registry.put_blob("dotnet/sdk", layer, stream_of(b"x")),
            registry.mount_blob("dotnet/sdk", layer.digest, "azure-cli"),
            registry.delete_tag("dotnet/sdk", "v1"),
            registry.delete_manifest("dotnet/sdk", Digest.parse(INDEX.digest)),
            registry.delete_repository("dotnet/sdk"),
        ):
            with pytest.raises(Unsupported):
                await attempt
        assert fake.asked == []
        capabilities = await registry.capabilities()
        assert "only read" in capabilities[Capability.PUSH].reason


async def test_a_data_host_behind_a_firewall_is_named(connect):
    with filled(McrFake()) as fake:
        registry = McrRegistry(connect(fake.host, patience=Patience(tries=1)))
        fake.data.__exit__()
        manifest = await registry.manifest("dotnet/sdk", "v1")
        with pytest.raises(Unreachable, match=r"data\.mcr\.microsoft\.com"):
            await registry.small_blob("dotnet/sdk", manifest.config)


def test_it_is_known_by_its_name(connect):
    for host in ("mcr.microsoft.com", "mcr.azure.cn"):
        assert kind_of_host(host) == "mcr"
        assert isinstance(make_registry("mcr", connect(host)), McrRegistry)
