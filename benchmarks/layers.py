"""The image that D and E read: the large one of the corpus, or for a smoke run a small one made on the spot."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.clients import REPOSITORY
from benchmarks.keeping import many_small_files
from benchmarks.servers import Missing, need
from regtui.oci import Descriptor
from tests.corpus.build import corpus_folder, layout_of
from tests.corpus.estargz import write_estargz
from tests.corpus.opening import Layer, open_layout
from tests.servers.content import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Content, dumps

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.measure import Scale
    from regtui.oci import ImageManifest

TAG: Final = "latest"
ZSTD: Final = "application/vnd.oci.image.layer.v1.tar+zstd"


@dataclass(frozen=True)
class Sample:
    """An image on disk, as an OCI layout."""

    layout: Path
    manifest: ImageManifest
    layers: tuple[Layer, ...]

    @property
    def size(self) -> int:
        """Compressed bytes of all layers."""
        return sum(layer.descriptor.size for layer in self.layers)

    @property
    def many_files(self) -> Layer:
        """The npm layer, the last of those that bring files: many small ones."""
        return self.layers[-2]

    @property
    def ordinary(self) -> Layer:
        """The largest of the pip layers: what an ordinary layer is like, but large."""
        return self.layers[-3]


def sample(scale: Scale, scratch: Path) -> Sample:
    """The image of this run. Raises Missing when the large one is not built."""
    if scale.smoke:
        return opened(_small(scratch / "layout"))
    layout = layout_of("large")
    if layout is None:
        raise Missing("the large image is not built (python -m tests.corpus large)")
    return opened(layout)


def opened(layout: Path) -> Sample:
    """The image of a layout that has one."""
    return Sample(layout, *open_layout(layout))


def _small(layout: Path) -> Path:
    """Four layers of 500 files each."""
    blobs = layout / "blobs/sha256"
    blobs.mkdir(parents=True)
    descriptors, diff_ids = [], []
    for _ in range(4):
        made = many_small_files(blobs / "draft", 500 + len(diff_ids))
        with gzip.open(blobs / "draft") as file:
            diff_ids.append(f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")  # type: ignore[arg-type]
        (blobs / "draft").rename(blobs / made.digest.encoded)
        descriptors.append({"mediaType": OCI_LAYER, "digest": made.digest, "size": made.size})
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    config = Content(OCI_CONFIG, dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs}))
    body = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.descriptor, "layers": descriptors}
    manifest = Content(OCI_MANIFEST, dumps(body))
    for content in (config, manifest):
        (blobs / content.digest.partition(":")[2]).write_bytes(content.raw)
    (layout / "index.json").write_bytes(dumps({"schemaVersion": 2, "manifests": [manifest.descriptor]}))
    (layout / "oci-layout").write_bytes(dumps({"imageLayoutVersion": "1.0.0"}))
    return layout


def in_registry(root: Path, image: Sample) -> None:
    """The image as distribution's storage tree, its blobs linked, not copied."""
    base = root / "docker/registry/v2"
    place = base / "repositories" / REPOSITORY
    blobs = [image.manifest.config, *image.manifest.layers]
    for digest in (image.manifest.digest, *(blob.digest for blob in blobs)):
        target = base / "blobs/sha256" / digest.encoded[:2] / digest.encoded / "data"
        target.parent.mkdir(parents=True)
        _link(image.layout / "blobs/sha256" / digest.encoded, target)
    for folder in (
        *(place / "_layers/sha256" / blob.digest.encoded for blob in blobs),
        place / "_manifests/revisions/sha256" / image.manifest.digest.encoded,
        place / "_manifests/tags" / TAG / "current",
    ):
        folder.mkdir(parents=True)
        named = image.manifest.digest if "_manifests" in folder.parts else f"sha256:{folder.name}"
        (folder / "link").write_text(named)


def as_static_files(root: Path, image: Sample) -> None:
    """The image for a static server."""
    place = root / "v2" / REPOSITORY
    (place / "manifests").mkdir(parents=True)
    (place / "blobs").mkdir()
    for locator in (TAG, image.manifest.digest):
        (place / "manifests" / locator).write_bytes(image.manifest.raw)
    for blob in (image.manifest.config, *image.manifest.layers):
        _link(image.layout / "blobs/sha256" / blob.digest.encoded, place / "blobs" / blob.digest)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def as_zstd(layer: Layer, scratch: Path) -> Layer:
    """The same tar under zstd -3. Raises Missing."""
    path = _kept(layer, "tar.zst", scratch)
    if not path.exists():
        draft = scratch / "draft.zst"
        with draft.open("wb") as out, gzip.open(layer.path) as tar:
            packer = subprocess.Popen([need("zstd"), "-3", "-q", "-c"], stdin=subprocess.PIPE, stdout=out)
            assert packer.stdin is not None
            shutil.copyfileobj(tar, packer.stdin, 1 << 20)
            packer.stdin.close()
            assert packer.wait() == 0
        shutil.move(draft, path)
    return Layer(_described(path, ZSTD), layer.diff_id, path)


def as_estargz(layer: Layer, scratch: Path) -> Layer:
    """The same files as eStargz, each in a gzip member of its own (stargz-snapshotter, docs/estargz.md)."""
    from regtui.contents.lazy import ESTARGZ_DIGEST

    path = _kept(layer, "estargz", scratch)
    toc_file = path.with_suffix(".toc-digest")
    if not path.exists():
        toc_digest = write_estargz(layer.path, scratch / "draft.estargz")
        toc_file.write_text(toc_digest)
        shutil.move(scratch / "draft.estargz", path)
    made = _described(path, OCI_LAYER)
    notes = {ESTARGZ_DIGEST: toc_file.read_text()}
    return Layer(Descriptor(made.media_type, made.digest, made.size, notes), layer.diff_id, path)


def _kept(layer: Layer, ending: str, scratch: Path) -> Path:
    """Where a layer made from another is kept: beside the corpus, when the layer is of it."""
    folder = corpus_folder() / "derived" if corpus_folder() in layer.path.parents else scratch
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{layer.descriptor.digest.encoded}.{ending}"


def _described(path: Path, media_type: str) -> Descriptor:
    from regtui.oci import Digest

    with path.open("rb") as file:
        digest = Digest(f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")
    return Descriptor(media_type, digest, path.stat().st_size)
