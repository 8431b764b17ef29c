"""What `regtui prune` does beside its own rules: the vendor's rules tried beforehand, and the garbage of a layout."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.output import print_json, print_table, say
from regtui.operations.errors import OperationError, Refused
from regtui.registries.contract import Capability
from regtui.ui.words import size_text

if TYPE_CHECKING:
    import argparse

    from regtui.registries.contract import TagSummary
    from regtui.session import Session, Target


async def read_tags(session: Session, target: Target) -> list[TagSummary]:
    """Every tag with its details; one that can't be read stays, and is said."""
    registry = await session.registry(target.host)
    path = target.path or ""
    listed = [tag async for page in registry.tags(path) for tag in page.items]
    found = []
    async for detail in session.tag_details(target.host, path, listed):
        found.append(detail.tag)
        if detail.error is not None:
            say(f"{detail.tag.name} could not be read: {detail.error}")
    return found


async def preview(session: Session, target: Target, arguments: argparse.Namespace) -> int:
    """Tell what the registry's own rules will remove; the exit code. Raises Unsupported where there are none."""
    from regtui.operations.retention_import import effect_of

    registry = await session.registry(target.host)
    rules = await registry.retention(target.path or "")
    if rules is None:
        raise OperationError(f"{target} has no retention rules.", hint="Nothing is removed by the registry itself.")
    tags = await read_tags(session, target)
    effect = effect_of(rules, target.path or "", tags, datetime.now(UTC))
    if arguments.json:
        print_json(
            {
                "format": rules.format,
                "enabled": rules.enabled,
                "sentences": list(rules.sentences),
                "tags": len(tags),
                "goes": [{"tag": tag, "why": why} for tag, why in effect.goes.items()],
                "not_understood": effect.unknown,
            }
        )
        return exits.DONE
    for sentence in (*rules.sentences, *(f"Not understood: {text}" for text in effect.unknown)):
        say(sentence)
    if rules.enabled is False:
        say("These rules are switched off: this is what they would remove.")
    print_table(("tag", "goes by"), [[tag, why] for tag, why in effect.goes.items()])
    say(f"{len(effect.goes)} of {len(tags)} tags will be removed by the registry.")
    return exits.DONE


async def collect(session: Session, target: Target, arguments: argparse.Namespace) -> int:
    """Remove the garbage of a layout folder; the exit code. It can't be undone, so that it is always shown first.

    Raises Refused when it is not confirmed, OperationError for a registry, whose garbage only its owner collects.
    """
    from regtui.registries.layout import LayoutRegistry

    layout = await session.registry(target.host)
    if not isinstance(layout, LayoutRegistry):
        raise OperationError(
            f"{target.host} collects its garbage itself.", hint="Who runs it starts that; regtui can't."
        )
    found = await layout.garbage()
    is_run = bool(found.digests) and not arguments.dry_run
    if is_run and not session.writable(target.host):
        reason = (await layout.capabilities())[Capability.DELETE_MANIFEST].reason or f"{target.host} is read-only here."
        raise Refused(reason, hint="Add --write for this run.")
    if is_run and not arguments.yes:
        raise Refused(
            f"{len(found.digests):,} blobs of {size_text(found.bytes)} would go, and can't be put back.",
            hint="Add --yes to remove them, or --dry-run --json to list them.",
        )
    if is_run:
        found = await layout.garbage(remove=True)
    if arguments.json:
        print_json({"blobs": list(found.digests), "bytes": found.bytes, "removed": is_run})
    else:
        say(f"{len(found.digests):,} blobs of {size_text(found.bytes)} {'were removed' if is_run else 'are garbage'}.")
    return exits.DONE
