"""`regtui restore`: what the registry keeps of what was deleted, and having it put back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, session_of
from regtui.cli.output import print_json, print_table, say, says_yes
from regtui.oci.errors import InvalidReference
from regtui.oci.times import format_time
from regtui.operations.errors import Refused
from regtui.session.restoring import chosen, list_deleted, restore_deleted
from regtui.session.targets import parse_repository
from regtui.ui.words import UNKNOWN, time_text

if TYPE_CHECKING:
    import argparse

    from regtui.registries.contract import DeletedManifest


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `restore`."""
    parser.add_argument("repository", metavar="REPOSITORY", help="host/path of a repository")
    parser.add_argument("name", metavar="TAG|DIGEST", nargs="?", help="what to put back; without it all are listed")
    parser.add_argument("--yes", action="store_true", help="put it back without asking")
    parser.add_argument("--write", action="store_true", help="allow changes where the settings do not say writable")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """List or restore; the exit code. Raises Unsupported where the registry keeps nothing that was deleted."""
    target = parse_repository(arguments.repository)
    if target.path is None:
        raise InvalidReference(f"{target} is a registry, not a repository.", hint="Add /repository.")
    session = session_of(arguments, target.host)
    try:
        items, stopped = await list_deleted(session, target)
        if arguments.name is None:
            _show(items, stopped, as_json=arguments.json)
            return exits.DONE
        item = chosen(items, arguments.name)
        question = f"Put {', '.join(item.tags) or item.digest} back into {target}?"
        if not arguments.yes and not await asyncio.to_thread(says_yes, question):
            say("regtui: Nothing was restored. Confirm with y, or with --yes.")
            return exits.REFUSED
        restored = await restore_deleted(session, target, item)
    except Refused as error:
        say(f"regtui: {error}")
        return exits.REFUSED
    finally:
        await session.close()
    if arguments.json:
        print_json({**_as_dict(item), "there": restored.there})
    else:
        for name, is_there in restored.there.items():
            say(f"{name}: {'is there again' if is_there else 'the registry said yes, and it is not there'}")
    return exits.DONE if restored.is_whole else exits.FAILED


def _show(items: tuple[DeletedManifest, ...], stopped: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json([_as_dict(item) for item in items])
    elif items:
        rows = [
            [
                ", ".join(item.tags) or UNKNOWN,
                str(item.digest or item.locator or UNKNOWN),
                time_text(item.deleted),
                time_text(item.kept_until),
            ]
            for item in items
        ]
        print_table(("tags", "digest", "deleted", "kept until"), rows)
    else:
        say("The registry keeps nothing that was deleted here.")
    if stopped:
        say(stopped)


def _as_dict(item: DeletedManifest) -> dict[str, Any]:
    return {
        "digest": item.digest,
        "tags": list(item.tags),
        "deleted": format_time(item.deleted) if item.deleted else None,
        "kept_until": format_time(item.kept_until) if item.kept_until else None,
    }
