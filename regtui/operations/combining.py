"""Several plans as one: what is chosen in several repositories, or several images of one, is one decision."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from regtui.operations.plan import Kind, Plan, Step

Item = TypeVar("Item")


def combined(plans: Sequence[Plan]) -> Plan:
    """The steps of these plans one after the other, each with what it needs; a sum is None where a part is not known.

    Pure. The plans must be of one kind. Raises ValueError for none at all.
    """
    if not plans:
        raise ValueError("there is no plan to combine")
    if len(plans) == 1:
        return plans[0]
    steps: list[Step] = []
    for plan in plans:
        first = len(steps)
        steps += [replace(step, needs=tuple(need + first for need in step.needs)) for step in plan.steps]
    return replace(
        plans[0],
        steps=tuple(steps),
        saves=_all(plans, lambda plan: plan.saves),
        tags_before=_all(plans, lambda plan: plan.tags_before),
        affected=_all(plans, lambda plan: plan.affected),
        protected=_all(plans, lambda plan: plan.protected),
        warnings=_all(plans, lambda plan: plan.warnings),
        afterwards=_all(plans, lambda plan: plan.afterwards),
        made=tuple(manifest for plan in plans for manifest in plan.made),
        frees_bytes=_sum(plans, lambda plan: plan.frees_bytes),
        freeable_bytes=_sum(plans, lambda plan: plan.freeable_bytes),
        tags_in_all=_sum(plans, lambda plan: plan.tags_in_all),
        reversible=all(plan.reversible for plan in plans),
    )


def _all(plans: Sequence[Plan], part: Callable[[Plan], tuple[Item, ...]]) -> tuple[Item, ...]:
    """Each once, in order."""
    return tuple(dict.fromkeys(item for plan in plans for item in part(plan)))


def _sum(plans: Sequence[Plan], part: Callable[[Plan], int | None]) -> int | None:
    values = [part(plan) for plan in plans]
    return None if None in values else sum(value for value in values if value is not None)


def followed_by(first: Plan, second: Plan, kind: Kind) -> Plan:
    """Both as one plan in which nothing of the second is done before all of the first is. Pure."""
    both = combined([first, second])
    count = len(first.steps)
    everything = tuple(range(count))
    steps = tuple(
        step if number < count else replace(step, needs=(*everything, *step.needs))
        for number, step in enumerate(both.steps)
    )
    return replace(both, kind=kind, steps=steps, reversible_until=second.reversible_until)
