"""Usage through the session: every tag's manifests read once, what can't be read named, registries as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from regtui.transport.errors import RegistryError
from tests.servers import content
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.session import Session
    from regtui.session.usage import UsageProgress

pytestmark = pytest.mark.real
BASE = {"base": b"b" * 3000}


def size_of(*contents: content.Content) -> int:
    return sum(len(raw) for raw in {each.digest: each.raw for each in contents}.values())


async def test_a_repository_and_its_registry(crane_registry: str, namespace: str, session: Session) -> None:
    session.options = replace(session.options, plain_http=frozenset((crane_registry,)))
    one, two = content.image([BASE, {"one": b"1"}]), content.image([BASE, {"two": b"2"}])
    arm = content.image([{"arm": b"a"}], platform="linux/arm64")
    many = content.index(two, arm)
    up = Uploader(crane_registry)
    up.push(f"{namespace}/app", one, "1", "old")
    up.push(f"{namespace}/app", many, "2")
    up.push(f"{namespace}/other", one, "copy")
    seen: list[UsageProgress] = []
    found = await session.usage.repository(crane_registry, f"{namespace}/app", progress=seen.append)
    assert found.unread == ()
    assert (seen[-1].read, seen[-1].tags) == (3, 3)
    usage = found.usage
    everything = (one, *one.needs, many, two, *two.needs, arm, *arm.needs)
    assert usage.unique == size_of(*everything)
    assert usage.logical == 2 * size_of(one, *one.needs) + size_of(many, two, *two.needs, arm, *arm.needs)
    # The base layer is the only blob that two images name.
    assert usage.shared == len(one.needs[1].raw)
    assert usage.freed_by(["1"]) == 0
    assert usage.freed_by(["1", "old"]) == size_of(one, *one.needs) - usage.shared
    whole = await session.usage.registry(crane_registry, namespace)
    assert set(whole.usage.by_repository) == {f"{namespace}/app", f"{namespace}/other"}
    assert whole.usage.unique == usage.unique
    assert whole.usage.shared == usage.shared
    assert whole.usage.by_repository[f"{namespace}/app"].freed_by(["1", "old"]) == 0
    top = whole.usage.layers_by_use()[0]
    assert (top.digest, top.images, top.tags) == (one.needs[1].digest, 2, 4)


async def test_what_cannot_be_read_is_named(docker_registry: str, namespace: str, session: Session) -> None:
    session.options = replace(session.options, plain_http=frozenset((docker_registry,)))
    up = Uploader(docker_registry)
    up.push(f"{namespace}/app", content.image(), "1")
    registry = await session.registry(docker_registry)
    tags = [tag async for page in registry.tags(f"{namespace}/app") for tag in page.items]
    found = await session.usage.repository(
        docker_registry, f"{namespace}/app", [*tags, replace(tags[0], name="no-such-tag")]
    )
    assert [tag.tag for tag in found.usage.tags] == ["1"]
    assert [missing.tag for missing in found.unread] == ["no-such-tag"]
    with pytest.raises(RegistryError):
        await session.usage.repository(docker_registry, f"{namespace}/none")


async def test_a_layout_is_counted_like_a_registry(demo: Path, session: Session) -> None:
    found = await session.usage.registry(str(demo))
    assert found.unread == ()
    blobs = {path.name: path.stat().st_size for path in (demo / "blobs/sha256").iterdir()}
    tags = [tag for usage in found.usage.by_repository.values() for tag in usage.tags]
    named = {digest.encoded: size for tag in tags for digest, size in tag.blobs.items()}
    assert found.usage.unique == sum(named.values())
    # One image of the sample is broken on purpose: what it names and nobody has still counts.
    missing = named.keys() - blobs.keys()
    assert len(missing) < 5
    assert {name: size for name, size in named.items() if name not in missing} == {
        name: blobs[name] for name in named.keys() - missing
    }
