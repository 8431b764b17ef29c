"""`regtui referrers`: what hangs on an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, session_of
from regtui.cli.output import print_json, print_table
from regtui.oci import Index
from regtui.oci.artifact import name_of_type
from regtui.session import parse_image
from regtui.ui.words import size_text

if TYPE_CHECKING:
    import argparse

    from regtui.oci import Descriptor, Digest, Reference
    from regtui.session import Session

DEEPEST: Final = 4
"""Referrers of referrers are followed this far: signatures of SBOMs exist, loops too."""


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
        top = await session.reader.manifest(reference)
        tree = await _tree(session, reference, top.digest, arguments.artifact_type, seen=set())
        tree["attestations"] = [_node(entry) for entry in top.attestations] if isinstance(top, Index) else []
    finally:
        await session.close()
    if arguments.json:
        print_json(tree)
        return exits.DONE
    rows = _rows(tree, 0)
    if rows:
        print_table(("type", "digest", "size"), rows, right=frozenset({2}))
    else:
        print_table(("type", "digest", "size"), [[f"nothing hangs on {reference}", "", ""]])
    return exits.DONE


async def _tree(
    session: Session, reference: Reference, digest: Digest, artifact_type: str | None, *, seen: set[str], depth: int = 0
) -> dict[str, Any]:
    """The referrers of a digest and theirs; a loop ends where it comes round."""
    seen.add(digest)
    registry = await session.registry(reference.host)
    found = await registry.referrers(reference.path, digest, artifact_type if depth == 0 else None)
    nodes = []
    for descriptor in found.descriptors:
        node = _node(descriptor)
        if descriptor.digest not in seen and depth < DEEPEST:
            inner = await _tree(session, reference, descriptor.digest, None, seen=seen, depth=depth + 1)
            node["referrers"] = inner["referrers"]
        nodes.append(node)
    return {"digest": digest, "source": found.source, "referrers": nodes}


def _node(descriptor: Descriptor) -> dict[str, Any]:
    kind = descriptor.artifact_type
    return {
        "digest": descriptor.digest,
        "media_type": descriptor.media_type,
        "artifact_type": kind,
        "name": name_of_type(kind) if kind else "attestation manifest" if descriptor.platform else "artifact",
        "size": descriptor.size,
        "annotations": dict(descriptor.annotations),
        "referrers": [],
    }


def _rows(tree: dict[str, Any], depth: int) -> list[list[str]]:
    rows = []
    for node in [*tree["referrers"], *tree.get("attestations", ())]:
        rows.append(["  " * depth + node["name"], node["digest"], size_text(node["size"])])
        rows.extend(_rows(node, depth + 1))
    return rows
