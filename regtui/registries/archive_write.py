"""Packs an OCI layout folder into an archive: an OCI archive, or one that `docker load` and `podman load` take, too.

A docker archive is an OCI archive with a manifest.json beside it that names config and layers where they lie, as
Docker 25 and later write it themselves. Blocking; runs in a thread. The archive has its name only once it is whole.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest, ImageManifest, parse_manifest
from regtui.oci.manifest import LARGEST_MANIFEST
from regtui.registries.archive import InvalidLayout
from regtui.registries.layout_content import FolderContent
from regtui.registries.layout_index import LayoutIndex
from regtui.registries.layout_names import IMAGE_NAME, REF_NAME
from regtui.storage.files import reason_of, sync_folder
from regtui.transport.errors import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

_CHUNK: Final = 1 << 20
_DRAFT: Final = ".partial"


@dataclass(frozen=True, slots=True)
class ArchiveNames:
    """How the image is called in the archive: its tag, and its full name for docker (None: it has none)."""

    tag: str | None
    full: str | None = None


def pack(
    layout: Path,
    archive: Path,
    top: Digest,
    names: ArchiveNames,
    *,
    docker: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> int:
    """Pack what index.json of a layout names; the archive's bytes. `progress` gets (bytes packed, bytes in all).

    Raises InvalidLayout when the disk refuses or `docker` is asked for something that is no image; whatever
    `progress` raises ends it, and leaves nothing behind.
    """
    draft = archive.with_name(f".{archive.name}{_DRAFT}")
    try:
        with draft.open("wb") as file:
            _Packer(layout, file, progress).pack(top, names, docker=docker)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        draft.replace(archive)
        sync_folder(archive.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise InvalidLayout(f"{archive} can't be written: {reason_of(error)}.") from error
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return size


class _Packer:
    """One archive being written. Times and owners are left out, so that the same image is the same archive."""

    def __init__(self, layout: Path, file: BinaryIO, progress: Callable[[int, int], object] | None) -> None:
        self._layout = layout
        self._content = FolderContent(layout)
        self._file = file
        self._progress = progress
        self._done = self._all = 0

    def pack(self, top: Digest, names: ArchiveNames, *, docker: bool) -> None:
        index = json.loads(self._content.index())
        needed = LayoutIndex(self._content, str(self._layout)).needed()
        blobs = sorted(path for digest in needed if (path := self._layout / _path(digest)).is_file())
        self._all = sum(p.stat().st_size for p in blobs)
        with tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            self._add(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
            self._add(archive, "index.json", _compact(_named(index, top, names)))
            if docker:
                self._add(archive, "manifest.json", _compact([self._saved(top, names)]))
            for path in blobs:
                self._add_file(archive, path)

    def _saved(self, top: Digest, names: ArchiveNames) -> dict[str, Any]:
        with self._content.open(top) as stream:
            manifest = parse_manifest(stream.read(LARGEST_MANIFEST), None, top)
        if not isinstance(manifest, ImageManifest) or not manifest.is_image:
            raise BadAnswer("Docker loads single images, not indexes or artifacts.", hint="Choose one with --platform.")
        return {
            "Config": _path(manifest.config.digest),
            "RepoTags": [names.full] if names.full else None,
            "Layers": [_path(layer.digest) for layer in manifest.layers],
        }

    def _add(self, archive: tarfile.TarFile, name: str, content: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o644
        archive.addfile(info, io.BytesIO(content))

    def _add_file(self, archive: tarfile.TarFile, path: Path) -> None:
        info = tarfile.TarInfo(f"blobs/{path.parent.name}/{path.name}")
        info.size, info.mode = path.stat().st_size, 0o644
        with path.open("rb") as file:
            archive.addfile(info, _Told(file, self._tell))

    def _tell(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._all)


class _Told(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], object]) -> None:
        self._file = file
        self._tell = tell

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._tell(len(data))
        return data


def _named(index: Any, top: Digest, names: ArchiveNames) -> dict[str, Any]:
    entries = []
    for entry in index["manifests"]:
        bare = {key: value for key, value in entry.items() if key != "annotations"}
        if entry.get("digest") == top:
            said = {REF_NAME: names.tag, IMAGE_NAME: names.full}
            bare["annotations"] = {key: value for key, value in said.items() if value}
        entries.append(bare)
    return {**index, "manifests": entries}


def _path(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
