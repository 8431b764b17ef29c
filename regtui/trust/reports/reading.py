"""Finds the parser for a report by its content: media types are the uploader's choice, and often say nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.errors import Malformed
from regtui.trust.reports import (
    clair,
    cyclonedx,
    defender,
    ecr,
    gitlab,
    google,
    grype,
    harbor,
    osv,
    predicates,
    sarif,
    trivy,
    xray,
    zot,
)
from regtui.trust.untrusted import read_document

if TYPE_CHECKING:
    from types import ModuleType

    from regtui.registries.contract import ScanReport
    from regtui.trust.findings import Report

_PARSERS: Final[tuple[ModuleType, ...]] = (
    sarif,
    trivy,
    grype,
    cyclonedx,
    predicates,
    harbor,
    ecr,
    google,
    defender,
    clair,
    zot,
    gitlab,
    xray,
    osv,
)


def read_report(raw: bytes) -> Report:
    """A report out of its bytes. Raises Malformed for no JSON, and for a format that no parser knows."""
    return parse_report(read_document(raw, "The scan report"))


def parse_report(body: Any) -> Report:
    """A report out of parsed JSON. Raises Malformed for a format that no parser knows."""
    for parser in _PARSERS:
        if parser.matches(body):
            report: Report = parser.parse(body)
            return report
    raise Malformed(
        "The scan report is of a format that regtui does not know.",
        hint="Trivy, Grype, OSV-Scanner, SARIF, CycloneDX, cosign's predicate and the registries' own are read.",
    )


def read_scan_report(scan: ScanReport) -> Report:
    """A registry's own report, with what the registry says about it. Raises Malformed."""
    report = parse_report(scan.body)
    return replace(
        report,
        scanner=report.scanner or scan.scanner,
        scanned_at=report.scanned_at or scan.scanned_at,
        notes=(*report.notes, *((scan.message,) if scan.message else ())),
    )
