"""Google Artifact Analysis: vulnerability occurrences (containeranalysis.googleapis.com v1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regtui.oci.times import parse_time
from regtui.trust.cvss import best_of, read_cvss
from regtui.trust.findings import Finding, Report
from regtui.trust.severity import Severity, severity_of
from regtui.trust.untrusted import as_number, as_object, as_objects, as_text, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Google Artifact Analysis"


def matches(body: Any) -> bool:
    """Whether these are occurrences."""
    if not isinstance(body, dict) or not isinstance(body.get("occurrences"), list):
        return False
    return all("noteName" in one or "vulnerability" in one for one in as_objects(body["occurrences"])[:3])


def parse(body: Any) -> Report:
    """One finding per vulnerability and package issue."""
    occurrences = as_objects(body.get("occurrences"))
    times = [moment for one in occurrences if (moment := parse_time(one.get("updateTime"))) is not None]
    unreachable = as_texts(body.get("unreachable"))
    return Report(
        NAME,
        NAME,
        tuple(f for one in occurrences if isinstance(one.get("vulnerability"), dict) for f in _findings(one)),
        scanned_at=max(times, default=None),
        target=next((as_text(one.get("resourceUri")) for one in occurrences), None),
        notes=(f"Some places did not answer: {', '.join(unreachable[:5])}.",) if unreachable else (),
    )


def _findings(one: dict[str, Any]) -> Iterator[Finding]:
    said: dict[str, Any] = as_object(one.get("vulnerability"))
    note = as_text(one.get("noteName")) or "unknown"
    for issue in as_objects(said.get("packageIssue")) or [{}]:
        word = _word(issue, said)
        place = next(iter(as_objects(issue.get("fileLocation"))), {})
        layer = as_object(place.get("layerDetails"))
        fixed = as_object(issue.get("fixedVersion"))
        version = _version(fixed) if fixed.get("kind") != "MAXIMUM" else None
        yield Finding(
            note.rsplit("/", 1)[-1],
            severity_of(word),
            word,
            package=as_text(issue.get("affectedPackage")),
            installed=_version(as_object(issue.get("affectedVersion"))),
            fixed=(version,) if version else (),
            cvss=best_of(
                (
                    _cvss(said.get("cvssV4"), "4.0"),
                    _cvss(said.get("cvssv3"), "3.0"),
                    _cvss(said.get("cvssV2"), "2.0"),
                    read_cvss(said.get("cvssScore")),
                )
            ),
            title=as_text(said.get("shortDescription")),
            description=as_text(said.get("longDescription")),
            links=as_texts([link.get("url") for link in as_objects(said.get("relatedUrls"))])[:20],
            layer_diff_id=as_text(layer.get("diffId")),
            path=as_text(place.get("filePath")),
            package_type=as_text(issue.get("packageType")),
            epss=as_number(as_object(as_object(said.get("risk")).get("epss")).get("score")),
            exploited=True if as_object(said.get("risk")).get("cisaKev") else None,
            source=NAME,
        )


def _word(issue: dict[str, Any], said: dict[str, Any]) -> str | None:
    """The distribution's rating where there is one, else the note's."""
    for word in (issue.get("effectiveSeverity"), said.get("effectiveSeverity"), said.get("severity")):
        if severity_of(word) is not Severity.UNKNOWN:
            return as_text(word)
    return as_text(said.get("severity"))


def _version(body: dict[str, Any]) -> str | None:
    full = as_text(body.get("fullName"))
    if full:
        return full
    name, revision = as_text(body.get("name")), as_text(body.get("revision"))
    return f"{name}-{revision}" if name and revision else name


def _cvss(value: Any, version: str) -> Any:
    return read_cvss(as_object(value).get("baseScore"), None, version)
