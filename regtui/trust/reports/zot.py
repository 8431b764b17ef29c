"""zot's CVE list (its GraphQL CVEListForImage, which Trivy fills)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regtui.trust.findings import Finding, Report
from regtui.trust.severity import severity_of
from regtui.trust.untrusted import as_object, as_objects, as_text, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "zot CVE list"
_NOTHING = "Not Specified"


def matches(body: Any) -> bool:
    """Whether this is the answer, with or without GraphQL's wrapping."""
    return "CVEList" in _inside(body)


def _inside(body: Any) -> dict[str, Any]:
    top = as_object(body)
    top = as_object(top.get("data")) or top
    return as_object(top.get("CVEListForImage")) or top


def parse(body: Any) -> Report:
    """One finding per CVE and package."""
    inside = _inside(body)
    page = as_object(inside.get("Page"))
    listed = as_objects(inside.get("CVEList"))
    total = page.get("TotalCount")
    short = isinstance(total, int) and total > len(listed)
    return Report(
        NAME,
        "Trivy",
        tuple(finding for one in listed for finding in _findings(one)),
        target=as_text(inside.get("Tag")),
        notes=(f"{len(listed):,} of {total:,} CVEs were read.",) if short else (),
    )


def _findings(one: dict[str, Any]) -> Iterator[Finding]:
    for package in as_objects(one.get("PackageList")) or [{}]:
        fixed = _said(package.get("FixedVersion"))
        yield Finding(
            as_text(one.get("Id")) or "unknown",
            severity_of(one.get("Severity")),
            as_text(one.get("Severity")),
            package=_said(package.get("Name")),
            installed=_said(package.get("InstalledVersion")),
            fixed=tuple(part.strip() for part in fixed.split(",") if part.strip()) if fixed else (),
            title=as_text(one.get("Title")),
            description=as_text(one.get("Description")),
            links=as_texts([one.get("Reference")]),
            path=_said(package.get("PackagePath")),
            source="Trivy",
        )


def _said(value: Any) -> str | None:
    text = as_text(value)
    return None if text == _NOTHING else text
