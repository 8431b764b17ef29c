"""Plans that put: retag in a repository, copy and move to another. Pure functions over graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from regtui.oci import Digest, Reference
from regtui.oci.reference import is_tag
from regtui.operations.errors import OperationError, Refused
from regtui.operations.plan import Action, Affected, Place, Plan, Protected, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from regtui.oci import Manifest
    from regtui.operations.graph import Graph


@dataclass(frozen=True, slots=True)
class Target:
    """Where something is put: its tag, and what stands there now (None: nothing)."""

    place: Place
    tag: str
    now: Digest | None = None
    protected: str | None = None
    """The pattern that protects the tag."""
    now_manifests: tuple[Digest, ...] = ()
    """What stands there now with its children and referrers, children first: kept in the journal."""

    @property
    def reference(self) -> Reference:
        """The target as a reference."""
        return Reference(self.place.host, self.place.repository, self.tag)


def plan_retag(
    graph: Graph,
    digest: Digest,
    tag: str,
    *,
    overwrite: bool = False,
    protection: Callable[[str], str | None],
    force_protected: bool = False,
) -> Plan:
    """Put a manifest of this repository under one more tag. Raises Refused when the tag exists and may not change."""
    place = Place(graph.host, graph.repository)
    now = graph.tags.get(tag)
    target = Target(place, tag, now, protection(tag), graph.below([now]) if now is not None else ())
    _check(target, digest, overwrite=overwrite, force=force_protected)
    steps = () if now == digest else (Step(Action.TAG, place, digest, tag, now),)
    return Plan(
        "retag",
        steps,
        saves=tuple((place, d) for d in dict.fromkeys((*target.now_manifests, digest))),
        tags_before=((place, tag, now),) if now is not None else (),
        affected=_overwritten(target, digest),
        protected=_forced(target),
        frees_bytes=0,
        reversible_until="as long as the registry keeps the old manifest" if now is not None else "at any time",
        warnings=() if steps else (f"{tag} is there already.",),
        tags_in_all=len(graph.tags) if graph.whole else None,
    )


def plan_copy(
    source: Graph,
    digest: Digest,
    target: Target,
    *,
    referrers: bool = False,
    overwrite: bool = False,
    force_protected: bool = False,
    move: str | None = None,
    made: Manifest | None = None,
    kind: Literal["copy", "pull"] = "copy",
) -> Plan:
    """Copy a manifest with all below it, children first, the tag last; `move` names the tag to remove at the source.

    `made` replaces the top manifest (an index with some platforms only). Raises Refused, OperationError.
    """
    origin = Place(source.host, source.repository)
    top = made.digest if made is not None else digest
    if not is_tag(target.tag):
        raise OperationError(f"{target.tag[:128]!a} is not a tag.")
    _check(target, top, overwrite=overwrite, force=force_protected)
    below = _children(source, digest, made)
    hanging = _hanging(source, digest, below) if referrers else {}
    steps = [Step(Action.COPY, target.place, child, source=origin, why="part of the index") for child in below]
    parts = tuple(range(len(steps)))
    steps.append(Step(Action.COPY, target.place, top, target.tag, target.now, source=origin, needs=parts))
    number = len(steps) - 1
    for hung, tag in hanging.items():
        steps.append(Step(Action.COPY, target.place, hung, tag, source=origin, needs=(number,), why="attached"))
    if move is not None:
        everything = tuple(range(len(steps)))
        steps.append(Step(Action.UNTAG, origin, digest, move, source.tags[move], needs=everything))
    saves = [(target.place, d) for d in target.now_manifests]
    if move is not None:
        saves += [(origin, d) for d in source.below([digest])]
    return Plan(
        kind if move is None else "move",
        tuple(steps),
        saves=tuple(dict.fromkeys(saves)),
        tags_before=(
            *(((target.place, target.tag, target.now),) if target.now is not None else ()),
            *(((origin, move, source.tags[move]),) if move is not None else ()),
        ),
        affected=_overwritten(target, top),
        protected=_forced(target),
        frees_bytes=0,
        warnings=source.problems if referrers else (),
        made=(made,) if made is not None else (),
    )


def _children(source: Graph, digest: Digest, made: Manifest | None) -> tuple[Digest, ...]:
    """Everything below the top, children before their parents, without what only hangs on it."""
    from regtui.operations.graph import Node

    order: dict[Digest, None] = {}

    def walk(children: tuple[Digest, ...], depth: int) -> None:
        for child in children:
            node = source.nodes.get(child)
            if node is None:
                raise OperationError(
                    f"{child.short} is missing in {source.host}/{source.repository}.",
                    hint="The index is broken there; `regtui doctor` tells more. Copy one platform with --platform.",
                )
            if depth < 8:
                walk(node.children, depth + 1)
            order.setdefault(child)

    top = Node.of(made) if made is not None else source.nodes[digest]
    walk(top.children, 0)
    return tuple(order)


def _hanging(source: Graph, digest: Digest, below: tuple[Digest, ...]) -> Mapping[Digest, str | None]:
    """What hangs on the copied manifests, with the tag that carries it (cosign's), subjects first."""
    copied = dict.fromkeys((*below, digest))
    found: dict[Digest, str | None] = {}
    waiting = list(copied)
    while waiting:
        subject = waiting.pop(0)
        rows: dict[Digest, str | None] = dict.fromkeys(source.referrers(subject))
        for tag in source.attached_tags(subject):
            if source.tags[tag] not in source.referrers_lists:
                rows[source.tags[tag]] = tag
        for digest_of_row, tag_of_row in rows.items():
            if digest_of_row in source.nodes and digest_of_row not in found and digest_of_row not in copied:
                found[digest_of_row] = tag_of_row
                waiting.append(digest_of_row)
    return found


def _check(target: Target, digest: Digest, *, overwrite: bool, force: bool) -> None:
    if target.now is None or target.now == digest:
        return
    if target.protected is not None and not force:
        raise Refused(
            f"{target.tag} is protected ({target.protected}) and points to {target.now.short}.",
            hint="Add --force-protected when it shall change all the same.",
        )
    if not overwrite:
        raise Refused(
            f"{target.reference} exists and points to {target.now.short}, not to {digest.short}.",
            hint="Add --overwrite to change it.",
        )


def _overwritten(target: Target, digest: Digest) -> tuple[Affected, ...]:
    if target.now is None or target.now == digest:
        return ()
    return (Affected(f"moves from {target.now} to {digest}", target.reference, target.now, goes=True),)


def _forced(target: Target) -> tuple[Protected, ...]:
    if target.now is None or target.protected is None:
        return ()
    return (Protected(target.tag, f"matches the protected pattern {target.protected}", forced=True),)
