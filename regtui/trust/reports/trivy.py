"""Trivy's JSON, schema 2 and the older list (aquasecurity/trivy docs, configuration/reporting)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regtui.oci.times import parse_time
from regtui.trust.cvss import Cvss, best_of, read_cvss
from regtui.trust.findings import Finding, Kind, Report
from regtui.trust.severity import severity_of
from regtui.trust.untrusted import MOST_ITEMS, as_object, as_objects, as_text, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Trivy JSON"


def matches(body: Any) -> bool:
    """Whether this is Trivy's: an empty legacy report is null."""
    if body is None:
        return True
    if isinstance(body, list):
        return bool(body) and all(isinstance(one, dict) and "Target" in one for one in body[:3])
    return isinstance(body, dict) and "SchemaVersion" in body and "ArtifactName" in body


def parse(body: Any) -> Report:
    """Vulnerabilities, and secrets and misconfigurations as findings of their own kinds."""
    top = as_object(body)
    results = as_objects(body if isinstance(body, list) else top.get("Results"))
    system = as_object(as_object(top.get("Metadata")).get("OS"))
    findings = [finding for result in results for finding in _findings(result)][:MOST_ITEMS]
    return Report(
        NAME,
        "Trivy",
        tuple(findings),
        scanner_version=as_text(as_object(top.get("Trivy")).get("Version")),
        scanned_at=parse_time(top.get("CreatedAt")),
        target=as_text(top.get("ArtifactName")),
        end_of_life=system.get("EOSL") is True,
    )


def _findings(result: dict[str, Any]) -> Iterator[Finding]:
    for one in as_objects(result.get("Vulnerabilities")):
        yield _vulnerability(one, result)
    for one in as_objects(result.get("Misconfigurations")):
        if one.get("Status", "FAIL") == "FAIL":
            yield _other(one, result, "ID", "misconfiguration")
    for one in as_objects(result.get("Secrets")):
        yield _other(one, result, "RuleID", "secret")
    for one in as_objects(result.get("Licenses")):
        yield _other(one, result, "Name", "licence")


def _vulnerability(one: dict[str, Any], result: dict[str, Any]) -> Finding:
    layer = as_object(one.get("Layer"))
    links = dict.fromkeys((*as_texts([one.get("PrimaryURL")]), *as_texts(one.get("References"))))
    fixed = as_text(one.get("FixedVersion")) or ""
    return Finding(
        as_text(one.get("VulnerabilityID")) or "unknown",
        severity_of(one.get("Severity")),
        as_text(one.get("Severity")),
        package=as_text(one.get("PkgName")),
        installed=as_text(one.get("InstalledVersion")),
        fixed=tuple(version.strip() for version in fixed.split(",") if version.strip()),
        status=as_text(one.get("Status")),
        aliases=as_texts(one.get("VendorIDs")),
        cvss=best_of(_ratings(one), as_text(one.get("SeveritySource"))),
        title=as_text(one.get("Title")),
        description=as_text(one.get("Description")),
        links=tuple(links)[:20],
        layer_digest=as_text(layer.get("Digest")),
        layer_diff_id=as_text(layer.get("DiffID")),
        path=as_text(one.get("PkgPath")) or (as_text(result.get("Target")) if _is_file(result) else None),
        purl=as_text(as_object(one.get("PkgIdentifier")).get("PURL")),
        package_type=as_text(result.get("Type")),
        source="Trivy",
    )


def _is_file(result: dict[str, Any]) -> bool:
    """Whether the target names a file and not the operating system."""
    return result.get("Class") not in ("os-pkgs", None)


def _ratings(one: dict[str, Any]) -> Iterator[Cvss | None]:
    for source, said in as_object(one.get("CVSS")).items():
        body = as_object(said)
        yield read_cvss(body.get("V40Score"), body.get("V40Vector"), "4.0", source)
        yield read_cvss(body.get("V3Score"), body.get("V3Vector"), "3.0", source)
        yield read_cvss(body.get("V2Score"), body.get("V2Vector"), "2.0", source)


def _other(one: dict[str, Any], result: dict[str, Any], identifier: str, kind: Kind) -> Finding:
    layer = as_object(one.get("Layer"))
    return Finding(
        as_text(one.get(identifier)) or "unknown",
        severity_of(one.get("Severity")),
        as_text(one.get("Severity")),
        title=as_text(one.get("Title")),
        description=as_text(one.get("Description") or one.get("Message")),
        links=as_texts([one.get("PrimaryURL")]),
        layer_digest=as_text(layer.get("Digest")),
        layer_diff_id=as_text(layer.get("DiffID")),
        path=as_text(result.get("Target")),
        kind=kind,
        package=as_text(one.get("PkgName")),
        source="Trivy",
    )
