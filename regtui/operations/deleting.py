"""Plans that remove: tags alone, or manifests with everything that only they need. Pure functions over the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.oci import Digest, Reference
from regtui.oci.tags import subject_of
from regtui.operations.plan import COLLECT, COLLECT_UNTAGGED, Action, Affected, Place, Plan, Protected, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from regtui.operations.graph import Graph
    from regtui.operations.plan import Kind

TRASH: Final = "trash-"


def unprotected(tag: str) -> str | None:
    """The protection that protects nothing."""
    return None


@dataclass(frozen=True, slots=True)
class Selection:
    """What a person marked: tags, and digests for manifests that are named by digest."""

    tags: tuple[str, ...] = ()
    digests: tuple[Digest, ...] = ()

    @classmethod
    def of(cls, locators: Iterable[str]) -> Selection:
        """Tags and digests told apart, in their order, each once. Raises InvalidDigest."""
        named = tuple(dict.fromkeys(locators))
        return cls(tuple(name for name in named if ":" not in name), tuple(Digest.parse(n) for n in named if ":" in n))


def plan_delete(
    graph: Graph,
    selection: Selection,
    *,
    manifests: bool = False,
    protection: Callable[[str], str | None] = unprotected,
    force_protected: bool = False,
    kind: Kind = "delete",
) -> Plan:
    """Remove the selected tags; with `manifests` also what they point to, where nothing else needs it.

    Keep wins over delete, per digest: a manifest stays when an unselected tag, an index or a referrer that stays
    needs it, and then only the selected tags on it go. Digests in the selection are always meant as manifests.
    """
    chosen, protected = _without_protected(graph, selection.tags, protection, force_protected)
    targets = list(selection.digests)
    if manifests:
        targets += [graph.tags[tag] for tag in chosen]
    doomed, kept = doom(graph, targets, chosen, protection)
    maker = _Maker(graph, chosen, doomed)
    maker.untag()
    maker.delete()
    return Plan(
        kind,
        tuple(maker.steps),
        saves=_saves(graph, maker),
        tags_before=_tags_before(graph, maker),
        affected=_affected(graph, selection, chosen, doomed, kept),
        protected=protected,
        frees_bytes=graph.freed(doomed) if graph.complete else None,
        freeable_bytes=_freeable(graph, chosen, doomed),
        warnings=_warnings(graph, selection, targets, kept),
        afterwards=_afterwards(graph, chosen, doomed),
        tags_in_all=sum(subject_of(tag) is None for tag in graph.tags),
    )


def removal(graph: Graph, tags: tuple[str, ...], doomed: frozenset[Digest]) -> tuple[Step, ...]:
    """The steps that remove these tags and manifests, each after what it must come after."""
    maker = _Maker(graph, tags, doomed)
    maker.untag()
    maker.delete()
    return tuple(maker.steps)


def doom(
    graph: Graph,
    targets: Iterable[Digest],
    selected: Collection[str],
    protection: Callable[[str], str | None] = unprotected,
) -> tuple[frozenset[Digest], Mapping[Digest, str]]:
    """(the manifests that can go with these targets, those that stay and why).

    Nothing that goes is needed by anything that stays. While the graph is not complete, nothing goes.
    """
    wanted = tuple(dict.fromkeys(d for d in targets if d in graph.nodes))
    if not graph.complete:
        return frozenset(), dict.fromkeys(wanted, "the repository could not be read as a whole")
    chosen = frozenset(selected)
    kept: dict[Digest, str] = {}
    while True:
        going = _closure(graph, wanted, kept)
        carried = _carried_tags(graph, going, protection)
        needed = {d: why for d in going if (why := _needed(graph, d, going, chosen | carried)) is not None}
        if not needed:
            return frozenset(going), kept
        kept.update(needed)


def plan_trash(
    graph: Graph,
    selection: Selection,
    day: str,
    *,
    protection: Callable[[str], str | None] = unprotected,
    force_protected: bool = False,
) -> Plan:
    """The recycle bin: each tag is kept as `trash-<day>-<tag>` first, and only then removed."""
    chosen, protected = _without_protected(graph, selection.tags, protection, force_protected)
    place = Place(graph.host, graph.repository)
    steps: list[Step] = []
    for tag in chosen:
        bin_tag = f"{TRASH}{day}-{tag}"[:128]
        digest = graph.tags[tag]
        if graph.tags.get(bin_tag) != digest:
            steps.append(Step(Action.TAG, place, digest, bin_tag, graph.tags.get(bin_tag), why=f"keeps {tag}"))
            needs: tuple[int, ...] = (len(steps) - 1,)
        else:
            needs = ()
        steps.append(Step(Action.UNTAG, place, digest, tag, digest, needs=needs))
    digests = [graph.tags[tag] for tag in chosen]
    return Plan(
        "delete",
        tuple(steps),
        saves=tuple((place, d) for d in graph.below(digests)),
        tags_before=tuple((place, tag, graph.tags[tag]) for tag in chosen),
        protected=protected,
        frees_bytes=0,
        freeable_bytes=0,
        reversible_until=f"until the {TRASH}… tags are deleted",
        tags_in_all=sum(subject_of(tag) is None for tag in graph.tags),
    )


def _closure(graph: Graph, targets: Iterable[Digest], kept: Mapping[Digest, str]) -> dict[Digest, None]:
    """The targets with their children and what hangs on them, stopping at what stays."""
    going: dict[Digest, None] = {}
    waiting = [d for d in targets if d not in kept]
    while waiting:
        digest = waiting.pop()
        node = graph.nodes.get(digest)
        if digest in going or digest in kept or node is None:
            continue
        going[digest] = None
        waiting += node.children
        waiting += graph.referrers(digest)
        waiting += [graph.tags[tag] for tag in graph.attached_tags(digest)]
    return going


def _carried_tags(graph: Graph, going: Iterable[Digest], protection: Callable[[str], str | None]) -> frozenset[str]:
    """The tags that only carry what hangs on what goes, so that they may go with it."""
    return frozenset(tag for digest in going for tag in graph.attached_tags(digest) if protection(tag) is None)


def _needed(graph: Graph, digest: Digest, going: Mapping[Digest, None], tags: frozenset[str]) -> str | None:
    """Why a manifest must stay, None when it can go."""
    for tag in graph.tags_of(digest):
        if tag not in tags:
            return f"the tag {tag} is on it"
    for parent in graph.parents(digest):
        if parent not in going:
            return f"the index {_named(graph, parent)} holds it"
    for referrer in graph.referrers(digest):
        if referrer not in going:
            return f"{_named(graph, referrer)} refers to it"
    return None


def _named(graph: Graph, digest: Digest) -> str:
    tags = graph.tags_of(digest)
    return tags[0] if tags else digest.short


def _without_protected(
    graph: Graph, tags: Iterable[str], protection: Callable[[str], str | None], force: bool
) -> tuple[tuple[str, ...], tuple[Protected, ...]]:
    chosen, protected = [], []
    for tag in dict.fromkeys(tags):
        if tag not in graph.tags:
            continue
        pattern = protection(tag)
        if pattern is not None:
            protected.append(Protected(tag, f"matches the protected pattern {pattern}", forced=force))
        if tag in graph.immutable and not force:
            protected.append(Protected(tag, "is immutable in the registry"))
        elif pattern is None or force:
            chosen.append(tag)
    return tuple(chosen), tuple(protected)


class _Maker:
    """Lays the steps in their order: tags, then manifests from the parents down, then what hung on them."""

    def __init__(self, graph: Graph, chosen: tuple[str, ...], doomed: frozenset[Digest]) -> None:
        self.steps: list[Step] = []
        self.place = Place(graph.host, graph.repository)
        self._graph = graph
        self._chosen = chosen
        self._doomed = doomed
        self._numbers: dict[Digest, int] = {}

    def untag(self) -> None:
        """The selected tags on manifests that stay."""
        for tag in self._chosen:
            digest = self._graph.tags[tag]
            if digest not in self._doomed:
                self.steps.append(Step(Action.UNTAG, self.place, digest, tag, digest))

    def delete(self) -> None:
        """The manifests that go. A parent goes before its children, a subject before what hangs on it.

        So nothing that stays, should the run end early, lacks anything; some registries insist on it, too.
        """
        for digest in self._order():
            holders = [*self._graph.parents(digest)]
            node = self._graph.nodes[digest]
            if node.subject is not None:
                holders.append(node.subject)
            holders += self._subjects_of_tags(digest)
            needs = tuple(dict.fromkeys(self._numbers[h] for h in holders if h in self._numbers))
            self._numbers[digest] = len(self.steps)
            tags = self._graph.tags_of(digest)
            self.steps.append(Step(Action.DELETE, self.place, digest, None, None, tags, needs=needs, why=node.kind))

    def _order(self) -> list[Digest]:
        """What holds something goes before it. Where both can't be had, the index before its child counts."""
        waiting = dict.fromkeys(sorted(self._doomed, key=lambda d: (not self._graph.tags_of(d), d)))
        order: dict[Digest, None] = {}
        ready = [d for d in waiting if self._is_free(d, order)]
        while waiting:
            if not ready:
                ready = [next((d for d in waiting if self._is_free(d, order, parents_only=True)), next(iter(waiting)))]
            for digest in ready:
                order[digest] = None
                waiting.pop(digest)
            ready = [d for d in dict.fromkeys(self._below(ready)) if d in waiting and self._is_free(d, order)]
        return list(order)

    def _below(self, digests: list[Digest]) -> Iterable[Digest]:
        for digest in digests:
            yield from self._graph.nodes[digest].children
            yield from self._graph.referrers(digest)
            yield from (self._graph.tags[tag] for tag in self._graph.attached_tags(digest))

    def _is_free(self, digest: Digest, order: Mapping[Digest, None], *, parents_only: bool = False) -> bool:
        holders = self._graph.parents(digest) if parents_only else self._holders(digest)
        return all(holder in order or holder not in self._doomed for holder in holders)

    def _holders(self, digest: Digest) -> list[Digest]:
        subject = self._graph.nodes[digest].subject
        return [
            *self._graph.parents(digest),
            *([subject] if subject is not None else []),
            *self._subjects_of_tags(digest),
        ]

    def _subjects_of_tags(self, digest: Digest) -> list[Digest]:
        named = (subject_of(tag) for tag in self._graph.tags_of(digest))
        return [Digest(found[0]) for found in named if found is not None and found[0] != digest]


