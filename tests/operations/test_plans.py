"""Plans: whatever is selected, nothing goes that something else needs; JSON out is JSON in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.oci import Digest
from regtui.operations.deleting import Selection, plan_delete, plan_trash
from regtui.operations.doctor import examine, plan_repair
from regtui.operations.errors import InvalidPlan, Refused
from regtui.operations.graph import Graph, Node
from regtui.operations.plan import Action, Place, Plan
from regtui.operations.plan_json import from_json, parse_plan, to_json
from regtui.operations.tagging import Target, plan_copy, plan_retag

D = [Digest(f"sha256:{n:064x}") for n in range(40)]
INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"


def image(n: int, *, subject: int | None = None, blobs: tuple[int, ...] = ()) -> Node:
    return Node(
        D[n],
        IMAGE,
        100,
        subject=None if subject is None else D[subject],
        blobs=tuple((Digest(f"sha256:{1000 + b:064x}"), 10**b) for b in blobs),
    )


def index(n: int, *children: int, subject: int | None = None) -> Node:
    return Node(
        D[n], INDEX, 100, children=tuple(D[c] for c in children), subject=None if subject is None else D[subject]
    )


def graph(nodes: list[Node], tags: dict[str, int], **options: object) -> Graph:
    return Graph("r.test", "team/app", {t: D[n] for t, n in tags.items()}, {n.digest: n for n in nodes}, **options)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph without loops: manifests refer only to earlier ones, as digests make sure."""
    count = draw(st.integers(1, 12))
    nodes = []
    for n in range(count):
        earlier = st.integers(0, n - 1) if n else st.nothing()
        children = draw(st.lists(earlier, max_size=4, unique=True)) if n and draw(st.booleans()) else []
        subject = draw(st.none() | earlier) if n else None
        nodes.append(
            index(n, *children, subject=subject)
            if children
            else image(n, subject=subject, blobs=tuple(draw(st.sets(st.integers(0, 5), max_size=3))))
        )
    plain = [f"t{n}" for n in range(8)]
    attached = [f"sha256-{n:064x}{suffix}" for n in range(count) for suffix in ("", ".sig", ".att")]
    names = draw(st.lists(st.sampled_from(plain + attached), unique=True, max_size=14))
    return graph(nodes, {name: draw(st.integers(0, count - 1)) for name in names})


def holders_of(made: Graph, digest: Digest) -> list[Digest]:
    subject = made.nodes[digest].subject
    named = [d for d in made.nodes if any(made.tags[tag] == digest for tag in made.attached_tags(d))]
    return [*made.parents(digest), *named, *([subject] if subject else [])]


def is_above(made: Graph, digest: Digest, subject: Digest) -> bool:
    """Whether the subject hangs on its own referrer in another way: then there is no order that suits all."""
    reached, waiting = set(), [digest]
    while waiting:
        found = waiting.pop()
        if found not in reached and found in made.nodes:
            reached.add(found)
            carried = [made.tags[tag] for tag in made.attached_tags(found)]
            waiting += [*made.nodes[found].children, *made.referrers(found), *carried]
    return subject in reached


def removed(plan: Plan) -> set[Digest]:
    return {step.digest for step in plan.steps if step.action is Action.DELETE}


@given(st.data())
def test_nothing_goes_that_something_else_needs(data: st.DataObject) -> None:
    made = data.draw(graphs())
    tags = data.draw(st.lists(st.sampled_from(sorted(made.tags)), unique=True)) if made.tags else []
    digests = data.draw(st.lists(st.sampled_from(sorted(made.nodes)), unique=True))
    protected = set(data.draw(st.lists(st.sampled_from(sorted(made.tags)), unique=True))) if made.tags else set()
    plan = plan_delete(
        made,
        Selection(tuple(tags), tuple(digests)),
        manifests=data.draw(st.booleans()),
        protection=lambda tag: "p" if tag in protected else None,
    )
    gone = removed(plan)
    gone_tags = {tag for _, tag in plan.tags_changed}
    assert not gone_tags & protected
    for tag, digest in made.tags.items():
        if tag not in gone_tags:
            assert digest not in gone, "a tag that stays has lost its manifest"
        if tag in gone_tags and tag not in tags:
            assert any(tag in made.attached_tags(d) for d in gone), (
                "an unselected tag goes and carries nothing that goes"
            )
    for node in made.nodes.values():
        if node.digest in gone:
            continue
        assert node.subject not in gone, "a referrer that stays has lost its subject"
        if node.digest not in made.referrers_lists:
            assert not gone & set(node.children), "an index that stays has lost a child"
    for step in plan.steps:
        if step.action is Action.DELETE:
            assert step.takes == made.tags_of(step.digest)
    assert len(plan.steps) == len({(s.action, s.tag, s.digest) for s in plan.steps})


