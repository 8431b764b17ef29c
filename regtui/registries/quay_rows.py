"""What Quay's REST API answers, as the contract's values: tags, their history, repositories, scans, pruning rules.

Source: quay/quay, endpoints/api. Times come in three forms: seconds since 1970, RFC 2822 and RFC 3339. Pure functions.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from regtui.oci.reference import is_repository_path, is_tag
from regtui.registries import fields as read
from regtui.registries.contract import DeletedManifest, RepositorySummary, RetentionRules, ScanReport, TagSummary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from regtui.oci import Digest

_STATES: Final = {
    "scanned": "complete",
    "queued": "queued",
    "failed": "failed",
    "unsupported": "unsupported",
    "manifest_layer_too_large": "unsupported",
}
_WORDS: Final = {
    "queued": "Clair has it in its queue.",
    "failed": "Clair could not scan it.",
    "unsupported": "Clair can't scan this.",
    "manifest_layer_too_large": "A layer of it is too large for Clair.",
}


def tag_of(row: Mapping[str, Any]) -> TagSummary | None:
    """An active tag. Its media type and platforms are not told, and its size not for every index."""
    name = read.text(row.get("name"))
    if name is None or not is_tag(name):
        return None
    return TagSummary(
        name,
        digest=read.digest(row.get("manifest_digest")),
        size=read.whole(row.get("size")) or None,
        pushed=_moment_of_s(row.get("start_ts")),
        immutable=read.flag(row.get("immutable")),
    )


def repository_of(row: Mapping[str, Any]) -> RepositorySummary | None:
    """A repository as the list and the search have it: the namespace is a name there and an object here."""
    namespace = row.get("namespace")
    owner = read.text(read.fields(namespace).get("name")) if isinstance(namespace, dict) else read.text(namespace)
    path = f"{owner}/{read.text(row.get('name')) or ''}"
    if owner is None or not is_repository_path(path):
        return None
    return RepositorySummary(
        path,
        size=read.whole(read.fields(row.get("quota_report")).get("quota_bytes")),
        updated=_moment_of_s(row.get("last_modified")),
        description=read.text(row.get("description")),
    )


def deleted_of(history: Iterable[Mapping[str, Any]], window: int | None, now: datetime) -> tuple[DeletedManifest, ...]:
    """What is gone out of a repository's history of tags, newest first, while the time machine still has it.

    `window` is how many seconds it keeps something. A name that is in use again was not deleted but moved.
    """
    alive: set[str] = set()
    ended: dict[str, tuple[datetime, Digest]] = {}
    for row in history:
        name, digest, end = read.text(row.get("name")), read.digest(row.get("manifest_digest")), row.get("end_ts")
        at = _moment_of_s(end)
        if name is None or not is_tag(name):
            continue
        if at is None or at > now:
            alive.add(name)
        elif digest is not None and (name not in ended or ended[name][0] < at):
            ended[name] = (at, digest)
    found: dict[Digest, list[tuple[datetime, str]]] = {}
    for name, (at, digest) in ended.items():
        is_kept = window is None or at + timedelta(seconds=window) > now
        if name not in alive and is_kept:
            found.setdefault(digest, []).append((at, name))
    made = []
    for digest, entries in found.items():
        last = max(at for at, _ in entries)
        until = last + timedelta(seconds=window) if window is not None else None
        made.append(DeletedManifest(digest, tuple(sorted(name for _, name in entries)), last, until))
    return tuple(sorted(made, key=lambda one: one.deleted or now, reverse=True))


def report_of(body: Any) -> ScanReport:
    """A manifest's security answer."""
    said = read.fields(body)
    status = read.text(said.get("status")) or "unsupported"
    state = _STATES.get(status, "none")
    if state == "complete" and not isinstance(said.get("data"), dict):
        state = "none"
    return ScanReport(state, "Quay", "Clair", body=said if state == "complete" else None, message=_WORDS.get(status))


def merged(reports: Mapping[str, ScanReport]) -> ScanReport:
    """One report for the platforms of an index: every feature once."""
    complete = {platform: report for platform, report in reports.items() if report.state == "complete"}
    if not complete:
        states = [report.state for report in reports.values()]
        state = next((known for known in ("running", "queued", "failed", "none") if known in states), "unsupported")
        message = next((report.message for report in reports.values() if report.state == state), None)
        return ScanReport(state, "Quay", "Clair", message=message)
    features: dict[str, dict[str, Any]] = {}
    for report in complete.values():
        layer = read.fields(read.fields(read.fields(report.body).get("data")).get("Layer"))
        features |= {json.dumps(one, sort_keys=True): one for one in read.objects(layer.get("Features"))}
    body = {"status": "scanned", "data": {"Layer": {"Features": list(features.values())}}}
    missing = [platform for platform in reports if platform not in complete]
    without = f"; not scanned: {', '.join(missing)}" if missing else ""
    return ScanReport("complete", "Quay", "Clair", body=body, message=f"Of {', '.join(complete)}{without}.")


def retention_of(body: Mapping[str, Any], place: str) -> RetentionRules | None:
    """Auto-prune policies; None when there are none."""
    policies = read.objects(body.get("policies"))
    if not policies:
        return None
    return RetentionRules("quay", dict(body), tuple(_sentence(policy, place) for policy in policies), True)


def _sentence(policy: Mapping[str, Any], place: str) -> str:
    value, pattern = policy.get("value"), read.text(policy.get("tagPattern"))
    method = read.text(policy.get("method"))
    if method == "number_of_tags":
        rule = f"Keep the {value} newest tags"
    elif method == "creation_date":
        rule = f"Keep tags for {value}"
    else:
        rule = f"{method}: {value}"
    matching = "that do not match" if policy.get("tagPatternMatches") is False else "that match"
    return f"{rule}{f', of those {matching} {pattern}' if pattern else ''} ({place})."


def _moment_of_s(value: Any) -> datetime | None:
    number = read.whole(value)
    return read.moment_of_ms(number * 1000) if number else None
