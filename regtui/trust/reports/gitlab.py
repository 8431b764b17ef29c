"""GitLab's container scanning report (gl-container-scanning-report.json, security-report-schemas 15)."""

from __future__ import annotations

from typing import Any

from regtui.oci.times import parse_time
from regtui.trust.cvss import best_of, read_cvss
from regtui.trust.findings import Finding, Report
from regtui.trust.severity import severity_of
from regtui.trust.untrusted import as_object, as_objects, as_text, as_texts

NAME = "GitLab container scanning"


def matches(body: Any) -> bool:
    """Whether this is GitLab's."""
    return isinstance(body, dict) and "vulnerabilities" in body and isinstance(body.get("scan"), dict)


def parse(body: Any) -> Report:
    """One finding per vulnerability."""
    scan = as_object(body.get("scan"))
    scanner = as_object(scan.get("scanner"))
    name = as_text(scanner.get("name"))
    return Report(
        NAME,
        name,
        tuple(_finding(one, name) for one in as_objects(body.get("vulnerabilities"))),
        scanner_version=as_text(scanner.get("version")),
        scanned_at=parse_time(scan.get("end_time")),
    )


def _finding(one: dict[str, Any], scanner: str | None) -> Finding:
    location = as_object(one.get("location"))
    dependency = as_object(location.get("dependency"))
    named = as_objects(one.get("identifiers"))
    ids = [text for i in named if (text := as_text(i.get("value")) or as_text(i.get("name")))]
    ratings = [read_cvss(None, c.get("vector"), None, c.get("vendor")) for c in as_objects(one.get("cvss_vectors"))]
    return Finding(
        ids[0] if ids else as_text(one.get("name")) or "unknown",
        severity_of(one.get("severity")),
        as_text(one.get("severity")),
        package=as_text(as_object(dependency.get("package")).get("name")),
        installed=as_text(dependency.get("version")),
        aliases=tuple(ids[1:]),
        cvss=best_of(ratings),
        title=as_text(one.get("name")),
        description=as_text(one.get("description")),
        links=as_texts([link.get("url") for link in as_objects(one.get("links"))])[:20],
        path=as_text(location.get("image")),
        package_type=as_text(location.get("operating_system")),
        source=scanner,
    )
