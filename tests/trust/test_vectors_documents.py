"""Every report, SBOM, VEX document and attestation of the vectors is read, or refused with a clean error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from regtui.oci import Index, parse_manifest
from regtui.oci.manifest import REFERENCE_DIGEST
from regtui.oci.media_types import OCI_INDEX
from regtui.trust.attestations import Statement, read_statement
from regtui.trust.errors import Malformed
from regtui.trust.export import report_json, to_csv, to_sarif
from regtui.trust.provenance import parse_provenance
from regtui.trust.reports import read_report
from regtui.trust.sbom import parse_sbom
from regtui.trust.severity import Severity
from regtui.trust.vex import STATUSES, parse_vex

if TYPE_CHECKING:
    from pathlib import Path

EXPECTED = {
    "trivy-alpine-310.json": ("Trivy JSON", 4, {"medium": 4}),
    "trivy-alpine-310.sarif": ("SARIF", 4, {"medium": 4}),
    "trivy-alpine-distroless.json": ("Trivy JSON", 1, {"medium": 1}),
    "trivy-gomod-vex.json": ("Trivy JSON", 4, {"unknown": 4}),
    "trivy-centos-7.json": ("Trivy JSON", 3, {"medium": 1, "low": 2}),
    "trivy-almalinux-8.json": ("Trivy JSON", 1, {"medium": 1}),
    "grype-TestJsonImgsPresenter.json": ("Grype JSON", 2, {"critical": 1, "low": 1}),
    "grype-TestSarifPresenter_image.json": ("SARIF", 2, {"critical": 1, "low": 1}),
    "trivy-all_statuses.json": ("Trivy JSON", 8, {"low": 8}),
    "trivy-cvssv4_severity_source.json": ("Trivy JSON", 3, {"medium": 1, "low": 2}),
    "trivy-scheme_2_no_vuln.json": ("Trivy JSON", 0, {}),
    "trivy-scheme_2_many_vulns.json": ("Trivy JSON", 5, {"critical": 1, "high": 1, "medium": 3}),
    "trivy-legacy_no_vuln.json": ("Trivy JSON", 0, {}),
    "anchore_grype-check_all_fields.json": ("Grype JSON", 6, {"critical": 2, "high": 3, "negligible": 1}),
    "anchore_grype-fix_not_available.json": ("Grype JSON", 1, {"high": 1}),
    "anchore_grype-no_vuln.json": ("Grype JSON", 0, {}),
    "harbor_vulnerability-harbor-trivy-vuln.json": ("Harbor report", 3, {"high": 1, "low": 2}),
    "harbor_vulnerability-harbor-5-vuln.json": ("Harbor report", 5, {"critical": 2, "high": 2, "negligible": 1}),
    "harbor_vulnerability-harbor-0-vuln.json": ("Harbor report", 0, {}),
    "osv_scanner-some_findings.json": ("OSV-Scanner JSON", 1, {"unknown": 1}),
    "aws_inspector2-aws_inspector2_one_vul.json": ("ECR findings", 1, {"medium": 1}),
    "clair-clair_few_vuln.json": ("Clair", 4, {"medium": 4}),
    "jfrog_xray_api_summary_artifact-one_vuln.json": ("Xray summary", 1, {"critical": 1}),
    "jfrog_xray_api_summary_artifact-malformed_cvssv3.json": ("Xray summary", 1, {"medium": 1}),
    "jfrog_xray_on_demand_binary_scan-many_vulns_docker.json": ("Xray scan", 4, {"unknown": 4}),
    "sarif-dockle_0_3_15.sarif": ("SARIF", 4, {"high": 1, "low": 3}),
    "sarif-no_runs.sarif": ("SARIF", 0, {}),
    "sarif-appendix_k.sarif": ("SARIF", 1, {"high": 1}),
    "ecr-describe-image-scan-findings-enhanced.json": ("ECR findings", 2, {"medium": 1, "unknown": 1}),
}


@pytest.mark.vectors("scan")
def test_scan_report(vector: dict[str, Any], vector_folder: Path) -> None:
    file = vector_folder / vector["files"][0]["file"]
    if file.suffix == ".gsbom":  # a list of packages, filed under scans
        assert len(parse_sbom(file.read_bytes()).packages) == 14
        return
    report = read_report(file.read_bytes())
    form, number, counts = EXPECTED[file.name]
    assert (report.format, len(report.findings)) == (form, number)
    assert {severity.value: n for severity, n in report.counts.items() if n} == counts
    for finding in report.findings:
        assert finding.id != "unknown"
        assert finding.severity_word is not None or finding.severity is Severity.UNKNOWN
        if finding.kind == "vulnerability" and "summary" not in report.format:
            assert finding.package, finding
            assert finding.installed, finding
    json.dumps(report_json(report))
    assert to_csv(report.findings).count("\r\n") == number + 1
    again = read_report(to_sarif(report, version="1").encode())
    assert len(again.findings) == number


def test_details_of_real_reports(vector_folder: Path) -> None:
    def read(name: str) -> Any:
        return read_report((vector_folder / "scan" / name).read_bytes())

    alpine = read("trivy-alpine-310.json")
    assert alpine.end_of_life
    first = next(f for f in alpine.findings if f.id == "CVE-2019-1549" and f.package == "libcrypto1.1")
    assert (first.installed, first.fixed, first.fix_words) == ("1.1.1c-r0", ("1.1.1d-r0",), "1.1.1d-r0")
    assert (first.cvss.score, first.cvss.version, first.cvss.source) == (5.3, "3.1", "nvd")
    assert first.layer_digest.startswith("sha256:9d48c3bd")
    assert first.layer_diff_id.startswith("sha256:03901b4a")
    words = {f.status: f.fix_words for f in read("trivy-all_statuses.json").findings if not f.fixed}
    assert words["will_not_fix"] == "won't be fixed"
    assert words["end_of_life"] == "end of life"
    newest = {f.cvss.version for f in read("trivy-cvssv4_severity_source.json").findings if f.cvss}
    assert "4.0" in newest
    xray = read("jfrog_xray_on_demand_binary_scan-many_vulns_docker.json").findings[0]
    assert (xray.package_type, xray.package, xray.installed, xray.fixed) == (
        "alpine",
        "libcrypto3",
        "3.1.1-r1",
        ("3.1.1-r3",),
    )
    ecr = read("ecr-describe-image-scan-findings-enhanced.json")
    assert all(f.layer_digest and f.layer_digest.startswith("sha256:") for f in ecr.findings)
    grype = read("anchore_grype-check_all_fields.json").findings[0]
    assert grype.layer_diff_id
    assert grype.aliases == ()


SBOMS = {
    "centos-7-cyclonedx.json": ("CycloneDX 1.5", 3),
    "centos-7-spdx.json": ("SPDX 2.2", 4),
    "centos-7-spdx.txt": ("SPDX 2.2 (tag-value)", 4),
    "conda-spdx.json": ("SPDX 2.3", 3),
    "license-cyclonedx.json": ("Trivy report", None),
    "npm-cyclonedx.json": ("CycloneDX 1.7", 13),
    "alpine-syft.spdx.json": ("SPDX 2.3", 15),
    "alpine-syft.cdx.json": ("CycloneDX 1.6", 16),
    "alpine-syft.syft.json": ("Syft 16.0.18", 15),
}


@pytest.mark.vectors("sbom")
def test_sbom(vector: dict[str, Any], vector_folder: Path) -> None:
    file = vector_folder / vector["files"][0]["file"]
    sbom = parse_sbom(file.read_bytes())
    form, number = SBOMS[file.name]
    assert sbom.format == form
    assert number is None or len(sbom.packages) == number
    assert sbom.packages
    assert sbom.tools
    if "license" in file.name:
        assert sbom.licences["EPL-1.0"] >= 1


def test_three_formats_tell_the_same_of_one_image(vector_folder: Path) -> None:
    folder = vector_folder / "sbom"
    documents = [parse_sbom((folder / f"alpine-syft.{kind}.json").read_bytes()) for kind in ("spdx", "cdx", "syft")]
    told = [{(p.name, p.version, p.licences) for p in d.packages if p.purl} for d in documents]
    assert {name for name, _, _ in told[0]} == {name for name, _, _ in told[1]} == {name for name, _, _ in told[2]}
    assert {(name, version) for name, version, _ in told[0]} == {(name, version) for name, version, _ in told[2]}


VEX = {"cyclonedx-vex.json": 1, "openvex_one_vuln": 1, "openvex_many_vuln": None, "document1": None}


@pytest.mark.vectors("vex")
def test_vex(vector: dict[str, Any], vector_folder: Path) -> None:
    file = vector_folder / vector["files"][0]["file"]
    if vector["expect"] == "clean error":
        with pytest.raises(Malformed):
            parse_vex(file.read_bytes())
        return
    if file.name == "cyclonedx-bom.json":  # the SBOM that the VEX document points into
        assert len(parse_sbom(file.read_bytes()).packages) == 3
        return
    document = parse_vex(file.read_bytes())
    assert document.statements
    for statement in document.statements:
        assert statement.vulnerabilities
        assert statement.status in STATUSES


@pytest.mark.vectors("in-toto")
def test_statement(vector: dict[str, Any], vector_folder: Path) -> None:
    file = vector_folder / vector["files"][0]["file"]
    statement, enveloped = read_statement(file.read_bytes())
    provenance = parse_provenance(statement)
    assert enveloped == ("bundle" in file.name)
    assert provenance.materials
    assert provenance.build_type
    if not enveloped:
        assert provenance.version == "v1"
        assert provenance.builder is not None
        assert provenance.started is not None
        assert provenance.finished is not None
    else:
        assert provenance.version == "v0.2"
        assert provenance.builder
        assert provenance.source
        assert provenance.commit


@pytest.mark.vectors("dsse")
def test_enveloped_sbom(vector: dict[str, Any], vector_folder: Path) -> None:
    raw = (vector_folder / vector["files"][0]["file"]).read_bytes()
    statement, enveloped = read_statement(raw)
    assert enveloped
    assert "CycloneDX" in statement.title
    from regtui.trust.sbom import parse_body

    assert parse_body(statement.predicate).packages


@pytest.mark.vectors("vuln-report")
def test_vulnerability_predicate(vector: dict[str, Any], vector_folder: Path) -> None:
    report = read_report((vector_folder / vector["files"][0]["file"]).read_bytes())
    assert report.scanned_at is not None
    assert report.findings == ()
    assert report.notes


@pytest.mark.vectors("buildkit")
def test_buildkit_listing(vector: dict[str, Any], vector_folder: Path) -> None:
    file = vector_folder / vector["files"][0]["file"]
    body = json.loads(file.read_bytes())
    if file.name == "metadata-build.json":
        predicate = body["buildx.build.provenance"]
        statement = Statement("https://in-toto.io/Statement/v0.1", (), "https://slsa.dev/provenance/v0.2", predicate)
        provenance = parse_provenance(statement)
        assert provenance.build_type == "https://mobyproject.org/buildkit@v1"
        assert provenance.entry_point == "Dockerfile"
        assert provenance.materials[0].uri == "pkg:docker/docker/dockerfile-upstream@master"
        return
    listed = body if isinstance(body, list) else body["manifests"]
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode()
    index = parse_manifest(raw)
    assert isinstance(index, Index)
    assert index.attestations
    images = {entry.digest for entry in index.platforms}
    if images:
        assert {entry.annotations[REFERENCE_DIGEST] for entry in index.attestations} == images
