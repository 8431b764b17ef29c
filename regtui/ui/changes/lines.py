"""A plan as lines: per step what goes and what stays, then what is protected, freed, reversible and sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from regtui.operations.plan import Action
from regtui.ui.safe_text import LINE_LIMIT, SafeText, safe
from regtui.ui.words import UNKNOWN, counted, size_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from regtui.oci import Digest
    from regtui.operations.executor import Run
    from regtui.operations.graph import Graph
    from regtui.operations.plan import Affected, Place, Plan, Step
    from regtui.operations.record import StepResult
    from regtui.operations.work import BlobProgress
    from regtui.ui.widgets.columns import Tone

VERBS: Final[Mapping[Action, tuple[str, str]]] = {
    Action.UNTAG: ("remove tag", "removed"),
    Action.DELETE: ("delete", "deleted"),
    Action.TAG: ("tag", "tagged"),
    Action.COPY: ("copy", "copied"),
    Action.RESTORE: ("restore", "restored"),
}
"""What a step is called before and after it was done."""
MOST_REQUESTS: Final = 2_000
"""Requests that are listed one by one."""
MOST_NAMES: Final = 6
DIGEST_WIDTH: Final = 12
_EMPTY: Final = SafeText("")
_NARROW: Final = frozenset({"step", "blob", "affected", "protected"})
"""Sections whose lines have a name or a digest: what does not fit goes on below their text."""
_RANKS: Final = {"failed": 0, "skipped": 1, "not run": 2}
"""After a run what needs to be read stands first."""


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line. `key` is (section, number in it, continuation); a long text goes on in lines without a verb."""

    key: tuple[str, int, int]
    text: SafeText
    verb: SafeText = _EMPTY
    name: SafeText = _EMPTY
    digest: SafeText = _EMPTY
    sign: SafeText = _EMPTY
    tone: Tone = ""

    @property
    def is_wide(self) -> bool:
        """Whether the text has the room of name and digest, too."""
        return not self.name and not self.digest and self.key[0] not in _NARROW


@dataclass(frozen=True)
class PlanView:
    """Everything that there is to show of a plan: itself, what was read for it, and how far its run is."""

    plan: Plan
    graphs: Mapping[Place, Graph] = field(default_factory=dict)
    swaps: Mapping[str, str] = field(default_factory=dict)
    """Host → what is known of removing a tag alone there, where it may need more than one request."""
    notes: tuple[tuple[str, str], ...] = ()
    """(verb, sentence) that the proposal itself adds."""
    results: Mapping[int, StepResult] = field(default_factory=dict)
    blobs: Mapping[Digest, BlobProgress] = field(default_factory=dict)
    run: Run | None = None


def lines_of(view: PlanView, width: int, wide: int, *, shows_digest: bool = True) -> list[PlanLine]:
    """All lines; the text column is `width` cells wide, `wide` where neither name nor digest stands before it.

    Without a digest column the text begins with the digest.
    """
    plain = [
        *_places(view.plan),
        *_outcome(view),
        *_steps(view, shows_digest=shows_digest),
        *_blobs(view),
        *_affected(view.plan),
        *_protected(view.plan),
        *_warnings(view.plan),
        *_totals(view),
        *_requests(view),
    ]
    return [part for line in plain for part in _wrapped(line, wide if line.is_wide else width)]


def headline_of(plan: Plan) -> SafeText:
    """`2 of 35 tags go · 4 steps`: how much, before everything else."""
    own, changed = plan.own_tags_lost, len(plan.tags_changed)
    lost = own or len(plan.tags_lost)
    of = f" of {plan.tags_in_all:,}" if plan.tags_in_all is not None and own else ""
    parts = []
    if changed:
        count = lost or changed
        one, more = ("goes or moves", "go or move") if lost else ("is made", "are made")
        parts.append(f"{count:,}{of} {'tag' if count == 1 and not of else 'tags'} {one if count == 1 else more}")
    manifests = sum(step.action is Action.DELETE for step in plan.steps)
    if manifests:
        parts.append(f"{manifests:,} manifest{' goes' if manifests == 1 else 's go'}")
    parts.append(counted(len(plan.steps), "step"))
    return SafeText(" · ".join(parts))


