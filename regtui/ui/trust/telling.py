"""What documents and reports hold, each told in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.trust.documents import DocumentKind
from regtui.ui.words import count_text, time_text

if TYPE_CHECKING:
    from regtui.trust.documents import Document
    from regtui.trust.findings import Report
    from regtui.trust.provenance import Provenance


def document_text(document: Document) -> str:
    """What a document tells, in one line."""
    if document.problem is not None:
        return f"not read: {document.problem}"
    if document.provenance is not None:
        return provenance_text(document.provenance)
    if document.sbom is not None:
        made = f" · by {', '.join(document.sbom.tools[:2])}" if document.sbom.tools else ""
        return f"{count_text(len(document.sbom.packages))} packages · {document.sbom.format}{made}"
    if document.vex is not None:
        return f"{len(document.vex.statements)} statements by {document.vex.author or 'an unnamed author'}"
    if document.report is not None:
        return report_text(document.report)
    if document.kind is DocumentKind.SIGNATURE:
        return next((f"says signed by {value}" for name, value in document.facts if name == "says signed by"), "")
    return ""


def provenance_text(provenance: Provenance) -> str:
    """Who built it from what."""
    source = provenance.source
    if source and provenance.commit:
        source = f"{source}@{provenance.commit[:12]}"
    parts = (("built by ", provenance.builder), ("from ", source))
    return " · ".join(f"{word}{value}" for word, value in parts if value) or "tells neither builder nor source"


def report_text(report: Report) -> str:
    """Findings by severity, the scanner, and when."""
    counts = " ".join(f"{number:,} {severity.value}" for severity, number in report.counts.items() if number)
    return f"{counts or 'no findings'} · {report.scanner or 'unknown scanner'} · {time_text(report.scanned_at)}"
