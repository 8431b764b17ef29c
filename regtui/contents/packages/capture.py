"""Catches the package databases of a layer while it streams by, and reads each as soon as it is complete."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from regtui.contents.packages import apk, dpkg, languages, rpm
from regtui.contents.packages.ownership import rows_of
from regtui.contents.packages.records import Described, Finding, Package

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.contents.walk import Sink, TarWalker

_RPM: Final = (b"var/lib/rpm/", b"usr/lib/sysimage/rpm/", b"usr/share/rpm/")
_NAMES: Final = frozenset(
    {b"status", b"installed", b"rpmdb.sqlite", b"Packages.db", b"Packages", b"METADATA", b"PKG-INFO", b"RECORD",
     b"package.json"}
)  # fmt: skip
_INFO: Final = b"var/lib/dpkg/info"
_STATUS_D: Final = b"var/lib/dpkg/status.d"
_PROGRAM: Final = 300_000
"""Bytes that a Go program has at least."""
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class _Rule:
    """What to do with one file: `read` makes packages of its bytes, `most` bytes of them.

    `cut` files are useful when only their beginning is kept.
    """

    kind: str
    most: int
    read: Callable[[bytearray], list[Described]]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """What a database file holds, until the layer has been read: the paths of each package as one text, since as
    objects they would take more than the index."""

    kind: str
    row: int
    packages: list[Described]
    paths: list[bytes]
    problem: str | None


class Capture:
    """Decides which files' content is wanted, keeps it within bounds, and makes findings of it."""

    def __init__(self, walker: TarWalker, packages: bool, hashes: bool, most: int) -> None:
        self._walker = walker
        self._left = most
        self._found: list[_Found] = []
        self._packages, self._hashes = packages, hashes
        if packages:
            walker.watched_names = _NAMES
            walker.watched_paths = frozenset({_INFO, _STATUS_D})
            walker.watched_size = _PROGRAM
        if hashes:
            walker.watched_size = 1
            walker.columns.hashes = array("Q")
        if packages or hashes:
            walker.watch = self._watch

    def finish(self) -> tuple[Finding, ...]:
        """Everything that was found, the files of packages turned into rows of this layer."""
        columns = self._walker.columns
        if columns.hashes is not None:
            columns.hashes.extend([0] * (len(columns) - len(columns.hashes)))
        owned = rows_of(columns, self._walker.folders, [paths for found in self._found for paths in found.paths])
        made = tuple(
            Finding(
                found.kind,
                found.row,
                tuple(Package(p.name, p.version, p.architecture, p.size, next(owned)) for p in found.packages),
                found.problem,
            )
            for found in self._found
        )
        self._found = []
        return made

    def _watch(self, row: int, base: bytes) -> Sink | None:
        wanted: list[Sink] = []
        if self._hashes:
            wanted.append(_Hash(self._walker, row))
        if self._packages:
            rule = self._rule(row, base)
            if rule is not None:
                wanted.append(_Keep(self, row, rule))
            elif self._is_program(row, base):
                wanted.append(_GoProgram(self, row))
        return wanted[0] if len(wanted) == 1 else _Both(wanted) if wanted else None

    def _is_program(self, row: int, base: bytes) -> bool:
        columns = self._walker.columns
        return columns.size[row] >= _PROGRAM and bool(columns.mode[row] & 0o111) and b".so" not in base

    def _rule(self, row: int, base: bytes) -> _Rule | None:
        if base == b"package.json":
            return self._npm_rule(row)
        columns = self._walker.columns
        folder = columns.name(columns.parent[row])
        if base in {b"METADATA", b"PKG-INFO"}:
            wanted = folder.endswith((b".dist-info", b".egg-info"))
            return _Rule("python", 64 << 10, _one(languages.parse_metadata), cut=True) if wanted else None
        if base == b"RECORD" and folder.endswith(b".dist-info"):
            path = self._walker.path(columns.parent[row])
            return _Rule("python-record", 8 * _MIB, lambda raw: [languages.parse_record(bytes(raw), path)])
        if base in _NAMES or folder in {b"info", b"status.d"}:
            return _system_rule(self._walker.path(row), base)
        return None

    def _npm_rule(self, row: int) -> _Rule | None:
        columns = self._walker.columns
        own = columns.parent[row]
        above = columns.parent[own]
        name, holder = columns.name(own), columns.name(above)
        if holder.startswith(b"@"):
            name, holder = holder + b"/" + name, columns.name(columns.parent[above])
        if holder != b"node_modules" or name.startswith(b"."):
            return None
        text = name.decode("utf-8", "replace")
        return _Rule("npm", 512 << 10, _one(lambda raw: languages.parse_package_json(raw, text)))

    def keep(self, kind: str, row: int, packages: list[Described], problem: str | None = None) -> None:
        """Note what a file holds, as far as there is room for it."""
        size = sum(200 + sum(map(len, package.paths)) for package in packages)
        if size > self._left:
            packages, problem = [], "regtui keeps no more packages of this layer"
        else:
            self._left -= size
        if packages or problem:
            paths = [b"\0".join(package.paths) for package in packages]
            self._found.append(_Found(kind, row, [replace(p, paths=()) for p in packages], paths, problem))