def summary_of(run: Run) -> SafeText:
    """What came of a run, in one sentence."""
    counts = Counter(result.outcome for result in run.results)
    parts = [f"{counts['done']:,} of {len(run.results):,} steps done"]
    parts += [f"{counts[word]:,} {word}" for word in ("failed", "skipped", "not run") if counts[word]]
    moved = run.traffic
    if moved.uploaded or moved.mounted or moved.skipped:
        parts.append(
            f"{size_text(moved.bytes)} sent, {moved.mounted:,} blobs mounted, {moved.skipped:,} were there already"
        )
    return SafeText(", ".join(parts))


def methods_of(steps: Iterable[Step]) -> SafeText:
    """`DELETE ×2, PUT ×1`: the requests that change something."""
    counts = Counter(request.partition(" ")[0] for step in steps for request in step.requests)
    return SafeText(", ".join(f"{method} ×{count:,}" for method, count in sorted(counts.items())))


def _places(plan: Plan) -> Iterator[PlanLine]:
    """The repositories in full, whatever the line above has room for."""
    sources = dict.fromkeys(step.source for step in plan.steps if step.source is not None)
    for number, source in enumerate(sources):
        yield PlanLine(("source", number, 0), safe(str(source), LINE_LIMIT), _EMPTY if number else SafeText("from"))
    for number, place in enumerate(plan.places[:MOST_NAMES]):
        yield PlanLine(("place", number, 0), safe(str(place), LINE_LIMIT), _EMPTY if number else SafeText("in"))
    rest = len(plan.places) - MOST_NAMES
    if rest > 0:
        yield PlanLine(("place", MOST_NAMES, 0), SafeText(f"and {rest:,} more repositories"))


def _outcome(view: PlanView) -> Iterator[PlanLine]:
    if view.run is None:
        return
    good = view.run.succeeded
    yield PlanLine(
        ("outcome", 0, 0),
        summary_of(view.run),
        SafeText("finished" if view.run.state == "finished" else "stopped"),
        sign=_EMPTY if good else SafeText("!"),
        tone="success" if good else "warning",
    )
    if view.plan.kind != "undo":
        yield PlanLine(
            ("outcome", 1, 0), safe(f"u puts it back; the journal's entry is {view.run.entry}"), SafeText("undo")
        )


def _steps(view: PlanView, *, shows_digest: bool) -> list[PlanLine]:
    """In their order; once all is over those that were not done stand first, since they want to be read."""
    notes = _StepNotes(view)
    lines = [_step(view, number, step, notes, shows_digest=shows_digest) for number, step in enumerate(view.plan.steps)]
    if view.run is not None:
        lines.sort(key=lambda line: (_RANKS.get(line.verb, len(_RANKS)), line.key))
    if not lines:
        lines.append(PlanLine(("step", 0, 0), SafeText("There is nothing to do."), tone="warning"))
    return lines


def _step(view: PlanView, number: int, step: Step, notes: _StepNotes, *, shows_digest: bool) -> PlanLine:
    result = view.results.get(number)
    before, after = VERBS[step.action]
    verb, tone, sign = before, "", ""
    if result is None:
        text = notes.of(step)
    else:
        text = result.says
        verb = after if result.outcome == "done" else result.outcome
        tone = "success" if result.stands else "error" if result.outcome == "failed" else "warning"
        sign = "" if result.outcome == "done" else "!"
    name = step.tag or (step.takes[0] if step.takes else "")
    if len(view.plan.places) > 1:
        name = f"{step.place.repository}:{name}" if name else step.place.repository
    if not shows_digest:
        text = f"{step.digest.short} · {text}" if text else step.digest.short
    return PlanLine(
        ("step", number, 0), safe(text, LINE_LIMIT), SafeText(verb), safe(name), safe(step.digest.short),
        SafeText(sign), tone,  # type: ignore[arg-type]  # one of the words of Tone
    )  # fmt: skip


