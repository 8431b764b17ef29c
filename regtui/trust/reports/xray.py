"""JFrog Xray: the artifact summary (v1 and v2), and the list of an on-demand scan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.cvss import Cvss, best_of, read_cvss
from regtui.trust.findings import Finding, Report
from regtui.trust.severity import severity_of
from regtui.trust.untrusted import as_object, as_objects, as_text, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Xray"
_WITHOUT_RELEASE: Final = frozenset({"gav", "npm", "pypi", "go", "nuget", "gem", "cargo", "composer", "generic"})
"""Kinds whose names hold no release of a distribution in front."""
_LAYER: Final = re.compile(r"sha256__([0-9a-f]{64})")


def matches(body: Any) -> bool:
    """Whether this is a summary or a scan's list."""
    if isinstance(body, list):
        return bool(body) and all(isinstance(one, dict) and "scan_id" in one for one in body[:3])
    if not isinstance(body, dict):
        return False
    return isinstance(body.get("artifacts"), list) and not body.get("source") and "matches" not in body


def parse(body: Any) -> Report:
    """Security issues only, once per component: licences and operational risks are no vulnerabilities."""
    if isinstance(body, list):
        issues = [one for scan in as_objects(body) for one in as_objects(scan.get("vulnerabilities"))]
        return Report("Xray scan", NAME, tuple(f for one in issues for f in _findings(one)))
    artifacts = as_objects(body.get("artifacts"))
    issues = [one for artifact in artifacts for one in as_objects(artifact.get("issues"))]
    security = [one for one in issues if one.get("issue_type", "security") == "security"]
    errors = [as_text(one.get("error")) for one in as_objects(body.get("errors"))]
    general = as_object(artifacts[0].get("general")) if artifacts else {}
    return Report(
        "Xray summary",
        NAME,
        tuple(f for one in security for f in _findings(one)),
        target=as_text(general.get("component_id")),
        notes=tuple(text for text in errors if text)[:10],
    )


def _findings(issue: dict[str, Any]) -> Iterator[Finding]:
    cves = as_objects(issue.get("cves"))
    names = as_texts([one.get("cve") for one in cves])
    own = as_text(issue.get("issue_id")) or "unknown"
    path = next(iter(as_texts(issue.get("impact_path"))), None)
    layer = _LAYER.search(path) if path else None
    for component, fixed in _components(issue):
        kind, package, installed = _split(component)
        yield Finding(
            names[0] if names else own,
            severity_of(issue.get("severity")),
            as_text(issue.get("severity")),
            package=package,
            installed=installed,
            fixed=fixed,
            aliases=(*names[1:], *((own,) if names else ())),
            cvss=best_of([rating for one in cves for rating in _ratings(one)]),
            title=as_text(issue.get("summary")),
            description=as_text(issue.get("description")),
            links=as_texts(issue.get("references"))[:20],
            layer_digest=f"sha256:{layer.group(1)}" if layer else None,
            path=path,
            package_type=kind,
            source=NAME,
        )


def _components(issue: dict[str, Any]) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    """(component, versions that fix it): a list in summaries, a map in scans, nothing in summaries of version 1."""
    listed = issue.get("components")
    if isinstance(listed, dict) and listed:
        for name, more in listed.items():
            yield str(name), _versions(as_object(more).get("fixed_versions"))
        return
    found = as_objects(listed)
    for one in found:
        name, version = as_text(one.get("component_id")), as_text(one.get("version"))
        whole = f"{name}:{version}" if name and version and not name.endswith(version) else name
        yield whole, _versions(one.get("fixed_versions"))
    if not found:
        yield None, ()


def _versions(value: Any) -> tuple[str, ...]:
    """Xray writes single versions as the interval `[1.2]`."""
    return tuple(text.strip("[]") if text.startswith("[") and "," not in text else text for text in as_texts(value))


def _split(component: str | None) -> tuple[str | None, str | None, str | None]:
    """(type, name, version) of `alpine://3.18:libssl3:3.1.1-r1`, `gav://group:artifact:1.0`, `npm://lodash:4.17`."""
    kind, separator, rest = (component or "").partition("://")
    if not separator:
        return None, component, None
    parts = rest.split(":")
    if len(parts) < 2:
        return kind, rest, None
    named = parts[:-1] if kind in _WITHOUT_RELEASE else parts[-2:-1]
    return kind, ":".join(named), parts[-1]


def _ratings(cve: dict[str, Any]) -> Iterator[Cvss | None]:
    """`7.5/CVSS:3.1/AV:…`, or the score alone."""
    for member, version in (("cvss_v3", "3.0"), ("cvss_v2", "2.0")):
        score, _, vector = (as_text(cve.get(member)) or "").partition("/")
        yield read_cvss(score, vector or None, version)
