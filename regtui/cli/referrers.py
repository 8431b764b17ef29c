"""`regtui referrers`: what hangs on an image and on each of its platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, session_of
from regtui.cli.output import print_json, print_table, say
from regtui.oci.artifact import name_of_type
from regtui.session import parse_image
from regtui.trust.referrers_tree import Found
from regtui.ui.words import size_text

if TYPE_CHECKING:
    import argparse

    from regtui.trust.referrers_tree import Attached, ReferrersTree


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `referrers`."""
    parser.add_argument("reference", metavar="REF", help="an image")
    parser.add_argument("--type", dest="artifact_type", metavar="TYPE", help="only this artifact type")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Show what hangs on an image; the exit code."""
    reference = parse_image(arguments.reference)
    session = session_of(arguments, reference.host)
    try:
        tree = await session.trust.tree(await session.image(reference))
    finally:
        await session.close()
    for note in tree.notes:
        say(note)
    if arguments.json:
        print_json(as_dict(tree, arguments.artifact_type))
        return exits.DONE
    rows = _rows(tree, arguments.artifact_type)
    print_table(("type", "digest", "size"), rows or [[f"nothing hangs on {reference}", "", ""]], right=frozenset({2}))
    return exits.DONE


def as_dict(tree: ReferrersTree, artifact_type: str | None = None) -> dict[str, Any]:
    """The JSON of a tree (docs/cli.md). `attestations` are the manifests inside an index that describe its images."""
    everything = [one for image in (tree, *tree.images) for one in image.attached]
    return {
        "digest": tree.subject,
        "source": tree.source,
        "referrers": _nodes(tree.attached, artifact_type),
        "attestations": [_node(one) for one in everything if one.found is Found.INDEX],
        "platforms": [
            {"digest": image.subject, "platform": image.platform, "referrers": _nodes(image.attached, artifact_type)}
            for image in tree.images
        ],
        "notes": list(tree.notes),
    }


def _nodes(attached: tuple[Attached, ...], artifact_type: str | None) -> list[dict[str, Any]]:
    return [_node(one) for one in _chosen(attached, artifact_type) if one.found is not Found.INDEX]


def _chosen(attached: tuple[Attached, ...], artifact_type: str | None) -> list[Attached]:
    return [one for one in attached if artifact_type in {None, one.descriptor.artifact_type}]


def _node(one: Attached) -> dict[str, Any]:
    descriptor = one.descriptor
    return {
        "digest": descriptor.digest,
        "media_type": descriptor.media_type,
        "artifact_type": descriptor.artifact_type,
        "name": name_of_type(descriptor.artifact_type) if descriptor.artifact_type else one.title,
        "predicate": one.predicate_type,
        "found": one.found.value,
        "tag": one.tag,
        "size": descriptor.size,
        "annotations": dict(descriptor.annotations),
        "referrers": [_node(inner) for inner in one.attached],
    }


def _rows(tree: ReferrersTree, artifact_type: str | None) -> list[list[str]]:
    rows = _rows_of(_chosen(tree.attached, artifact_type), 0)
    for image in tree.images:
        inside = _rows_of(_chosen(image.attached, artifact_type), 1)
        if inside:
            rows += [[f"{image.platform or 'image'}:", image.subject, ""], *inside]
    return rows


def _rows_of(attached: list[Attached], depth: int) -> list[list[str]]:
    rows = []
    for one in attached:
        name = one.title if one.tag is None else f"{one.title} (tag)"
        rows.append(["  " * depth + name, one.descriptor.digest, size_text(one.descriptor.size)])
        rows += _rows_of(list(one.attached), depth + 1)
    return rows