@given(st.data())
def test_parents_go_before_their_children_and_subjects_before_their_referrers(data: st.DataObject) -> None:
    made = data.draw(graphs())
    plan = plan_delete(made, Selection(tuple(made.tags), tuple(made.nodes)), manifests=True)
    order = [step.digest for step in plan.steps if step.action is Action.DELETE]
    at = {digest: n for n, digest in enumerate(order)}
    has_loop = any(is_above(made, digest, holder) for digest in made.nodes for holder in holders_of(made, digest))
    for digest in order:
        for child in made.nodes[digest].children:
            if child in at and digest not in made.referrers_lists:
                assert at[digest] < at[child]
                assert at[digest] in plan.steps[at[child]].needs
        subject = made.nodes[digest].subject
        if subject in at and not has_loop:
            assert at[subject] < at[digest]


@given(st.data())
def test_json_out_is_json_in(data: st.DataObject) -> None:
    made = data.draw(graphs())
    plan = plan_delete(made, Selection(tuple(made.tags)), manifests=data.draw(st.booleans()))
    assert parse_plan(json.dumps(to_json(plan)).encode()) == plan


@given(st.data())
def test_a_changed_plan_file_is_read_as_a_plan_or_refused(data: st.DataObject) -> None:
    body = to_json(plan_delete(graph([image(0)], {"a": 0}), Selection(("a",))))
    junk = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
    if data.draw(st.booleans()):
        body[data.draw(st.sampled_from(sorted(body)))] = data.draw(junk)
    else:
        body["steps"][0][data.draw(st.sampled_from(sorted(body["steps"][0])))] = data.draw(junk)
    try:
        assert isinstance(from_json(body), Plan)
    except InvalidPlan:
        return


def test_untag_leaves_the_manifest_and_says_who_else_is_on_it() -> None:
    plan = plan_delete(graph([image(0, blobs=(3,))], {"dev": 0, "prod": 0}), Selection(("dev",)))
    (step,) = plan.steps
    assert (step.action, step.tag, step.before) == (Action.UNTAG, "dev", D[0])
    assert [(a.reference.tag, a.goes) for a in plan.affected] == [("prod", False)]
    assert plan.frees_bytes == 0
    assert plan.freeable_bytes == 0


def test_a_manifest_with_an_unselected_tag_is_only_untagged() -> None:
    plan = plan_delete(graph([image(0)], {"dev": 0, "prod": 0}), Selection(("dev",)), manifests=True)
    assert [s.action for s in plan.steps] == [Action.UNTAG]
    assert "prod" in plan.warnings[0]


def test_a_whole_index_takes_children_and_signatures_along() -> None:
    nodes = [
        image(0, blobs=(1,)),
        image(1, blobs=(1, 2)),
        index(2, 0, 1),
        image(3, subject=2),
        image(4),
        image(5, blobs=(2,)),
    ]
    made = graph(nodes, {"v1": 2, f"sha256-{2:064x}.sig": 4, "other": 5})
    plan = plan_delete(made, Selection(("v1",)), manifests=True)
    assert removed(plan) == {D[0], D[1], D[2], D[3], D[4]}
    assert plan.steps[0].digest == D[2]
    assert plan.frees_bytes == 5 * 100 + 10, "the blob of 100 bytes is still in use"
    assert {a.what for a in plan.affected if a.goes} == {
        "goes with it: part of an index",
        "goes with it: image, attached",
    }


