"""A plan as lines: what is said beside each step, wrapped to the width that there is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from regtui.oci import Digest
from regtui.operations.deleting import Selection, plan_delete
from regtui.operations.graph import Graph, Node
from regtui.operations.plan import Action, Place, Plan, Step
from regtui.operations.record import StepResult
from regtui.ui.changes.lines import PlanView, headline_of, lines_of, wrap
from regtui.ui.safe_text import SafeText, safe

PLACE = Place("r.example", "shop/cart")


def digest(name: str) -> Digest:
    return Digest.of(name.encode())


def graph() -> Graph:
    nodes = [
        Node(digest("one"), "m", 100, blobs=((digest("layer"), 1_000_000),)),
        Node(
            digest("index"), "m", 200, "index", children=(digest("amd"), digest("att")), attestations=(digest("att"),)
        ),
        Node(digest("amd"), "m", 100),
        Node(digest("att"), "m", 100),
        Node(digest("sig"), "m", 100, "cosign signature", subject=digest("index")),
    ]
    tags = {"1.0": digest("one"), "stable": digest("one"), "2.0": digest("index"), "prod": digest("one")}
    return Graph("r.example", "shop/cart", tags, {node.digest: node for node in nodes})


def texts(plan: Plan, **more: object) -> str:
    view = replace(PlanView(plan, {PLACE: graph()}), **more)  # type: ignore[arg-type]
    return "\n".join(f"{line.sign} {line.verb} {line.name} {line.text}" for line in lines_of(view, 200, 200))


def protection(tag: str) -> str | None:
    return "prod*" if tag.startswith("prod") else None


def test_untagging_names_what_else_is_there() -> None:
    said = texts(plan_delete(graph(), Selection(("1.0", "2.0", "prod")), protection=protection))
    assert "r.example/shop/cart" in said
    assert "also carries prod, stable: only the tag goes, the image stays" in said
    assert "last tag of an index (1 platform, 1 attestation, 1 cosign signature), which stays without a tag" in said
    assert "! protected prod matches the protected pattern prod*: left out" in said
    assert "nothing by itself" in said
    assert "2 change something: DELETE ×2" in said
    assert "DELETE /v2/shop/cart/manifests/1.0" in said


def test_deleting_tells_what_goes_too_and_what_is_freed() -> None:
    plan = plan_delete(graph(), Selection(("1.0", "stable", "prod")), manifests=True)
    said = texts(plan)
    assert "an image (1.0 MB) goes with 1.0, prod, stable" in said
    assert "1.0 MB of 1.0 MB once the registry collects its garbage" in said
    assert headline_of(plan) == "3 of 4 tags go or move · 1 manifest goes · 1 step"


def test_tags_of_signatures_are_not_counted_among_the_tags_of_the_repository() -> None:
    signed = graph()
    attached = f"sha256-{digest('index').encoded}.sig"
    tagged = replace(signed, tags={**signed.tags, attached: digest("sig")})
    plan = plan_delete(tagged, Selection(("2.0",)), manifests=True)
    assert {tag for _, tag in plan.tags_lost} == {"2.0", attached}
    assert headline_of(plan).startswith("1 of 4 tags goes or moves · ")
    alone = plan_delete(tagged, Selection((attached,)))
    assert headline_of(alone) == "1 tag goes or moves · 1 step"


def test_results_take_the_place_of_intentions() -> None:
    plan = plan_delete(graph(), Selection(("1.0", "stable")))
    results = {0: StepResult("done", "1.0 is gone"), 1: StepResult("failed", "no\x1b[31m")}
    said = texts(plan, results=results)
    assert "removed 1.0 1.0 is gone" in said
    assert "! failed stable no\\x1b[31m" in said


def test_an_unreadable_repository_promises_no_bytes() -> None:
    broken = replace(graph(), problems=("The tag x could not be read: \x1b]52;evil",))
    view = PlanView(plan_delete(broken, Selection(("1.0",)), manifests=True), {PLACE: broken})
    said = "\n".join(line.text for line in lines_of(view, 60, 80))
    assert "— : the repository" in said.replace("—:", "— :")
    assert "\x1b" not in said


def test_without_a_digest_column_the_text_begins_with_the_digest() -> None:
    plan = plan_delete(graph(), Selection(("1.0",)))
    step = next(line for line in lines_of(PlanView(plan, {PLACE: graph()}), 60, 80, shows_digest=False) if line.name)
    assert step.text.startswith(digest("one").short)


def test_thousands_of_requests_are_not_all_listed() -> None:
    steps = tuple(Step(Action.UNTAG, PLACE, digest("one"), f"t{n}", digest("one")) for n in range(2_500))
    said = texts(Plan("delete", steps))
    assert "and 500 more; the plan as JSON has them all" in said


@given(st.text(max_size=300), st.integers(8, 80))
def test_wrapping_loses_nothing_and_fits(text: str, width: int) -> None:
    line = safe(text)
    lines = wrap(line, width)
    assert all(cell_len(part) <= width for part in lines)
    assert "".join(lines).replace(" ", "") == line.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("one two three", ["one two", "three"]), ("DELETE /v2/aaaaaaaaaa", ["DELETE /", "v2/aaaaa", "aaaaa"])],
)
def test_wrapping(text: str, wanted: list[str]) -> None:
    assert wrap(SafeText(text), 8) == wanted
