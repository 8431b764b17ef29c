"""Vulnerabilities inside a CycloneDX document, with its own analysis (cyclonedx.org, JSON 1.4 and later)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci.times import parse_time
from regtui.trust.cvss import Cvss, best_of, read_cvss
from regtui.trust.findings import Finding, Report
from regtui.trust.purl import parse_purl
from regtui.trust.severity import Severity, severity_of
from regtui.trust.untrusted import as_object, as_objects, as_text, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "CycloneDX vulnerabilities"
_METHODS: Final = {"CVSSv2": "2.0", "CVSSv3": "3.0", "CVSSv31": "3.1", "CVSSv4": "4.0"}
_DEEPEST: Final = 16


def matches(body: Any) -> bool:
    """Whether this is CycloneDX with a list of vulnerabilities (an empty one counts)."""
    return isinstance(body, dict) and body.get("bomFormat") == "CycloneDX" and "vulnerabilities" in body


def parse(body: Any) -> Report:
    """One finding per vulnerability and affected component."""
    metadata = as_object(body.get("metadata"))
    components = dict(_components(as_objects(body.get("components"))))
    tool, version = _tool(metadata)
    return Report(
        NAME,
        tool,
        tuple(f for one in as_objects(body.get("vulnerabilities")) for f in _findings(one, components)),
        scanner_version=version,
        scanned_at=parse_time(metadata.get("timestamp")),
        target=as_text(as_object(metadata.get("component")).get("name")),
    )


def _tool(metadata: dict[str, Any]) -> tuple[str | None, str | None]:
    tools = metadata.get("tools")
    listed = as_objects(as_object(tools).get("components")) if isinstance(tools, dict) else as_objects(tools)
    first = next(iter(listed), {})
    return as_text(first.get("name")), as_text(first.get("version"))


def _components(listed: list[dict[str, Any]], depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in listed:
        reference = as_text(one.get("bom-ref"))
        if reference is not None:
            yield reference, one
        if depth < _DEEPEST:
            yield from _components(as_objects(one.get("components")), depth + 1)


def _findings(one: dict[str, Any], components: Mapping[str, dict[str, Any]]) -> Iterator[Finding]:
    ratings = as_objects(one.get("ratings"))
    word = next((as_text(r.get("severity")) for r in ratings if as_text(r.get("severity"))), None)
    worst = min((severity_of(r.get("severity")) for r in ratings), key=lambda s: s.rank, default=Severity.UNKNOWN)
    advisories = [as_text(a.get("url")) for a in as_objects(one.get("advisories"))]
    analysis = as_object(one.get("analysis"))
    affected = as_objects(one.get("affects")) or [{}]
    for place in affected:
        # A BOM-Link (urn:cdx:serial/version#ref) points into another document; its end is the reference there.
        reference = (as_text(place.get("ref")) or "").rpartition("#")[2] or None
        component = components.get(reference or "", {})
        purl = parse_purl(as_text(component.get("purl")) or reference)
        versions = as_objects(place.get("versions"))
        yield Finding(
            as_text(one.get("id")) or "unknown",
            worst,
            word,
            package=_name(component) or (purl.title if purl else reference),
            installed=as_text(component.get("version")) or (purl and purl.version) or _affected_version(versions),
            fixed=as_texts([v.get("version") for v in versions if v.get("status") == "unaffected"]),
            status=as_text(analysis.get("state")),
            aliases=as_texts([r.get("id") for r in as_objects(one.get("references"))]),
            cvss=best_of(_ratings(ratings)),
            description=as_text(one.get("description")),
            links=as_texts([as_object(one.get("source")).get("url"), *advisories])[:20],
            purl=as_text(component.get("purl")) or _as_purl(reference),
            package_type=as_text(component.get("type")),
            source=as_text(as_object(one.get("source")).get("name")),
        )


def _name(component: dict[str, Any]) -> str | None:
    name, group = as_text(component.get("name")), as_text(component.get("group"))
    return f"{group}/{name}" if group and name else name


def _affected_version(versions: list[dict[str, Any]]) -> str | None:
    return next((as_text(v.get("version")) for v in versions if v.get("status", "affected") == "affected"), None)


def _as_purl(reference: str | None) -> str | None:
    return reference if reference and reference.startswith("pkg:") else None


def _ratings(ratings: list[dict[str, Any]]) -> Iterator[Cvss | None]:
    for rating in ratings:
        version = _METHODS.get(str(rating.get("method")))
        source = as_object(rating.get("source")).get("name")
        yield read_cvss(rating.get("score"), rating.get("vector"), version, source)
