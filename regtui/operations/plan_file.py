"""A plan in a file: what `--dry-run --json` and the plan screen write, and `apply` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.operations.errors import InvalidPlan
from regtui.operations.plan_json import LARGEST, parse_plan
from regtui.storage.files import read_bounded, reason_of

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.operations.plan import Plan


def read_plan(path: Path) -> Plan:
    """The plan in a file, not yet held against the registry (rechecking.py); blocking. Raises InvalidPlan."""
    try:
        raw = read_bounded(path, LARGEST)
    except OSError as error:
        raise InvalidPlan(f"{path} can't be read: {reason_of(error)}.") from error
    except ValueError as error:
        raise InvalidPlan(f"{path} is too large to be a plan.") from error
    if raw is None:
        raise InvalidPlan(f"{path} does not exist.")
    return parse_plan(raw)
