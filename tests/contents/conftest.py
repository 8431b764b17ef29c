"""What the tests of contents/ share: archives made on the spot, layers indexed from bytes, the vectors."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from regtui.contents.stream import IndexOptions, index_layer
from regtui.oci import Descriptor, Digest
from regtui.oci.media_types import OCI_LAYER

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.contents.layer_index import LayerIndex

SHARED = Path(os.environ.get("REGTUI_SHARED", Path(__file__).resolve().parents[2] / "../shared"))


def describe(raw: bytes, media_type: str = OCI_LAYER, **annotations: str) -> Descriptor:
    return Descriptor(media_type, Digest.of(raw), len(raw), annotations)


def indexed(raw: bytes, **options: Any) -> LayerIndex:
    return index_layer(io.BytesIO(raw), describe(raw), options=IndexOptions(**options))


def archive(*members: tuple[str, Any] | tarfile.TarInfo, form: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar of (path, content): bytes make a file, None a folder, "-> x" a symlink, "=> x" a hard link."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            path, content = member
            info = tarfile.TarInfo(path)
            info.mtime = 1_700_000_000
            data = None
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            elif isinstance(content, str):
                info.type = tarfile.SYMTYPE if content.startswith("->") else tarfile.LNKTYPE
                info.linkname = content[3:]
            else:
                info.size, data = len(content), io.BytesIO(content)
            tar.addfile(info, data)
    return made.getvalue()


def paths(index: LayerIndex) -> list[str]:
    """The paths of the tree, without the root."""
    found, pending = [], [0]
    while pending:
        for row in index.children(pending.pop()):
            found.append(index.entry(row).path)
            pending.append(row)
    return sorted(found)


@pytest.fixture(scope="session")
def vectors() -> Path:
    folder = SHARED / "vectors"
    if not (folder / "vectors.json").is_file():
        pytest.skip("the shared test vectors are not on this machine")
    return folder


@pytest.fixture(scope="session")
def docker_archive(vectors: Path) -> Callable[[str], list[LayerIndex]]:
    """The indexed layers of a `docker save` archive among the vectors."""

    def read(name: str) -> list[LayerIndex]:
        with tarfile.open(vectors / "images" / name) as tar:
            manifest = tar.extractfile("manifest.json")
            assert manifest is not None
            layers = []
            for layer in json.load(manifest)[0]["Layers"]:
                member = tar.extractfile(layer)
                assert member is not None
                layers.append(indexed(member.read()))
            return layers

    return read
