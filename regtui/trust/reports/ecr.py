"""Amazon ECR's findings: basic scanning, enhanced scanning, and Inspector's own list (DescribeImageScanFindings)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from regtui.oci.times import parse_time
from regtui.trust.cvss import best_of, read_cvss
from regtui.trust.findings import Finding, Report
from regtui.trust.severity import severity_of
from regtui.trust.untrusted import as_number, as_object, as_objects, as_text, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "ECR findings"


def matches(body: Any) -> bool:
    """Whether this is ECR's answer, its inner part, or Inspector's list."""
    if not isinstance(body, dict):
        return False
    if "imageScanFindings" in body or "enhancedFindings" in body or "findingSeverityCounts" in body:
        return True
    return any("packageVulnerabilityDetails" in one for one in as_objects(body.get("findings"))[:1])


def parse(body: Any) -> Report:
    """Basic findings as they are, enhanced ones once per vulnerable package."""
    inside = as_object(body.get("imageScanFindings")) or body
    enhanced = as_objects(inside.get("enhancedFindings"))
    basic = as_objects(inside.get("findings"))
    if basic and "packageVulnerabilityDetails" in basic[0]:
        enhanced, basic = basic, []
    status = as_object(body.get("imageScanStatus"))
    said = as_text(status.get("description"))
    return Report(
        NAME,
        "Amazon Inspector" if enhanced else "ECR basic scanning",
        (*(_basic(one) for one in basic), *(f for one in enhanced for f in _enhanced(one))),
        scanned_at=_time(inside.get("imageScanCompletedAt")),
        database=_when(_time(inside.get("vulnerabilitySourceUpdatedAt"))),
        notes=(said,) if said and status.get("status") not in ("COMPLETE", "ACTIVE") else (),
    )


def _time(value: Any) -> datetime | None:
    """botocore gives datetimes, the wire seconds since 1970, samples text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, str):
        return parse_time(value)
    number = as_number(value)
    return datetime.fromtimestamp(number, UTC) if number is not None and 0 < number < 1e11 else None


def _when(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%d}" if moment else None


def _basic(one: dict[str, Any]) -> Finding:
    said = {str(a.get("key")).lower(): a.get("value") for a in as_objects(one.get("attributes"))}
    return Finding(
        as_text(one.get("name")) or "unknown",
        severity_of(one.get("severity")),
        as_text(one.get("severity")),
        package=as_text(said.get("package_name")),
        installed=as_text(said.get("package_version")),
        cvss=best_of(
            (
                read_cvss(said.get("cvss4_score"), said.get("cvss4_vector"), "4.0"),
                read_cvss(said.get("cvss3_score"), said.get("cvss3_vector"), "3.0"),
                read_cvss(said.get("cvss2_score"), said.get("cvss2_vector"), "2.0"),
            )
        ),
        description=as_text(one.get("description")),
        links=as_texts([one.get("uri")]),
        source="ECR",
    )


def _enhanced(one: dict[str, Any]) -> Iterator[Finding]:
    details = as_object(one.get("packageVulnerabilityDetails"))
    ratings = [
        read_cvss(c.get("baseScore"), c.get("scoringVector"), c.get("version"), c.get("source"))
        for c in as_objects(details.get("cvss"))
    ]
    for package in as_objects(details.get("vulnerablePackages")) or [{}]:
        fixed = as_text(package.get("fixedInVersion"))
        yield Finding(
            as_text(details.get("vulnerabilityId")) or as_text(one.get("title")) or "unknown",
            severity_of(one.get("severity")),
            as_text(one.get("severity")),
            package=as_text(package.get("name")),
            installed=_version(package),
            fixed=(fixed,) if fixed and fixed != "NotAvailable" else (),
            status="not-fixed" if one.get("fixAvailable") == "NO" else None,
            aliases=as_texts(details.get("relatedVulnerabilities")),
            cvss=best_of(ratings),
            title=as_text(one.get("title")),
            description=as_text(one.get("description")),
            links=as_texts([details.get("sourceUrl"), *as_texts(details.get("referenceUrls"))])[:20],
            layer_digest=as_text(package.get("sourceLayerHash")),
            path=as_text(package.get("filePath")),
            package_type=as_text(package.get("packageManager")),
            epss=as_number(as_object(one.get("epss")).get("score")),
            exploited=True if one.get("exploitAvailable") == "YES" else None,
            source="Amazon Inspector",
        )


def _version(package: dict[str, Any]) -> str | None:
    """Epoch, version and release as the distribution's tools write them."""
    version, release, epoch = as_text(package.get("version")), as_text(package.get("release")), package.get("epoch")
    if version is None:
        return None
    whole = f"{version}-{release}" if release else version
    return f"{epoch}:{whole}" if isinstance(epoch, int) and epoch > 0 else whole
