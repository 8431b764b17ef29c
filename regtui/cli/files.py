"""`regtui files`: the file tree of an image or of one layer, its waste and its packages, without pulling it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, positive, session_of
from regtui.cli.file_reports import add_reports, report
from regtui.cli.output import print_json_line, print_table, say
from regtui.cli.progress import cleared, layers_progress
from regtui.contents.columns import Kind
from regtui.contents.stream import IndexOptions
from regtui.contents.tree import Change
from regtui.contents.view import Filter, View
from regtui.contents.walk import split_path
from regtui.oci import Platform
from regtui.oci.errors import InvalidReference
from regtui.oci.times import format_time
from regtui.session import parse_image
from regtui.ui.words import size_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from regtui.oci import Reference
    from regtui.session import Session
    from regtui.session.contents import ImageContents

_CHANGES = {
    Change.UNCHANGED: "unchanged",
    Change.ADDED: "added",
    Change.MODIFIED: "modified",
    Change.METADATA: "modified",
    Change.REMOVED: "removed",
    Change.GONE: "removed",
}
_BY_CHANGE: Final = {
    word: frozenset(change for change, name in _CHANGES.items() if name == word) for word in set(_CHANGES.values())
} | {"metadata": frozenset({Change.METADATA})}


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `files`."""
    parser.add_argument("reference", metavar="REF", help="an image")
    parser.add_argument("path", metavar="PATH", nargs="?", default="/", help="only what lies there")
    parser.add_argument("--platform", metavar="OS/ARCH[/VARIANT]", help="which platform of an index")
    parser.add_argument("--whole", action="store_true", help="read layers whole, even if they have a table of contents")
    shown = parser.add_argument_group("which files")
    shown.add_argument("--layer", type=positive, metavar="N", help="what layer N (from 1) changed")
    shown.add_argument("--since", type=positive, metavar="N", help="what changed after layer N")
    shown.add_argument("--from-layer", type=positive, action="append", metavar="N", help="only what comes from layer N")
    shown.add_argument("--change", choices=sorted(_BY_CHANGE), action="append", help="only what was changed so")
    shown.add_argument("--match", metavar="GLOB", help="names, or whole paths when it has a slash; * ? ** [a-z]")
    shown.add_argument("--largest", type=positive, metavar="N", help="the N largest files")
    shown.add_argument(
        "--depth", type=positive, metavar="N", help="totals of folders N levels down, not what they hold"
    )
    shown.add_argument("--sort", choices=("name", "size"), default="name", help="order within each folder")
    add_reports(parser)
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Show files; the exit code."""
    reference = parse_image(arguments.reference)
    session = session_of(arguments, reference.host)
    try:
        contents = await read_contents(
            session,
            reference,
            arguments.platform,
            hash_files=arguments.duplicates,
            shortcuts=not (arguments.packages or arguments.whole),
        )
    finally:
        await session.close()
    for number, problem in contents.problems.items():
        say(f"Layer {number + 1} is left out: {problem}")
    for number, index in enumerate(contents.tree.layers, 1):
        if index is not None and index.damage is not None:
            say(f"Layer {number} is damaged: {index.damage}; what comes before is listed.")
        if index is not None and not index.verified:
            say(f"Layer {number} is listed by what hangs on the image, which nothing vouches for: --whole reads it.")
    code = report(contents, arguments)
    if code is not None:
        return code
    _files(contents, arguments)
    return exits.DONE


async def read_contents(
    session: Session,
    reference: Reference,
    platform: str | None,
    *,
    hash_files: bool = False,
    shortcuts: bool = True,
) -> ImageContents:
    """The stacked layers of an image, with progress on a terminal. Raises RegtuiError."""
    image = await session.image(reference, Platform.parse(platform) if platform else None)
    options = IndexOptions(hash_files=True) if hash_files else None
    with cleared():
        return await session.contents.contents(image, layers_progress(), options=options, shortcuts=shortcuts)


def layer_number(contents: ImageContents, number: int | None) -> int | None:
    """The layer that a person counts from 1, counted from 0. Raises InvalidReference when there are not so many."""
    layers = len(contents.tree.layers)
    if number is not None and number > layers:
        raise InvalidReference(f"This image has {layers} layers.", hint=f"A layer is named by 1 to {layers}.")
    return None if number is None else number - 1


def _files(contents: ImageContents, arguments: argparse.Namespace) -> None:
    view = _view(contents, arguments)
    rows = (file_dict(view, node) for node in _chosen(view, arguments))
    if arguments.json:
        for row in rows:
            print_json_line(row)
        return
    table = [[row["type"], _mode(row["mode"]), size_text(row["size"]), row["change"], _shown(row)] for row in rows]
    print_table(("type", "mode", "size", "change", "path"), table, right=frozenset({2}))


def _view(contents: ImageContents, arguments: argparse.Namespace) -> View:
    layer, since = (layer_number(contents, number) for number in (arguments.layer, arguments.since))
    if layer is not None:
        since = layer - 1
    view = View(contents.tree, layer, since)
    changes = {change for name in arguments.change or () for change in _BY_CHANGE[name]}
    if since is not None and since != view.layer and not changes:
        changes = set(Change) - {Change.UNCHANGED}
    sources = {layer_number(contents, number) or 0 for number in arguments.from_layer or ()}
    return view.filtered(Filter(arguments.match, frozenset(changes) or None, frozenset(sources) or None))


def _chosen(view: View, arguments: argparse.Namespace) -> Iterator[int]:
    """The nodes to show: folders that only lead to one of them are left out, except as totals."""
    start = _start(view, arguments.path)
    if arguments.largest:
        yield from view.largest(arguments.largest, start)
        return
    whole = not (arguments.match or arguments.change or arguments.from_layer or arguments.layer or arguments.since)
    waiting = [(start, 0)]
    while waiting:
        node, depth = waiting.pop()
        at_depth = arguments.depth == depth
        if node and (whole or at_depth or view.is_match(node)):
            yield node
        if not at_depth:
            waiting.extend((child, depth + 1) for child in reversed(view.children(node, by=arguments.sort)))


def _start(view: View, path: str) -> int:
    """The node to begin at: what was removed can be named, too."""
    node: int | None = 0
    for part in split_path(path.encode("utf-8", "surrogateescape"))[0]:
        node = view.tree.child(node, part) if node is not None else None
    if node is None or not view.is_shown(node):
        raise InvalidReference(f"{path!a} is not in this image.", hint="Leave the path out to see all.")
    return node


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
