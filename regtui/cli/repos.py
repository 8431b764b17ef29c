"""`regtui repos`: the repositories of a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, positive, session_of
from regtui.cli.output import print_json_line, print_table, say
from regtui.oci.times import format_time
from regtui.registries.contract import closing
from regtui.session.targets import parse_prefix
from regtui.ui.words import count_text, size_text, time_text

if TYPE_CHECKING:
    import argparse

    from regtui.registries.contract import RepositorySummary
    from regtui.session import Session, Target


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `repos`."""
    parser.add_argument("target", metavar="HOST[/PREFIX]", help="a registry, layout or archive, and a leading path")
    parser.add_argument("--limit", type=positive, metavar="N", help="stop after N repositories")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """List repositories; the exit code."""
    target = parse_prefix(arguments.target)
    session = session_of(arguments, target.host)
    try:
        return await _list(session, target, arguments.limit, as_json=arguments.json)
    finally:
        await session.close()


async def _list(session: Session, target: Target, limit: int | None, *, as_json: bool) -> int:
    registry = await session.registry(target.host)
    shown: list[RepositorySummary] = []
    stopped: str | None = None
    async with closing(registry.repositories(target.path or "")) as pages:
        async for page in pages:
            items = page.items if limit is None else page.items[: limit - len(shown)]
            shown.extend(items)
            stopped = page.stopped or stopped
            if as_json:
                for item in items:
                    print_json_line(as_dict(item))
            if limit is not None and len(shown) >= limit:
                break
    if not as_json:
        rows = [[r.path, count_text(r.tags), size_text(r.size), time_text(r.updated)] for r in shown]
        print_table(("repository", "tags", "size", "updated"), rows, right=frozenset({1, 2}))
    if stopped:
        say(f"The listing is not complete: {stopped}")
    return exits.DONE


def as_dict(repository: RepositorySummary) -> dict[str, object]:
    """The JSON of one repository (docs/cli.md)."""
    return {
        "repository": repository.path,
        "tags": repository.tags,
        "size": repository.size,
        "updated": format_time(repository.updated),
    }
