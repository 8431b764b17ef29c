"""Packages: each database format is read, and the image's inventory joins what all layers say."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sqlite3
import struct
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.contents.layer_index import LayerIndex
from regtui.contents.merge import stack
from regtui.contents.packages import apk, dpkg, languages, rpm
from regtui.contents.packages.inventory import Inventory, inventory_of

from .conftest import archive, indexed


def status(*packages: tuple[str, str], state: str = "install ok installed") -> bytes:
    return b"\n\n".join(
        f"Package: {name}\nStatus: {state}\nArchitecture: amd64\nInstalled-Size: 3\nVersion: {version}\n"
        f"Description: words\n Package: not this\n .".encode()
        for name, version in packages
    )


def short(inventory: Inventory) -> list[tuple]:
    return [(p.manager, p.name, p.version, p.layer, p.bytes, p.files) for p in inventory.packages]


def test_dpkg_over_two_layers() -> None:
    base = archive(
        ("lib", "-> usr/lib"),
        ("usr/lib/libc.so", b"x" * 100),
        ("usr/bin/tool", b"y" * 10),
        ("var/lib/dpkg/status", status(("libc6", "2.36"), ("tool", "1.0"))),
        ("var/lib/dpkg/info/libc6:amd64.list", b"/.\n/lib\n/lib/libc.so\n/usr/share/doc/gone\n"),
        ("var/lib/dpkg/info/tool.list", b"/.\n/usr\n/usr/bin\n/usr/bin/tool\n"),
    )
    upper = archive(
        ("usr/bin/tool", b"z" * 25),
        ("usr/bin/new", b"n" * 5),
        ("opt/own", b"o" * 7),
        ("var/lib/dpkg/status", status(("libc6", "2.36"), ("tool", "1.1"), ("new", "3"))),
        ("var/lib/dpkg/info/tool.list", b"/usr/bin/tool\n"),
        ("var/lib/dpkg/info/new.list", b"/usr/bin/new\n"),
    )
    tree = stack([indexed(base), indexed(upper)])
    found = inventory_of(tree)
    assert short(found) == [
        ("dpkg", "libc6", "2.36", 0, 100, 1),
        ("dpkg", "new", "3", 1, 5, 1),
        ("dpkg", "tool", "1.1", 1, 25, 1),
    ]
    assert found.packages[0].claimed == 3072
    assert found.owned == 130
    databases = sum(
        tree.size(here)
        for path in (b"status", b"info/libc6:amd64.list", b"info/tool.list", b"info/new.list")
        if (node := tree.find(b"var/lib/dpkg/" + path)) and (here := tree.occurrence(node))
    )
    assert found.unowned == 7 + databases
    assert b"opt/own" in {tree.path(node) for node in found.largest_unowned}


def test_the_inventory_survives_being_stored() -> None:
    raw = archive(
        ("usr/bin/tool", b"y" * 10),
        ("var/lib/dpkg/status", status(("tool", "1.0"))),
        ("var/lib/dpkg/info/tool.list", b"/usr/bin/tool\n"),
    )
    index = indexed(raw)
    again = LayerIndex.from_bytes(index.to_bytes())
    assert again.findings == index.findings
    assert short(inventory_of(stack([again]))) == short(inventory_of(stack([index])))


def test_removed_packages_and_removed_databases_are_not_listed() -> None:
    assert dpkg.parse_status(status(("a", "1"), state="deinstall ok config-files")) == []
    base = indexed(archive(("var/lib/dpkg/status", status(("a", "1")))))
    gone = indexed(archive(("var/lib/.wh.dpkg", b"")))
    assert inventory_of(stack([base, gone])).packages == ()


def test_distroless() -> None:
    raw = archive(
        ("usr/lib/os-release", b"x" * 9),
        ("var/lib/dpkg/status.d/base", b"Package: base-files\nVersion: 12\nArchitecture: amd64\n"),
        ("var/lib/dpkg/status.d/base-files.md5sums", b"0123  usr/lib/os-release\n"),
        ("var/lib/dpkg/status.d/tzdata", b"Package: tzdata\nVersion: 2024a\n"),
    )
    assert short(inventory_of(stack([indexed(raw)]))) == [
        ("dpkg", "base-files", "12", 0, 9, 1),
        ("dpkg", "tzdata", "2024a", 0, None, None),
    ]


def test_apk() -> None:
    database = (
        b"C:Q1abc=\nP:busybox\nV:1.36-r0\nA:x86_64\nI:4096\nF:bin\nR:busybox\na:0:0:755\nF:etc\nR:securetty\n\n"
        b"P:musl\nV:1.2\nF:lib\nR:ld-musl.so\n"
    )
    raw = archive(
        ("lib/apk/db/installed", database),
        ("bin/busybox", b"b" * 50),
        ("etc/securetty", b"s"),
        ("lib/ld-musl.so", b"m" * 20),
    )
    assert short(inventory_of(stack([indexed(raw)]))) == [
        ("apk", "busybox", "1.36-r0", 0, 51, 2),
        ("apk", "musl", "1.2", 0, 20, 1),
    ]
    assert next((p.claimed, p.architecture) for p in inventory_of(stack([indexed(raw)])).packages) == (4096, "x86_64")


def rpm_header(name: str, version: str, release: str, *files: str, epoch: int | None = None) -> bytes:
    """A header as rpm stores it."""
    folders = sorted({file.rpartition("/")[0] + "/" for file in files})
    values: list[tuple[int, int, int, bytes]] = [
        (1000, 6, 1, name.encode() + b"\0"),
        (1001, 6, 1, version.encode() + b"\0"),
        (1002, 6, 1, release.encode() + b"\0"),
        (1009, 4, 1, struct.pack(">I", 12345)),
        (1022, 6, 1, b"x86_64\0"),
    ]
    if epoch is not None:
        values.append((1003, 4, 1, struct.pack(">I", epoch)))
    if files:
        where = [folders.index(file.rpartition("/")[0] + "/") for file in files]
        values += [
            (1116, 4, len(files), struct.pack(f">{len(files)}I", *where)),
            (1117, 8, len(files), b"".join(file.rpartition("/")[2].encode() + b"\0" for file in files)),
            (1118, 8, len(folders), b"".join(folder.encode() + b"\0" for folder in folders)),
        ]
    index, store = b"", b""
    for tag, kind, count, value in values:
        store += bytes(-len(store) % 4)
        index += struct.pack(">IIII", tag, kind, len(store), count)
        store += value
    return struct.pack(">II", len(values), len(store)) + index + store


def rpm_sqlite(path: Path, *headers: bytes) -> bytes:
    with sqlite3.connect(path) as connection:
        connection.execute("pragma journal_mode=wal")
        connection.execute("create table Packages (hnum integer primary key, blob blob not null)")
        connection.executemany("insert into Packages (blob) values (?)", [(header,) for header in headers])
    connection.close()
    return path.read_bytes()


def rpm_ndb(*headers: bytes) -> bytes:
    slots, blobs = b"", b""
    for number, header in enumerate(headers, 1):
        blob = struct.pack("<4sIII", b"BlbS", number, 1, len(header)) + header
        blob += bytes(-len(blob) % 16)
        slots += struct.pack("<4sIII", b"Slot", number, (4096 + len(blobs)) // 16, len(blob) // 16)
        blobs += blob
    page = struct.pack("<4sIII16x", b"RpmP", 0, 1, 1) + slots
    return page + bytes(4096 - len(page)) + blobs


@pytest.mark.parametrize("form", ["sqlite", "ndb"])
def test_rpm(form: str, tmp_path: Path) -> None:
    headers = (
        rpm_header("bash", "5.2", "1.fc40", "/usr/bin/bash", "/usr/share/doc/bash", epoch=1),
        rpm_header("empty", "1", "2"),
        rpm_header("gpg-pubkey", "a", "b"),
        b"damaged",
    )
    if form == "sqlite":
        name, database = "rpmdb.sqlite", rpm_sqlite(tmp_path / "db", *headers)
    else:
        name, database = "Packages.db", rpm_ndb(*headers)
    raw = archive((f"usr/lib/sysimage/rpm/{name}", database), ("usr/bin/bash", b"b" * 30))
    found = inventory_of(stack([indexed(raw)]))
    assert short(found) == [("rpm", "bash", "1:5.2-1.fc40", 0, 30, 1), ("rpm", "empty", "1-2", 0, None, None)]
    assert found.packages[0].claimed == 12345


def test_rpm_databases_that_can_not_be_read() -> None:
    raw = archive(("var/lib/rpm/Packages", b"x" * 100))
    found = inventory_of(stack([indexed(raw)]))
    assert "Berkeley" in found.problems[0][1]
    damaged = archive(("var/lib/rpm/rpmdb.sqlite", b"SQLite format 3\0" + b"x" * 900))
    assert inventory_of(stack([indexed(damaged)])).problems


def test_a_view_in_place_of_the_table_does_not_run(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "create view Packages as with recursive n(x) as (select 1 union all select x + 1 from n) select x from n"
        )
    connection.close()
    with pytest.raises(rpm.BadDatabase):
        rpm.parse_sqlite(bytearray(path.read_bytes()))


def test_python_and_npm() -> None:
    site = "usr/lib/python3/site-packages"
    nested = "srv/node_modules/@scope/outer/node_modules/inner"
    raw = archive(
        (f"{site}/demo-1.0.dist-info/METADATA", b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\nVersion: no\n"),
        (f"{site}/demo-1.0.dist-info/RECORD", b'demo/__init__.py,sha256=x,4\n"demo/a,b.py",,\n../../../bin/demo,,\n'),
        (f"{site}/demo/__init__.py", b"1234"),
        (f"{site}/demo/a,b.py", b"56"),
        ("usr/bin/demo", b"7"),
        ("srv/node_modules/@scope/outer/package.json", json.dumps({"version": "2.0.1"}).encode()),
        ("srv/node_modules/@scope/outer/lib/index.js", b"o" * 40),
        (f"{nested}/package.json", b'{"engines": {"version": "9"}, "version": "0.1"}'),
        (f"{nested}/esm/package.json", b'{"version": "not a package"}'),
        ("srv/package.json", b'{"version": "mine"}'),
    )
    found = {p.name: (p.manager, p.version, p.bytes) for p in inventory_of(stack([indexed(raw)])).packages}
    assert found["demo"][:2] == ("python", "1.0")
    assert found["@scope/outer"][:2] == ("npm", "2.0.1")
    assert found["@scope/outer"][2] == 40 + len('{"version": "2.0.1"}')
    assert found["inner"][:2] == ("npm", "0.1")
    assert sorted(found) == ["@scope/outer", "demo", "inner"]
    # The script lies beside the packages: its path goes up and down again.
    assert found["demo"][2] == 4 + 2 + 1


def test_what_the_system_owns_is_not_listed_twice() -> None:
    info = "usr/lib/python3/dist-packages/six-1.16.dist-info"
    raw = archive(
        (f"{info}/METADATA", b"Name: six\nVersion: 1.16\n"),
        ("var/lib/dpkg/status", status(("python3-six", "1.16-1"))),
        ("var/lib/dpkg/info/python3-six.list", f"/{info}/METADATA\n".encode()),
    )
    assert [p.name for p in inventory_of(stack([indexed(raw)])).packages] == ["python3-six"]


def test_go_programs() -> None:
    program = shutil.which("gofmt") or shutil.which("go")
    if program is None:
        pytest.skip("there is no Go program on this machine")
    content = Path(program).resolve().read_bytes()
    info = tarfile.TarInfo("usr/bin/program")
    info.mode, info.size = 0o755, len(content)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.addfile(info, io.BytesIO(content))
    found = inventory_of(stack([indexed(made.getvalue())]))
    assert {p.manager for p in found.packages} == {"go"}
    assert any(p.name == "stdlib" and (p.version or "").startswith("go1.") for p in found.packages)
    assert found.owned == len(content)


def test_go_build_information() -> None:
    text = b"path\tx\nmod\texample.com/x\t(devel)\t\n"
    text += b"dep\texample.com/y\tv1.2.3\th1:abcdefgh\n=>\texample.com/z\tv2.0.0\t\n"
    framed = b"0" * 16 + text + b"1" * 16
    raw = languages.GO_MAGIC + b"\x08\x02" + bytes(16) + bytes([6]) + b"go1.22"
    raw += bytes([len(framed) & 0x7F | 0x80, 1]) + framed
    assert 128 <= len(framed) < 256
    assert [(p.name, p.version) for p in languages.parse_build_info(raw)] == [
        ("stdlib", "go1.22"),
        ("example.com/x", None),
        ("example.com/z", "v2.0.0"),
    ]


def test_too_large_a_database_is_a_problem_in_words() -> None:
    raw = archive(("var/lib/dpkg/status", b"x" * (17 << 20)))
    assert "more than" in inventory_of(stack([indexed(raw)])).problems[0][1]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_taken(raw: bytes) -> None:
    dpkg.parse_status(b"Package: " + raw)
    dpkg.parse_list(raw, raw)
    dpkg.parse_md5sums(raw, raw)
    apk.parse_installed(b"P:" + raw)
    languages.parse_metadata(raw)
    languages.parse_record(raw, b"a/b")
    languages.parse_package_json(b'{"version": "1", "version": ' + raw, "x")
    languages.parse_build_info(languages.GO_MAGIC + b"\x08\x02" + bytes(16) + raw)
    rpm.parse_header(raw)
    for parse in (rpm.parse_ndb, lambda data: rpm.parse_sqlite(bytearray(data))):
        for data in (raw, b"RpmP" + raw + bytes(5000), b"SQLite format 3\0" + raw + bytes(600)):
            with contextlib.suppress(rpm.BadDatabase):
                parse(data)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_damaged_rpm_headers(at: int, piece: bytes) -> None:
    raw = bytearray(rpm_header("bash", "5.2", "1", "/usr/bin/bash"))
    raw[at % len(raw) : at % len(raw) + len(piece)] = piece
    rpm.parse_header(bytes(raw))
    rpm.parse_ndb(rpm_ndb(bytes(raw)))
