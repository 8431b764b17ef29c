"""Tar archives with images in them: members indexed once, read at random, links resolved inside only."""

from __future__ import annotations

import gzip
import io
import posixpath
import shutil
import tarfile
import tempfile
import threading
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from regtui.transport.errors import BadAnswer, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import WriteableBuffer

MOST_MEMBERS: Final = 200_000
_MOST_LINKS: Final = 8
_SPARE_DISK: Final = 256 << 20
_CHUNK: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"
_OTHER_COMPRESSIONS: Final = {b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
# Whatever a broken header makes the standard library stumble over; none of it means more than "broken".
_BROKEN_TAR: Final = (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, RecursionError, KeyError)


class InvalidLayout(BadAnswer):
    """The folder or file is no image layout or archive, or a broken one."""


@dataclass(frozen=True, slots=True)
class Member:
    """Where a file's bytes lie in the archive, in bytes."""

    offset: int
    size: int


class TarArchive:
    """A tar on the disk, gzip or not, as a read-only map from names to bytes. Safe to read from several threads.

    Raises InvalidLayout when it can't be opened, is no tar, or is cut short. A gzip archive is unpacked once
    into a temporary file, since nothing in it can be reached otherwise.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._links: dict[str, str] = {}
        self._members: dict[str, Member] = {}
        self._file = _open_plain(path)
        try:
            self._index()
        except BaseException:
            self._file.close()
            raise

    def resolve(self, name: str) -> Member | None:
        """The file of this name, symbolic and hard links followed inside of the archive; None when there is none."""
        wanted = _inside(name)
        for _ in range(_MOST_LINKS):
            if wanted is None:
                return None
            if wanted in self._members:
                return self._members[wanted]
            wanted = self._links.get(wanted)
        return None

    def open(self, member: Member, offset: int = 0) -> BinaryIO:
        """A stream of a member's bytes from `offset` on. Close it to end reading."""
        return cast("BinaryIO", io.BufferedReader(_Window(self._file, self._lock, member, offset), 1 << 16))

    def read(self, name: str, limit: int) -> bytes | None:
        """A whole small file; None when there is none. Raises InvalidLayout beyond `limit` bytes."""
        member = self.resolve(name)
        if member is None:
            return None
        if member.size > limit:
            raise InvalidLayout(f"{name[:120]!a} in {self._path} has {member.size:,} bytes; {limit:,} are read.")
        with self.open(member) as stream:
            return stream.read()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _index(self) -> None:
        end = self._file.seek(0, io.SEEK_END)
        self._file.seek(0)
        try:
            with tarfile.open(fileobj=self._file, mode="r:") as archive:
                for count in range(MOST_MEMBERS + 1):
                    info = archive.next()
                    if info is None:
                        break
                    cast("Any", archive).members = []  # it would keep every header
                    self._note(info, end)
                    if count == MOST_MEMBERS:
                        raise InvalidLayout(f"{self._path} has more than {MOST_MEMBERS:,} members.")
        except _BROKEN_TAR as error:
            raise InvalidLayout(
                f"{self._path} is no tar archive, or a broken one.", hint="Save or copy the image again."
            ) from error

    def _note(self, info: tarfile.TarInfo, end: int) -> None:
        name = _inside(info.name)
        if name is None:
            return
        # As when unpacking: of two members with one name, the later one counts.
        self._members.pop(name, None)
        self._links.pop(name, None)
        if info.isreg() and not info.issparse():
            if info.offset_data + info.size > end:
                raise InvalidLayout(f"{self._path} is cut short.", hint="Save or copy the image again.")
            self._members[name] = Member(info.offset_data, info.size)
        elif info.issym() or info.islnk():
            target = posixpath.join(posixpath.dirname(name), info.linkname) if info.issym() else info.linkname
            resolved = None if info.linkname.startswith("/") else _inside(target)
            if resolved is not None:
                self._links[name] = resolved


def _inside(name: str) -> str | None:
    """The normalised name, or None for one that points out of the archive."""
    cleaned = posixpath.normpath(name.lstrip("/"))
    return None if cleaned == ".." or cleaned.startswith("../") else cleaned


class _Window(io.RawIOBase):
    """Part of a shared file as a stream of its own."""

    def __init__(self, file: BinaryIO, lock: threading.Lock, member: Member, offset: int) -> None:
        self._file = file
        self._lock = lock
        self._position = member.offset + max(0, min(offset, member.size))
        self._end = member.offset + member.size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._end - self._position)
        if wanted <= 0:
            return 0
        with self._lock:
            self._file.seek(self._position)
            data = self._file.read(wanted)
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


def _open_plain(path: Path) -> BinaryIO:
    """The archive as an uncompressed, seekable file."""
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist.") from error
    except OSError as error:
        raise InvalidLayout(f"{path} can't be read: {error.strerror or error}.") from error
    try:
        magic = file.read(6)
        file.seek(0)
        _refuse_compression(path, magic)
        if not magic.startswith(_GZIP):
            return file
        with file:
            return _unpacked(path, file)
    except OSError as error:
        file.close()
        raise InvalidLayout(f"{path} can't be read: {error.strerror or error}.") from error
    except BaseException:
        file.close()
        raise


def _refuse_compression(path: Path, magic: bytes) -> None:
    for sign, name in _OTHER_COMPRESSIONS.items():
        if magic.startswith(sign):
            raise InvalidLayout(f"{path} is compressed with {name}.", hint="Decompress it first.")


def _unpacked(path: Path, packed: BinaryIO) -> BinaryIO:
    plain = cast("BinaryIO", tempfile.TemporaryFile(prefix="regtui-"))  # noqa: SIM115 - given to the caller
    try:
        _unpack(path, packed, plain)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        plain.close()
        raise InvalidLayout(f"{path} is cut short or broken.", hint="Save or copy the image again.") from error
    except BaseException:
        plain.close()
        raise
    return plain


def _unpack(path: Path, packed: BinaryIO, plain: BinaryIO) -> None:
    room = shutil.disk_usage(tempfile.gettempdir()).free - _SPARE_DISK
    with gzip.GzipFile(fileobj=packed) as stream:
        while chunk := stream.read(_CHUNK):
            room -= len(chunk)
            if room < 0:
                raise InvalidLayout(
                    f"{path} does not fit unpacked into the temporary folder.",
                    hint="Decompress it (gunzip) where there is room, and open the .tar.",
                )
            plain.write(chunk)
