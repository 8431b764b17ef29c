"""dpkg: var/lib/dpkg/status, the lists of files under info/, and distroless' status.d/.

Formats: deb822(5), dpkg-query(1); distroless keeps one status file and one `.md5sums` per package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.contents.packages.records import Described

if TYPE_CHECKING:
    from collections.abc import Iterator

_WANTED = frozenset({b"package", b"status", b"version", b"architecture", b"installed-size"})


def parse_status(raw: bytes) -> list[Described]:
    """The installed packages of a status file; removed ones that left configuration behind are not installed."""
    return [package for stanza in raw.replace(b"\r\n", b"\n").split(b"\n\n") if (package := _package(stanza))]


def _package(stanza: bytes) -> Described | None:
    fields = dict(_fields(stanza))
    name = fields.get(b"package")
    status = fields.get(b"status")
    if not name or (status is not None and status.split()[-1:] != [b"installed"]):
        return None
    size = fields.get(b"installed-size", b"")
    return Described(
        _text(name),
        _text(fields[b"version"]) if b"version" in fields else None,
        _text(fields[b"architecture"]) if b"architecture" in fields else None,
        int(size) * 1024 if size.isdigit() and len(size) < 16 else None,
    )


def _fields(stanza: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in stanza.split(b"\n"):
        # Continued lines belong to descriptions and the like.
        if line[:1] in {b" ", b"\t", b""}:
            continue
        key, _, value = line.partition(b":")
        if key.lower() in _WANTED:
            yield key.lower(), value.strip()


def parse_list(name: bytes, raw: bytes) -> Described:
    """The files of `info/<package>[:<architecture>].list`, one absolute path per line."""
    package, _, architecture = name.removesuffix(b".list").partition(b":")
    paths = tuple(line.lstrip(b"/") for line in raw.split(b"\n") if len(line) > 1)
    return Described(_text(package), None, _text(architecture) or None, None, paths)


def parse_md5sums(name: bytes, raw: bytes) -> Described:
    """The files of `status.d/<package>.md5sums`: a sum, two spaces, a path from the root."""
    paths = tuple(line.partition(b"  ")[2].lstrip(b"./") for line in raw.split(b"\n") if b"  " in line)
    return Described(_text(name.removesuffix(b".md5sums")), None, None, None, paths)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
