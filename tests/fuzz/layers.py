"""Coverage-guided fuzzing of everything that reads a layer's bytes; needs atheris, and is run by hand.

    uv run --with atheris python -m tests.fuzz.layers -max_total_time=300 [libFuzzer options]

Any bytes must give a value or an error of regtui's own, within libFuzzer's bounds of time and memory. The first byte
of an input chooses what reads the rest. Without a corpus folder it starts from seeds made here; what it finds, it
writes as `crash-…`, `timeout-…` or `oom-…`, to be run again by naming the file.
"""

from __future__ import annotations

import gzip
import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import atheris

with atheris.instrument_imports(include=["regtui"]):
    from regtui.contents.errors import IndexCorrupted
    from regtui.contents.layer_index import LayerIndex
    from regtui.contents.lazy import ESTARGZ_DIGEST, toc_index
    from regtui.contents.limits import Limits
    from regtui.contents.merge import stack
    from regtui.contents.packages import apk, dpkg, languages, rpm
    from regtui.contents.packages.inventory import inventory_of
    from regtui.contents.soci import index_of_ztoc
    from regtui.contents.stream import IndexOptions, index_layer
    from regtui.contents.toc import index_of_toc
    from regtui.contents.view import Filter, View
    from regtui.contents.waste import waste_of
    from regtui.oci import Descriptor, Digest, RegtuiError

if TYPE_CHECKING:
    from collections.abc import Callable

LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
LIMITS: Final = Limits(tar_bytes=1 << 24, entries=5000)


def explore(index: LayerIndex) -> None:
    """What screens and commands do with an index."""
    for row in range(len(index)):
        index.entry(row)
    tree = stack([index, index])
    view = View(tree, since=0)
    pending = [0]
    while pending:
        for node in view.children(pending.pop(), by="size"):
            view.change(node), view.path(node), view.entry(node)
            pending.append(node)
    view.filtered(Filter("*a*"))
    waste_of(tree)
    inventory_of(tree)
    assert LayerIndex.from_bytes(index.to_bytes()).entries == index.entries


def _described(raw: bytes, **annotations: str) -> Descriptor:
    return Descriptor(LAYER, Digest.of(raw), len(raw), annotations)


def layer(raw: bytes) -> None:
    """A tar, or whatever its first bytes say."""
    explore(index_layer(io.BytesIO(raw), _described(raw), options=IndexOptions(True, limits=LIMITS)))


def checked_tar(raw: bytes) -> None:
    """A tar whose checksums are right, so that what stands in its headers is read."""
    made = bytearray(raw[: len(raw) // 512 * 512])
    for start in range(0, len(made), 512):
        if made[start + 257 : start + 262] == b"ustar":
            made[start + 148 : start + 156] = b" " * 8
            made[start + 148 : start + 156] = b"%06o\0 " % sum(made[start : start + 512])
    layer(bytes(made))


def packed_tar(raw: bytes) -> None:
    """A tar inside of gzip."""
    layer(gzip.compress(raw, 1, mtime=0))


def stored_index(raw: bytes) -> None:
    """An index out of the cache."""
    explore(LayerIndex.from_bytes(raw))


def estargz(raw: bytes) -> None:
    """A layer with a footer, probed."""
    for notes in ({}, {ESTARGZ_DIGEST: f"sha256:{'0' * 64}"}):
        index = toc_index(_described(raw, **notes), lambda start, end: raw[start:end], probe=True)
        if index is not None:
            explore(index)


def table(raw: bytes) -> None:
    """The JSON of a table of contents."""
    explore(index_of_toc(raw, Descriptor(LAYER, Digest.of(raw), 1 << 20), "gzip", "estargz", verified=True))


def ztoc(raw: bytes) -> None:
    """A SOCI table of contents; its size is told the right one."""
    size = int.from_bytes(raw[0x24:0x2C], "little") if len(raw) > 0x2C else 0
    index = index_of_ztoc(raw, Descriptor(LAYER, Digest.of(raw), size))
    if index is not None:
        explore(index)


def databases(raw: bytes) -> None:
    """Package databases of all kinds, which the stream hands to their parsers as they are."""
    dpkg.parse_status(raw)
    apk.parse_installed(raw)
    languages.parse_metadata(raw)
    languages.parse_record(raw, b"usr/lib")
    languages.parse_package_json(raw, "name")
    languages.parse_build_info(raw)
    for parse in (rpm.parse_ndb, rpm.parse_sqlite):
        try:
            parse(bytearray(raw))
        except rpm.BadDatabase:
            continue


TARGETS: Final[tuple[Callable[[bytes], None], ...]] = (
    layer,
    checked_tar,
    packed_tar,
    stored_index,
    estargz,
    table,
    ztoc,
    databases,
)


def one_input(data: bytes) -> None:
    """One input of the fuzzer."""
    if len(data) < 2:
        return
    try:
        TARGETS[data[0] % len(TARGETS)](data[1:])
    except (RegtuiError, IndexCorrupted):
        return


def seeds() -> list[bytes]:
    """Inputs to begin with, one or more for each target."""
    from tests.contents.conftest import archive, indexed

    tar = archive(
        ("etc/passwd", b"root:x:0:0\n"),
        ("etc/.wh.old", b""),
        ("var/.wh..wh..opq", b""),
        ("lib", "-> usr/lib"),
        ("etc/hard", "=> etc/passwd"),
        ("long/" * 30 + "file", b"x"),
        ("var/lib/dpkg/status", b"Package: a\nStatus: install ok installed\nVersion: 1\n\n"),
    ) + archive(("pax/" + "p" * 200, b"x" * 700), form=2)
    toc = (
        b'{"version":1,"entries":[{"name":"a","type":"reg","size":3,"offset":5,"mode":420},{"name":"b/","type":"dir"}]}'
    )
    folder = Path(__file__).parents[1] / "contents/soci"
    made = [tar, tar, tar, indexed(tar).to_bytes(), gzip.compress(tar), toc]
    made.append(gzip.decompress((folder / "layer.ztoc.gz").read_bytes()))
    texts = (b"Package: a\nVersion: 1\n\n", b"P:musl\nV:1\nF:lib\nR:x\n\n", b"Name: a\nVersion: 1\n", b'{"name":"a"}')
    found = [bytes((number,)) + raw for number, raw in enumerate(made)]
    return found + [bytes((len(made),)) + text for text in texts]


def main() -> None:
    """Fuzz until libFuzzer's options say to stop."""
    arguments = sys.argv[:]
    if not any(Path(argument).exists() for argument in arguments[1:]):
        folder = Path(tempfile.mkdtemp(prefix="regtui-fuzz-"))
        for number, seed in enumerate(seeds()):
            (folder / f"seed{number}").write_bytes(seed)
        arguments += [str(folder), "-max_len=65536", "-timeout=20", "-rss_limit_mb=600"]
    atheris.Setup(arguments, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
