"""What Google answers, as values of the contract: rows of tags, scan reports, cleanup policies. Pure functions.

Sources: go-containerregistry pkg/v1/google/list.go; discovery documents of Artifact Registry v1 (Repository,
CleanupPolicy) and Container Analysis v1 (DiscoveryOccurrence).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci import media_types as types
from regtui.oci.reference import is_tag
from regtui.registries.contract import RetentionRules, ScanReport, TagSummary
from regtui.registries.fields import digest, fields, moment, moment_of_ms, text, texts, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

SOURCE: Final = "Google Artifact Analysis"
OCCURRENCES: Final = "application/vnd.google.containeranalysis.occurrences+json"
"""regtui's name for a list of occurrences; Google has none."""
_STATES: Final = {
    "PENDING": "queued",
    "SCANNING": "running",
    "FINISHED_SUCCESS": "complete",
    "COMPLETE": "complete",
    "FINISHED_FAILED": "failed",
    "FINISHED_UNSUPPORTED": "unsupported",
}
_DAY: Final = 86_400


def image_rows(body: Mapping[str, Any], immutable: bool | None = None) -> tuple[TagSummary, ...]:
    """Rows out of Google's `tags/list`: one per tag, then the manifests without one. A plain list gives names only."""
    rows: dict[str, TagSummary] = {}
    untagged: list[TagSummary] = []
    for key, value in fields(body.get("manifest")).items():
        found, about = digest(key), fields(value)
        if found is None:
            continue
        names = [name for name in texts(about.get("tag")) if is_tag(name)]
        for name in names:
            rows[name] = _row(name, key, about, immutable)
        if not names:
            untagged.append(_row(key, key, about, None))
    others = (name for name in texts(body.get("tags")) if is_tag(name) and name not in rows)
    return (*rows.values(), *(TagSummary(name) for name in others), *untagged)


def _row(name: str, key: str, about: Mapping[str, Any], immutable: bool | None) -> TagSummary:
    media_type = types.bare(text(about.get("mediaType")))
    return TagSummary(
        name,
        digest=digest(key),
        media_type=media_type,
        # Of an index it is not told whether this counts its images.
        size=None if media_type in types.INDEXES else whole(about.get("imageSizeBytes")),
        pushed=moment_of_ms(about.get("timeUploadedMs")),
        created=moment_of_ms(about.get("timeCreatedMs")),
        immutable=immutable,
    )


def discovery(occurrences: Iterable[Mapping[str, Any]]) -> tuple[str, str | None]:
    """(the state, a word about it) of what is known about the scan of an image."""
    known = [fields(one.get("discovery")) for one in occurrences]
    about = next((one for one in known if text(one.get("analysisStatus")) in _STATES), None)
    if about is None:
        return "none", "Artifact Analysis has not looked at this image; scanning may be off in the project."
    state = _STATES[str(about["analysisStatus"])]
    if state == "complete" and about.get("continuousAnalysis") == "INACTIVE":
        return state, "It is no longer watched (not pulled for 30 days): newer findings are missing."
    return state, text(fields(about.get("analysisStatusError")).get("message"))


def newest(occurrences: Iterable[Mapping[str, Any]]) -> datetime | None:
    """When the image was last looked at."""
    times = (moment(fields(one.get("discovery")).get("lastScanTime")) for one in occurrences)
    return max((time for time in times if time is not None), default=None)


def scanned(state: str, message: str | None, found: list[dict[str, Any]], when: datetime | None) -> ScanReport:
    """A report out of occurrences of vulnerabilities."""
    is_complete = state == "complete"
    return ScanReport(
        state,
        SOURCE,
        scanner=SOURCE,
        scanned_at=when,
        media_type=OCCURRENCES,
        body={"occurrences": found} if is_complete else None,
        message=message,
    )


def cleanup(repository: Mapping[str, Any]) -> RetentionRules | None:
    """The cleanup policies of a repository; None when it has none."""
    policies = fields(repository.get("cleanupPolicies"))
    if not policies:
        return None
    only_tried = repository.get("cleanupPolicyDryRun") is True
    body = {"cleanupPolicies": policies, "cleanupPolicyDryRun": only_tried}
    sentences = [_sentence(name, fields(policy)) for name, policy in sorted(policies.items())]
    if only_tried:
        sentences.append("They are only tried: nothing is deleted yet.")
    return RetentionRules("google", body, tuple(sentences), enabled=not only_tried)


def _sentence(name: str, policy: Mapping[str, Any]) -> str:
    verb = "keeps" if policy.get("action") == "KEEP" else "deletes"
    recent, condition = fields(policy.get("mostRecentVersions")), fields(policy.get("condition"))
    if recent:
        which = f"the newest {whole(recent.get('keepCount'))} versions"
        return f"{name} {verb} {which}{_of(recent)}."
    state = {"TAGGED": "tagged versions", "UNTAGGED": "untagged versions"}.get(
        str(condition.get("tagState")), "versions"
    )
    parts = []
    if prefixes := texts(condition.get("tagPrefixes")):
        parts.append("whose tags start with " + " or ".join(prefixes))
    if prefixes := texts(condition.get("versionNamePrefixes")):
        parts.append("whose digests start with " + " or ".join(prefixes))
    if (age := _days(condition.get("olderThan"))) is not None:
        parts.append(f"older than {age}")
    if (age := _days(condition.get("newerThan"))) is not None:
        parts.append(f"newer than {age}")
    return f"{name} {verb} {' '.join([state, *parts])}{_of(condition)}."


def _of(condition: Mapping[str, Any]) -> str:
    packages = texts(condition.get("packageNamePrefixes"))
    return f" of images that start with {' or '.join(packages)}" if packages else ""


def _days(value: Any) -> str | None:
    """A duration of Google's (`2592000s`) in words."""
    said = text(value)
    seconds = whole(said.removesuffix("s").partition(".")[0]) if said is not None and said.endswith("s") else None
    if seconds is None:
        return None
    days, rest = divmod(seconds, _DAY)
    return f"{days:,} days" if not rest else f"{seconds / 3600:,.0f} hours"
