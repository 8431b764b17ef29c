"""What is broken or left over in a repository, found in its graph; a repair is a plan like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.oci.tags import subject_of
from regtui.operations.deleting import Selection, plan_delete, unprotected
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Set

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
    """The subjects of signature tags that the registry really does not have: untagged ones are asked for by HEAD.

    Raises RegistryError. A sha512 subject is named by a part of its digest only, so that it can't be asked for.
    """
    known = set(graph.nodes)
    named = {found[0] for tag in graph.tags if (found := subject_of(tag)) is not None}
    gone = []
    for subject in sorted(named - known):
        if subject.startswith("sha256:"):
            try:
                await registry.head_manifest(graph.repository, subject)
            except NotFound:
                gone.append(subject)
    return frozenset(gone)


def examine(graph: Graph, gone: Set[str]) -> tuple[Problem, ...]:
    """Indexes with missing children, and signatures whose subject is `gone` (missing_subjects)."""
    found = []
    for node in graph.nodes.values():
        lost = [child for child in node.children if child in graph.missing]
        if lost and node.digest not in graph.referrers_lists:
            says = f"{len(lost)} of its {len(node.children)} manifests are missing, the first is {lost[0]}"
            found.append(Problem("broken index", says, node.digest, graph.tags_of(node.digest), removable=False))
    for tag, digest in graph.tags.items():
        named = subject_of(tag)
        if named is not None and named[0] in gone:
            says = f"what it belongs to, {named[0]}, is not there"
            found.append(Problem("orphaned attachment", says, digest, (tag,), removable=True))
    return tuple(found)


def plan_repair(
    graph: Graph, problems: Iterable[Problem], *, protection: Callable[[str], str | None] = unprotected
) -> Plan:
    """Remove what is left over. A broken index is only reported: removing it is for a person to decide."""
    tags = tuple(tag for problem in problems if problem.removable for tag in problem.tags)
    return plan_delete(graph, Selection(tags), manifests=True, protection=protection, kind="repair")
