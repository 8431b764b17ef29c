"""The walk over a tar stream, header by header: data is skipped, never copied.

The fast half takes plain headers in one loop with the fewest possible steps; whatever is not plain goes to
the slow half, one header at a time (headers.py knows the dialects).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from regtui.contents.columns import ESCAPING, IMPLIED, NO_DATA, Columns, Kind
from regtui.contents.headers import (
    BLOCK,
    USTAR,
    BadHeader,
    Header,
    Sparse,
    checked_pieces,
    checksum_fits,
    parse_header,
    parse_id,
    parse_number,
    parse_old_sparse,
    parse_records,
    text_of,
)
from regtui.contents.inflate import engine
from regtui.contents.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

_FAST: Final = {0x30: 0, 0x31: 1, 0x32: 2, 0x35: 5}
_KINDS: Final = {
    0x00: Kind.REGULAR,
    0x30: Kind.REGULAR,
    0x31: Kind.HARDLINK,
    0x32: Kind.SYMLINK,
    0x33: Kind.CHARACTER,
    0x34: Kind.BLOCK,
    0x35: Kind.DIRECTORY,
    0x36: Kind.FIFO,
    0x37: Kind.REGULAR,
    0x44: Kind.DIRECTORY,
    0x53: Kind.REGULAR,
    0x56: Kind.OTHER,
}
_METADATA: Final = b"xXgLK"
_ODD_NAMES: Final = frozenset({b"", b".", b".."})
_ZERO: Final = bytes(BLOCK)
_MOST_OWNERS: Final = 4096
_MOST_EXTENSIONS: Final = 2048
_LEADS: Final = frozenset(b"./")
_MOST_PIECES: Final = 1 << 18
_MORE: Final = -1
_NEAR_LIMIT: Final = 32 << 10
"""Bytes after which the limits are looked at when they are near: so many headers at most lie beyond them."""


class Sink(Protocol):
    """Takes the content of one file while it streams by."""

    def write(self, piece: bytes | memoryview) -> None:
        """The next piece of the content."""

    def close(self) -> None:
        """The content is complete."""


class TarWalker:
    """Fills columns from a tar that is fed in pieces of any size.

    `watch(row, base name)` gives a sink for a regular file whose content is wanted. It is asked about base names
    in `watched_names`, about what lies in folders of `watched_paths`, and about files of `watched_size` bytes or more.
    """

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self.columns = Columns()
        self.folders: dict[bytes, int] = {}
        """The row of every folder, by its path from the root."""
        self.entries = 0
        self.duplicates = 0
        """Folders that were described once more."""
        self.described: dict[int, int] = {}
        """Folders that were described after they had their row: row → how many rows there were then."""
        self.damage: str | None = None
        self.done = False
        """Whether the archive came to its end; what is fed after it is ignored."""
        self.watch: Callable[[int, bytes], Sink | None] | None = None
        self.watched_names: frozenset[bytes] = frozenset()
        self.watched_paths: frozenset[bytes] = frozenset()
        self.watched_size = 1 << 62
        self._limits = limits
        self._folder_bytes = 0
        self.watched_folders: set[int] = set()
        self._owners: dict[bytes, tuple[int, int, int]] = {}
        self._records: dict[bytes, bytes] = {}
        self._carry = b""
        self._skip = 0
        self._base = 0
        self._sink: Sink | None = None
        self._sink_left = 0
        self._pieces = 0
        self._blank = False
        self._stored = 0
        self.columns.add(b"", 0, Kind.DIRECTORY | IMPLIED, _IMPLIED_FOLDER, NO_DATA)
        self.folders[b""] = 0

    @property
    def offset(self) -> int:
        """Bytes of the tar that were fed so far."""
        return self._base + len(self._carry)

    def feed(self, chunk: bytes) -> None:
        """Walk over the next piece of the archive. Never raises: what is broken ends up in `damage`."""
        if len(self.columns) + len(chunk) // BLOCK > self._limits.entries and len(chunk) > _NEAR_LIMIT:
            for start in range(0, len(chunk), _NEAR_LIMIT):
                self._feed(chunk[start : start + _NEAR_LIMIT])
        else:
            self._feed(chunk)

    def _feed(self, chunk: bytes) -> None:
        if self.done:
            self._base += len(chunk)
            return
        if self._carry:
            chunk = self._carry + chunk
            self._carry = b""
        self._advance(chunk, len(chunk))
        self._check_limits()

    def _advance(self, chunk: bytes, end: int) -> None:
        position = self._skip
        if position and self._sink is not None:
            self._deliver(chunk, 0)
        while position + BLOCK <= end:
            position = self._fast(chunk, position, end)
            if position + BLOCK > end:
                break
            following = self._slow(chunk, position, end)
            if following == _MORE:
                break
            position = following
        if self.done:
            self._base += end
        elif position < end:
            self._carry = chunk[position:]
            self._base += position
            self._skip = 0
        else:
            self._skip = position - end
            self._base += end

    def finish(self) -> None:
        """The stream has ended. A missing end of the archive is no damage, anything cut in half is."""
        if not self.done:
            if self._carry.strip(b"\0"):
                self._fail("a header stops before its end")
            elif self._skip > (-self._stored) % BLOCK:
                self._fail("the last file stops before its end")
        self.done = True
        self._sink = None

    def path(self, row: int) -> bytes:
        """The path of a row, from the root, without a leading slash."""
        columns, parts = self.columns, []
        while row:
            parts.append(columns.name(row))
            row = columns.parent[row]
        return b"/".join(reversed(parts))

    def stop(self, why: str) -> None:
        """The stream can't be read any further, for this reason."""
        if not self.done:
            self._fail(why)

    def _fail(self, why: str) -> None:
        self.damage = f"Damaged after {self.entries:,} entries: {why}."
        self.done = True
        self._sink = None

    def _check_limits(self) -> None:
        columns, limits = self.columns, self._limits
        if len(columns) > limits.entries:
            self._fail(f"regtui lists {limits.entries:,} entries at most")
        elif len(columns.names) + len(columns.links) > limits.names or self._folder_bytes > limits.names:
            self._fail("its names are longer altogether than regtui keeps")
        elif self.offset > limits.tar_bytes:
            self._fail(f"regtui reads {limits.tar_bytes:,} bytes at most")

    def _fast(self, chunk: bytes, position: int, end: int) -> int:
        """Take plain headers as long as there are; the position of the first one that is not, or one beyond the end."""
        if self._records or self._blank:
            return position
        columns, folders, owners = self.columns, self.folders, self._owners
        names, adler32, base_offset = columns.names, engine.adler32, self._base + BLOCK
        add_end, add_parent, add_kind, add_size, add_mode, add_uid, add_gid, add_time, add_block = columns.appenders()
        watched_names, watched_folders, watched_size = self.watched_names, self.watched_folders, self.watched_size
        first = row = len(columns.ends)
        while position + 512 <= end:
            header = chunk[position : position + 512]
            kind = _FAST.get(header[156])
            owner = owners.get(header[100:124]) or self._owner(header[100:124])
            if kind is None or owner is None or header[135] > 32 or header[147] > 32:
                break
            try:
                size, mtime = int(header[124:135], 8), int(header[136:147], 8)
                # The low half of adler32 is 1 + the sum of all bytes, modulo 65521: a checksum for almost nothing.
                total = (adler32(header) & 65535) - (adler32(header[148:156]) & 65535) + 256
                if size < 0 or (total - int(header[148:154], 8)) % 65521:
                    break
            except ValueError:
                break
            cut, lead = header.find(0, 0, 100), header[0]
            path = header[:cut] if cut >= 0 else header[:100]
            if header[345]:
                if header[257:263] != USTAR or header[508]:
                    break
                path, lead = header[345:500].partition(b"\0")[0] + b"/" + path, header[345]
            if lead in _LEADS:
                path = _without_lead(path)
            if kind == 5:
                path = path.rstrip(b"/")
            head, _, base = path.rpartition(b"/")
            parent = folders.get(head)
            if parent is None or base in _ODD_NAMES or (kind == 5 and path in folders):
                break
            names += base
            add_parent(parent), add_kind(kind), add_size(size if kind == 0 else 0)
            add_mode(owner[0]), add_uid(owner[1]), add_gid(owner[2]), add_time(mtime)
            add_block(base_offset + position >> 9 if size and kind == 0 else NO_DATA)
            add_end(len(names))
            names.append(0)
            position += 512
            if kind == 0:
                self._stored = size
                if base in watched_names or parent in watched_folders or size >= watched_size:
                    self._begin(row, base, chunk, position)
                position += size + 511 & -512
            elif kind == 5:
                self._note_folder(path, row)
            else:
                columns.add_link(row, text_of(header[157:257]))
            row += 1
        self.entries += row - first
        return position

    def _owner(self, fields: bytes) -> tuple[int, int, int] | None:
        """Mode, uid and gid: few combinations are met again and again."""
        try:
            mode, uid, gid = parse_number(fields[:8]), parse_number(fields[8:16]), parse_number(fields[16:])
        except BadHeader:
            return None
        if len(self._owners) >= _MOST_OWNERS:
            self._owners.clear()
        self._owners[fields] = owner = mode & 0o7777, parse_id(uid), parse_id(gid)
        return owner

    def _slow(self, chunk: bytes, position: int, end: int) -> int:
        """Take one header of any dialect; the position of the next, or _MORE when bytes are missing or it is over."""
        header = chunk[position : position + BLOCK]
        if header == _ZERO:
            if self._blank:
                self.done = True
                return _MORE
            self._blank = True
            return position + BLOCK
        if self._blank:
            self._fail("there is something between the two blocks that end it")
            return _MORE
        if not checksum_fits(header):
            self._fail("the checksum of a header is wrong")
            return _MORE
        try:
            if header[156] in _METADATA:
                return self._metadata(header, chunk, position, end)
            return self._entry(header, chunk, position, end)
        except BadHeader as error:
            self._fail(str(error))
            return _MORE

    def _metadata(self, header: bytes, chunk: bytes, position: int, end: int) -> int:
        """PAX headers (x, g, Solaris X) and GNU long names (L, K), which describe what follows."""
        size = parse_number(header[124:136])
        if not 0 <= size <= self._limits.metadata:
            raise BadHeader(f"a record before a header has more than {self._limits.metadata:,} bytes")
        stop = position + BLOCK + (size + BLOCK - 1) // BLOCK * BLOCK
        if stop > end:
            return _MORE
        payload = chunk[position + BLOCK : position + BLOCK + size]
        flag = header[156]
        if flag in b"xX":
            self._records.update(parse_records(payload))
        elif flag == 0x67:
            # Global records are checked and, as container engines do, not applied.
            parse_records(payload)
        elif text_of(payload):
            self._records[b"path" if flag == 0x4C else b"linkpath"] = text_of(payload)
        return stop

    def _entry(self, header: bytes, chunk: bytes, position: int, end: int) -> int:
        entry = parse_header(header, self._records)
        position += BLOCK
        if entry.flag == 0x53:
            count = _sparse_blocks(chunk, position - BLOCK, end)
            if count is None:
                return _MORE
            entry.size, pieces = parse_old_sparse(chunk[position - BLOCK : position + count * BLOCK])
            if entry.size < 0:
                raise BadHeader("a sparse file has a negative size")
            entry.sparse = Sparse(entry.stored, checked_pieces(pieces, entry.size, entry.stored))
            position += count * BLOCK
        if max(len(entry.path), len(entry.link)) > self._limits.path:
            raise BadHeader(f"a path has more than {self._limits.path:,} bytes")
        self._records = {}
        kind = _KINDS.get(entry.flag, Kind.REGULAR)
        row = self.place(entry, kind, (self._base + position) // BLOCK if entry.stored else NO_DATA)
        self.entries += 1
        self._stored = entry.stored
        if kind == Kind.REGULAR:
            columns = self.columns
            base, size = columns.name(row), entry.size
            watched = base in self.watched_names or columns.parent[row] in self.watched_folders
            if entry.sparse is None and (watched or size >= self.watched_size):
                self._begin(row, base, chunk, position)
        return position + (entry.stored + BLOCK - 1) // BLOCK * BLOCK

    def place(self, entry: Header, kind: int, block: int) -> int:
        """Give an entry its row: a folder that is there already is updated, anything else gets a new one."""
        parts, escaping = split_path(entry.path)
        if not parts:
            if kind == Kind.DIRECTORY:
                self._update(0, entry)
                return 0
            parts = [b"."]
        key = b"/".join(parts)
        known = self.folders.get(key) if kind == Kind.DIRECTORY else None
        if known is not None:
            self._update(known, entry)
            return known
        parent = self._folder(parts[:-1])
        row = self.columns.add(parts[-1], parent, kind | escaping, entry, block)
        if kind == Kind.DIRECTORY:
            self._note_folder(key, row)
        if entry.sparse is not None:
            self._keep_sparse(row, entry.sparse)
        return row

    def _update(self, row: int, entry: Header) -> None:
        columns = self.columns
        self.duplicates += not columns.kind[row] & IMPLIED
        self.described[row] = len(columns)
        columns.kind[row] = Kind.DIRECTORY
        columns.mode[row], columns.mtime[row] = entry.mode, entry.mtime
        columns.uid[row], columns.gid[row] = entry.uid, entry.gid

    def _folder(self, parts: list[bytes]) -> int:
        """The row of a folder; it and those above it are invented where the archive has not described them."""
        known = len(parts)
        while (row := self.folders.get(b"/".join(parts[:known]))) is None:
            known -= 1
        for depth in range(known, len(parts)):
            row = self.columns.add(parts[depth], row, Kind.DIRECTORY | IMPLIED, _IMPLIED_FOLDER, NO_DATA)
            self._note_folder(b"/".join(parts[: depth + 1]), row)
        return row

    def _note_folder(self, path: bytes, row: int) -> None:
        self.folders[path] = row
        self._folder_bytes += len(path)
        if path in self.watched_paths:
            self.watched_folders.add(row)

    def _keep_sparse(self, row: int, sparse: Sparse) -> None:
        self._pieces += len(sparse.pieces or ()) + 2
        if self._pieces > _MOST_PIECES:
            sparse = Sparse(sparse.stored, None)
        if len(self.columns.sparse) < _MOST_PIECES:
            self.columns.sparse[row] = sparse

    def _begin(self, row: int, base: bytes, chunk: bytes, start: int) -> None:
        self._sink = self.watch(row, base) if self.watch is not None else None
        self._sink_left = self._stored
        if self._sink is not None:
            self._deliver(chunk, start)

    def _deliver(self, chunk: bytes, start: int) -> None:
        sink = self._sink
        if sink is None:
            return
        piece = memoryview(chunk)[start : start + self._sink_left]
        sink.write(piece)
        self._sink_left -= len(piece)
        if not self._sink_left:
            self._sink = None
            sink.close()


_IMPLIED_FOLDER: Final = Header(0x35, b"", 0o755, 0, 0, 0, 0, 0, b"")


def _without_lead(path: bytes) -> bytes:
    while path.startswith((b"./", b"/")):
        path = path[2:] if path.startswith(b"./") else path[1:]
    return path


def split_path(path: bytes) -> tuple[list[bytes], int]:
    """The names of a path below the root, and ESCAPING when `..` was in it: it never leads out of the root."""
    parts: list[bytes] = []
    escaping = 0
    for part in path.split(b"/"):
        if part == b"..":
            escaping = ESCAPING
            del parts[-1:]
        elif part not in _ODD_NAMES:
            parts.append(part)
    return parts, escaping


def _sparse_blocks(chunk: bytes, position: int, end: int) -> int | None:
    """How many extension blocks follow an old GNU sparse header; None when they have not all arrived."""
    if not chunk[position + 482]:
        return 0
    for count in range(1, _MOST_EXTENSIONS):
        block = position + count * BLOCK
        if block + BLOCK > end:
            return None
        if not chunk[block + 504]:
            return count
    raise BadHeader("a sparse map is longer than regtui reads")
