"""Grype's JSON (anchore/grype, grype/presenter/models)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regtui.oci.times import parse_time
from regtui.trust.cvss import Cvss, best_of, read_cvss
from regtui.trust.findings import Finding, Report
from regtui.trust.severity import severity_of
from regtui.trust.untrusted import as_number, as_object, as_objects, as_text, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Grype JSON"


def matches(body: Any) -> bool:
    """Whether this is Grype's."""
    return isinstance(body, dict) and "matches" in body and ("descriptor" in body or "source" in body)


def parse(body: Any) -> Report:
    """One finding per match; what Grype ignored by rule stays ignored and is counted."""
    descriptor = as_object(body.get("descriptor"))
    ignored = len(as_objects(body.get("ignoredMatches")))
    target = as_object(as_object(body.get("source")).get("target"))
    return Report(
        NAME,
        "Grype",
        tuple(_finding(one) for one in as_objects(body.get("matches"))),
        scanner_version=as_text(descriptor.get("version")),
        scanned_at=parse_time(descriptor.get("timestamp")),
        database=_database(as_object(descriptor.get("db"))),
        target=as_text(target.get("userInput")),
        notes=(f"{ignored:,} matches were ignored by Grype's own rules.",) if ignored else (),
    )


def _database(body: dict[str, Any]) -> str | None:
    status = as_object(body.get("status")) or body
    return as_text(status.get("built")) or as_text(status.get("schemaVersion"))


def _finding(match: dict[str, Any]) -> Finding:
    said, artifact = as_object(match.get("vulnerability")), as_object(match.get("artifact"))
    related = as_objects(match.get("relatedVulnerabilities"))
    fix = as_object(said.get("fix"))
    location = next(iter(as_objects(artifact.get("locations"))), {})
    epss = next(iter(as_objects(said.get("epss"))), {})
    links = dict.fromkeys((*as_texts([said.get("dataSource")]), *as_texts(said.get("urls"))))
    descriptions = (as_text(one.get("description")) for one in (said, *related))
    return Finding(
        as_text(said.get("id")) or "unknown",
        severity_of(said.get("severity")),
        as_text(said.get("severity")),
        package=as_text(artifact.get("name")),
        installed=as_text(artifact.get("version")),
        fixed=_fixed(match, fix),
        status=as_text(fix.get("state")),
        aliases=tuple(alias for one in related if (alias := as_text(one.get("id"))) is not None),
        cvss=best_of([rating for one in (said, *related) for rating in _ratings(one)]),
        description=next((text for text in descriptions if text), None),
        links=tuple(links)[:20],
        layer_diff_id=as_text(location.get("layerID")),
        path=as_text(location.get("path")),
        purl=as_text(artifact.get("purl")),
        package_type=as_text(artifact.get("type")),
        epss=as_number(epss.get("epss")),
        exploited=True if as_objects(said.get("knownExploited")) else None,
        source="Grype",
    )


def _fixed(match: dict[str, Any], fix: dict[str, Any]) -> tuple[str, ...]:
    """Versions that fix it, Grype's suggestion for the installed one first."""
    details = as_objects(match.get("matchDetails"))
    suggested = as_texts([as_object(one.get("fix")).get("suggestedVersion") for one in details])
    return tuple(dict.fromkeys((*suggested, *as_texts(fix.get("versions")))))


def _ratings(one: dict[str, Any]) -> Iterator[Cvss | None]:
    for said in as_objects(one.get("cvss")):
        metrics = as_object(said.get("metrics"))
        yield read_cvss(metrics.get("baseScore"), said.get("vector"), said.get("version"), said.get("source"))
