"""A plan that comes back from a file is not believed: what it says is held against the repository as it is now.

A file can be old, and can be edited. What it removes is decided anew from a graph that is read now; what undoing needs,
what is protected and how large a part it is are taken from that graph and the settings, never from the file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from regtui.oci.tags import subject_of
from regtui.operations.deleting import doom, removal
from regtui.operations.errors import Refused
from regtui.operations.gather import gather
from regtui.operations.plan import Action, Place, Plan, Protected, Step
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from regtui.oci import Digest
    from regtui.operations.gather import ManifestReader
    from regtui.operations.graph import Graph
    from regtui.registries.contract import Registry

_REMOVES = frozenset({Action.UNTAG, Action.DELETE})


async def recheck(
    plan: Plan,
    open_registry: Callable[[str], Awaitable[Registry]],
    reader: ManifestReader,
    protection: Callable[[Place, str], str | None],
    *,
    force_protected: bool = False,
) -> Plan:
    """The plan as it may be run now, by GET and HEAD only. Raises Refused and says what is wrong, RegistryError."""
    if plan.kind in {"undo", "pull"}:
        again = f"regtui undo {plan.undoes}" if plan.kind == "undo" else "regtui pull"
        raise Refused(f"A plan to {plan.kind} is not taken from a file.", hint=f"Run `{again}`, which makes it anew.")
    graphs: dict[Place, Graph] = {}
    for place in plan.places:
        named = [step.digest for step in plan.steps if step.place == place and step.action in _REMOVES]
        try:
            graphs[place] = await gather(await open_registry(place.host), reader, place.repository, of=named)
        except NotFound:
            continue  # a copy makes its repository
    return rederived(plan, graphs, protection, force=force_protected)


def rederived(
    plan: Plan, graphs: Mapping[Place, Graph], protection: Callable[[Place, str], str | None], *, force: bool
) -> Plan:
    """The plan with all that can be told from the graphs told from them. Pure. Raises Refused."""
    protected = _protected(plan, protection, force)
    removes_only = all(step.action in _REMOVES for step in plan.steps)
    if removes_only:
        steps = tuple(step for place in plan.places for step in _removal(plan, place, graphs.get(place)))
        steps = _in_one_row(steps, plan.places)
    elif any(step.action is Action.DELETE for step in plan.steps):
        raise Refused("The plan both puts and deletes manifests, which regtui never plans.", hint=_ANEW)
    else:
        steps = _puts_first(plan)
    saves: dict[tuple[Place, Digest], None] = {}
    before: dict[tuple[Place, str], Digest] = {}
    for step in steps:
        graph = graphs.get(step.place)
        if graph is None:
            continue
        for digest in graph.below([d for d in (step.digest, step.before) if d is not None]):
            if graph.nodes[digest].readable:
                saves[step.place, digest] = None
        for tag in (*step.takes, *((step.tag,) if step.tag is not None else ())):
            if tag in graph.tags:
                before[step.place, tag] = graph.tags[tag]
    in_all = [sum(subject_of(tag) is None for tag in graph.tags) for graph in graphs.values()]
    return replace(
        plan,
        steps=steps,
        saves=tuple(saves),
        tags_before=tuple((place, tag, digest) for (place, tag), digest in before.items()),
        protected=protected,
        tags_in_all=min(in_all) if in_all and removes_only else None,
    )


_ANEW = "Make it anew with --dry-run --json."


def _protected(plan: Plan, protection: Callable[[Place, str], str | None], force: bool) -> tuple[Protected, ...]:
    found = []
    for place, tag in plan.tags_lost:
        pattern = protection(place, tag)
        if pattern is None:
            continue
        if not force:
            raise Refused(f"{place}:{tag} is protected ({pattern}).", hint="Add --force-protected to change it.")
        found.append(Protected(tag, f"matches the protected pattern {pattern}", forced=True))
    return tuple(found)


def _removal(plan: Plan, place: Place, graph: Graph | None) -> tuple[Step, ...]:
    """What the plan removes in one place, laid out anew. Raises Refused when something that stays needs it."""
    wanted = [step for step in plan.steps if step.place == place]
    if graph is None or not graph.complete:
        why = graph.problems[0] if graph is not None and graph.problems else "it is not there"
        raise Refused(f"{place} could not be read as a whole: {why}", hint="Nothing was changed. Try again.")
    tags = [tag for step in wanted for tag in (*step.takes, *((step.tag,) if step.tag is not None else ()))]
    there = [tag for tag in dict.fromkeys(tags) if tag in graph.tags]
    digests = [step.digest for step in wanted if step.action is Action.DELETE and step.digest in graph.nodes]
    doomed, kept = doom(graph, digests, there)
    refused = [digest for digest in digests if digest not in doomed]
    if refused:
        raise Refused(
            f"{place}@{refused[0]} must stay: {kept.get(refused[0], 'something needs it')}.",
            hint=f"The plan was changed, or the repository since. {_ANEW}",
        )
    more = doomed - set(digests)
    if more:
        raise Refused(
            f"{place}@{min(more)} would go, too, and the plan does not say so.",
            hint=f"The plan was changed, or the repository since. {_ANEW}",
        )
    carried = {tag for digest in doomed for tag in graph.tags_of(digest)}
    steps = removal(graph, tuple(tag for tag in there if tag not in carried), doomed)
    moved = {step.tag: step.before for step in wanted if step.action is Action.UNTAG}
    # A tag that moved since keeps what the plan saw, so that its step is skipped when its turn comes.
    return tuple(
        replace(step, before=moved[step.tag], digest=moved[step.tag] or step.digest)
        if step.action is Action.UNTAG and step.tag in moved
        else step
        for step in steps
    )


def _in_one_row(steps: tuple[Step, ...], places: tuple[Place, ...]) -> tuple[Step, ...]:
    """The needs of each place's steps count from that place's first step: from the plan's first, now."""
    starts = {place: next((n for n, step in enumerate(steps) if step.place == place), 0) for place in places}
    return tuple(replace(step, needs=tuple(n + starts[step.place] for n in step.needs)) for step in steps)


def _puts_first(plan: Plan) -> tuple[Step, ...]:
    """A tag goes only once what keeps or copies its manifest was done, whatever the file says of needs."""
    made = []
    for number, step in enumerate(plan.steps):
        if step.action is Action.UNTAG:
            puts = [n for n, s in enumerate(plan.steps[:number]) if s.action in {Action.TAG, Action.COPY}]
            own = puts if plan.kind == "move" else [n for n in puts if plan.steps[n].digest == step.digest]
            step = replace(step, needs=tuple(dict.fromkeys((*step.needs, *own))))
        made.append(step)
    return tuple(made)
