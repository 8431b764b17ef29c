"""`regtui tags`: the tags of a repository."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, positive, session_of
from regtui.cli.output import print_json_line, print_table, say
from regtui.oci.tags import natural_key, version_key
from regtui.oci.times import format_time
from regtui.registries.contract import closing
from regtui.session import parse_repository
from regtui.ui.words import UNKNOWN, platforms_text, size_text, time_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from regtui.registries.contract import TagSummary
    from regtui.session import Session, Target

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
ORDERS: Final[dict[str, Callable[[TagSummary], Any]]] = {
    "name": lambda tag: natural_key(tag.name),
    "semver": lambda tag: version_key(tag.name),
    "pushed": lambda tag: (tag.pushed or tag.created or _EARLIEST, natural_key(tag.name)),
    "size": lambda tag: (-1 if tag.size is None else tag.size, natural_key(tag.name)),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tags`."""
    parser.add_argument("repository", metavar="REPOSITORY", help="host/path of a repository")
    parser.add_argument("--details", action="store_true", help="ask for size, platforms and date of each tag too")
    parser.add_argument("--untagged", action="store_true", help="list manifests without a tag, too")
    parser.add_argument("--sort", choices=sorted(ORDERS), help="order (default: the registry's own)")
    parser.add_argument("--reverse", action="store_true", help="turn the order round")
    parser.add_argument("--limit", type=positive, metavar="N", help="stop after N tags")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """List tags; the exit code."""
    target = parse_repository(arguments.repository)
    session = session_of(arguments, target.host)
    try:
        tags = await _read(
            session, target, arguments.limit if not arguments.sort else None, untagged=arguments.untagged
        )
        failed = 0
        if arguments.details:
            tags, failed = await _detailed(session, target, tags)
    finally:
        await session.close()
    if arguments.sort:
        tags.sort(key=ORDERS[arguments.sort])
    if arguments.reverse:
        tags.reverse()
    _print(tags[: arguments.limit], as_json=arguments.json, details=arguments.details)
    if failed:
        say(f"{failed} of {len(tags)} tags could not be read; what is unknown of them is shown so.")
    return exits.FAILED if failed else exits.DONE


async def _read(session: Session, target: Target, limit: int | None, *, untagged: bool) -> list[TagSummary]:
    registry = await session.registry(target.host)
    repository = target.path or (await _only_repository(session, target))
    found: list[TagSummary] = []
    left_out = 0
    async with closing(registry.tags(repository)) as pages:
        async for page in pages:
            shown = page.items if untagged else tuple(tag for tag in page.items if not tag.is_untagged)
            found.extend(shown)
            left_out += len(page.items) - len(shown)
            if page.stopped:
                say(f"The listing is not complete: {page.stopped}")
            if limit is not None and len(found) >= limit:
                return found[:limit]
    if left_out:
        say(f"{left_out:,} manifests without a tag are not listed; --untagged lists them.")
    return found


async def _only_repository(session: Session, target: Target) -> str:
    """The repository of a layout or archive that has just one. Raises InvalidReference otherwise."""
    from regtui.oci import InvalidReference

    registry = await session.registry(target.host)
    paths = [item.path async for page in registry.repositories() for item in page.items]
    if len(paths) == 1:
        return paths[0]
    raise InvalidReference(
        f"{target.host} holds {len(paths)} repositories.", hint=f"Name one: {', '.join(paths[:6])}." if paths else None
    )


async def _detailed(session: Session, target: Target, tags: list[TagSummary]) -> tuple[list[TagSummary], int]:
    repository = target.path or await _only_repository(session, target)
    found: dict[str, TagSummary] = {}
    failed = 0
    async with closing(session.tag_details(target.host, repository, tags)) as details:
        async for detail in details:
            found[detail.tag.name] = detail.tag
            failed += detail.error is not None
    return [found[tag.name] for tag in tags], failed


def _print(tags: list[TagSummary], *, as_json: bool, details: bool) -> None:
    if as_json:
        for tag in tags:
            print_json_line(as_dict(tag))
        return
    told = details or any(tag.digest or tag.size is not None or tag.pushed for tag in tags)
    if not told:
        print_table(("tag",), [[tag.name] for tag in tags])
        return
    rows = [
        [
            UNKNOWN if tag.is_untagged else tag.name,
            tag.digest or UNKNOWN,
            size_text(tag.size),
            time_text(tag.pushed or tag.created),
            platforms_text(tag.platforms),
        ]
        for tag in tags
    ]
    print_table(("tag", "digest", "size", "pushed or created", "platforms"), rows, right=frozenset({2}))


def as_dict(tag: TagSummary) -> dict[str, object]:
    """The JSON of one tag (docs/cli.md)."""
    return {
        "tag": None if tag.is_untagged else tag.name,
        "digest": tag.digest,
        "media_type": tag.media_type,
        "size": tag.size,
        "pushed": format_time(tag.pushed),
        "created": format_time(tag.created),
        "pulled": format_time(tag.pulled),
        "platforms": None if tag.platforms is None else [str(platform) for platform in tag.platforms],
        "vulnerabilities": None if tag.vulnerabilities is None else dict(tag.vulnerabilities),
        "signed": tag.signed,
    }
