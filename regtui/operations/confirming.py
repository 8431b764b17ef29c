"""Which confirmation a plan needs, and the only way from a plan to one that may run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.operations.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.operations.plan import Plan

MOST_TAGS: Final = 10
"""More tags than this need the repository's name typed."""
_KEY: Final = object()


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person must do: type `phrase` when there is one, for these reasons; else a plain yes."""

    phrase: str | None
    reasons: tuple[str, ...]


class Confirmed:
    """A plan that a person confirmed. Only `confirm` makes one, and only such a plan is run."""

    __slots__ = ("plan",)

    def __init__(self, plan: Plan, key: object) -> None:
        if key is not _KEY:
            raise Refused("This plan was not confirmed.")
        self.plan = plan


def confirmation_of(plan: Plan, *, production: Callable[[str], bool]) -> Confirmation:
    """What this plan needs. `production` tells whether a registry is marked so in the settings."""
    reasons = []
    lost = len(plan.tags_lost)
    if lost > MOST_TAGS:
        reasons.append(f"it removes or moves {lost:,} tags")
    if plan.tags_in_all and lost * 2 > plan.tags_in_all:
        reasons.append(f"{plan.own_tags_lost:,} of the repository's {plan.tags_in_all:,} tags go or move")
    forced = [item.tag for item in plan.protected if item.forced]
    if forced:
        reasons.append(f"{', '.join(forced[:6])} {'is' if len(forced) == 1 else 'are'} protected")
    reasons += [f"{host} is marked as production" for host in _hosts(plan) if production(host)]
    if not reasons or not plan.steps:
        return Confirmation(None, ())
    return Confirmation(plan.steps[-1].place.repository, tuple(reasons))


def confirm(
    plan: Plan,
    *,
    writable: Callable[[str], bool],
    production: Callable[[str], bool],
    phrase: str | None = None,
    yes: bool = False,
) -> Confirmed:
    """The plan, ready to run. `phrase` is what was typed, `yes` the command line's word for it.

    Raises Refused for a registry that is read-only here, and without the confirmation that the plan needs.
    """
    for host in _hosts(plan):
        if not writable(host):
            raise Refused(
                f"{host} is read-only here.",
                hint="Set `writable = true` for it in the settings, or add --write for this run.",
            )
    wanted = confirmation_of(plan, production=production)
    if not yes and phrase is None:
        raise Refused("Nothing was confirmed.", hint="Read the plan, then add --yes.")
    if not yes and wanted.phrase is not None and phrase != wanted.phrase:
        raise Refused(
            f"The plan needs the name {wanted.phrase} typed, since {', and '.join(wanted.reasons)}.",
            hint="Nothing was changed.",
        )
    return Confirmed(plan, _KEY)


def _hosts(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step.place.host for step in plan.steps))
