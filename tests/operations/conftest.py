"""A bench on one registry: push with nothing of regtui's own, plan, run, undo."""

from __future__ import annotations

import argparse
import subprocess
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from regtui.credentials.values import ANONYMOUS
from regtui.operations.confirming import confirm
from regtui.operations.deleting import Selection, plan_delete
from regtui.operations.executor import Executor, Run
from regtui.operations.gather import gather
from regtui.operations.record import read_record
from regtui.operations.undo import plan_undo
from regtui.registries.distribution import DistributionRegistry
from regtui.session.reader import Reader
from regtui.storage.cache import NullCache
from regtui.storage.journal import Journal
from regtui.transport.client import RegistryClient
from regtui.transport.options import HostOptions
from tests.servers import tools
from tests.servers.oci11 import FakeRegistry
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from regtui.operations.graph import Graph
    from regtui.operations.plan import Plan
    from regtui.registries.contract import Registry

REAL = ("docker_registry", "registry_v3", "crane_registry", "olareg")


class Anonymous:
    async def find(self, host: str) -> Any:
        return ANONYMOUS

    def forget(self, host: str) -> None:
        return


def connect(host: str) -> DistributionRegistry:
    return DistributionRegistry(RegistryClient(HostOptions(host, plain_http=True), Anonymous()))


@dataclass
class Bench:
    """One repository of one registry."""

    host: str
    repository: str
    journal: Journal
    registries: dict[str, Registry] = field(default_factory=dict)
    told: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.uploader = Uploader(self.host)
        self.reader = Reader(self.open, NullCache())

    async def open(self, host: str) -> Registry:
        if host not in self.registries:
            self.registries[host] = connect(host)
        return self.registries[host]

    async def graph(self, *of: str, repository: str | None = None) -> Graph:
        return await gather(await self.open(self.host), self.reader, repository or self.repository, of=of or None)

    async def plan(self, *locators: str, **options: Any) -> Plan:
        return plan_delete(await self.graph(*locators), Selection.of(locators), **options)

    def executor(self, **options: Any) -> Executor:
        return Executor(self.open, self.reader, self.journal, progress=self.told.append, **options)

    async def run(self, plan: Plan, **options: Any) -> Run:
        return await self.executor(**options).run(confirmed(plan))

    async def undo(self, entry: str) -> Run:
        record = read_record(self.journal, entry)
        plan = await plan_undo(record, self.open)
        return await self.executor().run(confirmed(plan), manifests=dict(record.manifests))

    def tags(self) -> dict[str, str | None]:
        return {tag: self.uploader.digest_at(self.repository, tag) for tag in self.uploader.tags(self.repository)}

    def has(self, digest: str) -> bool:
        return self.uploader.digest_at(self.repository, digest) is not None


def confirmed(plan: Plan) -> Any:
    return confirm(plan, writable=lambda _: True, production=lambda _: False, yes=True)


@pytest.fixture
async def bench_of(tmp_path: Path) -> AsyncIterator[Any]:
    """Makes benches: bench_of(host, repository)."""
    made: list[Bench] = []

    def make(host: str, repository: str) -> Bench:
        made.append(Bench(host, repository, Journal(tmp_path / "journal")))
        return made[-1]

    yield make
    for bench in made:
        for registry in bench.registries.values():
            await registry.close()


@pytest.fixture(params=REAL)
def bench(request: pytest.FixtureRequest, bench_of: Any, namespace: str) -> Bench:
    """A repository on each real registry."""
    return bench_of(request.getfixturevalue(request.param), f"{namespace}/app")


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    """A registry with the referrers API, which notes every request."""
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, state and cache of this test's own."""
    for name in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.delenv("REGTUI_CONFIG", raising=False)


async def command(name: str, *words: str) -> int:
    """Run a command of regtui; its exit code."""
    module = import_module(f"regtui.cli.{name}")
    parser = argparse.ArgumentParser()
    module.configure(parser)
    return await module.run(parser.parse_args(list(words)))


def skopeo(*words: str) -> str:
    """What skopeo prints."""
    return subprocess.run(
        [tools.require("skopeo"), *words], check=True, capture_output=True, text=True, timeout=60
    ).stdout
