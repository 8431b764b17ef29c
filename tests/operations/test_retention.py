"""Retention rules: what they take, what always stays, and the same in a vendor's words."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.oci import Platform
from regtui.operations.errors import OperationError
from regtui.operations.graph import Node
from regtui.operations.retention import Rules, expired_trash, select, with_signatures
from regtui.operations.retention_export import export_acr, export_ecr, export_gitlab, export_harbor
from regtui.operations.retention_import import effect_of
from regtui.registries.contract import RetentionRules, TagSummary
from tests.operations.test_plans import D, graph, image

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


@given(st.text("ab-.*?[]!^", max_size=8), st.text("ab-.!^]", max_size=6))
def test_a_glob_is_exported_in_what_re2_knows(pattern: str, name: str) -> None:
    rules = Rules(match=(pattern,))
    try:
        body = json.loads(export_gitlab(rules))["container_expiration_policy_attributes"]
    except OperationError as refused:
        assert "No tag has" in str(refused)  # noqa: PT017 - only some patterns are refused
        return
    made = body["name_regex"]
    assert not re.search(r"\(\?|\\[zZ]", made)
    if pattern:
        assert (re.fullmatch(made, name) is not None) == fnmatchcase(name, pattern)


def test_versions_and_expressions() -> None:
    names = ["1.2.0", "v1.10.0", "1.9.0", "2.0.0-rc.1", "2.0.0-rc.2", "latest", "main-1a2b"]
    rows = [tag(name, n + 1) for n, name in enumerate(names)]
    assert set(select(Rules(keep_last=2, by_version=True), rows, NOW)) == {"v1.10.0", "1.9.0", "1.2.0"}
    assert set(select(Rules(prereleases=True), rows, NOW)) == {"2.0.0-rc.1", "2.0.0-rc.2"}
    assert set(select(Rules(below_version="1.10"), rows, NOW)) == {"1.2.0", "1.9.0"}
    assert select(Rules(match=("~main-[0-9a-f]+",)), rows, NOW) == ("main-1a2b",)
    assert select(Rules(match=("*rc*",), keep=("~.*rc[.]2",)), rows, NOW) == ("2.0.0-rc.1",)
    with pytest.raises(OperationError, match="regular expression"):
        Rules(match=("~(",))


def test_what_is_not_known_stays() -> None:
    arm, amd = Platform("linux", "arm64"), Platform("linux", "amd64")
    rows = [
        tag("a", 1, signed=True, platforms=(arm,), size=10),
        tag("b", 1, signed=False, platforms=(arm, amd), size=1000),
        tag("c", 1),
    ]
    assert select(Rules(unsigned=True), rows, NOW) == ("b",)
    assert select(Rules(platforms=(arm,)), rows, NOW) == ("a",)
    assert select(Rules(larger_than=100), rows, NOW) == ("b",)


def test_the_recycle_bin_is_purged_by_its_own_dates() -> None:
    tags = ["trash-20260401-dev", "trash-20260531-dev", "trash-2026-x", "trash-99999999-x", "dev"]
    assert expired_trash(tags, timedelta(days=30), NOW) == ("trash-20260401-dev",)


def test_a_signature_is_seen_by_tag_and_by_subject() -> None:
    made = graph(
        [image(0), image(1), Node(D[2], "", 1, "cosign signature", subject=D[1]), image(3), image(4)],
        {"a": 0, "b": 1, "c": 3, f"sha256-{0:064x}.sig": 4},
    )
    told = {t.name: t.signed for t in with_signatures([tag("a", 1), tag("b", 1), tag("c", 1), tag("new", 1)], made)}
    assert told == {"a": True, "b": True, "c": False, "new": None}


def test_harbor_and_gitlab_say_the_same_and_are_read_back() -> None:
    rows = [tag(f"dev-{n}", n * 10, pushed=NOW - timedelta(days=n * 10), digest=D[n]) for n in range(6)]
    rows += [tag("prod", 300, pushed=NOW - timedelta(days=300), digest=D[9])]
    gone = set(select(Rules(1, timedelta(days=30), ("dev-*",)), rows, NOW))
    assert gone == {"dev-4", "dev-5"}
    body = json.loads(export_harbor(Rules(1, timedelta(days=30), ("dev-*",)), "team/app"))
    assert set(effect_of(RetentionRules("harbor", body), "team/app", rows, NOW).goes) == gone
    assert effect_of(RetentionRules("harbor", body), "team/other", rows, NOW).goes == {}
    body = json.loads(export_gitlab(Rules(1, timedelta(days=30), ("dev-*",))))["container_expiration_policy_attributes"]
    assert set(effect_of(RetentionRules("gitlab", body), "team/app", rows, NOW).goes) == gone
    with pytest.raises(OperationError, match="one of 1, 5"):
        export_gitlab(Rules(3))
    with pytest.raises(OperationError, match="90d"):
        export_gitlab(Rules(older_than=timedelta(days=45)))
    for export in (export_harbor, export_gitlab, export_acr, export_ecr):
        with pytest.raises(OperationError, match="can't choose tags by"):
            export(Rules(unsigned=True), "team/app")


def test_an_image_that_one_rule_of_ecr_has_is_not_for_the_next() -> None:
    rows = [tag(f"dev-{n}", n, pushed=NOW - timedelta(days=n), digest=D[n]) for n in range(1, 5)]
    rows += [tag("dev-old", 90, pushed=NOW - timedelta(days=90), digest=D[1])]  # the image is as young as its push
    rows += [TagSummary(str(D[8]), D[8], pushed=NOW - timedelta(days=50))]
    body = {
        "rules": [
            {"rulePriority": 2, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
             "action": {"type": "expire"}},
            {"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPrefixList": ["dev-"],
             "countType": "imageCountMoreThan", "countNumber": 2}, "action": {"type": "expire"}},
            {"rulePriority": 3, "selection": {"tagStatus": "untagged", "countType": "sinceImageTransitioned",
             "countNumber": 2}, "action": {"type": "transition"}},
        ]
    }  # fmt: skip
    effect = effect_of(RetentionRules("ecr", body), "app", rows, NOW)
    assert effect.goes == {"dev-3": "rule 1", "dev-4": "rule 1"}
    assert len(effect.unknown) == 1
    policy = json.loads(export_ecr(Rules(older_than=timedelta(days=2), match=("dev-*", "x-*"))))
    assert [rule["selection"]["tagPatternList"] for rule in policy["rules"]] == [["dev-*"], ["x-*"]]
    assert set(effect_of(RetentionRules("ecr", policy), "app", rows, NOW).goes) == {"dev-3", "dev-4"}
    with pytest.raises(OperationError, match="each pattern apart"):
        export_ecr(Rules(3, match=("a", "b")))


def test_rules_that_are_not_understood_promise_nothing() -> None:
    rows = [tag("a", 90, digest=D[1])]
    odd = {"rules": [{"template": "always", "tag_selectors": [{"pattern": "b"}]}, {"template": "magic"}]}
    effect = effect_of(RetentionRules("harbor", odd), "team/app", rows, NOW)
    assert (effect.goes, len(effect.unknown)) == ({}, 1)
    slow = effect_of(RetentionRules("gitlab", {"name_regex": "(a+)+$"}), "x", rows, NOW)
    assert (slow.goes, len(slow.unknown)) == ({}, 1)
    quay = {"policies": [{"method": "number_of_tags", "value": 0}, {"method": "creation_date", "value": "2w"}]}
    assert set(effect_of(RetentionRules("quay", quay), "x", rows, NOW).goes) == {"a"}
    with pytest.raises(OperationError, match="not known here"):
        effect_of(RetentionRules("nexus", []), "x", rows, NOW)


@given(st.recursive(st.none() | st.integers() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3)
       | st.dictionaries(st.sampled_from(["rules", "policies", "selection", "params", "template", "tag_selectors"]),
                         inner, max_size=3), max_leaves=12))  # fmt: skip
def test_no_vendor_answer_breaks_the_preview(body: object) -> None:
    for vendor in ("ecr", "harbor", "gitlab", "quay"):
        effect_of(RetentionRules(vendor, body), "team/app", [tag("a", 90, digest=D[1])], NOW)
