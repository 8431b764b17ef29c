"""Several plans as one: steps keep what they need, sums are honest about what is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regtui.oci import Digest
from regtui.operations.combining import combined
from regtui.operations.plan import Action, Place, Plan, Step

ONE, TWO = Place("r.example", "one"), Place("r.example", "two")


def plan_of(place: Place, *, frees: int | None) -> Plan:
    digests = [Digest.of(f"{place}{n}".encode()) for n in range(2)]
    steps = (
        Step(Action.DELETE, place, digests[0], takes=("a",)),
        Step(Action.DELETE, place, digests[1], needs=(0,)),
    )
    return Plan("delete", steps, saves=tuple((place, d) for d in digests), frees_bytes=frees, tags_in_all=3)


def test_steps_keep_what_they_need() -> None:
    both = combined([plan_of(ONE, frees=3), plan_of(TWO, frees=4)])
    assert [step.needs for step in both.steps] == [(), (0,), (), (2,)]
    assert both.places == (ONE, TWO)
    assert both.frees_bytes == 7
    assert both.tags_in_all == 6
    assert len(both.saves) == 4


def test_an_unknown_part_makes_the_sum_unknown() -> None:
    assert combined([plan_of(ONE, frees=3), plan_of(TWO, frees=None)]).frees_bytes is None


def test_what_one_can_not_undo_the_whole_can_not() -> None:
    irreversible = replace(plan_of(TWO, frees=1), reversible=False)
    assert not combined([plan_of(ONE, frees=1), irreversible]).reversible


def test_one_is_itself_and_none_is_an_error() -> None:
    plan = plan_of(ONE, frees=1)
    assert combined([plan]) is plan
    with pytest.raises(ValueError, match="no plan"):
        combined([])
