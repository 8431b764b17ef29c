"""What `regtui files` says of an image as a whole: waste and budgets, caches left behind, duplicates, packages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from regtui.cli import exits
from regtui.cli.common import byte_count, share
from regtui.cli.output import print_fields, print_json, print_json_line, print_table, say
from regtui.contents.packages.inventory import inventory_of
from regtui.contents.view import View
from regtui.contents.waste import Budget, duplicates_of, leftovers_of, waste_of
from regtui.ui.words import count_text, size_text

if TYPE_CHECKING:
    import argparse

    from regtui.contents.packages.inventory import Installed
    from regtui.contents.waste import Waste
    from regtui.session.contents import ImageContents

_SHOWN: Final = 50
_NAMED: Final = 5
"""Paths of a group of equal files that the table names."""


def add_reports(parser: argparse.ArgumentParser) -> None:
    """The options that ask for a report in place of the listing."""
    group = parser.add_argument_group("reports")
    group.add_argument("--waste", action="store_true", help="what the image wastes, with dive's score")
    group.add_argument("--caches", action="store_true", help="caches that package managers left behind")
    group.add_argument("--duplicates", action="store_true", help="files with the same content (reads layers anew)")
    group.add_argument("--packages", action="store_true", help="which packages the bytes belong to")
    group.add_argument("--min-efficiency", type=share, metavar="SHARE", help="exit 3 below this score (0 to 1)")
    group.add_argument(
        "--max-wasted", type=byte_count, metavar="SIZE", help='exit 3 above, such as 20000000 or "20 MB"'
    )
    group.add_argument(
        "--max-wasted-share", type=share, metavar="SHARE", help="exit 3 above this share of what was added"
    )


def report(contents: ImageContents, arguments: argparse.Namespace) -> int | None:
    """Print the report that was asked for; its exit code, None when none was."""
    budget = Budget(arguments.min_efficiency, arguments.max_wasted, arguments.max_wasted_share)
    if arguments.waste or budget != Budget():
        return _waste(contents, budget, as_json=arguments.json)
    if arguments.caches:
        return _caches(contents, as_json=arguments.json)
    if arguments.duplicates:
        return _duplicates(contents, as_json=arguments.json)
    if arguments.packages:
        return _packages(contents, as_json=arguments.json)
    return None


def _waste(contents: ImageContents, budget: Budget, *, as_json: bool) -> int:
    waste = waste_of(contents.tree)
    view = View(contents.tree)
    if as_json:
        print_json(waste_dict(waste, view))
    else:
        _print_waste(waste, view)
    if not waste.complete:
        say("Layers that could not be listed are not counted.")
    broken = budget.broken(waste)
    for sentence in broken:
        say(sentence)
    return exits.NEGATIVE if broken else exits.DONE


def _print_waste(waste: Waste, view: View) -> None:
    share_text = "—" if waste.wasted_share is None else f"{waste.wasted_share:.1%} of what was added to the base"
    print_fields(
        [
            ("score", f"{waste.efficiency:.4f}"),
            ("wasted", f"{size_text(waste.wasted)}, {share_text}"),
            ("deleted", f"{size_text(waste.deleted)} hidden by whiteouts"),
            ("overwritten", f"{size_text(waste.overwritten)} hidden by later files"),
            ("metadata only", f"{size_text(waste.metadata_only)} of it written again for mode, owner or time"),
        ]
    )
    rows = [[size_text(p.bytes), f"×{p.count}", view.path(p.node)] for p in waste.worst[:_SHOWN]]
    rows += [[size_text(item.bytes), f"{item.manager} cache", view.path(item.node)] for item in waste.leftovers]
    if rows:
        sys.stdout.write("\n")
        print_table(("bytes", "why", "path"), rows, right=frozenset({0}))


def waste_dict(waste: Waste, view: View) -> dict[str, Any]:
    """The JSON of the waste (docs/cli.md)."""
    return {
        "score": waste.efficiency,
        "wasted_bytes": waste.wasted,
        "wasted_share": waste.wasted_share,
        "deleted_bytes": waste.deleted,
        "overwritten_bytes": waste.overwritten,
        "metadata_only_bytes": waste.metadata_only,
        "complete": waste.complete,
        "paths": [{"path": view.path(p.node), "count": p.count, "bytes": p.bytes} for p in waste.worst],
        "leftovers": [
            {"path": view.path(item.node), "manager": item.manager, "bytes": item.bytes} for item in waste.leftovers
        ],
    }


def _caches(contents: ImageContents, *, as_json: bool) -> int:
    view, found = View(contents.tree), leftovers_of(contents.tree)
    if as_json:
        for item in found:
            print_json_line(
                {"path": view.path(item.node), "manager": item.manager, "bytes": item.bytes, "files": item.files}
            )
    elif found:
        rows = [[size_text(i.bytes), count_text(i.files), i.manager, view.path(i.node)] for i in found]
        print_table(("bytes", "files", "manager", "path"), rows, right=frozenset({0, 1}))
    else:
        say("No package manager left a cache behind.")
    return exits.DONE


def _duplicates(contents: ImageContents, *, as_json: bool) -> int:
    view, found = View(contents.tree), duplicates_of(contents.tree) or ()
    for group in found if as_json else ():
        paths = [view.path(node) for node in group.nodes]
        print_json_line({"bytes": group.bytes, "size": group.size, "count": len(paths), "paths": paths})
    if not as_json and found:
        rows = []
        for group in found[:_SHOWN]:
            named = [view.path(node) for node in group.nodes[:_NAMED]]
            more = len(group.nodes) - len(named)
            text = " ".join(named) + (f" and {count_text(more)} more" if more else "")
            rows.append([size_text(group.bytes), size_text(group.size), f"×{len(group.nodes)}", text])
        print_table(("bytes", "size", "", "paths"), rows, right=frozenset({0, 1, 2}))
    if not found:
        say("No two files have the same content.")
    return exits.DONE


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
