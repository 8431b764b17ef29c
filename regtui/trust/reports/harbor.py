"""Harbor's native report, versions 1.0 and 1.1: an object keyed by media type (goharbor pluggable-scanner-spec)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci.times import parse_time
from regtui.trust.cvss import Cvss, best_of, read_cvss
from regtui.trust.findings import Finding, Report
from regtui.trust.severity import severity_of
from regtui.trust.untrusted import as_object, as_objects, as_text, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Harbor report"
_TYPES: Final = ("application/vnd.security.vulnerability.report", "application/vnd.scanner.adapter.vuln.report.harbor")


def matches(body: Any) -> bool:
    """Whether this is Harbor's, with or without the media type around it."""
    return _inside(body) is not None


def _inside(body: Any) -> dict[str, Any] | None:
    if not isinstance(body, dict):
        return None
    for name, inside in body.items():
        if isinstance(name, str) and name.startswith(_TYPES):
            return as_object(inside)
    if "generated_at" in body and "scanner" in body and "vulnerabilities" in body:
        return body
    return None


def parse(body: Any) -> Report:
    """One finding per vulnerability and package."""
    inside = _inside(body) or {}
    scanner = as_object(inside.get("scanner"))
    name = as_text(scanner.get("name"))
    return Report(
        NAME,
        name,
        tuple(_finding(one, name) for one in as_objects(inside.get("vulnerabilities"))),
        scanner_version=as_text(scanner.get("version")),
        scanned_at=parse_time(inside.get("generated_at")),
    )


def _finding(one: dict[str, Any], scanner: str | None) -> Finding:
    digests = as_texts(one.get("artifact_digests"))
    fixed = as_text(one.get("fix_version"))
    return Finding(
        as_text(one.get("id")) or "unknown",
        severity_of(one.get("severity")),
        as_text(one.get("severity")),
        package=as_text(one.get("package")),
        installed=as_text(one.get("version")),
        fixed=tuple(part.strip() for part in fixed.split(",") if part.strip()) if fixed else (),
        status=as_text(one.get("status")),
        cvss=best_of(_ratings(one)),
        description=as_text(one.get("description")),
        links=as_texts(one.get("links"))[:20],
        layer_digest=as_text(as_object(one.get("layer")).get("digest")),
        # Of an index, the report merges all images: the digest tells which one this is about.
        path=f"image {digests[0]}" if len(digests) == 1 else None,
        source=scanner,
    )


def _ratings(one: dict[str, Any]) -> Iterator[Cvss | None]:
    preferred = as_object(one.get("preferred_cvss"))
    yield read_cvss(preferred.get("score_v3"), preferred.get("vector_v3") or None, "3.0")
    yield read_cvss(preferred.get("score_v2"), preferred.get("vector_v2") or None, "2.0")
    for source, said in as_object(as_object(one.get("vendor_attributes")).get("CVSS")).items():
        body = as_object(said)
        yield read_cvss(body.get("V3Score"), body.get("V3Vector"), "3.0", source)
        yield read_cvss(body.get("V2Score"), body.get("V2Vector"), "2.0", source)
