"""`regtui registries`: the known registries, and whether they answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, session_of
from regtui.cli.output import print_json, print_table
from regtui.oci import RegtuiError
from regtui.ui.words import UNKNOWN

if TYPE_CHECKING:
    import argparse

    from regtui.session import KnownRegistry, Session


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `registries`."""
    parser.add_argument("--check", action="store_true", help="ask each one whether it answers")
    add_json(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """List the known registries; the exit code."""
    session = session_of(arguments)
    try:
        known = session.known_registries()
        checked = (
            [await _row(session, entry, check=arguments.check) for entry in known]
            if not arguments.check
            else (list(await asyncio.gather(*(_row(session, entry, check=True) for entry in known))))
        )
    finally:
        await session.close()
    if arguments.json:
        print_json(checked)
    else:
        _print(checked)
    return exits.DONE


async def _row(session: Session, known: KnownRegistry, *, check: bool) -> dict[str, object]:
    row: dict[str, object] = {
        "host": known.host,
        "kind": known.kind,
        "credential": known.signs_in,
        "writable": known.writable,
        "reachable": None,
        "error": None,
    }
    if check:
        try:
            registry = await session.registry(known.host)
            await registry.check()
        except RegtuiError as error:
            row |= {"reachable": False, "error": str(error)}
        else:
            row |= {"reachable": True, "kind": registry.kind, "credential": registry.identity().source}
    return row


def _print(rows: list[dict[str, object]]) -> None:
    words = {None: UNKNOWN, True: "yes", False: "no"}
    cells = [
        [
            str(row["host"]),
            str(row["kind"] or UNKNOWN),
            str(row["credential"] or "anonymous"),
            "yes" if row["writable"] else "no",
            words[row["reachable"] if isinstance(row["reachable"], bool) else None],
            str(row["error"] or ""),
        ]
        for row in rows
    ]
    print_table(("host", "kind", "credential", "writable", "reachable", "error"), cells)
