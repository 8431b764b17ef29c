"""Retention rules: what they take, what always stays, and the same in a vendor's words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.operations.errors import OperationError
from regtui.operations.retention import Rules, export_acr, export_ecr, select
from regtui.registries.contract import TagSummary

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def tag(name: str, days: int | None, **options: object) -> TagSummary:
    return TagSummary(name, created=None if days is None else NOW - timedelta(days=days), **options)


TAGS = [tag("dev-1", 40), tag("dev-2", 20), tag("dev-3", 1), tag("v1", 90), tag("odd", None)]


def test_age_and_count_and_names() -> None:
    assert select(Rules(older_than=timedelta(days=30)), TAGS, NOW) == ("dev-1", "v1")
    assert select(Rules(keep_last=2, match=("dev-*",)), TAGS, NOW) == ("dev-1",)
    assert select(Rules(keep_last=1, older_than=timedelta(days=30), keep=("v*",)), TAGS, NOW) == ("dev-1",)
    assert select(Rules(match=("o*",)), TAGS, NOW) == ("odd",)


def test_unknown_pull_times_keep() -> None:
    rows = [tag("a", 90), tag("b", 90, pulled=NOW - timedelta(days=60))]
    assert select(Rules(not_pulled_for=timedelta(days=30)), rows, NOW) == ("b",)


def test_a_rule_without_limits_is_refused_and_signatures_are_never_chosen() -> None:
    with pytest.raises(OperationError, match="every tag"):
        select(Rules(keep=("x",)), TAGS, NOW)
    assert select(Rules(match=("*",)), [tag(f"sha256-{'a' * 64}.sig", 90)], NOW) == ()


@given(st.lists(st.integers(0, 400) | st.none(), max_size=30), st.integers(1, 10), st.integers(0, 100))
def test_the_newest_and_the_undated_always_stay(ages: list[int | None], count: int, limit: int) -> None:
    rows = [tag(f"t{n}", days) for n, days in enumerate(ages)]
    gone = set(select(Rules(keep_last=count, older_than=timedelta(days=limit)), rows, NOW))
    kept = [days for n, days in enumerate(ages) if f"t{n}" not in gone and days is not None]
    lost = [days for n, days in enumerate(ages) if f"t{n}" in gone]
    assert None not in lost
    if lost:
        assert len([days for days in kept if days <= min(lost)]) >= count
        assert min(lost) > limit


def test_exports_say_the_same_or_refuse() -> None:
    policy = json.loads(export_ecr(Rules(older_than=timedelta(days=30), match=("dev-*",))))
    assert policy["rules"][0]["selection"] == {
        "tagStatus": "tagged",
        "tagPatternList": ["dev-*"],
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 30,
    }
    command = export_acr(Rules(3, timedelta(days=7), ("dev-*",)), "team/app")
    assert command == r"acr purge --filter 'team/app:^dev\-.*$' --ago 7d --keep 3"
    with pytest.raises(OperationError):
        export_ecr(Rules(3, timedelta(days=7)))
    with pytest.raises(OperationError):
        export_acr(Rules(3, keep=("v*",)), "app")
