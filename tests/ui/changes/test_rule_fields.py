"""What a rule does to each tag, and why one stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from regtui.operations.retention import Rules
from regtui.registries.contract import TagSummary
from regtui.ui.changes.rule_fields import rules_of, verdicts

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def tag(name: str, days: int | None, size: int | None = 10) -> TagSummary:
    return TagSummary(name, size=size, created=None if days is None else NOW - timedelta(days=days))


TAGS = [
    tag("dev-1", 40),
    tag("dev-2", 20),
    tag("v1", 90),
    tag("prod", 300),
    tag("odd", None),
    tag(f"sha256-{'a' * 64}.sig", 9),
]


def told(rules: Rules) -> dict[str, tuple[bool, str]]:
    def protection(name: str) -> str | None:
        return "prod*" if name == "prod" else None

    return {v.tag.name: (v.goes, v.why) for v in verdicts(rules, TAGS, NOW, protection)}


def test_fields_make_a_rule() -> None:
    rules, problem = rules_of(
        {"keep_last": " 3 ", "older_than": "30d", "match": "a*, b*", "keep": "", "larger_than": "1MB"}
    )
    assert rules == Rules(3, timedelta(days=30), ("a*", "b*"), larger_than=1_000_000)
    assert not problem


def test_what_can_not_be_read_is_told_and_counts_as_empty() -> None:
    rules, problem = rules_of({"keep_last": "many", "older_than": "30d"})
    assert rules == Rules(older_than=timedelta(days=30))
    assert problem == "keep the last: 'many' is no number of tags."


def test_every_tag_has_its_reason() -> None:
    found = told(Rules(older_than=timedelta(days=30), keep=("v*",)))
    assert found == {
        "dev-1": (True, ""),
        "dev-2": (False, "too young"),
        "v1": (False, "kept by name"),
        "prod": (False, "protected (prod*)"),
        "odd": (False, "its date is not known"),
    }


def test_the_only_limit_gives_its_reason() -> None:
    found = told(Rules(keep_last=2))
    assert found["dev-2"] == (False, "among the newest")
    assert found["dev-1"] == (False, "among the newest")
    assert found["v1"] == (True, "")


def test_no_limit_takes_nothing() -> None:
    assert not any(goes for goes, _ in told(Rules()).values())
    assert not any(goes for goes, _ in told(Rules(keep=("v*",))).values())


def test_among_the_newest_of_those_that_match() -> None:
    found = told(Rules(keep_last=1, match=("dev-*",)))
    assert found["dev-2"] == (False, "among the newest")
    assert found["dev-1"] == (True, "")
    assert found["v1"] == (False, "another name")
    assert found["odd"] == (False, "another name")


def test_versions_platforms_and_flags() -> None:
    rules, problem = rules_of({"below_version": "2.0.0", "platforms": "linux/arm64"}, ["prereleases", "unsigned"])
    assert not problem
    assert rules.below_version == "2.0.0"
    assert [str(platform) for platform in rules.platforms] == ["linux/arm64"]
    assert rules.prereleases
    assert rules.unsigned
    assert rules_of({"below_version": "soon"})[1].endswith("is no version: write 2.0.0.")
    assert "regular expression" in rules_of({"match": "~(("})[1]
