"""What ECR's JSON API answers, as values of the contract: images, tag mutability, lifecycle policies, scan findings.

Source: botocore's models ecr 2015-09-21 and ecr-public 2020-10-30; "Lifecycle policy properties in Amazon ECR".
Pure functions: times are seconds since 1970 on this wire, absent members are unknown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, Self

from regtui.oci import media_types as types
from regtui.oci.reference import is_tag
from regtui.registries.contract import RetentionRules, ScanReport, TagSummary
from regtui.registries.fields import digest as as_digest
from regtui.registries.fields import fields, objects, text, texts, whole
from regtui.transport.errors import BadAnswer, BadRequest, Conflict, NotFound, RegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCAN_FINDINGS: Final = "application/vnd.aws.ecr.scan-findings+json"
"""regtui's name for what DescribeImageScanFindings answers; AWS has none."""
MOST_FINDINGS: Final = 50_000
_SCAN_STATES: Final = {
    "COMPLETE": "complete",
    "ACTIVE": "complete",
    "IN_PROGRESS": "running",
    "PENDING": "queued",
    "FAILED": "failed",
    "LIMIT_EXCEEDED": "failed",
    "UNSUPPORTED_IMAGE": "unsupported",
    "IMAGE_ARCHIVED": "unsupported",
    "IMAGE_SIZE_EXCEEDED": "unsupported",
    "SCAN_ELIGIBILITY_EXPIRED": "none",
    "FINDINGS_UNAVAILABLE": "none",
}
_COUNTED: Final = {
    "imageCountMoreThan": "beyond the newest {number}",
    "sinceImagePushed": "{number} days after their push",
    "sinceImagePulled": "{number} days after their last pull",
    "sinceImageTransitioned": "{number} days after they were archived",
}


@dataclass(frozen=True, slots=True)
class Mutability:
    """Whether tags of a repository may be moved: `imageTagMutability` with the filters that are excepted."""

    immutable: bool
    excepted: tuple[str, ...] = ()

    @classmethod
    def read(cls, repository: Mapping[str, Any]) -> Self | None:
        """Out of an entry of DescribeRepositories; None when it does not tell."""
        mode = text(repository.get("imageTagMutability"))
        if mode is None:
            return None
        filters = objects(repository.get("imageTagMutabilityExclusionFilters"))
        excepted = tuple(found for one in filters if (found := text(one.get("filter"))) is not None)
        return cls(mode.startswith("IMMUTABLE"), excepted if mode.endswith("_WITH_EXCLUSION") else ())

    def holds(self, tag: str) -> bool:
        """Whether this tag can't be moved."""
        return self.immutable != any(fnmatchcase(tag, pattern) for pattern in self.excepted)


def moment(value: Any) -> datetime | None:
    """A moment out of seconds since 1970; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        return None
    return datetime.fromtimestamp(value, UTC)


def image_rows(image: Mapping[str, Any], mutability: Mutability | None = None) -> list[TagSummary]:
    """One row per tag of an entry of DescribeImages; one named by its digest when it has none."""
    digest = as_digest(image.get("imageDigest"))
    media_type = text(image.get("imageManifestMediaType"))
    counts = fields(fields(image.get("imageScanFindingsSummary")).get("findingSeverityCounts"))
    # Of an index, ECR gives its largest image's size, not that of all of them.
    size = None if media_type in types.INDEXES else whole(image.get("imageSizeInBytes"))
    names: list[str] = [tag for tag in texts(image.get("imageTags")) if is_tag(tag)]
    if not names and digest is not None:
        names.append(digest)
    return [
        TagSummary(
            name,
            digest=digest,
            media_type=media_type,
            size=size,
            pushed=moment(image.get("imagePushedAt")),
            pulled=moment(image.get("lastRecordedPullTime")),
            vulnerabilities={word: n for word, n in counts.items() if whole(n) is not None} or None,
            immutable=mutability.holds(name) if mutability is not None and name != digest else None,
        )
        for name in names
    ]


def lifecycle(answer: Mapping[str, Any], host: str) -> RetentionRules:
    """The policy in an answer of GetLifecyclePolicy. Raises BadAnswer when it is none."""
    try:
        body = fields(json.loads(answer.get("lifecyclePolicyText") or ""))
    except (TypeError, ValueError, RecursionError):
        raise BadAnswer(f"{host} has a lifecycle policy that can't be read.", host=host) from None
    rules = sorted(objects(body.get("rules")), key=lambda rule: whole(rule.get("rulePriority")) or 0)
    return RetentionRules("ecr", body, tuple(map(_sentence, rules)), enabled=True)


def _sentence(rule: Mapping[str, Any]) -> str:
    chosen = fields(rule.get("selection"))
    status = text(chosen.get("tagStatus")) or "any"
    patterns = texts(chosen.get("tagPatternList")) or tuple(f"{p}*" for p in texts(chosen.get("tagPrefixList")))
    which = {"untagged": "Untagged images", "tagged": "Images tagged " + " and ".join(patterns)}.get(status, "Images")
    number = whole(chosen.get("countNumber"))
    when = _COUNTED.get(text(chosen.get("countType")) or "", "by a rule that regtui does not know")
    transition = fields(rule.get("action")).get("type") == "transition"
    words = f"{which} {'are archived' if transition else 'expire'} {when.format(number=number)}"
    said = text(rule.get("description"))
    return f"{words} ({said})." if said else f"{words}."


def add_findings(report: dict[str, Any], answer: Mapping[str, Any]) -> bool:
    """Put one more page of DescribeImageScanFindings to a report; whether there is room for more."""
    more = fields(answer.get("imageScanFindings"))
    if not report:
        report.update(answer)
        report["imageScanFindings"] = dict(more)
    else:
        for member in ("findings", "enhancedFindings"):
            if member in more:
                report["imageScanFindings"].setdefault(member, []).extend(objects(more[member]))
    found = report["imageScanFindings"]
    return sum(len(objects(found.get(member))) for member in ("findings", "enhancedFindings")) < MOST_FINDINGS


def scan_report(report: dict[str, Any]) -> ScanReport:
    """A report out of all pages of DescribeImageScanFindings."""
    status = fields(report.get("imageScanStatus"))
    state = _SCAN_STATES.get(text(status.get("status")) or "", "none")
    found = fields(report.get("imageScanFindings"))
    is_enhanced = "enhancedFindings" in found
    report.pop("nextToken", None)
    return ScanReport(
        state,
        "Amazon ECR",
        scanner="Amazon Inspector" if is_enhanced else "ECR basic scanning",
        scanned_at=moment(found.get("imageScanCompletedAt")),
        media_type=SCAN_FINDINGS,
        body=report if state == "complete" else None,
        message=None if state == "complete" else text(status.get("description")),
    )


def not_deleted(failure: Mapping[str, Any], host: str) -> RegistryError:
    """What a failure of BatchDeleteImage means: it comes with status 200."""
    code = (text(failure.get("failureCode")) or "")[:64]
    detail = (text(failure.get("failureReason")) or "")[:500] or None
    if code == "ImageNotFound":
        return NotFound(f"{host} has no such image.", host=host, code=code, detail=detail)
    if code == "ImageReferencedByManifestList":
        hint = "Delete the index first."
        return Conflict(f"{host} keeps this image: an index holds it.", hint=hint, host=host, code=code, detail=detail)
    return BadRequest(
        f"{host} did not delete it ({code or 'without a reason'}).",
        hint="The registry's own words say what it did not like." if detail else None,
        host=host,
        code=code,
        detail=detail,
    )
