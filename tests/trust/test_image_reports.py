"""Reports from wherever they are, in one list: the registry's own, attached ones, with VEX on all of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from regtui.oci import Descriptor, Digest, parse_manifest
from regtui.registries.contract import ScanReport
from regtui.transport.errors import Forbidden, Unsupported
from regtui.trust.findings import Report
from regtui.trust.image_reports import FoundReport, ImageReports, Origin, image_reports
from regtui.trust.referrers_tree import build_tree
from tests.trust.memory_registry import MemoryRegistry

TRIVY = "application/vnd.aquasec.trivy.report+json"
OPENVEX = "application/vnd.openvex+json"


class Scanning(MemoryRegistry):
    """A registry that scans by itself."""

    def __init__(self, answer: ScanReport | Exception) -> None:
        super().__init__()
        self.answer = answer

    async def scan_report(self, repository: str, digest: Digest) -> ScanReport:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def trivy(*ids: str, when: str = "2026-05-01T00:00:00Z") -> dict[str, Any]:
    rows = [{"VulnerabilityID": name, "PkgName": "zlib", "InstalledVersion": "1.2", "Severity": "HIGH"} for name in ids]
    results = [{"Target": "t", "Vulnerabilities": rows}]
    return {"SchemaVersion": 2, "ArtifactName": "x", "CreatedAt": when, "Results": results}


def vex(name: str, status: str = "not_affected") -> dict[str, Any]:
    statement = {"vulnerability": {"name": name}, "products": [], "status": status, "justification": "because"}
    context = "https://openvex.dev/ns/v0.2.0"
    return {"@context": context, "author": "acme", "timestamp": "2026-05-02T00:00:00Z", "statements": [statement]}


def attach(registry: MemoryRegistry, subject: Descriptor, kind: str, body: dict[str, Any]) -> Descriptor:
    layer = registry.put(json.dumps(body).encode(), kind)
    return registry.put_manifest_of([layer], subject=subject, artifact_type=kind)


async def reports_of(registry: MemoryRegistry, image: Descriptor) -> ImageReports:
    tree = await build_tree(registry, "app", parse_manifest(registry.blobs[image.digest]), known_tags=frozenset())
    return await image_reports(registry, registry, "app", [image.digest], tree)


async def test_the_registry_s_own_report_comes_before_attached_ones_and_the_newest_of_those_first() -> None:
    own = ScanReport("complete", "the registry", scanner="Clair", body=trivy("CVE-2026-1000"))
    registry = Scanning(own)
    image = registry.put_manifest_of([registry.put(b"layer")], tag="v1")
    attach(registry, image, TRIVY, trivy("CVE-2026-1001", when="2026-05-01T00:00:00Z"))
    attach(registry, image, TRIVY, trivy("CVE-2026-1002", when="2026-06-01T00:00:00Z"))
    found = await reports_of(registry, image)
    assert [one.report.findings[0].id for one in found.reports] == ["CVE-2026-1000", "CVE-2026-1002", "CVE-2026-1001"]
    assert [one.origin for one in found.reports] == [Origin.REGISTRY, Origin.ATTACHED, Origin.ATTACHED]
    assert found.best is found.reports[0]
    assert found.best.subject == image.digest
    assert found.notes == ()


async def test_vex_marks_the_findings_of_every_report_also_of_one_that_comes_later() -> None:
    registry = Scanning(Unsupported("none"))
    image = registry.put_manifest_of([registry.put(b"layer")], tag="v1")
    attach(registry, image, TRIVY, trivy("CVE-2026-1001", "CVE-2026-1002"))
    attach(registry, image, OPENVEX, vex("CVE-2026-1002"))
    found = await reports_of(registry, image)
    assert found.best is not None
    marks = {one.id: one.vex and one.vex.status for one in found.best.report.findings}
    assert marks == {"CVE-2026-1001": None, "CVE-2026-1002": "not_affected"}
    late = Report("x", "grype", found.best.report.findings, scanned_at=datetime(2026, 7, 1, tzinfo=UTC))
    more = found.with_report(FoundReport(late, "grype", image.digest, Origin.LOCAL))
    again = more.with_report(FoundReport(late, "grype", image.digest, Origin.LOCAL))
    assert again.reports[0].source == "grype"
    assert len(again.reports) == 2
    assert {one.vex.status for one in again.reports[0].report.findings if one.vex} == {"not_affected"}


async def test_what_can_not_be_read_is_told_and_hides_nothing() -> None:
    registry = Scanning(Forbidden("You may not see scans."))
    image = registry.put_manifest_of([registry.put(b"layer")], tag="v1")
    attach(registry, image, TRIVY, {"what": "is this"})
    attach(registry, image, OPENVEX, {"no": "vex"})
    attach(registry, image, TRIVY, trivy("CVE-2026-1001"))
    found = await reports_of(registry, image)
    assert len(found.reports) == 1
    assert len(found.notes) == 3
    assert "You may not see scans." in found.notes[0]


async def test_a_scan_that_is_still_running_is_no_report() -> None:
    registry = Scanning(ScanReport("running", "the registry", message="since noon"))
    image = registry.put_manifest_of([registry.put(b"layer")], tag="v1")
    found = await reports_of(registry, image)
    assert found.best is None
    assert found.notes == ("the registry: running (since noon)",)


async def test_what_a_registry_says_about_a_missing_report_is_told() -> None:
    registry = Scanning(ScanReport("none", "Harbor", message="It was never scanned."))
    image = registry.put_manifest_of([registry.put(b"layer")], tag="v1")
    assert (await reports_of(registry, image)).notes == ("Harbor: It was never scanned.",)


async def test_an_sbom_is_not_fetched_for_reports() -> None:
    registry = Scanning(Unsupported("none"))
    image = registry.put_manifest_of([registry.put(b"layer")], tag="v1")
    attach(registry, image, "application/vnd.cyclonedx+json", {"bomFormat": "CycloneDX", "components": []})
    found = await reports_of(registry, image)
    assert found.reports == ()
    assert not [asked for asked in registry.asked if asked.startswith("BLOB")]
