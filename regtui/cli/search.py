"""`regtui search`: what the registry's own search finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, positive, session_of
from regtui.cli.output import print_json_line, print_table, say
from regtui.cli.repos import as_dict
from regtui.oci.errors import InvalidReference
from regtui.registries.contract import closing
from regtui.session import parse_target
from regtui.ui.words import time_text

if TYPE_CHECKING:
    import argparse

    from regtui.registries.contract import RepositorySummary

_LIMIT = 25
_WIDEST = 72
"""Characters of a description in the table."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `search`."""
    parser.add_argument("host", metavar="HOST", help="a registry")
    parser.add_argument("text", metavar="TEXT", help="what to look for")
    parser.add_argument("--limit", type=positive, default=_LIMIT, metavar="N", help=f"stop after N (default {_LIMIT})")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Search; the exit code. Raises Unsupported where the registry has no search."""
    target = parse_target(arguments.host)
    if target.path is not None or target.is_local:
        raise InvalidReference(f"{arguments.host[:200]!a} is not a registry.", hint="Give its host alone.")
    session = session_of(arguments, target.host)
    try:
        registry = await session.registry(target.host)
        found: list[RepositorySummary] = []
        async with closing(registry.search(arguments.text)) as pages:
            async for page in pages:
                found += page.items
                if len(found) >= arguments.limit:
                    break
    finally:
        await session.close()
    _print(found[: arguments.limit], as_json=arguments.json)
    if len(found) > arguments.limit:
        say(f"There are more: these are the first {arguments.limit:,} (--limit).")
    return exits.DONE


def _print(found: list[RepositorySummary], *, as_json: bool) -> None:
    if as_json:
        for one in found:
            print_json_line({**as_dict(one), "description": one.description})
    elif found:
        rows = [(one.path, time_text(one.updated), _short(one.description or "—")) for one in found]
        print_table(("repository", "updated", "description"), rows)
    else:
        say("Nothing was found.")


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _WIDEST else words[: _WIDEST - 1] + "…"