def test_protected_and_immutable_tags_stay() -> None:
    made = graph([image(0), image(1)], {"prod": 0, "v1": 1}, immutable=frozenset({"v1"}))
    plan = plan_delete(made, Selection(("prod", "v1")), protection=lambda tag: "prod*" if tag == "prod" else None)
    assert plan.steps == ()
    assert [p.tag for p in plan.protected] == ["prod", "v1"]
    forced = plan_delete(
        made, Selection(("prod",)), protection=lambda tag: "prod*" if tag == "prod" else None, force_protected=True
    )
    assert len(forced.steps) == 1
    assert forced.protected[0].forced


def test_what_was_not_read_whole_loses_no_manifest() -> None:
    made = graph([image(0)], {"v1": 0}, problems=("The tag v2 could not be read.",))
    plan = plan_delete(made, Selection(("v1",)), manifests=True)
    assert [s.action for s in plan.steps] == [Action.UNTAG]
    assert plan.frees_bytes is None


def test_the_recycle_bin_keeps_before_it_removes() -> None:
    plan = plan_trash(graph([image(0)], {"v1": 0}), Selection(("v1",)), "20260102")
    keep, untag = plan.steps
    assert (keep.action, keep.tag, keep.digest) == (Action.TAG, "trash-20260102-v1", D[0])
    assert (untag.action, untag.tag, untag.needs) == (Action.UNTAG, "v1", (0,))


def test_retag_overwrites_only_when_told() -> None:
    made = graph([image(0), image(1)], {"v1": 0, "stable": 1})
    with pytest.raises(Refused, match="--overwrite"):
        plan_retag(made, D[0], "stable", protection=lambda _: None)
    with pytest.raises(Refused, match="protected"):
        plan_retag(made, D[0], "stable", overwrite=True, protection=lambda _: "stable")
    plan = plan_retag(made, D[0], "stable", overwrite=True, protection=lambda _: None)
    assert [(s.action, s.tag, s.digest, s.before) for s in plan.steps] == [(Action.TAG, "stable", D[0], D[1])]
    assert (Place("r.test", "team/app"), D[1]) in plan.saves
    assert plan_retag(made, D[0], "v1", protection=lambda _: None).steps == ()


def test_a_move_removes_the_tag_only_after_everything_is_there() -> None:
    made = graph([image(0), image(1), index(2, 0, 1), image(3, subject=2)], {"v1": 2})
    target = Target(Place("other.test", "team/new"), "v1")
    plan = plan_copy(made, D[2], target, referrers=True, move="v1")
    assert [s.action for s in plan.steps] == [Action.COPY] * 4 + [Action.UNTAG]
    assert [s.digest for s in plan.steps] == [D[0], D[1], D[2], D[3], D[2]]
    assert plan.steps[2].needs == (0, 1)
    assert plan.steps[4].needs == (0, 1, 2, 3)
    assert plan.steps[4].place == Place("r.test", "team/app")


def test_untagged_is_not_orphaned() -> None:
    made = graph([image(0), index(1, 0), image(2, subject=1), image(3), image(4, subject=0)], {"v1": 1})
    assert made.orphans() == (D[3],)


def test_the_doctor_names_what_is_broken_and_plans_the_repair() -> None:
    orphan, kept = f"sha256-{30:064x}.sig", f"sha256-{1:064x}.sig"
    made = graph(
        [index(1, 0, 9), image(0), image(5), image(6)],
        {"v1": 1, orphan: 5, kept: 6},
        missing=frozenset({D[9]}),
    )
    problems = examine(made, {str(D[30])})
    assert [(p.kind, p.tags) for p in problems] == [("broken index", ("v1",)), ("orphaned attachment", (orphan,))]
    repair = plan_repair(made, problems)
    assert [(s.action, s.digest) for s in repair.steps] == [(Action.DELETE, D[5])]
