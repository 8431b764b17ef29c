"""Writes eStargz layers: each file in a gzip member of its own (stargz-snapshotter, docs/estargz.md)."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def write_estargz(source: Path, target: Path) -> str:
    """Write the files of a gzip layer as eStargz; the digest of its table of contents.

    A file's header ends the member before its own, so that a member begins with what is in the file.
    """
    entries, pending = [], b""
    with tarfile.open(source, "r|gz") as tar, target.open("wb") as out:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            raw = content.read() if content is not None else b""
            member.pax_headers = {}
            pending += member.tobuf(tarfile.GNU_FORMAT)
            entry = _entry(member, raw)
            if raw:
                out.write(gzip.compress(pending, 1, mtime=0))
                entry["offset"] = out.tell()
                pending = raw + bytes(-len(raw) % 512)
            entries.append({key: value for key, value in entry.items() if value not in ("", 0)})
        out.write(gzip.compress(pending, 1, mtime=0))
        position = out.tell()
        toc = json.dumps({"version": 1, "entries": entries}, indent="\t").encode()
        about = tarfile.TarInfo("stargz.index.json")
        about.size = len(toc)
        out.write(gzip.compress(about.tobuf() + toc + bytes(-len(toc) % 512 + 1024), 6, mtime=0))
        # An empty member whose extra field says where the table begins.
        extra = b"SG\x16\x00" + b"%016xSTARGZ" % position
        out.write(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + len(extra).to_bytes(2, "little") + extra)
        out.write(b"\x01\0\0\xff\xff" + bytes(8))
    return f"sha256:{hashlib.sha256(toc).hexdigest()}"


def _entry(member: tarfile.TarInfo, raw: bytes) -> dict[str, Any]:
    return {
        "name": member.name + "/" * member.isdir(),
        "type": _estargz_type(member),
        "size": len(raw),
        "modtime": f"2026-01-02T03:04:{int(member.mtime) % 60:02}Z",
        "linkName": member.linkname,
        "mode": member.mode,
        "uid": member.uid,
        "gid": member.gid,
        "digest": f"sha256:{hashlib.sha256(raw).hexdigest()}",
    }


def _estargz_type(member: tarfile.TarInfo) -> str:
    kinds = {
        tarfile.DIRTYPE: "dir",
        tarfile.SYMTYPE: "symlink",
        tarfile.LNKTYPE: "hardlink",
        tarfile.CHRTYPE: "char",
        tarfile.BLKTYPE: "block",
        tarfile.FIFOTYPE: "fifo",
    }
    return kinds.get(member.type, "reg")
