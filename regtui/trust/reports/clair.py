"""Clair's findings: as Quay's API gives them by feature, and the flat list of Clair's own tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regtui.trust.cvss import read_cvss
from regtui.trust.findings import Finding, Report
from regtui.trust.severity import severity_of
from regtui.trust.untrusted import as_list, as_object, as_objects, as_text, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Clair"


def matches(body: Any) -> bool:
    """Whether this is Quay's security answer or Clair's list."""
    if not isinstance(body, dict):
        return False
    if "Layer" in as_object(body.get("data")) or isinstance(body.get("Layer"), dict):
        return True
    rows = as_objects(body.get("vulnerabilities"))
    return "unapproved" in body or any("featurename" in row for row in rows[:1])


def parse(body: Any) -> Report:
    """One finding per vulnerability and feature: the same CVE repeats for every package."""
    layer = as_object(as_object(body.get("data")).get("Layer")) or as_object(body.get("Layer"))
    if layer:
        findings = tuple(f for feature in as_objects(layer.get("Features")) for f in _feature(feature))
        return Report("Quay security report", NAME, findings)
    rows = as_objects(body.get("vulnerabilities"))
    return Report(NAME, NAME, tuple(_row(row) for row in rows), target=as_text(body.get("image")))


def _feature(feature: dict[str, Any]) -> Iterator[Finding]:
    for one in as_objects(feature.get("Vulnerabilities")):
        fixed = as_text(one.get("FixedBy"))
        rated = as_object(as_object(one.get("Metadata")).get("NVD"))
        cvss = as_object(rated.get("CVSSv3"))
        scores = as_list(feature.get("BaseScores"))
        yield Finding(
            as_text(one.get("Name")) or "unknown",
            severity_of(one.get("Severity")),
            as_text(one.get("Severity")),
            package=as_text(feature.get("Name")),
            installed=as_text(feature.get("Version")),
            fixed=(fixed,) if fixed else (),
            cvss=read_cvss(cvss.get("Score"), cvss.get("Vectors") or None, "3.0", "nvd")
            or (read_cvss(scores[0]) if len(scores) == 1 else None),
            description=as_text(one.get("Description")),
            links=as_texts((as_text(one.get("Link")) or "").split())[:20],
            layer_digest=_digest(feature.get("AddedBy")),
            package_type=as_text(feature.get("VersionFormat")) or as_text(feature.get("NamespaceName")),
            source=NAME,
        )


def _digest(value: Any) -> str | None:
    text = as_text(value)
    return text if text and text.startswith("sha256:") else None


def _row(row: dict[str, Any]) -> Finding:
    fixed = as_text(row.get("fixedby"))
    return Finding(
        as_text(row.get("vulnerability")) or "unknown",
        severity_of(row.get("severity")),
        as_text(row.get("severity")),
        package=as_text(row.get("featurename")),
        installed=as_text(row.get("featureversion")),
        fixed=(fixed,) if fixed else (),
        description=as_text(row.get("description")),
        links=as_texts([row.get("link")]),
        package_type=as_text(row.get("namespace")),
        source=NAME,
    )
