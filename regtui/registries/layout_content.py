"""Where the bytes of a local layout lie: a folder or an archive, asked by digest. Blocking; safe for threads."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, cast

from regtui.oci.manifest import parse_json_object
from regtui.registries.archive import InvalidLayout, Member, TarArchive
from regtui.registries.docker_archive import SavedImage, saved_images
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from regtui.oci import Digest

LARGEST_INDEX: Final = 32 << 20
"""Bytes of index.json that are read at most."""


class Content(Protocol):
    """Bytes by digest. What it gives is not verified: whoever reads does that."""

    @property
    def saved(self) -> tuple[SavedImage, ...]:
        """The images of a docker save archive; () for an OCI layout, which has an index."""
        ...

    def index(self) -> bytes:
        """The bytes of index.json. Raises InvalidLayout."""
        ...

    def size(self, digest: Digest) -> int:
        """Bytes of a blob as it lies there. Raises NotFound."""
        ...

    def open(self, digest: Digest, offset: int = 0) -> BinaryIO:
        """A blob from `offset` on. Raises NotFound."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


def open_content(place: Path) -> Content:
    """The folder's or the archive's content. Raises NotFound, InvalidLayout."""
    try:
        if place.is_dir():
            return FolderContent(place)
        return ArchiveContent(place)
    except OSError as error:
        raise _unreadable(place, error) from error


def stamp(place: Path) -> tuple[int, int, int] | None:
    """What changes when the place is written anew; None when it is gone."""
    try:
        found = (place / "index.json" if place.is_dir() else place).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class FolderContent:
    """An OCI image layout folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not (folder / "index.json").is_file():
            raise InvalidLayout(
                f"{folder} is no OCI image layout: it has no index.json.",
                hint="Give the folder that holds index.json, oci-layout and blobs/.",
            )

    @property
    def saved(self) -> tuple[SavedImage, ...]:
        return ()

    def index(self) -> bytes:
        with self._open(self._folder / "index.json", "index.json") as stream:
            raw = stream.read(LARGEST_INDEX + 1)
        if len(raw) > LARGEST_INDEX:
            raise InvalidLayout(f"The index.json of {self._folder} has more than {LARGEST_INDEX:,} bytes.")
        return raw

    def size(self, digest: Digest) -> int:
        try:
            return self._path(digest).stat().st_size
        except OSError as error:
            raise _missing(digest, self._folder) from error

    def open(self, digest: Digest, offset: int = 0) -> BinaryIO:
        stream = self._open(self._path(digest), digest.short)
        stream.seek(offset)
        return stream

    def close(self) -> None:
        return

    def _path(self, digest: Digest) -> Path:
        # The grammar of digests has neither slashes nor dots that could lead elsewhere.
        path = self._folder / "blobs" / digest.algorithm / digest.encoded
        if not path.is_file():
            raise _missing(digest, self._folder)
        return path

    def _open(self, path: Path, what: str) -> BinaryIO:
        try:
            return path.open("rb")
        except OSError as error:
            raise _unreadable(path, error, what) from error


class ArchiveContent:
    """An OCI archive or a docker save archive. The OCI layout in it goes first, when it lists anything."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._archive = TarArchive(path)
        self._blobs: Mapping[Digest, Member] = {}
        self._made: dict[Digest, bytes] = {}
        self._saved: tuple[SavedImage, ...] = ()
        try:
            self._index = self._archive.read("index.json", LARGEST_INDEX)
            if self._index is None or (_lists_nothing(self._index) and self._archive.resolve("manifest.json")):
                self._saved, self._blobs = saved_images(self._archive, str(path))
                self._made = {image.manifest.digest: image.manifest.raw for image in self._saved if image.manifest}
        except BaseException:
            self._archive.close()
            raise

    @property
    def saved(self) -> tuple[SavedImage, ...]:
        return self._saved

    def index(self) -> bytes:
        assert self._index is not None, "a docker save archive has no index to ask for"
        return self._index

    def size(self, digest: Digest) -> int:
        made = self._made.get(digest)
        return len(made) if made is not None else self._member(digest).size

    def open(self, digest: Digest, offset: int = 0) -> BinaryIO:
        made = self._made.get(digest)
        if made is not None:
            return cast("BinaryIO", io.BytesIO(made[offset:]))
        return self._archive.open(self._member(digest), offset)

    def close(self) -> None:
        self._archive.close()

    def _member(self, digest: Digest) -> Member:
        found = self._blobs.get(digest) or self._archive.resolve(f"blobs/{digest.algorithm}/{digest.encoded}")
        if found is None:
            raise _missing(digest, self._path)
        return found


def _lists_nothing(index: bytes) -> bool:
    # Docker 25 writes "manifests": null beside a manifest.json that has the images.
    return not parse_json_object(index, "The index.json").get("manifests")


def _missing(digest: Digest, place: Path) -> NotFound:
    return NotFound(
        f"{digest.algorithm}:{digest.short}… is not in {place}.",
        hint="A layout may leave content out; copy the image again with all of its platforms.",
    )


def _unreadable(path: Path, error: OSError, what: str | None = None) -> InvalidLayout | NotFound:
    if isinstance(error, FileNotFoundError):
        return NotFound(f"{what or path} does not exist.")
    return InvalidLayout(f"{what or path} can't be read: {error.strerror or error}.")