class _StepNotes:
    """What to say beside each step: what else is on the digest, what goes with it."""

    def __init__(self, view: PlanView) -> None:
        self._view = view
        self._lost = set(view.plan.tags_lost)
        self._deleted = {(step.place, step.digest) for step in view.plan.steps if step.action is Action.DELETE}
        self._relations = {item.digest: item.what for item in view.plan.affected if item.goes and item.digest}

    def of(self, step: Step) -> str:
        """One sentence."""
        if step.action is Action.UNTAG:
            return self._untag(step)
        if step.action is Action.DELETE:
            return self._delete(step)
        if step.action in {Action.COPY, Action.TAG}:
            return self._put(step, step.why)
        return "from the bytes in the journal"

    def _untag(self, step: Step) -> str:
        graph = self._view.graphs.get(step.place)
        if graph is None:
            return step.why or "only the tag goes, the image stays"
        others = [tag for tag in graph.tags_of(step.digest) if (step.place, tag) not in self._lost]
        if others:
            return f"also carries {_names(others)}: only the tag goes, the image stays"
        if any((step.place, parent) not in self._deleted for parent in graph.parents(step.digest)):
            return "only the tag goes: an index holds the image"
        return f"last tag of {content_of(graph, step.digest)}, which stays without a tag"

    def _delete(self, step: Step) -> str:
        graph = self._view.graphs.get(step.place)
        relation = self._relations.get(step.digest)
        if relation is not None:
            return relation
        tags = f" with {_names(step.takes)}" if len(step.takes) > 1 else ""
        what = content_of(graph, step.digest) if graph is not None else step.why or "the manifest"
        return f"{what} goes{tags}"

    def _put(self, step: Step, why: str) -> str:
        if step.tag is None:
            return why
        if step.before is None:
            moved = "put back" if self._view.plan.kind == "undo" else "a new tag"
        elif step.before == step.digest:
            moved = "is there already"
        else:
            moved = f"moves from {step.before.short} to {step.digest.short}"
        return f"{moved}, {why}" if why else moved


def content_of(graph: Graph, digest: Digest) -> str:
    """`an index: 2 platforms, 2 attestations, 1 attached` in the words of the plan."""
    node = graph.nodes.get(digest)
    if node is None:
        return "a manifest that could not be read"
    hanging = _hanging(graph, digest)
    if not node.children:
        size = sum(size for _, size in node.blobs)
        parts = [*([size_text(size)] if node.readable and size else []), *hanging]
        article = "an" if node.kind[:1] in "aeiou" else "a"
        return f"{article} {node.kind}" + (f" ({', '.join(parts)})" if parts else "")
    platforms = len(node.children) - len(node.attestations)
    parts = [f"{platforms} {'platform' if platforms == 1 else 'platforms'}"]
    if node.attestations:
        parts.append(counted(len(node.attestations), "attestation"))
    return f"an index ({', '.join([*parts, *hanging])})"


def _hanging(graph: Graph, digest: Digest) -> list[str]:
    """`1 cosign signature`, `2 SBOM`: what is attached, by kind."""
    attached = dict.fromkeys((*graph.referrers(digest), *(graph.tags[tag] for tag in graph.attached_tags(digest))))
    nodes = (graph.nodes.get(each) for each in attached if each not in graph.referrers_lists)
    counts = Counter(node.kind for node in nodes if node is not None)
    return [f"{count:,} {kind}" for kind, count in counts.items()]


def _blobs(view: PlanView) -> Iterator[PlanLine]:
    """What is being copied right now; what has ended is told in the totals."""
    if view.run is not None:
        return
    for number, blob in enumerate(view.blobs.values()):
        if blob.state == "copying":
            share = f"{size_text(blob.copied)} of {size_text(blob.size)}"
            yield PlanLine(("blob", number, 0), SafeText(share), SafeText("copying"), digest=safe(blob.digest.short))


def _affected(plan: Plan) -> Iterator[PlanLine]:
    """What is touched without having been selected; parts that have a step of their own said it there."""
    told = {(step.place.repository, step.digest) for step in plan.steps if step.action is Action.DELETE}
    moved = {step.reference for step in plan.steps if step.action in {Action.TAG, Action.COPY}}
    for number, item in enumerate(plan.affected):
        if item.goes and ((item.reference.path, item.digest) in told or item.reference in moved):
            continue
        yield _affected_line(number, item)


def _affected_line(number: int, item: Affected) -> PlanLine:
    return PlanLine(
        ("affected", number, 0),
        safe(item.what.removeprefix("stays: ").removeprefix("goes with it: "), LINE_LIMIT),
        SafeText("goes, too" if item.goes else "stays"),
        safe(item.reference.tag or item.reference.path),
        safe(item.digest.short if item.digest is not None else ""),
        SafeText("!" if item.goes else ""),
        "warning" if item.goes else "dim",
    )


def _protected(plan: Plan) -> Iterator[PlanLine]:
    for number, item in enumerate(plan.protected):
        rest = "is changed all the same" if item.forced else "left out (L shows the rules, F takes it in)"
        yield PlanLine(
            ("protected", number, 0), safe(f"{item.why}: {rest}", LINE_LIMIT), SafeText("protected"), safe(item.tag),
            sign=SafeText("!"), tone="warning",
        )  # fmt: skip