def _tags_gone(maker: _Maker) -> list[str]:
    return [tag for step in maker.steps for tag in (*step.takes, *([step.tag] if step.tag else []))]


def _saves(graph: Graph, maker: _Maker) -> tuple[tuple[Place, Digest], ...]:
    digests = dict.fromkeys(step.digest for step in maker.steps)
    return tuple((maker.place, d) for d in graph.below(digests) if graph.nodes[d].readable)


def _tags_before(graph: Graph, maker: _Maker) -> tuple[tuple[Place, str, Digest], ...]:
    return tuple((maker.place, tag, graph.tags[tag]) for tag in dict.fromkeys(_tags_gone(maker)))


def _affected(
    graph: Graph,
    selection: Selection,
    chosen: tuple[str, ...],
    doomed: frozenset[Digest],
    kept: Mapping[Digest, str],
) -> tuple[Affected, ...]:
    base = Reference(graph.host, graph.repository)
    found: list[Affected] = []
    selected = set(chosen)
    targets = {*selection.digests, *(graph.tags[tag] for tag in chosen)}
    for digest in dict.fromkeys(graph.tags[tag] for tag in chosen):
        found += [
            Affected("stays on the same digest", base.with_tag(tag), digest, goes=False)
            for tag in graph.tags_of(digest)
            if tag not in selected and digest not in doomed
        ]
    for digest in sorted(doomed):
        tags = [tag for tag in graph.tags_of(digest) if tag not in selected]
        what = _relation(graph, digest)
        found += [Affected(f"goes with it: {what}", base.with_tag(tag), digest, goes=True) for tag in tags]
        if not tags and digest not in targets:
            found.append(Affected(f"goes with it: {what}", base.with_digest(digest), digest, goes=True))
    found += [
        Affected(f"stays: {why}", base.with_digest(digest), digest, goes=False)
        for digest, why in kept.items()
        if digest not in doomed
    ]
    return tuple(found)


