"""Plans run and undone against the vendors' fakes: what a person confirmed happens there, and can be taken back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from regtui.credentials.values import Credential, Secret
from regtui.oci import Digest
from regtui.registries.artifactory import ArtifactoryRegistry
from regtui.registries.dockerhub import DockerHub
from regtui.registries.ghcr import GhcrRegistry
from regtui.registries.gitlab import GitLabRegistry
from regtui.registries.harbor import HarborRegistry
from regtui.registries.nexus import NexusRegistry
from regtui.registries.quay import QuayRegistry
from regtui.registries.zot import ZotRegistry
from regtui.storage.settings import RegistrySettings
from regtui.transport.client import RegistryClient
from regtui.transport.options import HostOptions
from tests.fakes.artifactory import ArtifactoryFake
from tests.fakes.dockerhub import ALICE, FakeDockerHub
from tests.fakes.ghcr import GhcrFake
from tests.fakes.gitlab import PERSON, FakeGitLab
from tests.fakes.harbor import ADMIN, FakeHarbor
from tests.fakes.nexus import NexusFake
from tests.fakes.quay import OAUTH, ROBOT, FakeQuay
from tests.fakes.zot import ZotFake
from tests.servers import content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.registries.distribution import DistributionRegistry

OLD = content.image({"etc/release": b"old"})
NEW = content.image({"etc/release": b"new"})
ARM = content.image({"etc/release": b"new"}, platform="linux/arm64")
INDEX = content.index(NEW, ARM)
NOTE = content.artifact("application/spdx+json", b"{}", subject=OLD)


class Known:
    """One credential, whatever host is asked for."""

    def __init__(self, user: str, password: str) -> None:
        self._credential = Credential(user, Secret(password), source="test")

    async def find(self, host: str) -> Credential:
        return self._credential

    def forget(self, host: str) -> None:
        return


VENDORS: dict[str, tuple[Any, type[DistributionRegistry], tuple[str, str]]] = {
    "harbor": (FakeHarbor, HarborRegistry, ADMIN),
    "dockerhub": (FakeDockerHub, DockerHub, ALICE),
    "quay": (FakeQuay, QuayRegistry, OAUTH),
    "quay with a robot": (FakeQuay, QuayRegistry, ROBOT),
    "gitlab": (FakeGitLab, GitLabRegistry, PERSON),
    "zot": (ZotFake, ZotRegistry, ("alice", "zak_secret")),
    "nexus": (NexusFake, NexusRegistry, ("alice", "secret")),
    "artifactory": (ArtifactoryFake, ArtifactoryRegistry, ("alice", "secret")),
    "ghcr": (GhcrFake, GhcrRegistry, ("alice", "ghp_secret")),
}
PATHS = {"nexus": "docker-hosted/shop/cart", "artifactory": "docker-local/shop/cart", "ghcr": "octo-org/shop/cart"}
"""Where the images are when it is not shop/cart."""


@contextmanager
def filled(kind: Any, path: str) -> Iterator[Any]:
    with kind() as fake:
        fake.put(path, OLD, "old", "older")
        fake.put(path, INDEX, "new")
        fake.put(path, NOTE)
        yield fake


@pytest.fixture(params=VENDORS)
def vendor(request, bench_of):
    """A bench on a vendor's fake, and what stands in its repository."""
    kind, adapter, user = VENDORS[request.param]
    path = PATHS.get(request.param, "shop/cart")
    with filled(kind, path) as fake:
        api = fake.host if request.param == "ghcr" else getattr(fake, "api", None)
        client = RegistryClient(HostOptions(fake.host, plain_http=True), Known(*user))
        bench = bench_of(fake.host, path)
        bench.registries[fake.host] = adapter(client, settings=RegistrySettings(fake.host, api=api))
        yield bench, getattr(fake, "world", fake).repositories[path]


def tags_of(stored) -> dict[str, str]:
    """The tags without the lists of referrers, which clients keep where a registry has no API for them."""
    return {tag: digest for tag, digest in stored.tags.items() if not tag.startswith("sha256-")}


def stands(run) -> bool:
    """Whether everything that was planned is so now: some registries take along what has a step of its own."""
    return all(result.stands for result in run.results)


async def test_a_tag_goes_alone_and_comes_back(vendor):
    bench, stored = vendor
    before = dict(stored.tags)
    run = await bench.run(await bench.plan("old"))
    assert [result.outcome for result in run.results] == ["done"], run.results
    assert stored.tags == {tag: digest for tag, digest in before.items() if tag != "old"}
    assert OLD.digest in stored.manifests
    await bench.undo(run.entry)
    assert tags_of(stored) == before


async def test_a_manifest_goes_with_its_tags_and_all_comes_back(vendor):
    bench, stored = vendor
    before = dict(stored.tags)
    plan = await bench.plan("old", "older", manifests=True)
    run = await bench.run(plan)
    assert stands(run), run.results
    assert tags_of(stored) == {"new": INDEX.digest}
    assert OLD.digest not in stored.manifests
    assert {NEW.digest, ARM.digest, INDEX.digest} <= stored.manifests.keys()
    await bench.undo(run.entry)
    assert tags_of(stored) == before
    assert stored.manifests[OLD.digest][1] == OLD.raw


async def test_an_index_goes_with_its_children(vendor):
    bench, stored = vendor
    registry = bench.registries[bench.host]
    run = await bench.run(await bench.plan("new", manifests=True))
    assert stands(run), run.results
    assert "new" not in stored.tags
    assert not {INDEX.digest} & stored.manifests.keys()
    await bench.undo(run.entry)
    assert stored.tags["new"] == INDEX.digest
    assert (await registry.manifest(bench.repository, Digest.parse(ARM.digest))).raw == ARM.raw