def _warnings(plan: Plan) -> Iterator[PlanLine]:
    for number, text in enumerate(plan.warnings):
        line = safe(text, LINE_LIMIT)
        yield PlanLine(("warning", number, 0), line, SafeText("note"), sign=SafeText("!"), tone="warning")


def _totals(view: PlanView) -> Iterator[PlanLine]:
    plan = view.plan
    if not plan.steps:
        return
    texts = [*view.notes, *(("frees", text) for text in _frees(view))]
    if plan.kind == "undo":
        pass
    elif plan.reversible:
        count = len(plan.saves)
        kept = f"; the journal keeps {counted(count, 'manifest')}" if count else ""
        texts.append(("undo", f"can be undone {plan.reversible_until}{kept}"))
    else:
        texts.append(("undo", "can't be undone"))
    texts += [("then", text) for text in plan.afterwards]
    for number, (verb, text) in enumerate(texts):
        yield PlanLine(("total", number, 0), safe(text, LINE_LIMIT), SafeText(verb))


def _frees(view: PlanView) -> Iterator[str]:
    """What becomes garbage, of how much."""
    plan = view.plan
    if plan.kind not in {"delete", "prune", "repair"}:
        return
    total = sum(graph.freed(set(graph.nodes)) for graph in view.graphs.values()) if view.graphs else None
    of = f" of {size_text(total)}" if total else ""
    if plan.frees_bytes is None:
        yield f"{UNKNOWN}: the repository could not be read as a whole"
    elif plan.frees_bytes:
        yield f"{size_text(plan.frees_bytes)}{of} once the registry collects its garbage"
    else:
        yield "nothing by itself: tags take no room"
    if plan.freeable_bytes and plan.freeable_bytes != plan.frees_bytes:
        yield f"{size_text(plan.freeable_bytes)}{of} once the registry removes what has no tag any more, too"


def _requests(view: PlanView) -> Iterator[PlanLine]:
    plan = view.plan
    if not plan.steps or view.run is not None:
        return
    requests = [request for step in plan.steps for request in step.requests]
    text = f"{len(requests):,} change something: {methods_of(plan.steps)}; each is preceded and followed by a look"
    yield PlanLine(("request", 0, 0), SafeText(text), SafeText("requests"))
    untagged = {step.place.host for step in plan.steps if step.action is Action.UNTAG}
    swaps = [(host, why) for host, why in view.swaps.items() if host in untagged]
    for number, (host, why) in enumerate(swaps, 1):
        yield PlanLine(("request", number, 0), safe(f"{host}: {why}", LINE_LIMIT), tone="dim")
    first = len(swaps) + 1
    for number, request in enumerate(islice(requests, MOST_REQUESTS), first):
        yield PlanLine(("request", number, 0), safe(request, LINE_LIMIT), tone="dim")
    if len(requests) > MOST_REQUESTS:
        rest = SafeText(f"and {len(requests) - MOST_REQUESTS:,} more; the plan as JSON has them all")
        yield PlanLine(("request", first + MOST_REQUESTS, 0), rest, tone="dim")


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    rest = len(listed) - MOST_NAMES
    return ", ".join(listed[:MOST_NAMES]) + (f" and {rest:,} more" if rest > 0 else "")


def _wrapped(line: PlanLine, width: int) -> Iterator[PlanLine]:
    """The line, and more of them for what does not fit into its text column."""
    section, number, _ = line.key
    for turn, text in enumerate(wrap(line.text, width)):
        if turn == 0:
            yield PlanLine(line.key, text, line.verb, line.name, line.digest, line.sign, line.tone)
        else:
            yield PlanLine((section, number, turn), text, tone=line.tone)


def wrap(text: SafeText, width: int) -> list[SafeText]:
    """`text` in lines of at most `width` cells, broken at spaces where there are any."""
    if cell_len(text) <= width or width < 8:
        return [text]
    lines: list[str] = []
    now = ""
    for word in text.split(" "):
        joined = f"{now} {word}" if now else word
        if cell_len(joined) > width and cell_len(word) <= width:
            lines.append(now)
            joined = word
        while cell_len(joined) > width:  # a word longer than a line goes on where the line stands
            cut = next(n for n in range(min(width, len(joined)), 0, -1) if cell_len(joined[:n]) <= width)
            lines.append(joined[:cut])
            joined = joined[cut:]
        now = joined
    return [SafeText(part) for part in ([*lines, now] if now else lines)]