def _relation(graph: Graph, digest: Digest) -> str:
    node = graph.nodes[digest]
    if any(digest in graph.nodes[parent].attestations for parent in graph.parents(digest)):
        return "attestations of an index"
    if graph.parents(digest):
        return "part of an index"
    if digest in graph.referrers_lists:
        return "the list of what refers to it"
    return f"{node.kind}, attached"


def _freeable(graph: Graph, chosen: tuple[str, ...], doomed: frozenset[Digest]) -> int | None:
    """Bytes that go when untagged manifests are removed, too."""
    if not graph.complete:
        return None
    staying = {digest for tag, digest in graph.tags.items() if tag not in chosen and digest not in doomed}
    held = set(graph.below(staying))
    return graph.freed({*graph.below(graph.tags[tag] for tag in chosen), *doomed} - held)


def _warnings(
    graph: Graph, selection: Selection, targets: Iterable[Digest], kept: Mapping[Digest, str]
) -> tuple[str, ...]:
    found = [f"{tag} is not there." for tag in selection.tags if tag not in graph.tags]
    found += [f"{d.short} is not there." for d in selection.digests if d not in graph.nodes]
    found += list(graph.problems)
    found += [f"{d.short} is not deleted: {kept[d]}." for d in dict.fromkeys(targets) if d in kept]
    return tuple(found)


def _afterwards(graph: Graph, chosen: tuple[str, ...], doomed: frozenset[Digest]) -> tuple[str, ...]:
    found = [COLLECT] if doomed else []
    if any(graph.tags[tag] not in doomed and set(graph.tags_of(graph.tags[tag])) <= set(chosen) for tag in chosen):
        found.append(COLLECT_UNTAGGED)
    return tuple(found)
