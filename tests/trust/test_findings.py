"""The common model: severities, CVSS, identity, grouping, merging, diff, threshold, and the three exports."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.trust.cvss import Cvss, base_score, best_of, read_cvss
from regtui.trust.errors import InvalidPolicy, Malformed
from regtui.trust.export import report_json, to_csv, to_sarif
from regtui.trust.findings import (
    Finding,
    Report,
    VexMark,
    at_least,
    by_layer,
    by_package,
    by_severity,
    count,
    diff,
    merge,
    worst_first,
)
from regtui.trust.reports import parse_report, read_report
from regtui.trust.severity import Severity, parse_threshold, severity_of, severity_of_score


def finding(name: str, severity: Severity = Severity.HIGH, package: str = "openssl", **more: object) -> Finding:
    return Finding(name, severity, severity.value.upper(), package=package, installed="1.0", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("CRITICAL", "critical"),
        ("Defcon1", "critical"),
        ("Important", "high"),
        ("moderate", "medium"),
        (" low ", "low"),
        ("INFORMATIONAL", "negligible"),
        ("Information", "negligible"),
        ("MINIMAL", "negligible"),
        ("unimportant", "negligible"),
        ("None", "negligible"),
        ("UNDEFINED", "unknown"),
        ("UNTRIAGED", "unknown"),
        ("SEVERITY_UNSPECIFIED", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
        (7, "unknown"),
    ],
)
def test_words(word: object, severity: str) -> None:
    assert severity_of(word).value == severity


def test_scores_and_thresholds() -> None:
    steps = {9.8: "critical", 9.0: "critical", 8.9: "high", 7.0: "high", 6.9: "medium", 4.0: "medium", 0.1: "low"}
    assert {score: severity_of_score(score).value for score in steps} == steps
    assert severity_of_score(0.0) is Severity.NEGLIGIBLE
    assert severity_of_score(None) is severity_of_score(11) is severity_of_score(-1) is Severity.UNKNOWN
    assert severity_of_score(9.8, "2.0") is Severity.HIGH
    assert severity_of_score(3.0, "2.0") is Severity.LOW
    assert Severity.CRITICAL.is_at_least(Severity.HIGH)
    assert Severity.HIGH.is_at_least(Severity.HIGH)
    assert not Severity.MEDIUM.is_at_least(Severity.HIGH)
    assert not Severity.UNKNOWN.is_at_least(Severity.NEGLIGIBLE)
    assert parse_threshold("High") is Severity.HIGH
    for wrong in ("unknown", "bad", ""):
        with pytest.raises(InvalidPolicy):
            parse_threshold(wrong)


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N", 3.7),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5),
        ("AV:N/AC:M/Au:N/C:C/I:C/A:C", 9.3),
        ("AV:L/AC:L/Au:N/C:N/I:P/A:N", 2.1),
        ("AV:N/AC:L/Au:N/C:N/I:N/A:N", 0.0),
        ("CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", None),
        ("CVSS:3.1/AV:N/AC:L", None),
        ("CVSS:3.1/AV:Z/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", None),
        ("nonsense", None),
    ],
)
def test_base_scores(vector: str, score: float | None) -> None:
    assert base_score(vector) == score


def test_ratings_are_read_with_care() -> None:
    assert read_cvss("7.5", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H") == Cvss(
        7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "3.1", None
    )
    assert read_cvss(None, "AV:N/AC:L/Au:N/C:P/I:P/A:P") == Cvss(7.5, "AV:N/AC:L/Au:N/C:P/I:P/A:P", "2.0", None)
    assert read_cvss("5.9", "not a vector!") == Cvss(5.9, None, None, None)
    assert read_cvss("n/a") is read_cvss(42) is read_cvss(True) is read_cvss(None, "x" * 1000) is None
    old, new = Cvss(9.0, None, "2.0", "nvd"), Cvss(5.0, None, "3.1", "redhat")
    github, nvd = Cvss(6.0, None, "3.1", "ghsa"), Cvss(7.0, None, "3.1", "nvd@nist.gov")
    assert best_of([old, None, new, github, nvd]) is nvd
    assert best_of([old, new, github, nvd], "redhat") is new
    assert best_of([]) is None


def test_identity_prefers_the_cve() -> None:
    github = finding("GHSA-aaaa-bbbb-cccc", aliases=("GHSA-aaaa-bbbb-cccc", "cve-2024-1234"))
    assert github.cve == "CVE-2024-1234"
    assert github.aliases == ("cve-2024-1234",)
    assert github.key == finding("CVE-2024-1234").key
    assert finding("TEMP-1").key == ("TEMP-1", "openssl", "1.0")


def test_merging_joins_the_same_and_takes_the_worse() -> None:
    trivy = Report(
        "t", "Trivy", (finding("CVE-2024-1001", Severity.MEDIUM, layer_diff_id="sha256:a"), finding("CVE-2024-2002"))
    )
    grype = Report("g", "Grype", (finding("GHSA-x", Severity.HIGH, aliases=("CVE-2024-1001",), fixed=("1.1",)),))
    merged = merge([trivy, grype])
    assert [f.key[0] for f in merged] == ["CVE-2024-1001", "CVE-2024-2002"]
    first = merged[0]
    assert (first.severity, first.fixed, first.layer_diff_id) == (Severity.HIGH, ("1.1",), "sha256:a")
    assert first.source == "Trivy, Grype"
    assert "GHSA-x" in first.aliases


def test_groups_and_counts() -> None:
    some = [
        finding("A", Severity.LOW, "zlib"),
        finding("B", Severity.CRITICAL, "curl", layer_diff_id="sha256:1"),
        finding("C", Severity.LOW, "curl", cvss=Cvss(3.9)),
    ]
    assert [f.id for f in worst_first(some)] == ["B", "C", "A"]
    assert {name: [f.id for f in found] for name, found in by_package(some).items()} == {
        "curl": ["B", "C"],
        "zlib": ["A"],
    }
    assert list(by_severity(some)) == ["critical", "low"]
    assert list(by_layer(some)) == ["sha256:1", "—"]
    assert {s.value: n for s, n in count(some).items()} == {
        "critical": 1,
        "high": 0,
        "medium": 0,
        "low": 2,
        "negligible": 0,
        "unknown": 0,
    }
    assert Report("x", None, tuple(some) * 2).unique_ids == 3


def test_the_threshold_fails_on_what_is_as_bad_or_worse() -> None:
    settled = VexMark("not_affected", None, None, None, None)
    some = [finding("A", Severity.CRITICAL, vex=settled), finding("B"), finding("C", Severity.UNKNOWN)]
    assert [f.id for f in at_least(some, Severity.HIGH)] == ["A", "B"]
    assert [f.id for f in at_least(some, Severity.HIGH, respect_vex=True)] == ["B"]
    assert at_least(some[2:], Severity.NEGLIGIBLE) == ()


def test_a_diff_tells_what_came_went_and_changed() -> None:
    before = [finding("A"), finding("B"), finding("C"), finding("D")]
    after = [
        finding("A"),
        finding("B", Severity.CRITICAL),
        Finding("C", Severity.HIGH, package="openssl", installed="2.0"),
        finding("E"),
    ]
    found = diff(before, after)
    assert [f.id for f in found.added] == ["E"]
    assert [f.id for f in found.removed] == ["D"]
    assert [(a.id, a.installed, b.installed) for a, b in found.changed] == [("B", "1.0", "1.0"), ("C", "1.0", "2.0")]
    assert found.kept == 1
    same = diff(before, before)
    assert (same.added, same.removed, same.changed, same.kept) == ((), (), (), 4)


@given(st.lists(st.tuples(st.sampled_from("ABCDE"), st.sampled_from("xy"), st.sampled_from("12")), max_size=12))
@settings(deadline=None)
def test_a_diff_loses_nothing(rows: list[tuple[str, str, str]]) -> None:
    some = [Finding(a, Severity.LOW, package=p, installed=v) for a, p, v in dict.fromkeys(rows)]
    half = some[: len(some) // 2]
    found = diff(half, some)
    assert found.kept == len(half)
    assert len(found.added) == len(some) - len(half)
    back = diff(some, half)
    assert back.added == ()
    assert len(back.removed) == len(some) - len(half)


REPORT = Report(
    "test",
    "Trivy",
    (
        finding(
            "CVE-2024-1",
            Severity.CRITICAL,
            fixed=("1.1", "1.2"),
            cvss=Cvss(9.8, None, "3.1", "nvd"),
            title="=HYPERLINK(1)",
            links=("https://nvd.example/CVE-2024-1",),
            vex=VexMark("not_affected", "component_not_present", None, "me", None),
        ),
        finding("CVE-2024-1", Severity.CRITICAL, "libssl", title="line\nbreak\x1b[31m"),
        finding("CVE-2024-2", Severity.UNKNOWN, "zlib"),
    ),
    scanned_at=datetime(2026, 1, 2, tzinfo=UTC),
    target="app:v1",
)


def test_json_holds_everything() -> None:
    body = json.loads(json.dumps(report_json(REPORT)))
    assert body["counts"]["critical"] == 2
    assert body["scannedAt"] == "2026-01-02T00:00:00Z"
    assert body["findings"][0]["cvss"]["score"] == 9.8
    assert body["findings"][0]["vex"]["status"] == "not_affected"
    assert body["findings"][2]["cvss"] is None


def test_csv_runs_no_formula_and_holds_no_control_character() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(REPORT.findings))))
    assert [row["id"] for row in rows] == ["CVE-2024-1", "CVE-2024-1", "CVE-2024-2"]
    assert rows[0]["title"] == "'=HYPERLINK(1)"
    assert rows[0]["fixed"] == "1.1 1.2"
    assert rows[1]["title"] == "line break [31m"
    assert rows[2]["score"] == ""


def test_sarif_can_be_read_again() -> None:
    text = to_sarif(REPORT, version="1.0")
    body = json.loads(text)
    assert [rule["id"] for rule in body["runs"][0]["tool"]["driver"]["rules"]] == ["CVE-2024-1", "CVE-2024-2"]
    assert body["runs"][0]["results"][0]["suppressions"]
    again = read_report(text.encode())
    assert {(f.id, f.package, f.installed, f.severity) for f in again.findings} == {
        (f.id, f.package, f.installed, f.severity) for f in REPORT.findings
    }


NATIVE = {
    "google": {
        "occurrences": [
            {
                "noteName": "projects/goog-vulnz/notes/CVE-2024-9",
                "resourceUri": "https://example/p/r/i@sha256:0",
                "updateTime": "2026-01-01T00:00:00Z",
                "vulnerability": {
                    "severity": "HIGH",
                    "effectiveSeverity": "MINIMAL",
                    "cvssv3": {"baseScore": 7.5},
                    "packageIssue": [
                        {
                            "affectedPackage": "openssl",
                            "affectedVersion": {"fullName": "1.0-1"},
                            "fixedVersion": {"kind": "MAXIMUM"},
                            "fileLocation": [{"filePath": "lib", "layerDetails": {"diffId": "sha256:1"}}],
                        }
                    ],
                },
            }
        ]
    },
    "defender": {
        "data": [
            {
                "properties": {
                    "id": "CVE-2024-9",
                    "status": {"code": "Unhealthy", "severity": "High"},
                    "additionalData": {
                        "vulnerabilityDetails": {
                            "cveId": "CVE-2024-9",
                            "severity": "High",
                            "cvss": {"3.0": {"base": 7.5}},
                        },
                        "softwareDetails": {"packageName": "openssl", "version": "1.0-1", "fixStatus": "WontFix"},
                    },
                }
            },
            {"properties": {"status": {"code": "Healthy"}, "additionalData": {}}},
        ]
    },
    "quay": {
        "status": "scanned",
        "data": {
            "Layer": {
                "Features": [
                    {
                        "Name": "openssl",
                        "Version": "1.0-1",
                        "AddedBy": "sha256:1",
                        "Vulnerabilities": [
                            {"Name": "CVE-2024-9", "Severity": "High", "FixedBy": "", "Link": "https://x y"}
                        ],
                    }
                ]
            }
        },
    },
    "zot": {
        "data": {
            "CVEListForImage": {
                "Tag": "v1",
                "Page": {"TotalCount": 7},
                "CVEList": [
                    {
                        "Id": "CVE-2024-9",
                        "Severity": "HIGH",
                        "PackageList": [
                            {"Name": "openssl", "InstalledVersion": "1.0-1", "FixedVersion": "Not Specified"}
                        ],
                    }
                ],
            }
        }
    },
    "gitlab": {
        "scan": {"scanner": {"name": "Trivy", "version": "1"}, "end_time": "2026-01-01T00:00:00"},
        "vulnerabilities": [
            {
                "severity": "High",
                "identifiers": [{"type": "cve", "name": "CVE-2024-9", "value": "CVE-2024-9"}],
                "location": {"dependency": {"package": {"name": "openssl"}, "version": "1.0-1"}, "image": "app"},
            }
        ],
    },
    "ecr basic": {
        "imageScanStatus": {"status": "COMPLETE"},
        "imageScanFindings": {
            "imageScanCompletedAt": 1767225600,
            "findings": [
                {
                    "name": "CVE-2024-9",
                    "severity": "HIGH",
                    "uri": "https://x",
                    "attributes": [
                        {"key": "package_name", "value": "openssl"},
                        {"key": "package_version", "value": "1.0-1"},
                        {"key": "CVSS2_SCORE", "value": "5"},
                    ],
                }
            ],
        },
    },
    "xray v2": {
        "artifacts": [
            {
                "general": {"component_id": "docker://app:v1"},
                "issues": [
                    {"issue_type": "license", "severity": "High"},
                    {
                        "issue_id": "XRAY-1",
                        "issue_type": "security",
                        "severity": "High",
                        "cves": [{"cve": "CVE-2024-9", "cvss_v3": "7.5/CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
                        "components": [{"component_id": "deb://debian:bookworm:openssl", "version": "1.0-1"}],
                    },
                ],
            }
        ]
    },
    "in-toto": {
        "predicateType": "https://in-toto.io/attestation/vulns/v0.2",
        "predicate": {
            "scanner": {
                "uri": "pkg:x",
                "result": [
                    {
                        "id": "CVE-2024-9",
                        "severity": [{"method": "nvd", "score": "7.5"}],
                        "annotations": [{"package": "openssl", "version": "1.0-1"}],
                    }
                ],
            },
            "metadata": {"scanFinishedOn": "2026-01-01T00:00:00Z"},
        },
    },
}


@pytest.mark.parametrize("name", NATIVE)
def test_native_reports(name: str) -> None:
    report = parse_report(NATIVE[name])
    (found,) = report.findings
    assert (found.id, found.package, found.installed) == ("CVE-2024-9", "openssl", "1.0-1")
    assert found.severity is (Severity.NEGLIGIBLE if name == "google" else Severity.HIGH)
    assert found.fixed == ()


def test_what_is_short_or_nested_is_told() -> None:
    assert "1 of 7" in parse_report(NATIVE["zot"]).notes[0]
    inner = {"scanner": {"result": {"scanner": {}, "metadata": {}}}, "metadata": {}}
    with pytest.raises(Malformed):
        parse_report(inner)
    wrapped = {
        "scanner": {"uri": "trivy", "result": {"SchemaVersion": 2, "ArtifactName": "x", "Results": []}},
        "metadata": {"scanFinishedOn": "2026-01-01T00:00:00Z"},
    }
    assert "Trivy" in parse_report(wrapped).format


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("name", NATIVE)
@given(data=st.data())
@settings(deadline=None)
def test_damaged_reports_never_crash(name: str, data: st.DataObject) -> None:
    """Replace one member anywhere by any JSON: a report or a clean error comes out."""
    body = json.loads(json.dumps(NATIVE[name]))
    here = body
    for _ in range(data.draw(st.integers(0, 6))):
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        inner = [key for key in keys if isinstance(here[key], dict | list) and here[key]]
        if not inner:
            break
        here = here[data.draw(st.sampled_from(inner))]
    keys = list(here) if isinstance(here, dict) else list(range(len(here)))
    here[data.draw(st.sampled_from(keys))] = data.draw(JSON)
    try:
        report = parse_report(body)
    except Malformed:
        return
    json.dumps(report_json(report))
    to_csv(report.findings)
    to_sarif(report, version="1")


@given(JSON)
@settings(deadline=None)
def test_any_json_is_a_report_or_a_clean_error(body: object) -> None:
    try:
        parse_report(body)
    except Malformed:
        return


def test_no_json_is_a_clean_error() -> None:
    for raw in (b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}'):
        with pytest.raises(Malformed):
            read_report(raw)
