"""ECR's API against moto's server: what a third party understood of it. It has no registry half, and no paging."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from regtui.oci import Digest
from regtui.oci import parse_manifest as parse
from regtui.registries.contract import Capability
from regtui.registries.ecr import EcrRegistry
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import NotFound, RateLimited, Unsupported
from regtui.trust.reports import read_scan_report
from tests.fakes.ecr import HOST, REGION
from tests.registries.clouds import be_aws_user, client_of
from tests.registries.contract import ARM, IMAGE, INDEX, collect, tag_names
from tests.registries.proofs import TAGS, Level, Proof, proves
from tests.registries.test_ecr import proof as fake_proof

if TYPE_CHECKING:
    from collections.abc import Iterator

proof = Proof("Amazon ECR", "ecr", Level.THIRD_PARTY, fake_proof.lacks)
NAMES = (f"shop/cart{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """moto's server, as "127.0.0.1:PORT"."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
async def ecr(moto, monkeypatch, tmp_path):
    be_aws_user(monkeypatch, tmp_path, "AKIATESTTESTTESTTEST", "secret")
    registry = EcrRegistry(client_of(HOST, moto), settings=RegistrySettings(HOST, api=moto))
    yield registry
    await registry.close()


@pytest.fixture
def repository(moto, ecr):
    """A repository with IMAGE as v1 and also, INDEX as multi."""
    name = next(NAMES)
    client = botocore.session.Session().create_client("ecr", region_name=REGION, endpoint_url=f"http://{moto}")
    client.create_repository(repositoryName=name)
    for made, tag in ((IMAGE, "v1"), (IMAGE, "also"), (ARM, "arm"), (INDEX, "multi")):
        client.put_image(
            repositoryName=name,
            imageManifest=made.raw.decode(),
            imageManifestMediaType=made.media_type,
            imageTag=tag,
            imageDigest=made.digest,
        )
    client.close()
    return name


@proves(Capability.LIST_REPOSITORIES, TAGS, Capability.TAG_DETAILS)
async def test_listing(ecr, repository):
    assert repository in [r.path for r in await collect(ecr.repositories())]
    rows = {row.name: row for row in await collect(ecr.tags(repository))}
    assert {name: row.digest for name, row in rows.items()} == {
        "v1": IMAGE.digest,
        "also": IMAGE.digest,
        "arm": ARM.digest,
        "multi": INDEX.digest,
    }
    assert all(row.pushed is not None for row in rows.values())
    with pytest.raises(NotFound):
        await collect(ecr.tags("no/such"))


async def test_retagging(ecr, repository):
    await ecr.put_manifest(repository, "new", parse(ARM.raw, ARM.media_type))
    await ecr.put_manifest(repository, "new", parse(ARM.raw, ARM.media_type))
    await ecr.put_manifest(repository, "v1", parse(ARM.raw, ARM.media_type))
    rows = {row.name: row.digest for row in await collect(ecr.tags(repository))}
    assert (rows["new"], rows["v1"], rows["also"]) == (ARM.digest, ARM.digest, IMAGE.digest)


@proves(Capability.DELETE_TAG, Capability.DELETE_MANIFEST, Capability.DELETE_REPOSITORY)
async def test_deleting(ecr, repository):
    await ecr.delete_tag(repository, "also")
    assert await tag_names(ecr, repository) == ["arm", "multi", "v1"]
    with pytest.raises(Unsupported, match="last tag"):
        await ecr.delete_tag(repository, "v1")
    with pytest.raises(NotFound):
        await ecr.delete_tag(repository, "also")
    await ecr.delete_manifest(repository, Digest.parse(INDEX.digest))
    with pytest.raises(NotFound):
        await ecr.delete_manifest(repository, Digest.parse(INDEX.digest))
    await ecr.delete_repository(repository)
    assert repository not in [r.path for r in await collect(ecr.repositories())]


@proves(Capability.SCAN_REPORT, Capability.TRIGGER_SCAN)
async def test_scanning(ecr, moto, repository):
    digest = Digest.parse(IMAGE.digest)
    assert (await ecr.scan_report(repository, digest)).state == "none"
    await ecr.trigger_scan(repository, digest)
    with pytest.raises(RateLimited):
        await ecr.trigger_scan(repository, digest)
    found = await ecr.scan_report(repository, digest)
    assert found.state == "complete"
    assert [one.severity_word for one in read_scan_report(found).findings] == ["HIGH"]


@proves(Capability.RETENTION)
async def test_lifecycle_policies(ecr, moto, repository):
    assert await ecr.retention(repository) is None
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
        "action": {"type": "expire"},
    }
    client = botocore.session.Session().create_client("ecr", region_name=REGION, endpoint_url=f"http://{moto}")
    client.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=json.dumps({"rules": [rule]}))
    client.close()
    found = await ecr.retention(repository)
    assert found is not None
    assert found.sentences == ("Untagged images expire beyond the newest 5.",)


async def test_a_token_for_the_registry(ecr):
    credential = await ecr.authorization_token()
    assert credential.username == "AWS"
    assert credential.password
    assert credential.good_until is not None, "moto's tokens ended in 2015; they are used for a while all the same"
