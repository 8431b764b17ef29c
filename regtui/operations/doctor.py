"""What is broken or left over in a repository, found in its graph; a repair is a plan like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.oci.tags import subject_of
from regtui.operations.deleting import Selection, plan_delete, unprotected
from regtui.registries.contract import closing
from regtui.transport.errors import Forbidden, NotFound, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Set

    from regtui.oci import Digest
    from regtui.operations.graph import Graph
    from regtui.operations.plan import Plan
    from regtui.registries.contract import Registry


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `removable` tells whether a repair takes it away."""

    kind: str
    says: str
    digest: Digest | None
    tags: tuple[str, ...]
    removable: bool


async def missing_subjects(registry: Registry, graph: Graph) -> frozenset[str]:
    """The subjects of what is attached that the registry really does not have: untagged ones are asked for by HEAD.

    Raises RegistryError. A sha512 subject is named by a part of its digest only, so that its tag can't be asked for.
    """
    known = set(graph.nodes)
    named = {found[0] for tag in graph.tags if (found := subject_of(tag)) is not None}
    named |= {str(node.subject) for node in graph.nodes.values() if node.subject is not None}
    gone = []
    for subject in sorted(named - known):
        if subject.startswith("sha256:"):
            try:
                await registry.head_manifest(graph.repository, subject)
            except NotFound:
                gone.append(subject)
    return frozenset(gone)


def examine(graph: Graph, gone: Set[str]) -> tuple[Problem, ...]:
    """What is broken or left over; `gone` are the subjects that are not there (missing_subjects)."""
    found = [*_broken(graph), *_orphaned(graph, gone), *_left_over(graph), *_alike(graph)]
    if not graph.tags and not graph.nodes and graph.complete:
        found.append(Problem("empty repository", "no tag and no manifest is left in it", None, (), removable=False))
    return tuple(found)


async def empty_repositories(registry: Registry, most: int = 200) -> tuple[tuple[str, ...], bool]:
    """(repositories without a tag, whether all were looked at): from the listing where it tells, else asked one by one.

    Raises RegistryError. At most `most` are asked.
    """
    empty: list[str] = []
    asked = 0
    async with closing(registry.repositories()) as pages:
        async for page in pages:
            for row in page.items:
                if row.tags is not None:
                    empty += [row.path] if row.tags == 0 else []
                    continue
                if asked >= most:
                    return tuple(empty), False
                asked += 1
                if await _is_empty(registry, row.path):
                    empty.append(row.path)
            if page.stopped:
                return tuple(empty), False
    return tuple(empty), True


async def _is_empty(registry: Registry, repository: str) -> bool:
    try:
        async with closing(registry.tags(repository)) as pages:
            async for page in pages:
                if page.items:
                    return False
    except (NotFound, Unauthorized, Forbidden) as error:
        return isinstance(error, NotFound)
    return True


def _broken(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes.values():
        lost = [child for child in node.children if child in graph.missing]
        if lost and node.digest not in graph.referrers_lists:
            says = f"{len(lost)} of its {len(node.children)} manifests are missing, the first is {lost[0]}"
            yield Problem("broken index", says, node.digest, graph.tags_of(node.digest), removable=False)


def _orphaned(graph: Graph, gone: Set[str]) -> Iterator[Problem]:
    told: set[Digest] = set()
    for tag, digest in graph.tags.items():
        named = subject_of(tag)
        if named is not None and named[0] in gone:
            told.add(digest)
            says = f"what it belongs to, {named[0]}, is not there"
            yield Problem("orphaned attachment", says, digest, (tag,), removable=True)
    for node in graph.nodes.values():
        if node.subject is not None and str(node.subject) in gone and node.digest not in told:
            says = f"its subject {node.subject} is not there"
            tags = graph.tags_of(node.digest)
            # Under a name of its own it may be meant to stand alone.
            yield Problem("orphaned attachment", says, node.digest, tags, removable=not tags)


def _left_over(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes.values():
        if node.kind == "placeholder":
            says = "a throw-away manifest that took a tag which was to be removed; the removal was not finished"
            yield Problem("leftover of a swap", says, node.digest, graph.tags_of(node.digest), removable=True)


def _alike(graph: Graph) -> Iterator[Problem]:
    """Tags that hold the same images and differ only by what BuildKit attests of them."""
    groups: dict[tuple[Digest, ...], list[Digest]] = {}
    for node in graph.nodes.values():
        images = tuple(child for child in node.children if child not in node.attestations)
        if images and graph.tags_of(node.digest) and node.digest not in graph.referrers_lists:
            groups.setdefault(images, []).append(node.digest)
    for digests in groups.values():
        if len(digests) > 1:
            tags = tuple(tag for digest in digests for tag in graph.tags_of(digest))
            says = f"{', '.join(tags[:6])} have the same images and differ only by their attestations"
            yield Problem("same images", says, digests[0], tags, removable=False)


def plan_repair(
    graph: Graph, problems: Iterable[Problem], *, protection: Callable[[str], str | None] = unprotected
) -> Plan:
    """Remove what is left over. A broken index is only reported: removing it is for a person to decide."""
    chosen = [problem for problem in problems if problem.removable]
    tags = tuple(dict.fromkeys(tag for problem in chosen for tag in problem.tags))
    digests = tuple(dict.fromkeys(p.digest for p in chosen if not p.tags and p.digest is not None))
    return plan_delete(graph, Selection(tags, digests), manifests=True, protection=protection, kind="repair")
