"""Two images compared through the session: across registries, with the layers that they share left unread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from regtui.contents.differences import Kind
from regtui.contents.errors import NotBrowsable
from regtui.session import parse_image
from tests.servers import content
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.session import Session
    from regtui.session.contents import LayerProgress

DPKG = b"Package: %s\nStatus: install ok installed\nVersion: %s\nArchitecture: amd64\n\n"
BASE = {"etc/os": b"base" * 400, "var/lib/dpkg/status": DPKG % (b"libc6", b"2.36")}
ONE = {
    "app/run": b"1",
    "app/gone": b"x",
    "usr/lib/python3/dist-packages/a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n",
}
TWO = {"app/run": b"22", "var/lib/dpkg/status": DPKG % (b"libc6", b"2.37") + DPKG % (b"curl", b"8")}


async def compare(session: Session, one: str, two: str, **options: bool):
    before, after = [await session.image(parse_image(reference)) for reference in (one, two)]
    return await session.differences(before, after, **options)


@pytest.fixture
def both(docker_registry: str, crane_registry: str, namespace: str, session: Session) -> tuple[str, str]:
    """Two images on two registries with one base."""
    session.options = replace(session.options, plain_http=frozenset((docker_registry, crane_registry)))
    Uploader(docker_registry).push(f"{namespace}/app", content.image([BASE, ONE]), "1")
    Uploader(crane_registry).push(f"{namespace}/other", content.image([BASE, TWO], labels={"v": "2"}), "2")
    return f"{docker_registry}/{namespace}/app:1", f"{crane_registry}/{namespace}/other:2"


@pytest.mark.real
async def test_shared_layers_are_not_read(both: tuple[str, str], session: Session) -> None:
    seen: list[LayerProgress] = []
    before, after = [await session.image(parse_image(reference)) for reference in both]
    found = await session.differences(before, after, seen.append)
    assert found.unread == 1
    assert seen[-1].done == seen[-1].layers == 4
    assert seen[-1].read == seen[-1].total == before.manifest.layers[1].size + after.manifest.layers[1].size
    assert [(layer.kind, layer.before, layer.after) for layer in found.layers] == [
        (Kind.EQUAL, 0, 0),
        (Kind.ADDED, None, 1),
        (Kind.REMOVED, 1, None),
    ]
    kinds = {difference.path: difference.kind for difference in found.files}
    assert kinds["/app/run"] == Kind.CHANGED
    assert kinds["/app/gone"] == kinds["/var/lib/dpkg/status"] == Kind.WRITTEN
    assert [(d.name, d.before, d.after) for d in found.config or () if d.name.startswith("Label")] == [
        ("Label v", None, "2")
    ]
    # One image alone rewrites dpkg's database: the other's is in the base, which nobody read.
    assert found.packages.unknown == ("dpkg",)
    assert [(p.name, p.kind, p.bytes_before) for p in found.packages.differences] == [("a", Kind.WRITTEN, None)]


@pytest.mark.real
async def test_a_full_comparison_is_exact_and_known_layers_need_no_reading(
    both: tuple[str, str], session: Session
) -> None:
    found = await compare(session, *both, full=True)
    assert found.unread == 0
    kinds = {difference.path: difference.kind for difference in found.files}
    assert kinds["/app/gone"] == Kind.REMOVED
    assert kinds["/var/lib/dpkg/status"] == Kind.CHANGED
    assert {(p.name, p.kind) for p in found.packages.differences} == {
        ("libc6", Kind.UP),
        ("curl", Kind.ADDED),
        ("a", Kind.REMOVED),
    }
    assert found.packages.unknown == ()
    again = await compare(session, *both)
    assert again.unread == 0
    assert again.files == found.files


async def test_the_same_image_differs_in_nothing(demo: Path, session: Session) -> None:
    image = f"{demo}/shop/reports:0.4.0"
    found = await compare(session, image, image)
    assert (found.config, found.files, found.packages.differences, found.problems) == ((), (), (), ())
    assert {layer.kind for layer in found.layers} == {Kind.EQUAL}


@pytest.mark.real
async def test_hashes_tell_touched_files_from_changed_ones(
    docker_registry: str, namespace: str, session: Session
) -> None:
    session.options = replace(session.options, plain_http=frozenset((docker_registry,)))
    up = Uploader(docker_registry)
    up.push(f"{namespace}/app", content.image([{"a": b"same", "b": b"one"}]), "1")
    up.push(f"{namespace}/app", content.image([{"a": b"same", "b": b"two"}]), "2")
    references = [f"{docker_registry}/{namespace}/app:{tag}" for tag in "12"]
    # Both tars have the same times and sizes: nothing but the content tells the files apart.
    assert (await compare(session, *references)).files == ()
    found = await compare(session, *references, hash_files=True)
    assert [(d.path, d.kind, d.sure) for d in found.files] == [("/b", Kind.CHANGED, True)]


async def test_an_artifact_is_named(demo: Path, session: Session) -> None:
    with pytest.raises(NotBrowsable, match=r"charts/cart.* is not an image"):
        await compare(session, f"{demo}/shop/reports:0.4.0", f"{demo}/charts/cart:1.0.0")
