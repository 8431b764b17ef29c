"""Tar layers: entries written as ustar headers with PAX records where ustar is too small (POSIX pax, 4.4)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from regtui.demo.compression import gzip_bytes, zstd_bytes
from regtui.demo.errors import DemoError
from regtui.oci import Digest, media_types

if TYPE_CHECKING:
    from collections.abc import Mapping

_BLOCK: Final = 512
_NAME: Final = 100
_PREFIX: Final = 155
_LARGEST_OCTAL: Final = 0o7777777


class Kind(Enum):
    """The type flag of a tar header."""

    FILE = b"0"
    HARD_LINK = b"1"
    SYMLINK = b"2"
    CHARACTER_DEVICE = b"3"
    BLOCK_DEVICE = b"4"
    DIRECTORY = b"5"
    FIFO = b"6"


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of a layer. `mtime` in seconds since 1970, `target` of links, `device` as (major, minor)."""

    kind: Kind
    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    target: bytes = b""
    device: tuple[int, int] = (0, 0)
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


class Tree:
    """The entries of one layer by path, written in path order with their parent directories.

    Paths are relative, without a leading slash; text is encoded as UTF-8, bytes stand for themselves.
    """

    def __init__(self, mtime: int) -> None:
        self._mtime = mtime
        self._entries: dict[bytes, Entry] = {}

    @property
    def entries(self) -> Mapping[bytes, Entry]:
        """What is in it so far."""
        return self._entries

    def add(self, path: str | bytes, entry: Entry) -> None:
        """Put any entry at a path, and the directories above it. Raises DemoError for a path that is no path."""
        raw = path.encode() if isinstance(path, str) else path
        if not raw or raw.startswith(b"/") or raw.endswith(b"/"):
            raise DemoError(f"{raw[:80]!a} can't stand in a layer.")
        parent = raw.rpartition(b"/")[0]
        while parent and parent not in self._entries:
            self._entries[parent] = Entry(Kind.DIRECTORY, mode=0o755, mtime=self._mtime)
            parent = parent.rpartition(b"/")[0]
        self._entries[raw] = entry if entry.mtime else replace(entry, mtime=self._mtime)

    def file(self, path: str | bytes, content: bytes | str, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
        """A regular file."""
        self.add(path, Entry(Kind.FILE, content.encode() if isinstance(content, str) else content, mode, uid, gid))

    def directory(self, path: str | bytes, mode: int = 0o755, uid: int = 0, gid: int = 0) -> None:
        """A directory with attributes of its own."""
        self.add(path, Entry(Kind.DIRECTORY, b"", mode, uid, gid))

    def symlink(self, path: str | bytes, target: str) -> None:
        """A symbolic link."""
        self.add(path, Entry(Kind.SYMLINK, mode=0o777, target=target.encode()))

    def hard_link(self, path: str, target: str) -> None:
        """A second name of a file of this layer that comes before it in path order."""
        first = self._entries.get(target.encode())
        if first is None or first.kind is not Kind.FILE or _order(path.encode()) < _order(target.encode()):
            raise DemoError(f"{path!a} can't be a hard link to {target!a}.")
        self.add(path, replace(first, kind=Kind.HARD_LINK, content=b"", target=target.encode()))

    def delete(self, path: str) -> None:
        """A whiteout: the path of a lower layer is gone (OCI image-spec layer.md)."""
        folder, slash, name = path.rpartition("/")
        self.add(f"{folder}{slash}.wh.{name}", Entry(Kind.FILE))

    def make_opaque(self, path: str) -> None:
        """An opaque whiteout: all that lower layers have in this directory is gone."""
        self.add(f"{path}/.wh..wh..opq", Entry(Kind.FILE))

    def segments(self) -> list[bytes]:
        """The tar archive in pieces: header, content, padding, header, …, end."""
        made: list[bytes] = []
        for path in sorted(self._entries, key=_order):
            entry = self._entries[path]
            made.append(_headers(path, entry))
            if entry.content:
                made.append(entry.content)
                made.append(bytes(-len(entry.content) % _BLOCK))
        made.append(bytes(2 * _BLOCK))
        return made


@dataclass(frozen=True, slots=True)
class Layer:
    """A finished layer: the blob as stored, and the diff ID of the tar inside."""

    media_type: str
    blob: bytes
    digest: Digest
    diff_id: Digest


def build_layer(tree: Tree, media_type: str = media_types.OCI_LAYER_GZIP) -> Layer:
    """Pack a tree. The media type decides about the compression: gzip, zstd or none."""
    segments = tree.segments()
    hashed = hashlib.sha256()
    for segment in segments:
        hashed.update(segment)
    compression = media_types.compression(media_type)
    if compression == "gzip":
        blob = gzip_bytes(segments)
    elif compression == "zstd":
        blob = zstd_bytes(segments)
    else:
        blob = b"".join(segments)
    diff_id = Digest.parse(f"sha256:{hashed.hexdigest()}")
    return Layer(media_type, blob, Digest.of(blob), diff_id)


def _order(path: bytes) -> bytes:
    # A directory's content follows it at once, before siblings such as `name.d`.
    return path.replace(b"/", b"\0")


def _headers(path: bytes, entry: Entry) -> bytes:
    name = path + b"/" if entry.kind is Kind.DIRECTORY else path
    records: dict[bytes, bytes] = {}
    prefix, short = _split(name)
    if short is None or _wants_pax(name):
        records[b"path"] = name
        prefix, short = b"", name[:_NAME]
    if len(entry.target) > _NAME or _wants_pax(entry.target):
        records[b"linkpath"] = entry.target
    for key, number in ((b"uid", entry.uid), (b"gid", entry.gid)):
        if number > _LARGEST_OCTAL:
            records[key] = str(number).encode()
    for attribute, value in entry.xattrs.items():
        records[b"SCHILY.xattr." + attribute.encode()] = value
    main = _ustar(short, prefix, entry, entry.kind.value, len(entry.content))
    if not records:
        return main
    body = b"".join(_record(key, value) for key, value in sorted(records.items()))
    extended = Entry(Kind.FILE, mtime=entry.mtime)
    shown = (b"PaxHeaders.0/" + name.rstrip(b"/").rpartition(b"/")[2])[:_NAME]
    return _ustar(_ascii(shown), b"", extended, b"x", len(body)) + body + bytes(-len(body) % _BLOCK) + main


def _split(name: bytes) -> tuple[bytes, bytes | None]:
    """(prefix, name) as ustar holds them; None for a name that does not fit."""
    if len(name) <= _NAME:
        return b"", name
    at = name.find(b"/", len(name) - _NAME - 1)
    if 0 < at <= _PREFIX and len(name) - at - 1 > 0:
        return name[:at], name[at + 1 :]
    return b"", None


def _wants_pax(name: bytes) -> bool:
    """Whether a name is UTF-8 beyond ASCII: then a PAX record says so. Other bytes stand raw in the header."""
    if name.isascii():
        return False
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _ascii(name: bytes) -> bytes:
    return bytes(byte if 32 <= byte < 127 else 95 for byte in name)


def _record(key: bytes, value: bytes) -> bytes:
    """`length key=value newline`, where the length counts itself."""
    rest = len(key) + len(value) + 3
    size = rest + len(str(rest))
    size = rest + len(str(size))
    return b"%d %s=%s\n" % (size, key, value)


def _ustar(name: bytes, prefix: bytes, entry: Entry, flag: bytes, size: int) -> bytes:
    uid = entry.uid if entry.uid <= _LARGEST_OCTAL else 0
    gid = entry.gid if entry.gid <= _LARGEST_OCTAL else 0
    user, group = _OWNERS.get(uid, b""), _OWNERS.get(gid, b"")
    major, minor = entry.device
    head = b"%s%07o\0%07o\0%07o\0%011o\0%011o\0" % (
        name.ljust(_NAME, b"\0"), entry.mode, uid, gid, size, entry.mtime,
    )  # fmt: skip
    tail = b"%s%s%s%s%s%07o\0%07o\0%s" % (
        flag, entry.target[:_NAME].ljust(_NAME, b"\0"), b"ustar\x0000",
        user.ljust(32, b"\0"), group.ljust(32, b"\0"), major, minor, prefix.ljust(_PREFIX + 12, b"\0"),
    )  # fmt: skip
    checksum = sum(head) + sum(tail) + 8 * 32
    return b"%s%06o\0 %s" % (head, checksum, tail)


_OWNERS: Final = {0: b"root", 33: b"www-data", 42: b"shadow", 999: b"postgres"}
