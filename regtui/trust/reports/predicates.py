"""Scan reports as in-toto predicates: cosign's vuln v1, which wraps a whole report, and in-toto's vulns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from regtui.oci.times import parse_time
from regtui.trust.cvss import best_of, read_cvss
from regtui.trust.errors import Malformed
from regtui.trust.findings import Finding, Report
from regtui.trust.severity import Severity, severity_of, severity_of_score
from regtui.trust.untrusted import as_number, as_object, as_objects, as_text, as_texts

NAME = "vulnerability attestation"


def matches(body: Any) -> bool:
    """Whether this is such a predicate, or a bare statement around one."""
    inside = _predicate(body)
    return isinstance(inside.get("scanner"), dict) and isinstance(inside.get("metadata"), dict)


def _predicate(body: Any) -> dict[str, Any]:
    top = as_object(body)
    return as_object(top.get("predicate")) if "predicateType" in top else top


def parse(body: Any) -> Report:
    """The report inside where there is one, with the predicate's own scanner and times."""
    predicate = _predicate(body)
    scanner, metadata = as_object(predicate.get("scanner")), as_object(predicate.get("metadata"))
    database = as_object(scanner.get("db"))
    inner = _inner(scanner.get("result"))
    return replace(
        inner,
        format=f"{NAME} ({inner.format})" if inner.format != NAME else NAME,
        scanner=inner.scanner or as_text(scanner.get("uri")),
        scanner_version=inner.scanner_version or as_text(scanner.get("version")),
        scanned_at=parse_time(metadata.get("scanFinishedOn")) or inner.scanned_at,
        database=as_text(database.get("version")) or as_text(database.get("lastUpdate")) or inner.database,
    )


def _inner(result: Any) -> Report:
    from regtui.trust.reports.reading import parse_report

    if result is None:
        return Report(NAME, None, (), notes=("The attestation holds no result.",))
    if isinstance(result, list):
        return Report(NAME, None, tuple(_finding(one) for one in as_objects(result)))
    if matches(result):
        raise Malformed("The vulnerability attestation holds another one.")
    return parse_report(result)


def _finding(one: dict[str, Any]) -> Finding:
    """A row of in-toto's vulns v0.1 or v0.2: an id with ratings, and annotations of free form."""
    ratings = as_objects(one.get("severity"))
    words = [r.get("score") for r in ratings if as_number(r.get("score")) is None]
    numbers = [read_cvss(r.get("score"), None, None, r.get("method")) for r in ratings]
    cvss = best_of(numbers)
    severity = min((severity_of(word) for word in words), key=lambda s: s.rank, default=Severity.UNKNOWN)
    if severity is Severity.UNKNOWN:
        severity = severity_of_score(cvss.score if cvss else None)
    said: dict[str, Any] = {}
    for note in as_objects(one.get("annotations")):
        said.update(note)
    return Finding(
        as_text(one.get("id")) or "unknown",
        severity,
        next(iter(as_texts(words)), None),
        package=as_text(said.get("package") or said.get("packageName")),
        installed=as_text(said.get("version") or said.get("installedVersion")),
        fixed=as_texts([said.get("fixedVersion")]),
        cvss=cvss,
    )
