"""A plan from a file is held against the repository: forged or old, it never removes what something else needs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.cli import exits
from regtui.operations.deleting import Selection, plan_delete, plan_trash
from regtui.operations.errors import Refused
from regtui.operations.plan import Action, Place, Plan, Step
from regtui.operations.rechecking import rederived
from regtui.operations.tagging import Target, plan_copy
from tests.operations.conftest import command
from tests.operations.test_plans import D, graph, graphs, image, index, removed
from tests.servers import content
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.operations.graph import Graph

HERE = Place("r.test", "team/app")


def recheck(plan: Plan, made: Graph, *, protected: str = "", force: bool = False) -> Plan:
    return rederived(plan, {HERE: made}, lambda _, tag: "p" if tag == protected else None, force=force)


@given(st.data())
def test_a_true_plan_comes_back_as_it_was(data: st.DataObject) -> None:
    made = data.draw(graphs())
    tags = data.draw(st.lists(st.sampled_from(sorted(made.tags)), unique=True)) if made.tags else []
    plan = plan_delete(made, Selection(tuple(tags)), manifests=data.draw(st.booleans()))
    again = recheck(plan, made)
    assert {(s.action, s.digest, s.tag, s.takes) for s in again.steps} == {
        (s.action, s.digest, s.tag, s.takes) for s in plan.steps
    }
    assert set(again.saves) == set(plan.saves)
    assert set(again.tags_before) == set(plan.tags_before)


@given(st.data())
def test_no_forged_plan_removes_what_something_else_needs(data: st.DataObject) -> None:
    made = data.draw(graphs())
    names = sorted(made.tags)
    some = st.lists(st.sampled_from(names), unique=True, max_size=3).map(tuple) if names else st.just(())
    chosen = data.draw(st.lists(st.sampled_from(sorted(made.nodes)), unique=True, max_size=6))
    steps = [Step(Action.DELETE, HERE, digest, takes=data.draw(some)) for digest in chosen]
    steps += [Step(Action.UNTAG, HERE, made.tags[tag], tag, made.tags[tag]) for tag in data.draw(some)]
    try:
        plan = recheck(Plan("delete", tuple(steps)), made)
    except Refused:
        return
    gone, gone_tags = removed(plan), {tag for _, tag in plan.tags_changed}
    assert gone <= {step.digest for step in steps}
    named = {tag for step in steps for tag in (*step.takes, *([step.tag] if step.tag else []))}
    assert all(any(tag in made.attached_tags(d) for d in gone) for tag in gone_tags - named)
    for tag, digest in made.tags.items():
        assert tag in gone_tags or digest not in gone
    for node in made.nodes.values():
        if node.digest not in gone:
            assert node.subject not in gone
            assert node.digest in made.referrers_lists or not gone & set(node.children)
    assert {digest for _, digest in plan.saves} >= gone


def test_what_was_changed_in_the_file_or_in_the_registry_is_refused() -> None:
    made = graph([index(2, 0, 1), image(0), image(1), image(3)], {"v1": 2, "prod": 3, "dev": 3})
    plan = plan_delete(made, Selection(("v1",)), manifests=True)
    bad = replace(plan, steps=(replace(plan.steps[0], digest=D[3], takes=("dev",)),))
    with pytest.raises(Refused, match="the tag prod is on it"):
        recheck(bad, made)
    with pytest.raises(Refused, match="holds it"):
        recheck(replace(plan, steps=(Step(Action.DELETE, HERE, D[0]),)), made)
    with pytest.raises(Refused, match="would go, too"):
        recheck(replace(plan, steps=plan.steps[:1]), made)
    with pytest.raises(Refused, match="protected"):
        recheck(plan, made, protected="v1")
    forced = recheck(plan, made, protected="v1", force=True)
    assert forced.protected[0].forced, "it has to be typed"
    later = graph([index(2, 0, 1), index(4, 0), image(0), image(1), image(3)], {"v1": 2, "new": 4})
    with pytest.raises(Refused, match="the index new holds it"):
        recheck(plan, later)
    with pytest.raises(Refused, match="read as a whole"):
        recheck(plan, graph([index(2, 0, 1), image(0)], {"v1": 2}, problems=("half of it is dark",)))


def test_needs_and_what_undo_needs_are_never_taken_from_the_file() -> None:
    made = graph([index(2, 0, 1), image(0), image(1)], {"v1": 2})
    plan = plan_delete(made, Selection(("v1",)), manifests=True)
    bare = replace(plan, steps=tuple(replace(s, needs=()) for s in plan.steps), saves=(), tags_before=(), tags_in_all=9)
    again = recheck(bare, made)
    assert again.steps == plan.steps
    assert set(again.saves) == set(plan.saves)
    assert again.tags_before == plan.tags_before
    assert again.tags_in_all == 1
    trash = plan_trash(made, Selection(("v1",)), "20260101")
    loose = replace(trash, steps=tuple(replace(s, needs=()) for s in trash.steps))
    assert recheck(loose, made).steps == trash.steps
    move = plan_copy(made, D[2], Target(Place("r.test", "other"), "v1"), move="v1")
    loose = replace(move, steps=tuple(replace(s, needs=()) for s in move.steps))
    assert recheck(loose, made).steps[-1].needs == move.steps[-1].needs
    with pytest.raises(Refused, match="both puts and deletes"):
        recheck(replace(trash, steps=(*trash.steps, Step(Action.DELETE, HERE, D[2]))), made)


def test_a_tag_that_moved_since_is_still_skipped() -> None:
    made = graph([image(0), image(1)], {"a": 0, "b": 0})
    plan = plan_delete(made, Selection(("a",)))
    moved = graph([image(0), image(1)], {"a": 1, "b": 0})
    assert recheck(plan, moved).steps[0].before == D[0]


@pytest.mark.real
@pytest.mark.usefixtures("own_folders")
async def test_apply_reads_the_repository_again(
    docker_registry: str, namespace: str, tmp_path: Path, capsys: Any
) -> None:
    uploader, repository = Uploader(docker_registry), f"{namespace}/app"
    uploader.push(repository, content.image(), "dev", "keep")
    other = uploader.push(repository, content.image({"n": b"other"}), "prod-1")
    place = f"{docker_registry}/{repository}"
    assert await command("delete", f"{place}:dev", "--dry-run", "--json") == exits.DONE
    body = json.loads(capsys.readouterr().out)
    body["steps"] = [{**body["steps"][0], "action": "delete manifest", "tag": None, "before": None, "digest": other}]
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(body))
    assert await command("apply", str(file), "--write", "--yes") == exits.REFUSED
    assert uploader.tags(repository) == ["dev", "keep", "prod-1"]
    assert "prod-1 is on it" in capsys.readouterr().err
