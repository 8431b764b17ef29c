"""`regtui usage`: what a registry or repository stores, and what deleting each tag would truly free."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, positive, session_of
from regtui.cli.output import print_fields, print_json, print_table, say
from regtui.cli.progress import cleared, usage_progress
from regtui.session import parse_target
from regtui.session.usage import RegistryRead
from regtui.ui.words import count_text, size_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from regtui.contents.usage import LayerUse, RepositoryUsage
    from regtui.session import Session, Target
    from regtui.session.usage import RepositoryRead, Unread

_SHOWN: Final = 20
"""Rows of a table, unless --limit asks for another number."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `usage`."""
    parser.add_argument("target", metavar="HOST|REPOSITORY", help="a registry, repository, layout or archive")
    parser.add_argument("--prefix", default="", metavar="PATH", help="of a registry, only repositories that begin so")
    parser.add_argument("--limit", type=positive, default=_SHOWN, metavar="N", help="rows of each table (default 20)")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Show usage; the exit code is 1 when something could not be read, as the figures are too small then."""
    target = parse_target(arguments.target)
    session = session_of(arguments, target.host)
    try:
        with cleared():
            read = await _read(session, target, arguments.prefix)
    finally:
        await session.close()
    if arguments.json:
        print_json(usage_dict(read))
    else:
        _print(read, arguments.limit)
    for missing in read.unread[:_SHOWN]:
        place = missing.repository if missing.tag is None else f"{missing.repository}:{missing.tag}"
        say(f"{place} is not counted: {missing.reason}")
    if len(read.unread) > _SHOWN:
        say(f"and {len(read.unread) - _SHOWN} more are not counted.")
    return exits.FAILED if read.unread else exits.DONE


async def _read(session: Session, target: Target, prefix: str) -> RepositoryRead | RegistryRead:
    if target.path is not None:
        return await session.usage.repository(target.host, target.path, progress=usage_progress())
    return await session.usage.registry(target.host, prefix, usage_progress())


def usage_dict(read: RepositoryRead | RegistryRead) -> dict[str, Any]:
    """The JSON of a usage (docs/cli.md)."""
    usage = read.usage
    made: dict[str, Any] = {"logical": usage.logical, "unique": usage.unique, "shared": usage.shared}
    repositories = _repositories(read)
    if isinstance(read, RegistryRead):
        made["repositories"] = [
            {
                "repository": path,
                "tags": len(one.tags),
                "logical": one.logical,
                "unique": one.unique,
                "exclusive": one.unique - one.shared_elsewhere,
            }
            for path, one in repositories
        ]
    made["tags"] = [tag for path, one in repositories for tag in _tag_dicts(path, one)]
    made["layers"] = [_layer_dict(layer) for layer in usage.layers_by_use()]
    made["unread"] = [_unread_dict(missing) for missing in read.unread]
    return made


def _repositories(read: RepositoryRead | RegistryRead) -> Sequence[tuple[str, RepositoryUsage]]:
    if isinstance(read, RegistryRead):
        return sorted(read.usage.by_repository.items())
    return [(read.repository, read.usage)]


def _tag_dicts(path: str, usage: RepositoryUsage) -> Iterable[dict[str, Any]]:
    for tag in usage.tags:
        yield {
            "repository": path,
            "tag": tag.tag,
            "digest": tag.digest,
            "size": tag.size,
            "exclusive": usage.freed_by((tag.tag,)),
        }


def _layer_dict(layer: LayerUse) -> dict[str, Any]:
    return {"digest": layer.digest, "size": layer.size, "used_by": layer.tags, "images": layer.images}


def _unread_dict(missing: Unread) -> dict[str, Any]:
    return {"repository": missing.repository, "tag": missing.tag, "reason": missing.reason}


def _print(read: RepositoryRead | RegistryRead, limit: int) -> None:
    told = usage_dict(read)
    print_fields(
        [
            ("logical", f"{size_text(told['logical'])} if every tag were stored on its own"),
            ("unique", f"{size_text(told['unique'])} stored, each blob once"),
            ("shared", f"{size_text(told['shared'])} of it by more than one image"),
        ]
    )
    whole = "repositories" in told
    if whole:
        rows = sorted(told["repositories"], key=lambda row: -int(row["exclusive"]))
        cells = [
            [r["repository"], count_text(r["tags"]), *(size_text(r[k]) for k in ("logical", "unique", "exclusive"))]
            for r in rows
        ]
        _table(("repository", "tags", "logical", "unique", "frees"), cells, limit, right=frozenset(range(1, 5)))
    tags = sorted(told["tags"], key=lambda row: (-int(row["exclusive"]), -int(row["size"])))
    cells = [
        [f"{r['repository']}:{r['tag']}" if whole else r["tag"], size_text(r["size"]), size_text(r["exclusive"])]
        for r in tags
    ]
    _table(("tag", "size", "frees"), cells, limit, right=frozenset({1, 2}))
    cells = [
        [r["digest"], size_text(r["size"]), count_text(r["used_by"]), count_text(r["images"])] for r in told["layers"]
    ]
    _table(("layer", "size", "tags", "images"), cells, limit, right=frozenset({1, 2, 3}))


def _table(titles: tuple[str, ...], rows: list[list[str]], limit: int, *, right: frozenset[int]) -> None:
    if not rows:
        return
    sys.stdout.write("\n")
    print_table(titles, rows[:limit], right=right)
    if len(rows) > limit:
        sys.stdout.write(f"and {count_text(len(rows) - limit)} more (--limit)\n")
