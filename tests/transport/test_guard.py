"""The guard: what could change a registry goes out for a confirmed plan only; the audit log knows of all of it."""

from __future__ import annotations

import ast
import asyncio
import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import regtui
from regtui.credentials.values import ANONYMOUS, Credential, Secret
from regtui.oci import Descriptor, Digest, parse_manifest
from regtui.registries.contract import closing
from regtui.registries.distribution import DistributionRegistry
from regtui.storage.audit import AuditLog
from regtui.storage.errors import StorageError
from regtui.transport.client import RegistryClient
from regtui.transport.guard import WriteRefused, purpose, writing
from regtui.transport.options import HostOptions
from regtui.transport.request_log import RequestLog
from tests.servers import content
from tests.servers.oci11 import FakeRegistry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Given:
    def __init__(self, credential: Credential = ANONYMOUS) -> None:
        self._credential = credential

    async def find(self, host: str) -> Credential:
        return self._credential

    def forget(self, host: str) -> None:
        return


@pytest.fixture
def server() -> Iterator[FakeRegistry]:
    with FakeRegistry() as made:
        made.put("app", content.image(), "v1")
        yield made


@pytest.fixture
async def registry(server: FakeRegistry, tmp_path: Path) -> AsyncIterator[DistributionRegistry]:
    log = RequestLog(audit=AuditLog(tmp_path / "state" / "audit.log"))
    made = DistributionRegistry(RegistryClient(HostOptions(server.host, plain_http=True), Given(), log=log))
    yield made
    await made.close()


def audited(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "state" / "audit.log").read_text().splitlines()]


async def once(raw: bytes) -> AsyncIterator[bytes]:
    yield raw


async def test_nothing_that_changes_is_sent_outside_of_a_plan(
    registry: DistributionRegistry, server: FakeRegistry
) -> None:
    image = content.image()
    manifest = parse_manifest(image.raw, image.media_type)
    blob = Descriptor("x/y", Digest.of(b"new"), 3)
    calls = [
        lambda: registry.put_manifest("app", "v2", manifest),
        lambda: registry.put_blob("app", blob, once(b"new")),
        lambda: registry.mount_blob("other", manifest.digest, "app"),
        lambda: registry.delete_tag("app", "v1"),
        lambda: registry.delete_manifest("app", manifest.digest),
        lambda: registry.probe_delete("app"),
        lambda: registry.client.upload("PUT", "/v2/app/blobs/uploads/1", once(b"x"), size=1),
        lambda: registry.client.request("POST", "/anything"),
        lambda: registry.client.request("PATCH", "/v2/app/blobs/uploads/1"),
        lambda: registry.client.request("OPTIONS", "/v2/"),
    ]
    for call in calls:
        with pytest.raises(WriteRefused, match="no confirmed plan"):
            await call()
    assert {asked.method for asked in server.asked} <= {"GET", "HEAD"}


async def test_all_that_browsing_asks_is_read(registry: DistributionRegistry, server: FakeRegistry) -> None:
    digest = Digest.parse(content.image().digest)
    await registry.capabilities()
    for pages in (registry.repositories(), registry.tags("app")):
        async with closing(pages) as listed:
            assert [page async for page in listed]
    await registry.head_manifest("app", "v1")
    manifest = await registry.manifest("app", "v1")
    await registry.referrers("app", digest)
    assert isinstance(manifest.raw, bytes)
    assert {asked.method for asked in server.asked} <= {"GET", "HEAD"}


async def test_a_purpose_holds_for_the_tasks_it_starts_and_ends_with_its_block(
    registry: DistributionRegistry, tmp_path: Path
) -> None:
    with writing("delete plan"):
        await asyncio.create_task(registry.delete_tag("app", "v1"))
    assert purpose() is None
    with pytest.raises(WriteRefused):
        await registry.delete_tag("app", "v1")
    sent, answered = audited(tmp_path)
    assert (sent["event"], sent["method"], sent["for"]) == ("sent", "DELETE", "delete plan")
    assert sent["url"].endswith("/v2/app/manifests/v1")
    assert (answered["event"], answered["status"]) == ("answered", 202)
    mode = (tmp_path / "state" / "audit.log").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


async def test_no_secret_is_written_and_reads_are_not(server: FakeRegistry, tmp_path: Path) -> None:
    log = RequestLog(audit=AuditLog(tmp_path / "state" / "audit.log"))
    credential = Credential("alice", Secret("wonderland"), source="test")
    client = RegistryClient(HostOptions(server.host, plain_http=True), Given(credential), log=log)
    await client.request("GET", "/v2/")
    assert not (tmp_path / "state").exists()
    with writing("test"):
        await client.request("DELETE", "/v2/app/manifests/v1?token=s3cret", expect=frozenset({202, 400, 404}))
    await client.close()
    text = (tmp_path / "state" / "audit.log").read_text()
    assert "s3cret" not in text
    assert "wonderland" not in text


async def test_what_can_not_be_noted_is_not_sent(server: FakeRegistry, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder belongs")
    log = RequestLog(audit=AuditLog(tmp_path / "state" / "audit.log"))
    client = RegistryClient(HostOptions(server.host, plain_http=True), Given(), log=log)
    with writing("test"), pytest.raises(StorageError, match="audit log"):
        await client.request("DELETE", "/v2/app/manifests/v1")
    await client.close()
    assert {asked.method for asked in server.asked} <= {"GET", "HEAD"}


def test_only_the_executor_and_what_removes_nothing_allow_changes() -> None:
    package = Path(regtui.__file__).parent
    found = set()
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "regtui.transport.guard":
                names = {alias.name for alias in node.names}
                if names & {"writing", "_PURPOSE"}:
                    found.add(path.relative_to(package).as_posix())
    assert found == {"operations/executor.py", "operations/asking.py"}


def test_a_full_log_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regtui.storage.audit.LARGEST", 1000)
    log = AuditLog(tmp_path / "audit.log")
    for n in range(30):
        log({"event": "sent", "n": n})
    kept = (tmp_path / "audit.log.1").read_text() + (log.path.read_text() if log.path.exists() else "")
    assert '"n": 29' in kept
    assert (tmp_path / "audit.log.1").stat().st_size < 1200
