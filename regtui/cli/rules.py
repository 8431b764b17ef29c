"""`regtui rules`: the registry's own retention rules, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, session_of
from regtui.cli.output import print_fields, print_json, say
from regtui.oci.errors import InvalidReference
from regtui.session.targets import parse_repository

if TYPE_CHECKING:
    import argparse

    from regtui.registries.contract import RetentionRules

_STATES = {True: "on", False: "off", None: None}


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `rules`."""
    parser.add_argument("repository", metavar="REPOSITORY", help="host/path of a repository")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Show the rules; the exit code. Raises Unsupported where the registry knows no such."""
    target = parse_repository(arguments.repository)
    if target.path is None:
        raise InvalidReference(f"{target} is a registry, not a repository.", hint="Add /repository.")
    session = session_of(arguments, target.host)
    try:
        registry = await session.registry(target.host)
        rules = await registry.retention(target.path)
    finally:
        await session.close()
    if arguments.json:
        print_json(None if rules is None else as_dict(str(target), rules))
    elif rules is None:
        say(f"{target} has no retention rules.")
    else:
        print_fields((("rules of", str(target)), ("kind", rules.format), ("state", _STATES[rules.enabled])))
        print_fields((("", "\n".join(rules.sentences)),))
    return exits.DONE


def as_dict(repository: str, rules: RetentionRules) -> dict[str, object]:
    """The JSON of retention rules (docs/cli.md); `rules` is what the registry gave."""
    return {
        "repository": repository,
        "format": rules.format,
        "enabled": rules.enabled,
        "sentences": list(rules.sentences),
        "rules": rules.body,
    }
