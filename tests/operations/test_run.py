"""Plans run against real registries: what goes, what stays, what another client does meanwhile, and the way back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from regtui.oci import Digest, parse_manifest
from regtui.operations.confirming import Confirmed, confirm, confirmation_of
from regtui.operations.errors import Refused
from regtui.operations.plan import Action
from regtui.operations.record import read_record
from regtui.operations.tagging import plan_retag
from regtui.operations.undo import list_entries
from regtui.registries.contract import Capabilities, Capability, DeletedManifest, Page, Support
from regtui.registries.distribution import DistributionRegistry
from tests.operations.conftest import Bench, confirmed
from tests.servers import content

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.servers.oci11 import FakeRegistry

pytestmark = pytest.mark.real


def images() -> tuple[content.Content, content.Content]:
    return content.image({"a": b"one"}), content.image({"a": b"two"}, platform="linux/arm64")


async def test_one_of_three_tags_goes_and_nothing_else(bench: Bench) -> None:
    image, _ = images()
    digest = bench.uploader.push(bench.repository, image, "one", "two", "three")
    run = await bench.run(await bench.plan("two"))
    assert [r.outcome for r in run.results] == ["done"], run.results
    assert bench.tags() == {"one": digest, "three": digest}
    assert bench.has(digest)


async def test_undo_puts_a_tag_back(bench: Bench) -> None:
    image, _ = images()
    digest = bench.uploader.push(bench.repository, image, "one", "two")
    run = await bench.run(await bench.plan("two"))
    back = await bench.undo(run.entry)
    assert back.succeeded, back.results
    assert bench.tags() == {"one": digest, "two": digest}
    assert [e.undone for e in list_entries(bench.journal) if e.id == run.entry] == [True]


def push_family(bench: Bench) -> list[str]:
    """An index with two platforms and all kinds of things that hang on it."""
    index = content.index(*images())
    bench.uploader.push(bench.repository, index, "v1")
    signature, sbom = content.artifact("application/vnd.test.sig", subject=index), content.artifact("x/sbom", b"[]")
    bench.uploader.push(bench.repository, signature)
    bench.uploader.push_referrers_tag(bench.repository, index, signature)
    bench.uploader.push(bench.repository, sbom, index.digest.replace(":", "-") + ".sbom")
    return [index.digest, *(child.digest for child in index.needs), signature.digest, sbom.digest]


async def test_a_whole_index_goes_and_comes_back_byte_for_byte(bench: Bench) -> None:
    family = push_family(bench)
    other = bench.uploader.push(bench.repository, content.image({"b": b"other"}), "other")
    before = bench.tags()
    plan = await bench.plan("v1", manifests=True)
    run = await bench.run(plan)
    assert run.succeeded, run.results
    assert bench.tags() == {"other": other}
    assert not any(map(bench.has, family))
    back = await bench.undo(run.entry)
    assert back.succeeded, back.results
    assert bench.tags() == before
    assert all(map(bench.has, family))


async def test_what_another_tag_needs_stays(bench: Bench) -> None:
    one, two = images()
    index = content.index(one, two)
    bench.uploader.push(bench.repository, index, "v1", "v2")
    bench.uploader.push(bench.repository, one, "amd64")
    run = await bench.run(await bench.plan("v1", "v2", manifests=True))
    assert run.succeeded, run.results
    assert bench.tags() == {"amd64": one.digest}
    assert not bench.has(two.digest)


async def test_a_tag_that_moved_since_is_left_alone(bench: Bench) -> None:
    one, two = images()
    bench.uploader.push(bench.repository, one, "a", "b")
    plan = await bench.plan("a", "b")
    bench.uploader.push(bench.repository, two, "a")
    run = await bench.run(plan)
    assert [r.outcome for r in run.results] == ["skipped", "done"]
    assert bench.tags() == {"a": two.digest}


async def test_a_manifest_that_got_a_new_tag_or_parent_since_is_left_alone(bench: Bench) -> None:
    one, two = images()
    bench.uploader.push(bench.repository, one, "a")
    bench.uploader.push(bench.repository, two, "b")
    plan = await bench.plan("a", "b", manifests=True)
    bench.uploader.push(bench.repository, one, "new")
    bench.uploader.push(bench.repository, content.index(two), "index")
    run = await bench.run(plan)
    assert [r.outcome for r in run.results] == ["skipped", "skipped"], run.results
    assert bench.has(one.digest)
    assert bench.has(two.digest)


async def test_an_index_that_stays_keeps_its_children(bench: Bench) -> None:
    index = content.index(*images())
    bench.uploader.push(bench.repository, index, "v1")
    plan = await bench.plan("v1", manifests=True)
    bench.uploader.push(bench.repository, index, "rescued")
    run = await bench.run(plan)
    assert [r.outcome for r in run.results] == ["skipped", "not run", "not run"]
    assert all(bench.has(child.digest) for child in index.needs)


async def test_retag_moves_and_undo_moves_back(bench: Bench) -> None:
    one, two = images()
    bench.uploader.push(bench.repository, one, "v1")
    bench.uploader.push(bench.repository, two, "stable")
    graph = await bench.graph()
    run = await bench.run(plan_retag(graph, graph.tags["v1"], "stable", overwrite=True, protection=lambda _: None))
    assert bench.tags() == {"v1": one.digest, "stable": one.digest}
    assert (await bench.undo(run.entry)).succeeded
    assert bench.tags() == {"v1": one.digest, "stable": two.digest}
    fresh = await bench.run(plan_retag(graph, graph.tags["v1"], "new", protection=lambda _: None))
    assert bench.tags()["new"] == one.digest
    assert (await bench.undo(fresh.entry)).succeeded
    assert "new" not in bench.tags()


async def test_undo_leaves_newer_tags_alone_and_says_so(bench: Bench) -> None:
    one, two = images()
    bench.uploader.push(bench.repository, one, "a", "b")
    run = await bench.run(await bench.plan("a", "b"))
    bench.uploader.push(bench.repository, two, "a")
    back = await bench.undo(run.entry)
    assert "left alone" in back.plan.warnings[0]
    assert bench.tags() == {"a": two.digest, "b": one.digest}


async def test_planning_sends_nothing_but_reads(fake: FakeRegistry, bench_of: Any) -> None:
    index = content.index(*images())
    fake.put("app", index, "v1", "v2")
    fake.put("app", content.artifact("x/sig", subject=index))
    bench = bench_of(fake.host, "app")
    plan = await bench.plan("v1", "v2", manifests=True)
    assert len([s for s in plan.steps if s.action is Action.DELETE]) == 4
    assert {asked.method for asked in fake.asked} <= {"GET", "HEAD"}


async def test_a_referrer_attached_since_saves_its_subject(fake: FakeRegistry, bench_of: Any) -> None:
    image, _ = images()
    fake.put("app", image, "v1")
    bench = bench_of(fake.host, "app")
    plan = await bench.plan("v1", manifests=True)
    fake.put("app", content.artifact("x/sig", subject=image))
    run = await bench.run(plan)
    assert run.results[0].outcome == "skipped"
    assert bench.has(image.digest)


async def test_deletion_that_is_off_is_said_and_changes_nothing(bench_of: Any) -> None:
    from tests.servers.oci11 import FakeRegistry

    image, _ = images()
    with FakeRegistry(delete=False) as server:
        server.put("app", image, "a", "b")
        bench = bench_of(server.host, "app")
        run = await bench.run(await bench.plan("a"))
        assert run.results[0].outcome == "failed"
        assert "off" in run.results[0].says
        assert bench.tags() == {"a": image.digest, "b": image.digest}
        assert "PUT" not in {asked.method for asked in server.asked}, "the swap is proven before it begins"


async def test_undo_says_when_it_is_too_late(fake: FakeRegistry, bench_of: Any) -> None:
    image, _ = images()
    fake.put("app", image, "v1")
    bench = bench_of(fake.host, "app")
    run = await bench.run(await bench.plan("v1", manifests=True))
    assert run.succeeded
    fake.repositories["app"].blobs.clear()
    back = await bench.undo(run.entry)
    assert back.results == ()
    assert "too late" in back.plan.warnings[0]


async def test_cancel_leaves_a_truthful_journal_and_resume_finishes(fake: FakeRegistry, bench_of: Any) -> None:
    made = [content.image({"n": b"%d" % n}) for n in range(10)]
    for n in range(1000):
        fake.put("app", made[n % 10], f"t{n}")
    bench = bench_of(fake.host, "app")
    plan = await bench.plan(*(f"t{n}" for n in range(1000)))
    executor = bench.executor()

    def stop(_: object) -> None:
        bench.told.append(None)
        if len(bench.told) == 300:
            executor.cancel()

    executor._progress = stop
    run = await executor.run(confirmed(plan))
    assert run.state == "cancelled"
    done = [step.tag for step, result in zip(plan.steps, run.results, strict=True) if result.outcome == "done"]
    assert 300 <= len(done) < 400
    assert set(fake.repositories["app"].tags) == {f"t{n}" for n in range(1000)} - set(done)
    record = read_record(bench.journal, run.entry)
    assert {plan.steps[n].tag for n, r in record.results.items() if r.outcome == "done"} == set(done)
    rest = await bench.executor().resume(run.entry, confirmed(plan))
    assert rest.succeeded
    assert not fake.repositories["app"].tags
    assert len([asked for asked in fake.asked if asked.method == "DELETE"]) == 1000
    assert (await bench.undo(run.entry)).succeeded
    assert len(fake.repositories["app"].tags) == 1000


async def test_a_cancelled_task_ends_what_is_under_way(fake: FakeRegistry, bench_of: Any) -> None:
    image, _ = images()
    for n in range(200):
        fake.put("app", image, f"t{n}")
    bench = bench_of(fake.host, "app")
    plan = await bench.plan(*(f"t{n}" for n in range(200)))
    begun = asyncio.Event()
    executor = bench.executor()
    executor._progress = lambda _: begun.set()
    task = asyncio.ensure_future(executor.run(confirmed(plan)))
    await asyncio.wait_for(begun.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (entry,) = bench.journal.entries()
    record = read_record(bench.journal, entry.id)
    assert record.state == "cancelled"
    done = {plan.steps[n].tag for n, r in record.results.items() if r.outcome == "done"}
    assert set(fake.repositories["app"].tags) == {f"t{n}" for n in range(200)} - done


async def test_nothing_runs_unconfirmed(fake: FakeRegistry, bench_of: Any) -> None:
    image, _ = images()
    fake.put("app", image, *(f"t{n}" for n in range(12)))
    bench = bench_of(fake.host, "app")
    few, many = await bench.plan("t1"), await bench.plan(*(f"t{n}" for n in range(12)))
    with pytest.raises(Refused, match="read-only"):
        confirm(few, writable=lambda _: False, production=lambda _: False, yes=True)
    with pytest.raises(Refused, match="confirmed"):
        confirm(few, writable=lambda _: True, production=lambda _: False)
    with pytest.raises(Refused, match="app typed"):
        confirm(many, writable=lambda _: True, production=lambda _: False, phrase="y")
    assert confirm(many, writable=lambda _: True, production=lambda _: False, phrase="app").plan is many
    assert confirmation_of(few, production=lambda _: False).phrase is None
    assert confirmation_of(few, production=lambda _: True).phrase == "app"
    with pytest.raises(Refused):
        Confirmed(few, object())
    assert {asked.method for asked in fake.asked} <= {"GET", "HEAD"}


class KeepingRegistry(DistributionRegistry):
    """Keeps what is deleted, as registries with a trash can do; the fake behind it forgets the blobs, too."""

    def __init__(self, *arguments: Any, fake: FakeRegistry) -> None:
        super().__init__(*arguments)
        self.fake = fake
        self.bin: dict[Digest, tuple[bytes, str, dict[str, bytes]]] = {}

    async def capabilities(self) -> Capabilities:
        plain = await super().capabilities()
        return Capabilities({**plain.support, Capability.SOFT_DELETE: Support(True)})

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        manifest = await self.manifest(repository, digest)
        await super().delete_manifest(repository, digest)
        self.bin[digest] = (manifest.raw, manifest.media_type, dict(self.fake.repositories[repository].blobs))
        self.fake.repositories[repository].blobs.clear()

    async def deleted(self, repository: str) -> AsyncIterator[Page[DeletedManifest]]:
        yield Page(tuple(DeletedManifest(digest) for digest in self.bin))

    async def restore(self, repository: str, deleted: DeletedManifest) -> None:
        assert deleted.digest is not None
        raw, media_type, blobs = self.bin.pop(deleted.digest)
        self.fake.repositories[repository].blobs.update(blobs)
        await self.put_manifest(repository, deleted.digest, parse_manifest(raw, media_type))


async def test_what_the_registry_keeps_itself_is_restored_by_it(fake: FakeRegistry, bench_of: Any) -> None:
    image, _ = images()
    fake.put("app", image, "v1")
    bench = bench_of(fake.host, "app")
    plain = await bench.open(fake.host)
    keeping = KeepingRegistry(plain.client, fake=fake)
    bench.registries[fake.host] = keeping
    run = await bench.run(await bench.plan("v1", manifests=True))
    assert run.succeeded, run.results
    assert not fake.repositories["app"].blobs, "without the registry's help it would be too late"
    back = await bench.undo(run.entry)
    assert back.succeeded, (back.plan.warnings, back.results)
    assert [s.why for s in back.plan.steps if s.action is Action.RESTORE] == ["the registry keeps it"]
    assert bench.tags() == {"v1": image.digest}
