"""What the Trust and Scan tabs draw, worked out without a screen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.cells import cell_len

from regtui.oci import Digest
from regtui.session.trust import ImageVerdict
from regtui.trust.cvss import Cvss
from regtui.trust.findings import Finding, VexMark, diff
from regtui.trust.policy import TrustPolicy
from regtui.trust.severity import Severity
from regtui.trust.verdict import SignatureFormat, SignatureResult, Status, combine
from regtui.ui.facts.overview import Fact, wrapped
from regtui.ui.models.tree import TreeModel
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.trust.differences import finding_changes
from regtui.ui.trust.facts import finding_facts
from regtui.ui.trust.findings import GROUPINGS, MOST_SHOWN, ORDERS, FindingSource, Wanted, finding_columns
from regtui.ui.trust.severity_bar import severity_parts
from regtui.ui.trust.words import SHORT_WORDS, scanned_text, verdict_lines
from regtui.ui.widgets.glyphs import ASCII, UNICODE

SUBJECT = Digest.of(b"image")


def finding(name: str, severity: Severity = Severity.LOW, **more: Any) -> Finding:
    return Finding(name, severity, **more)


FINDINGS = (
    finding("CVE-1", Severity.LOW, package="zlib", installed="1"),
    finding("CVE-2", Severity.CRITICAL, package="curl", installed="7"),
    finding("CVE-3", Severity.HIGH, package="zlib", installed="1"),
    finding("CVE-4", Severity.UNKNOWN, package="bash"),
)


def ids(source: FindingSource) -> list[str]:
    return [node.title for node in source.roots()]


def test_the_worst_come_first_and_a_threshold_leaves_out_the_rest() -> None:
    assert ids(FindingSource(FINDINGS)) == ["CVE-2", "CVE-3", "CVE-1", "CVE-4"]
    assert ids(FindingSource(FINDINGS, Wanted(threshold=Severity.CRITICAL))) == ["CVE-2"]
    # Nobody said how bad an unknown one is: a threshold never lets it through.
    assert ids(FindingSource(FINDINGS, Wanted(threshold=Severity.LOW))) == ["CVE-2", "CVE-3", "CVE-1"]


def test_groups_tell_their_number_and_their_worst() -> None:
    source = FindingSource(FINDINGS, Wanted(grouping="package"))
    assert [(node.title, node.severity) for node in source.roots()] == [
        ("curl (1)", Severity.CRITICAL),
        ("zlib (2)", Severity.HIGH),
        ("bash (1)", Severity.UNKNOWN),
    ]
    by_severity = FindingSource(FINDINGS, Wanted(grouping="severity"))
    assert ids(by_severity) == ["critical (1)", "high (1)", "low (1)", "unknown (1)"]
    by_layer = FindingSource(FINDINGS, Wanted(grouping="layer"), lambda one: 2 if one.package == "zlib" else None)
    assert set(ids(by_layer)) == {"layer 3 (2)", "layer unknown (2)"}


def test_orders() -> None:
    assert [one.package for one in FindingSource(FINDINGS, Wanted(order="package")).shown] == [
        "bash", "curl", "zlib", "zlib",
    ]  # fmt: skip
    assert ids(FindingSource(FINDINGS, Wanted(order="id"))) == ["CVE-1", "CVE-2", "CVE-3", "CVE-4"]
    assert ORDERS[0] == Wanted().order
    assert GROUPINGS[0] == Wanted().grouping


def test_every_line_has_a_key_of_its_own_also_for_findings_that_are_alike() -> None:
    same = [finding("CVE-1", package="a"), finding("CVE-1", package="a")]
    for grouping in GROUPINGS:
        model = TreeModel(FindingSource(same, Wanted(grouping=grouping)))
        model.apply(model.prepare_open_all()())
        keys = [model.source.key(model.at(position)) for position in range(len(model))]
        assert len(set(keys)) == len(keys)


def test_a_flood_of_findings_shows_the_worst() -> None:
    many = [finding(f"CVE-{number}") for number in range(MOST_SHOWN + 5)]
    source = FindingSource([*many, finding("CVE-bad", Severity.CRITICAL)])
    assert (len(source.shown), source.passed) == (MOST_SHOWN, MOST_SHOWN + 6)
    assert source.shown[0].id == "CVE-bad"


def test_hostile_text_is_inert_in_every_column() -> None:
    nasty = "\x1b]0;pwned\x07\u202e"
    before, behind = finding_columns()
    mark = VexMark(nasty, nasty, nasty, nasty, None)
    one = finding(nasty, package=nasty, installed=nasty, fixed=(nasty,), cvss=Cvss(9.0), vex=mark)
    (node,) = FindingSource([one]).roots()
    for column in (*before, *behind):
        assert str(column.cell(node)).isprintable()
    for fact in finding_facts(one, None, None):
        assert fact.value.isprintable()
        assert fact.name.isprintable()


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("width", [20, 60, 118])
def test_bars_give_way_before_words(glyphs: Any, width: int) -> None:
    counts = {Severity.CRITICAL: 3, Severity.HIGH: 0, Severity.MEDIUM: 1200, Severity.LOW: 1}
    parts = severity_parts(counts, width, glyphs)
    assert [severity for _, severity in parts] == [Severity.CRITICAL, Severity.MEDIUM, Severity.LOW]
    text = "  ".join(text for text, _ in parts)
    for words in ("critical", "3", "medium", "1,200", "low", "1"):
        assert words in text
    if width >= 60:
        assert cell_len(text) <= width
        assert glyphs.blocks[-1] in text


def test_no_findings_draw_no_bars() -> None:
    assert severity_parts({Severity.CRITICAL: 0}, 80, UNICODE) == []


def result(status: Status, **more: Any) -> SignatureResult:
    return SignatureResult(SignatureFormat.BUNDLE, status, f"because of {status.value}", **more)


def judged(*results: SignatureResult, policy: TrustPolicy | None = None, **more: Any) -> ImageVerdict:
    return ImageVerdict(combine(SUBJECT, results, **more), None, (), policy or TrustPolicy("acme"))


def test_only_verified_is_called_verified() -> None:
    good = verdict_lines(judged(result(Status.VERIFIED, signer="key a", under="acme: rule")))
    assert good == ["verified · by key a · under acme: rule", "because of verified"]
    for status, words in ((Status.INVALID, "INVALID"), (Status.UNVERIFIED, "present, not verified")):
        lines = verdict_lines(judged(result(status, signer="key a", hint="Do this.")))
        assert lines[0].startswith(words)
        assert "key a" not in lines[0]
    assert verdict_lines(judged())[0] == "unsigned"
    told = verdict_lines(judged(incomplete="the registry was silent"))
    assert told[0].startswith("not known")
    assert "silent" in " ".join(told)


def test_words_of_the_column_are_no_parts_of_each_other() -> None:
    words = list(SHORT_WORDS.values())
    assert not [(a, b) for a in words for b in words if a != b and a in b]


def test_age_is_always_said() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    assert scanned_text(None, now) == "age unknown"
    assert scanned_text(datetime(2026, 9, 21, 19, 5, tzinfo=UTC), now) == "2 mo old (2026-09-21 19:05 UTC)"


def test_prose_wraps_and_addresses_stay_whole() -> None:
    link = "https://example.com/" + "a" * 100
    facts = wrapped([Fact(SafeText("title"), safe("word " * 20)), Fact(SafeText("link"), safe(link))], 40)
    assert [fact.name for fact in facts].count(SafeText("title")) == 1
    assert all(len(fact.value) <= 40 for fact in facts[:-1])
    assert facts[-1].value == link


def test_findings_that_are_new_come_first() -> None:
    before = [finding("CVE-1", package="a", installed="1"), finding("CVE-2", Severity.HIGH, package="b", installed="1")]
    after = [finding("CVE-2", Severity.HIGH, package="b", installed="2"), finding("CVE-3", package="c", installed="1")]
    rows = finding_changes(diff(before, after))
    assert [(row.change, row.name, row.before, row.after) for row in rows] == [
        ("new", "CVE-3", "", "1"),
        ("changed", "CVE-2", "1", "2"),
        ("gone", "CVE-1", "1", ""),
    ]
