"""Microsoft Defender for Containers: rows of Azure Resource Graph about images in ACR."""

from __future__ import annotations

from typing import Any, Final

from regtui.oci.times import parse_time
from regtui.trust.cvss import best_of, read_cvss
from regtui.trust.findings import Finding, Report
from regtui.trust.severity import severity_of
from regtui.trust.untrusted import as_object, as_objects, as_text, as_texts

NAME = "Microsoft Defender"
_FIXES: Final = {"WontFix": "wontfix", "NoFixAvailable": "nofixavailable", "Scheduled": "scheduled"}


def matches(body: Any) -> bool:
    """Whether these are rows of sub-assessments."""
    rows = _rows(body)
    return bool(rows) and all("additionalData" in row for row in rows[:3])


def _rows(body: Any) -> list[dict[str, Any]]:
    listed = body.get("data") if isinstance(body, dict) else body
    return [as_object(row.get("properties")) or row for row in as_objects(listed)]


def parse(body: Any) -> Report:
    """One finding per unhealthy row."""
    rows = [row for row in _rows(body) if as_object(row.get("status")).get("code") != "Healthy"]
    times = [moment for row in rows if (moment := parse_time(row.get("timeGenerated"))) is not None]
    return Report(NAME, NAME, tuple(_finding(row) for row in rows), scanned_at=max(times, default=None))


def _finding(row: dict[str, Any]) -> Finding:
    more = as_object(row.get("additionalData"))
    said, software = as_object(more.get("vulnerabilityDetails")), as_object(more.get("softwareDetails"))
    fixed = as_text(software.get("fixedVersion"))
    word = as_text(said.get("severity")) or as_text(as_object(row.get("status")).get("severity"))
    ratings = [
        read_cvss(as_object(rated).get("base"), as_object(rated).get("cvssVectorString"), version)
        for version, rated in as_object(said.get("cvss")).items()
    ]
    return Finding(
        as_text(said.get("cveId")) or as_text(row.get("id")) or "unknown",
        severity_of(word),
        word,
        package=as_text(software.get("packageName")),
        installed=as_text(software.get("version")),
        fixed=(fixed,) if fixed else (),
        status=_FIXES.get(str(software.get("fixStatus"))),
        cvss=best_of((*ratings, read_cvss(more.get("cvssV30Score"), None, "3.0"))),
        title=as_text(row.get("displayName")),
        description=as_text(row.get("description")),
        links=as_texts([one.get("link") for one in as_objects(said.get("references"))])[:20],
        path=as_text(software.get("evidence")),
        package_type=as_text(software.get("language")) or as_text(software.get("category")),
        source=NAME,
    )
