"""What the servers serve: synthetic registries as storage trees and static files, deterministic from their sizes."""

from __future__ import annotations

import hashlib
import json
import random
from typing import TYPE_CHECKING

from benchmarks.clients import REPOSITORY
from tests.servers.content import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Content, dumps
from tests.servers.storage_tree import StorageTree

if TYPE_CHECKING:
    from pathlib import Path

_HISTORY = 20


def image(number: int) -> Content:
    """An image of 8 layers as registries hold many: a manifest of about 2 KB and a config of about 4.7 KB."""
    seed = hashlib.sha256(str(number).encode()).hexdigest()
    layers = [
        {"mediaType": OCI_LAYER, "digest": _digest(f"{seed}{n}"), "size": 1_000_000 * (n + 1) + number}
        for n in range(8)
    ]
    step = "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends curl ca-certificates # buildkit"
    history = [
        {
            "created": f"2026-01-02T03:04:{n:02}Z",
            "created_by": f"{step} {seed[:16]}",
            "comment": "buildkit.dockerfile.v0",
        }
        for n in range(_HISTORY)
    ]
    config = Content(
        OCI_CONFIG,
        dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "created": "2026-01-02T03:04:05Z",
                "config": {"Cmd": ["/app"], "Labels": {"number": str(number)}},
                "rootfs": {"type": "layers", "diff_ids": [_digest(f"diff{seed}{n}") for n in range(8)]},
                "history": history,
            }
        ),
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.descriptor,
        "layers": layers,
        "annotations": {f"org.example.{word}": seed * 2 for word in ("source", "revision", "build")},
    }
    return Content(OCI_MANIFEST, dumps(manifest), (config,), is_manifest=True)


def tag_names(count: int) -> list[str]:
    """Tags as a busy repository has them."""
    return [f"v{n // 100}.{n % 100}-alpine{n % 7}" for n in range(count)]


def many_tags(root: Path, count: int) -> None:
    """A repository with `count` tags on one image."""
    tree = StorageTree(root)
    digest = tree.put(REPOSITORY, image(0))
    for name in tag_names(count):
        tree.tag(REPOSITORY, digest, name)


def many_images(root: Path, count: int) -> None:
    """A repository with `count` tags, each on an image of its own."""
    tree = StorageTree(root)
    for number, name in enumerate(tag_names(count)):
        tree.put(REPOSITORY, image(number), name)


def many_repositories(root: Path, count: int) -> None:
    """`count` repositories with one image each."""
    tree = StorageTree(root)
    content = image(0)
    for number in range(count):
        tree.put(f"team{number % 40}/service-{number:05}", content)


def static_images(root: Path, count: int) -> None:
    """The same repository as `many_images`, as files for a static server."""
    place = root / "v2" / REPOSITORY
    for folder in ("manifests", "blobs"):
        (place / folder).mkdir(parents=True)
    for number, name in enumerate(tag_names(count)):
        content = image(number)
        for locator in (name, content.digest):
            (place / "manifests" / locator).write_bytes(content.raw)
        for need in content.needs:
            (place / "blobs" / need.digest).write_bytes(need.raw)


def image_paths(count: int) -> list[str]:
    """The 2 requests for each tag of `many_images`: its manifest by tag, its config by digest."""
    paths = []
    for number, name in enumerate(tag_names(count)):
        config = image(number).needs[0]
        paths += [f"/v2/{REPOSITORY}/manifests/{name}", f"/v2/{REPOSITORY}/blobs/{config.digest}"]
    return paths


def tag_pages(root: Path, pages: int, size: int) -> dict[str, str]:
    """Pages of tags as static files; the Link header by `last`. Two settings of n lead to the same pages."""
    place = root / "v2" / REPOSITORY / "tags" / "list"
    place.mkdir(parents=True)
    names = [f"v{n:07}" for n in range(pages * size)]
    links, last = {}, ""
    for number in range(pages):
        page = names[number * size : (number + 1) * size]
        (place / f"page{last}.json").write_text(json.dumps({"name": REPOSITORY, "tags": page}))
        if number < pages - 1:
            links[last] = f'</v2/{REPOSITORY}/tags/list?n={size}&last={page[-1]}>; rel="next"'
        last = page[-1]
    return links


def static_blob(root: Path, size: int) -> str:
    """A blob of bytes that don't compress, as a file for a static server; its digest."""
    place = root / "v2" / REPOSITORY / "blobs"
    place.mkdir(parents=True, exist_ok=True)
    source, hashed, left = random.Random(7), hashlib.sha256(), size
    draft = place / "draft"
    with draft.open("wb") as file:
        while left:
            piece = source.randbytes(min(left, 1 << 20))
            file.write(piece)
            hashed.update(piece)
            left -= len(piece)
    digest = f"sha256:{hashed.hexdigest()}"
    draft.rename(place / digest)
    return digest


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
