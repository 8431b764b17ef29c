"""OSV-Scanner's JSON and the OSV records in it (google/osv-scanner docs/output.md, ossf.github.io/osv-schema)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regtui.trust.cvss import Cvss, best_of, read_cvss
from regtui.trust.findings import Finding, Report
from regtui.trust.severity import Severity, severity_of, severity_of_score
from regtui.trust.untrusted import as_object, as_objects, as_text, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "OSV-Scanner JSON"


def matches(body: Any) -> bool:
    """Whether this is OSV-Scanner's."""
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        return False
    first = next(iter(as_objects(body["results"])), None)
    return "packages" in first if first is not None else "experimental_config" in body or len(body) == 1


def parse(body: Any) -> Report:
    """One finding per group of aliases, not per record: the same fault has a record in every database."""
    layers = as_objects(as_object(body.get("image_metadata")).get("layer_metadata"))
    return Report(
        NAME,
        "OSV-Scanner",
        tuple(
            finding
            for result in as_objects(body.get("results"))
            for package in as_objects(result.get("packages"))
            for finding in _package(package, as_object(result.get("source")), layers)
        ),
    )


def _package(entry: dict[str, Any], source: dict[str, Any], layers: list[dict[str, Any]]) -> Iterator[Finding]:
    package = as_object(entry.get("package"))
    records = {str(one.get("id")): one for one in as_objects(entry.get("vulnerabilities"))}
    groups = as_objects(entry.get("groups")) or [{"ids": [identifier]} for identifier in records]
    origin = as_object(package.get("image_origin_details")).get("index")
    layer = layers[origin] if isinstance(origin, int) and 0 <= origin < len(layers) else {}
    for group in groups:
        yield _finding(group, package, records, as_text(source.get("path")), as_text(layer.get("diff_id")))


def _finding(
    group: dict[str, Any],
    package: dict[str, Any],
    records: Mapping[str, dict[str, Any]],
    path: str | None,
    diff_id: str | None,
) -> Finding:
    ids = as_texts(group.get("ids"))
    record = next((records[one] for one in ids if one in records), {})
    cvss = best_of(_ratings(record)) or read_cvss(group.get("max_severity"))
    word = as_text(as_object(record.get("database_specific")).get("severity"))
    severity = severity_of(word)
    if severity is Severity.UNKNOWN:
        severity = severity_of_score(cvss.score if cvss else None, cvss.version if cvss else None)
    purls = [as_object(one.get("package")).get("purl") for one in as_objects(record.get("affected"))]
    references = [one.get("url") for one in as_objects(record.get("references"))]
    return Finding(
        ids[0] if ids else "unknown",
        severity,
        word or as_text(group.get("max_severity")),
        package=as_text(package.get("name")),
        installed=as_text(package.get("version")),
        fixed=tuple(_fixed(record, package)),
        aliases=tuple(dict.fromkeys((*ids[1:], *as_texts(group.get("aliases")), *as_texts(record.get("aliases"))))),
        cvss=cvss,
        title=as_text(record.get("summary")),
        description=as_text(record.get("details")),
        links=as_texts(references)[:20],
        layer_diff_id=diff_id,
        path=path,
        purl=next(iter(as_texts(purls)), None),
        package_type=as_text(package.get("ecosystem")),
        source="OSV-Scanner",
    )


def _ratings(record: dict[str, Any]) -> Iterator[Cvss | None]:
    for said in as_objects(record.get("severity")):
        kind = str(said.get("type"))
        version = {"CVSS_V2": "2.0", "CVSS_V3": "3.0", "CVSS_V4": "4.0"}.get(kind)
        if version:
            yield read_cvss(None, said.get("score"), version, "osv")


def _fixed(record: dict[str, Any], package: dict[str, Any]) -> Iterator[str]:
    seen: set[str] = set()
    for affected in as_objects(record.get("affected")):
        if as_object(affected.get("package")).get("name") not in (package.get("name"), package.get("os_package_name")):
            continue
        for span in as_objects(affected.get("ranges")):
            for event in as_objects(span.get("events")):
                version = as_text(event.get("fixed"))
                if version and version not in seen and span.get("type") != "GIT":
                    seen.add(version)
                    yield version
