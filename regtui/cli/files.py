"""`regtui files`: the file tree of an image or of one layer, its waste and its packages, without pulling it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, positive, session_of
from regtui.cli.output import print_fields, print_json, print_json_line, print_table, say
from regtui.contents.columns import Kind
from regtui.contents.packages.inventory import inventory_of
from regtui.contents.tree import Change
from regtui.contents.view import View
from regtui.contents.waste import Budget, waste_of
from regtui.oci import Platform
from regtui.oci.errors import InvalidReference
from regtui.oci.times import format_time
from regtui.session import parse_image
from regtui.ui.words import count_text, size_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from regtui.contents.packages.inventory import Installed
    from regtui.contents.waste import Waste
    from regtui.oci import Reference
    from regtui.session import Session
    from regtui.session.contents import ImageContents, LayerProgress

_CHANGES = {
    Change.UNCHANGED: "unchanged",
    Change.ADDED: "added",
    Change.MODIFIED: "modified",
    Change.METADATA: "modified",
    Change.REMOVED: "removed",
    Change.GONE: "removed",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `files`."""
    parser.add_argument("reference", metavar="REF", help="an image")
    parser.add_argument("path", metavar="PATH", nargs="?", default="/", help="only what lies there")
    parser.add_argument("--layer", type=positive, metavar="N", help="what layer N (from 1) changed")
    parser.add_argument("--platform", metavar="OS/ARCH[/VARIANT]", help="which platform of an index")
    parser.add_argument("--largest", type=positive, metavar="N", help="the N largest files")
    parser.add_argument("--waste", action="store_true", help="what the image wastes, with dive's score")
    parser.add_argument("--packages", action="store_true", help="which packages the bytes belong to")
    parser.add_argument("--min-efficiency", type=float, metavar="SHARE", help="exit 3 below this score (0 to 1)")
    parser.add_argument("--max-wasted", type=int, metavar="BYTES", help="exit 3 when more bytes are wasted")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Show files; the exit code."""
    reference = parse_image(arguments.reference)
    session = session_of(arguments, reference.host)
    try:
        contents = await read_contents(session, reference, arguments.platform)
    finally:
        await session.close()
    for number, problem in contents.problems.items():
        say(f"Layer {number + 1} is left out: {problem}")
    if arguments.waste or arguments.min_efficiency is not None or arguments.max_wasted is not None:
        return _waste(contents, arguments)
    if arguments.packages:
        return _packages(contents, as_json=arguments.json)
    _files(contents, arguments)
    return exits.DONE


async def read_contents(session: Session, reference: Reference, platform: str | None) -> ImageContents:
    """The stacked layers of an image, with progress on a terminal. Raises RegtuiError."""
    image = await session.image(reference, Platform.parse(platform) if platform else None)
    contents = await session.contents.contents(image, _progress if sys.stderr.isatty() else None)
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    return contents


def _progress(step: LayerProgress) -> None:
    layer = min(step.done + 1, step.layers)
    done = f"{size_text(step.read)} of {size_text(step.total)}"
    sys.stderr.write(f"\r\x1b[Klayer {layer} of {step.layers} · {done} · {count_text(step.entries)} entries")
    sys.stderr.flush()


def _files(contents: ImageContents, arguments: argparse.Namespace) -> None:
    layer = _layer(contents, arguments.layer)
    view = View(contents.tree) if layer is None else View(contents.tree, layer, layer - 1)
    rows = (file_dict(view, node) for node in _chosen(view, contents, arguments, layer))
    if arguments.json:
        for row in rows:
            print_json_line(row)
        return
    table = [[row["type"], _mode(row["mode"]), size_text(row["size"]), row["change"], _shown(row)] for row in rows]
    print_table(("type", "mode", "size", "change", "path"), table, right=frozenset({2}))


def _layer(contents: ImageContents, number: int | None) -> int | None:
    layers = len(contents.tree.layers)
    if number is not None and number > layers:
        raise InvalidReference(f"This image has {layers} layers.", hint=f"--layer takes 1 to {layers}.")
    return None if number is None else number - 1


def _chosen(view: View, contents: ImageContents, arguments: argparse.Namespace, layer: int | None) -> Iterator[int]:
    if arguments.largest:
        yield from view.largest(arguments.largest)
        return
    start = contents.tree.find(arguments.path.encode("utf-8", "surrogateescape"))
    if start is None:
        raise InvalidReference(f"{arguments.path!a} is not in this image.", hint="Leave the path out to see all.")
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if node and (layer is None or view.own_change(node) != Change.UNCHANGED):
            yield node
        waiting.extend(reversed(view.children(node)))


def file_dict(view: View, node: int) -> dict[str, Any]:
    """The JSON of one path (docs/cli.md)."""
    entry, found = view.entry(node), view.occurrence(node)
    return {
        "path": view.path(node),
        "type": view.kind(node).name.lower(),
        "size": view.size(node),
        "mode": entry.mode if entry is not None else None,
        "uid": entry.uid if entry is not None else None,
        "gid": entry.gid if entry is not None else None,
        "mtime": _time(entry.mtime) if entry is not None else None,
        "link": entry.link if entry is not None else None,
        "layer": found.layer + 1 if found is not None else None,
        "change": _CHANGES[view.own_change(node)],
    }


def _time(seconds: int | None) -> str | None:
    from datetime import UTC, datetime

    try:
        return None if seconds is None else format_time(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _mode(mode: int | None) -> str:
    return "—" if mode is None else f"{mode & 0o7777:04o}"


def _shown(row: dict[str, Any]) -> str:
    folder = "/" if row["type"] == Kind.DIRECTORY.name.lower() else ""
    return f"{row['path']}{folder}" + (f" -> {row['link']}" if row["link"] else "")


def _waste(contents: ImageContents, arguments: argparse.Namespace) -> int:
    waste = waste_of(contents.tree)
    view = View(contents.tree)
    if arguments.json:
        print_json(waste_dict(waste, view))
    else:
        print_fields(
            [
                ("score", f"{waste.efficiency:.4f}"),
                ("wasted", size_text(waste.wasted)),
                ("deleted", size_text(waste.deleted)),
                ("overwritten", size_text(waste.overwritten)),
                ("metadata only", size_text(waste.metadata_only)),
            ]
        )
        rows = [[size_text(p.bytes), f"×{p.count}", view.path(p.node)] for p in waste.worst[:50]]
        rows += [[size_text(item.bytes), item.manager, view.path(item.node)] for item in waste.leftovers]
        if rows:
            sys.stdout.write("\n")
            print_table(("bytes", "why", "path"), rows, right=frozenset({0}))
    broken = Budget(arguments.min_efficiency, arguments.max_wasted).broken(waste)
    for sentence in broken:
        say(sentence)
    return exits.NEGATIVE if broken else exits.DONE


def waste_dict(waste: Waste, view: View) -> dict[str, Any]:
    """The JSON of the waste (docs/cli.md)."""
    return {
        "score": waste.efficiency,
        "wasted_bytes": waste.wasted,
        "deleted_bytes": waste.deleted,
        "overwritten_bytes": waste.overwritten,
        "metadata_only_bytes": waste.metadata_only,
        "complete": waste.complete,
        "paths": [{"path": view.path(p.node), "count": p.count, "bytes": p.bytes} for p in waste.worst],
        "leftovers": [
            {"path": view.path(item.node), "manager": item.manager, "bytes": item.bytes} for item in waste.leftovers
        ],
    }


def _packages(contents: ImageContents, *, as_json: bool) -> int:
    inventory = inventory_of(contents.tree)
    view = View(contents.tree)
    rows = [package_dict(package) for package in inventory.packages]
    rows.append({"manager": None, "name": None, "version": None, "bytes": inventory.unowned, "layer": None})
    if as_json:
        for row in rows:
            print_json_line(row)
    else:
        rows.sort(key=lambda row: -int(row["bytes"] or 0))
        table = [
            [
                size_text(row["bytes"]),
                row["manager"] or "—",
                row["name"] or f"(no package: {count_text(inventory.unowned_files)} files)",
                row["version"] or "—",
                str(row["layer"] or "—"),
            ]
            for row in rows
        ]
        print_table(("bytes", "manager", "package", "version", "layer"), table, right=frozenset({0, 4}))
    for node, problem in inventory.problems:
        say(f"{view.path(node)} could not be read: {problem}")
    return exits.DONE


def package_dict(package: Installed) -> dict[str, Any]:
    """The JSON of one package (docs/cli.md)."""
    return {
        "manager": package.manager,
        "name": package.name,
        "version": package.version,
        "bytes": package.bytes,
        "layer": package.layer + 1,
    }
