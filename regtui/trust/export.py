"""Findings written down for other programs: JSON for scripts, CSV for spreadsheets, SARIF for code hosts."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Final

from regtui.oci.times import format_time
from regtui.trust.findings import Finding, Report, worst_first
from regtui.trust.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLUMNS: Final = (
    "id",
    "severity",
    "score",
    "package",
    "installed",
    "fixed",
    "status",
    "title",
    "layer",
    "path",
    "purl",
    "vex",
    "source",
    "link",
)
_LEVELS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.NEGLIGIBLE: "note",
    Severity.UNKNOWN: "warning",
}
_SCORES: Final = {
    Severity.CRITICAL: 9.5,
    Severity.HIGH: 8.0,
    Severity.MEDIUM: 5.5,
    Severity.LOW: 2.5,
    Severity.NEGLIGIBLE: 0.0,
}
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as `--json` prints it; what is not known is null."""
    cvss, vex = finding.cvss, finding.vex
    return {
        "id": finding.id,
        "aliases": list(finding.aliases),
        "kind": finding.kind,
        "severity": finding.severity.value,
        "severityWord": finding.severity_word,
        "package": finding.package,
        "packageType": finding.package_type,
        "installed": finding.installed,
        "fixed": list(finding.fixed),
        "status": finding.status,
        "cvss": cvss and {"score": cvss.score, "vector": cvss.vector, "version": cvss.version, "source": cvss.source},
        "epss": finding.epss,
        "exploited": finding.exploited,
        "title": finding.title,
        "links": list(finding.links),
        "layerDigest": finding.layer_digest,
        "layerDiffId": finding.layer_diff_id,
        "path": finding.path,
        "purl": finding.purl,
        "source": finding.source,
        "vex": vex
        and {
            "status": vex.status,
            "justification": vex.justification,
            "statement": vex.statement,
            "author": vex.author,
            "timestamp": format_time(vex.moment),
        },
    }


def report_json(report: Report) -> dict[str, Any]:
    """A report as `--json` prints it."""
    return {
        "format": report.format,
        "scanner": report.scanner,
        "scannerVersion": report.scanner_version,
        "scannedAt": format_time(report.scanned_at),
        "database": report.database,
        "target": report.target,
        "endOfLife": report.end_of_life,
        "notes": list(report.notes),
        "counts": {severity.value: number for severity, number in report.counts.items()},
        "uniqueIds": report.unique_ids,
        "findings": [finding_json(finding) for finding in worst_first(report.findings)],
    }


def to_csv(findings: Iterable[Finding]) -> str:
    """A table with a header. Cells that a spreadsheet would run as formulas get a quote in front."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for f in worst_first(findings):
        score = f.cvss.score if f.cvss else None
        cells = (
            f.id,
            f.severity.value,
            score,
            f.package,
            f.installed,
            " ".join(f.fixed),
            f.status,
            f.title,
            f.layer_diff_id or f.layer_digest,
            f.path,
            f.purl,
            f.vex.status if f.vex else None,
            f.source,
            f.links[0] if f.links else None,
        )
        writer.writerow([_inert(cell) for cell in cells])
    return made.getvalue()


def _inert(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:g}"
    text = "".join(character if character.isprintable() else " " for character in str(cell))
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def to_sarif(report: Report, *, version: str) -> str:
    """SARIF 2.1.0 as code hosts read it: one rule per vulnerability, one result per package. `version` is regtui's."""
    findings = worst_first(report.findings)
    rules: dict[str, dict[str, Any]] = {}
    for finding in findings:
        rules.setdefault(finding.id, _rule(finding))
    places = {identifier: number for number, identifier in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "regtui", "version": version, "rules": list(rules.values())}},
        "results": [_result(finding, places[finding.id], report) for finding in findings],
        "properties": {"scanner": report.scanner, "scannedAt": format_time(report.scanned_at)},
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(finding: Finding) -> dict[str, Any]:
    score = finding.cvss.score if finding.cvss else None
    if score is None:
        score = _SCORES.get(finding.severity)
    rule: dict[str, Any] = {
        "id": finding.id,
        "shortDescription": {"text": finding.title or finding.id},
        "fullDescription": {"text": finding.description or finding.title or finding.id},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"tags": ["security", finding.severity.value.upper()]},
    }
    if finding.links and finding.links[0].startswith(("https://", "http://")):
        rule["helpUri"] = finding.links[0]
    if score is not None:
        rule["properties"]["security-severity"] = f"{score:.1f}"
    return rule


def _result(finding: Finding, index: int, report: Report) -> dict[str, Any]:
    lines = (
        f"Package: {finding.package}" if finding.package else None,
        f"Installed Version: {finding.installed}" if finding.installed else None,
        f"Vulnerability {finding.id}",
        f"Severity: {finding.severity.value.upper()}",
        f"Fixed Version: {', '.join(finding.fixed)}" if finding.fixed else None,
    )
    made: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join(line for line in lines if line)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _as_uri(finding.path or report.target or "image")},
                    "region": {"startLine": 1},
                }
            }
        ],
    }
    if finding.vex is not None and finding.vex.settles:
        made["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": f"VEX: {finding.vex.status} {finding.vex.justification or ''}".strip(),
            }
        ]
    return made


def _as_uri(place: str) -> str:
    from urllib.parse import quote

    return quote(place.lstrip("/"), safe="/:@+~.-_") or "image"
