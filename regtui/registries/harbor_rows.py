"""What Harbor's REST API answers, as the contract's values: artifacts, repositories, scans, retention policies.

Source: goharbor/harbor v2.15, api/v2.0/swagger.yaml. Empty lists and objects arrive as null. Pure functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Platform
from regtui.oci.reference import is_repository_path, is_tag
from regtui.registries import fields as read
from regtui.registries.contract import RepositorySummary, RetentionRules, ScanReport, TagSummary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REPORT_TYPES: Final = (
    "application/vnd.security.vulnerability.report; version=1.1, "
    "application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0"
)
"""The forms of reports that are read, for X-Accept-Vulnerabilities."""
_SIGNATURES: Final = "signature."
_STATES: Final = {
    "pending": "queued",
    "scheduled": "queued",
    "running": "running",
    "success": "complete",
    "error": "failed",
    "stopped": "failed",
}
_TEMPLATES: Final = {
    "latestPushedK": "the {n} most recently pushed",
    "latestPulledN": "the {n} most recently pulled",
    "nDaysSinceLastPush": "those pushed within {n} days",
    "nDaysSinceLastPull": "those pulled within {n} days",
    "always": "everything",
}


def rows_of(artifact: Mapping[str, Any]) -> Iterator[TagSummary]:
    """A row for each tag of an artifact; one named by its digest when it has none.

    The size is Harbor's own: manifest, config and layers, and of an index the sum of its children, so that a layer of
    two platforms counts twice. "Signed" is that a signature hangs on it, not that it verifies.
    """
    digest = read.digest(artifact.get("digest"))
    if digest is None:
        return
    extra = read.fields(artifact.get("extra_attrs"))
    tags = read.objects(artifact.get("tags"))
    # An untagged artifact has its digest for a name.
    for tag in tags or [{"name": digest}]:
        name = read.text(tag.get("name")) or ""
        if is_tag(name) or name == digest:
            yield TagSummary(
                name,
                digest=digest,
                media_type=read.text(artifact.get("manifest_media_type")),
                size=read.whole(artifact.get("size")),
                pushed=read.moment(tag.get("push_time")) or read.moment(artifact.get("push_time")),
                created=read.claim(extra.get("created")),
                pulled=read.moment(tag.get("pull_time")) or read.moment(artifact.get("pull_time")),
                platforms=_platforms(artifact, extra),
                vulnerabilities=_counts(artifact.get("scan_overview")),
                signed=_is_signed(artifact),
                immutable=read.flag(tag.get("immutable")),
            )


def repository_of(row: Mapping[str, Any]) -> RepositorySummary | None:
    """A row of the list of repositories. Harbor counts artifacts, not tags, and tells no size."""
    path = read.text(row.get("name"))
    if path is None or not is_repository_path(path):
        return None
    return RepositorySummary(
        path, updated=read.moment(row.get("update_time")), description=read.text(row.get("description"))
    )


def report_of(body: Any) -> ScanReport | None:
    """The report out of the addition `vulnerabilities`: an object keyed by media type; None when it is empty."""
    name, report = next(((n, r) for n, r in read.fields(body).items() if isinstance(r, dict)), (None, {}))
    if name is None:
        return None
    return ScanReport(
        "complete",
        "Harbor",
        scanner=_scanner(report.get("scanner")),
        scanned_at=read.moment(report.get("generated_at")),
        media_type=name,
        body=body,
    )


def state_of(artifact: Mapping[str, Any]) -> ScanReport:
    """How far the scan of an artifact has come, when there is no report yet."""
    overview = _overview(artifact.get("scan_overview"))
    status = (read.text(overview.get("scan_status")) or "").lower()
    if not status:
        return ScanReport("none", "Harbor", message="It was never scanned.")
    percent = read.whole(overview.get("complete_percent"))
    done = f" ({percent} %)" if status == "running" and percent is not None else ""
    return ScanReport(
        _STATES.get(status, "none"),
        "Harbor",
        scanner=_scanner(overview.get("scanner")),
        scanned_at=read.moment(overview.get("end_time")),
        message=f"Harbor says: {status}{done}.",
    )


def retention_of(policy: Mapping[str, Any]) -> RetentionRules:
    """A retention policy: its rules say what is kept, everything else goes."""
    rules = read.objects(policy.get("rules"))
    trigger = read.fields(policy.get("trigger"))
    cron = read.text(read.fields(trigger.get("settings")).get("cron"))
    sentences = [_sentence(rule) for rule in rules]
    sentences.append(f"It runs on the schedule {cron}." if cron else "It runs only when somebody starts it.")
    is_on = bool(cron) and any(not read.flag(rule.get("disabled")) for rule in rules)
    return RetentionRules("harbor", dict(policy), tuple(sentences), is_on)


def _sentence(rule: Mapping[str, Any]) -> str:
    template = read.text(rule.get("template")) or "an unknown rule"
    number = read.fields(rule.get("params")).get(template)
    kept = _TEMPLATES.get(template, template).format(n=number)
    tags = _selected(read.objects(rule.get("tag_selectors")), "excludes")
    places = _selected(read.objects(read.fields(rule.get("scope_selectors")).get("repository")), "repoExcludes")
    off = " (switched off)" if read.flag(rule.get("disabled")) else ""
    return f"Keep {kept}, of tags{tags}, in repositories{places}.{off}"


def _selected(selectors: list[dict[str, Any]], excludes: str) -> str:
    texts = []
    for one in selectors:
        verb = "not matching" if one.get("decoration") == excludes else "matching"
        texts.append(f" {verb} {read.text(one.get('pattern')) or '?'}")
    return " and".join(texts) or " of any name"


def _platforms(artifact: Mapping[str, Any], extra: Mapping[str, Any]) -> tuple[Platform, ...] | None:
    children = read.objects(artifact.get("references"))
    if children:
        found = (Platform.from_json(child.get("platform")) for child in children)
        known = (platform for platform in found if platform is not None and platform.os != "unknown")
        return tuple(dict.fromkeys(known))
    own = Platform.from_json(extra)
    if own is not None:
        return (own,)
    # A chart or another artifact runs on nothing; an image that does not tell is not known.
    return None if artifact.get("type") in {"IMAGE", None} else ()


def _overview(value: Any) -> dict[str, Any]:
    return next((found for found in read.fields(value).values() if isinstance(found, dict)), {})


def _counts(value: Any) -> dict[str, int] | None:
    """Vulnerabilities by severity, in lower case; None when there is no finished scan."""
    overview = _overview(value)
    if read.text(overview.get("scan_status")) != "Success":
        return None
    summary = read.fields(overview.get("summary"))
    found = {str(word).lower(): read.whole(n) for word, n in read.fields(summary.get("summary")).items()}
    return {word: number for word, number in found.items() if number}


def _is_signed(artifact: Mapping[str, Any]) -> bool | None:
    if "accessories" not in artifact:
        return None
    kinds = (read.text(one.get("type")) or "" for one in read.objects(artifact["accessories"]))
    return any(kind.startswith(_SIGNATURES) for kind in kinds)


def _scanner(value: Any) -> str | None:
    scanner = read.fields(value)
    words = (read.text(scanner.get("name")), read.text(scanner.get("version")))
    return " ".join(word for word in words if word) or None
