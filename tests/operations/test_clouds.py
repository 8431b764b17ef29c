"""Plans run against the clouds' registries: what each takes along, refuses or remembers must not change the outcome."""

from __future__ import annotations

from typing import Any

import pytest

from regtui.credentials.values import Credential, Secret
from regtui.operations.deleting import Selection, plan_delete
from regtui.operations.executor import Executor
from regtui.operations.gather import gather
from regtui.operations.record import read_record
from regtui.operations.undo import plan_undo
from regtui.registries.acr import AcrRegistry
from regtui.registries.ecr import EcrRegistry
from regtui.registries.google import GoogleRegistry
from regtui.session.reader import Reader
from regtui.storage.cache import NullCache
from regtui.storage.journal import Journal
from regtui.storage.settings import RegistrySettings
from tests.fakes import acr, ecr, google
from tests.operations.conftest import confirmed
from tests.registries.clouds import be_aws_user, client_of
from tests.servers import content

REPOSITORY = "shop/web/cart"
KINDS = ["ecr", "acr", "acr, soft delete", "google"]


class Cloud:
    """One repository of a cloud's fake, with all that plans and runs."""

    def __init__(self, fake: Any, registry: Any, journal: Journal) -> None:
        self.fake, self.registry, self.journal = fake, registry, journal
        self.reader = Reader(self.open, NullCache())

    async def open(self, host: str) -> Any:
        return self.registry

    async def delete(self, *locators: str, **options: Any) -> Any:
        graph = await gather(self.registry, self.reader, REPOSITORY)
        plan = plan_delete(graph, Selection.of(locators), **options)
        return await Executor(self.open, self.reader, self.journal).run(confirmed(plan))

    async def undo(self, entry: str) -> Any:
        record = read_record(self.journal, entry)
        plan = await plan_undo(record, self.open)
        executor = Executor(self.open, self.reader, self.journal)
        return await executor.run(confirmed(plan), manifests=dict(record.manifests))

    @property
    def tags(self) -> dict[str, str]:
        return dict(self.fake.repositories[REPOSITORY].tags)

    @property
    def digests(self) -> set[str]:
        return set(self.fake.repositories[REPOSITORY].manifests)


@pytest.fixture(params=KINDS)
async def cloud(request, tmp_path, monkeypatch):
    kind, _, mode = request.param.partition(", ")
    be_aws_user(monkeypatch, tmp_path, ecr.KEY, ecr.SECRET)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    made: dict[str, Any] = {
        "ecr": (ecr.FakeEcr, {}, EcrRegistry, ecr.HOST, None),
        "acr": (acr.FakeAcr, {"soft_delete": bool(mode)}, AcrRegistry, acr.HOST, ("acme", "password")),
        "google": (google.FakeGoogle, {}, GoogleRegistry, google.PKG, ("oauth2accesstoken", "ya29.token")),
    }
    fake_of, options, registry_of, host, user = made[kind]
    with fake_of(**options) as fake:
        kept = Credential(user[0], Secret(user[1]), source="test") if user else None
        client = client_of(host, fake.host, kept)
        registry = registry_of(client, settings=RegistrySettings(host, api=fake.host))
        registry.pause = no_pause
        yield Cloud(fake, registry, Journal(tmp_path / "journal"))
        await registry.close()


async def no_pause(_: float) -> None:
    return


async def test_the_last_tag_goes_and_the_image_stays(cloud: Cloud) -> None:
    image = content.image({"a": b"one"})
    cloud.fake.put(REPOSITORY, image, "only")
    run = await cloud.delete("only")
    assert [r.outcome for r in run.results] == ["done"], run.results
    assert cloud.tags == {}
    assert cloud.digests == {image.digest}
    back = await cloud.undo(run.entry)
    assert back.succeeded, back.results
    assert cloud.tags == {"only": image.digest}


async def test_one_of_two_tags_goes_and_nothing_else(cloud: Cloud) -> None:
    image = content.image({"a": b"one"})
    cloud.fake.put(REPOSITORY, image, "one", "two")
    run = await cloud.delete("one")
    assert run.succeeded, run.results
    assert cloud.tags == {"two": image.digest}


async def test_an_index_goes_with_all_that_hangs_on_it_and_comes_back(cloud: Cloud) -> None:
    one, two = content.image({"a": b"one"}), content.image({"a": b"two"}, platform="linux/arm64")
    index = content.index(one, two)
    signature = content.artifact("application/vnd.test.sig", subject=index)
    cloud.fake.put(REPOSITORY, index, "v1", "v2")
    cloud.fake.put(REPOSITORY, signature)
    other = content.image({"b": b"other"})
    cloud.fake.put(REPOSITORY, other, "other")
    before, family = cloud.tags, {made.digest for made in (index, one, two, signature)}
    run = await cloud.delete("v1", "v2", manifests=True)
    assert run.succeeded, run.results
    assert cloud.tags == {"other": other.digest}
    assert cloud.digests == {other.digest}
    back = await cloud.undo(run.entry)
    assert back.succeeded, back.results
    assert cloud.tags == before
    assert cloud.digests == family | {other.digest}