def _one(parse: Callable[[bytes], Described | None]) -> Callable[[bytearray], list[Described]]:
    def read(raw: bytearray) -> list[Described]:
        found = parse(bytes(raw))
        return [found] if found is not None else []

    return read


def _system_rule(path: bytes, base: bytes) -> _Rule | None:
    """The rule for a database of the operating system, by its whole path."""
    if path == b"var/lib/dpkg/status":
        return _Rule("dpkg", 16 * _MIB, lambda raw: dpkg.parse_status(bytes(raw)))
    folder = path.rpartition(b"/")[0]
    if folder == _INFO:
        wanted = base.endswith(b".list")
        return _Rule("dpkg-list", 8 * _MIB, lambda raw: [dpkg.parse_list(base, bytes(raw))]) if wanted else None
    if folder == _STATUS_D:
        if base.endswith(b".md5sums"):
            return _Rule("dpkg-list", 8 * _MIB, lambda raw: [dpkg.parse_md5sums(base, bytes(raw))])
        return _Rule("dpkg-part", _MIB, lambda raw: dpkg.parse_status(bytes(raw)))
    if path in {b"lib/apk/db/installed", b"usr/lib/apk/db/installed"}:
        return _Rule("apk", 24 * _MIB, lambda raw: apk.parse_installed(bytes(raw)))
    if not path.startswith(_RPM) or base not in {b"rpmdb.sqlite", b"Packages.db", b"Packages"}:
        return None
    if base == b"Packages":
        return _Rule("rpm", 0, _berkeley, cut=True)
    return _Rule("rpm", 32 * _MIB, rpm.parse_sqlite if base == b"rpmdb.sqlite" else rpm.parse_ndb)


def _berkeley(raw: bytearray) -> list[Described]:
    raise rpm.BadDatabase("regtui does not read Berkeley DB, which RPM used until 2020")


class _Keep:
    """Keeps a file's content up to a bound, and reads it when it is complete."""

    def __init__(self, capture: Capture, row: int, rule: _Rule) -> None:
        self._capture, self._row, self._rule = capture, row, rule
        self._raw = bytearray()
        self._over = False

    def write(self, piece: bytes | memoryview) -> None:
        """Take a piece, as far as there is room."""
        room = self._rule.most - len(self._raw)
        self._over = self._over or len(piece) > room
        if self._over and not self._rule.cut:
            self._raw.clear()
            return
        self._raw += piece[: max(room, 0)]

    def close(self) -> None:
        """Read what was kept."""
        rule = self._rule
        if self._over and not rule.cut:
            self._capture.keep(rule.kind, self._row, [], f"it has more than the {rule.most:,} bytes that regtui reads")
            return
        try:
            self._capture.keep(rule.kind, self._row, rule.read(self._raw))
        except rpm.BadDatabase as error:
            self._capture.keep(rule.kind, self._row, [], str(error))


class _GoProgram:
    """Looks for Go's build information in a program."""

    _MOST = 1 << 20

    def __init__(self, capture: Capture, row: int) -> None:
        self._capture, self._row = capture, row
        self._tail = b""
        self._info: bytearray | None = None
        self._state = 0

    def write(self, piece: bytes | memoryview) -> None:
        """Search the piece, or gather what stands behind the magic."""
        if self._state == 2:
            return
        if self._info is not None:
            self._gather(piece)
            return
        text = self._tail + piece
        if not self._state:
            self._state = 1 if text.startswith(b"\x7fELF") else 2
        at = text.find(languages.GO_MAGIC) if self._state == 1 else -1
        self._tail = text[-16:]
        if at >= 0:
            self._info = bytearray()
            self._gather(text[at:])

    def _gather(self, piece: bytes | memoryview) -> None:
        assert self._info is not None
        self._info += piece[: self._MOST - len(self._info)]
        if len(self._info) >= self._MOST:
            self._read()

    def _read(self) -> None:
        raw, self._info = bytes(self._info or b""), None
        found = languages.parse_build_info(raw)
        if found:
            self._state = 2
            self._capture.keep("go", self._row, found)
            return
        # The same text may stand in a program's constants: look further.
        at = raw.find(languages.GO_MAGIC, 1)
        self._tail = raw[-16:]
        if at >= 0:
            self._info = bytearray(raw[at:])

    def close(self) -> None:
        """Read what stood behind the magic, if it was there."""
        while self._info is not None:
            self._read()


class _Hash:
    """The first 64 bits of the sha256 of a file's content."""

    def __init__(self, walker: TarWalker, row: int) -> None:
        self._walker, self._row = walker, row
        self._hash = hashlib.sha256()

    def write(self, piece: bytes | memoryview) -> None:
        """Hash a piece."""
        self._hash.update(piece)

    def close(self) -> None:
        """Put the hash into its column."""
        hashes = self._walker.columns.hashes
        if hashes is not None:
            hashes.extend([0] * (self._row + 1 - len(hashes)))
            hashes[self._row] = int.from_bytes(self._hash.digest()[:8], "big")


class _Both:
    """Several sinks for one file."""

    def __init__(self, sinks: list[Sink]) -> None:
        self._sinks = sinks

    def write(self, piece: bytes | memoryview) -> None:
        """Give the piece to each."""
        for sink in self._sinks:
            sink.write(piece)

    def close(self) -> None:
        """Close each."""
        for sink in self._sinks:
            sink.close()
