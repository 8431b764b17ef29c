"""Listings that skip the download, over a real registry with the referrers API: what was asked for is counted."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from regtui.contents.lazy import ESTARGZ_DIGEST
from regtui.session import parse_image, shortcuts
from tests.corpus.estargz import write_estargz
from tests.servers.content import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Content, dumps
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from regtui.session import Session
    from regtui.session.contents import ImageContents

pytestmark = pytest.mark.real
FOLDER = Path(__file__).parents[1] / "contents/soci"
LAYER = (FOLDER / "layer.tar.gz").read_bytes()
ZTOC = gzip.decompress((FOLDER / "layer.ztoc.gz").read_bytes())
SOCI = "application/vnd.amazon.soci.index.v1+json"


def image_of(layer: Content) -> Content:
    diff_id = "sha256:" + hashlib.sha256(gzip.decompress(layer.raw)).hexdigest()
    about = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff_id]}}
    config = Content(OCI_CONFIG, dumps(about))
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.descriptor,
        "layers": [layer.descriptor],
    }
    return Content(OCI_MANIFEST, dumps(body), (config, layer), is_manifest=True)


def soci_of(subject: Content, layer: Content, ztoc: bytes) -> Content:
    config, table = Content(SOCI, b"{}"), Content("application/octet-stream", ztoc)
    notes = {"com.amazon.soci.image-layer-digest": layer.digest}
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": SOCI,
        "config": config.descriptor,
        "layers": [{**table.descriptor, "annotations": notes}],
        "subject": subject.descriptor,
    }
    return Content(OCI_MANIFEST, dumps(body), (config, table), is_manifest=True)


@pytest.fixture
def layer() -> Content:
    return Content(OCI_LAYER, LAYER)


@pytest.fixture
def opened(session: Session, olareg: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The blobs that were opened as a stream."""
    monkeypatch.setattr(shortcuts, "SMALLEST", 1)
    session.options = replace(session.options, plain_http=frozenset((olareg,)))
    return []


async def read(session: Session, reference: str, opened: list[str], **options: bool) -> ImageContents:
    image = await session.image(parse_image(reference))
    registry = await session.registry(image.reference.host)
    before = type(registry).open_blob

    def watched(path, descriptor, **more):
        opened.append(descriptor.digest)
        return before(registry, path, descriptor, **more)

    registry.open_blob = watched
    return await session.contents.contents(image, **options)


async def test_an_attached_index_is_used_and_named(
    session: Session, olareg: str, namespace: str, layer: Content, opened: list[str]
) -> None:
    image = image_of(layer)
    up = Uploader(olareg)
    up.push(f"{namespace}/app", image, "1")
    up.push(f"{namespace}/app", soci_of(image, layer, ZTOC))
    reference = f"{olareg}/{namespace}/app:1"
    found = await read(session, reference, opened)
    assert opened == []
    assert [(index.source, index.verified) for index in found.tree.layers if index] == [("soci", False)]
    assert (found.missing, found.from_tables) == (0, 1)
    files = session.image_files(found)
    assert await files.read_whole(files.locate("/etc/hello")) == b"hello\n"
    whole = await read(session, reference, opened, shortcuts=False)
    assert opened == [layer.digest]
    assert (whole.missing, whole.from_tables) == (0, 0)
    assert len(whole.tree) == len(found.tree)


@pytest.mark.parametrize("ztoc", [ZTOC[:-500], b"nothing of the kind", b""])
async def test_a_bad_one_means_the_stream(
    session: Session, olareg: str, namespace: str, layer: Content, opened: list[str], ztoc: bytes
) -> None:
    image = image_of(layer)
    up = Uploader(olareg)
    up.push(f"{namespace}/app", image, "1")
    up.push(f"{namespace}/app", soci_of(image, layer, ztoc))
    found = await read(session, f"{olareg}/{namespace}/app:1", opened)
    assert opened == [layer.digest]
    assert [index.source for index in found.tree.layers if index] == ["stream"]


async def test_without_one_the_layer_is_streamed(
    session: Session, olareg: str, namespace: str, layer: Content, opened: list[str]
) -> None:
    Uploader(olareg).push(f"{namespace}/app", image_of(layer), "1")
    await read(session, f"{olareg}/{namespace}/app:1", opened)
    assert opened == [layer.digest]


@pytest.mark.parametrize("annotated", [True, False])
async def test_a_table_of_contents_saves_the_download(
    session: Session, olareg: str, namespace: str, opened: list[str], tmp_path: Path, annotated: bool
) -> None:
    toc = write_estargz(FOLDER / "layer.tar.gz", tmp_path / "layer")
    layer = Content(OCI_LAYER, (tmp_path / "layer").read_bytes())
    plain = image_of(layer)
    body = json.loads(plain.raw)
    body["layers"][0]["annotations"] = {ESTARGZ_DIGEST: toc if annotated else f"sha256:{'0' * 64}"}
    Uploader(olareg).push(f"{namespace}/app", replace(plain, raw=dumps(body)), "1")
    found = await read(session, f"{olareg}/{namespace}/app:1", opened)
    index = found.tree.layers[0]
    assert index is not None
    assert (index.source, index.verified) == (("estargz", True) if annotated else ("stream", True))
    assert opened == ([] if annotated else [layer.digest])
    files = session.image_files(found)
    assert await files.read_whole(files.locate("/usr/bin/tool")) == bytes(range(256)) * 200
