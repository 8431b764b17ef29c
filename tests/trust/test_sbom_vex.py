"""SBOMs, package URLs, VEX and provenance: reading, searching, comparing, marking."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.oci import Digest
from regtui.trust.attestations import (
    Statement,
    demand_subject,
    name_of_predicate,
    parse_statement,
    read_statement,
)
from regtui.trust.dsse import Envelope
from regtui.trust.errors import Malformed, Rejected
from regtui.trust.findings import Finding
from regtui.trust.provenance import parse_provenance
from regtui.trust.purl import parse_purl
from regtui.trust.sbom import Sbom, SbomPackage, diff, parse_body, parse_sbom
from regtui.trust.severity import Severity
from regtui.trust.vex import apply_vex, parse_vex, parse_vex_body
from tests.trust.makers import SUBJECT, b64, statement


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("pkg:apk/alpine/musl@1.2.3-r4?arch=x86_64", ("apk", "alpine", "musl", "1.2.3-r4")),
        ("pkg:npm/%40angular/core@12.3.1", ("npm", "@angular", "core", "12.3.1")),
        ("pkg:npm/lodash", ("npm", None, "lodash", None)),
        ("pkg:maven/org.apache/commons@1.0#sub/path", ("maven", "org.apache", "commons", "1.0")),
        ("pkg:oci/app@sha256%3Aabc?repository_url=r.example/app", ("oci", None, "app", "sha256:abc")),
        ("pkg:golang/github.com/a/b@v1%2Bincompatible", ("golang", "github.com/a", "b", "v1+incompatible")),
        ("pkg:pypi/Foo_Bar@1", ("pypi", None, "foo-bar", "1")),
        ("pkg://deb/debian/curl@7", ("deb", "debian", "curl", "7")),
    ],
)
def test_package_urls(text: str, parts: tuple[str, str | None, str, str | None]) -> None:
    purl = parse_purl(text)
    assert purl is not None
    assert (purl.type, purl.namespace, purl.name, purl.version) == parts


@given(st.text(max_size=60))
@settings(deadline=None)
def test_no_text_breaks_the_package_url_reader(text: str) -> None:
    for candidate in (text, f"pkg:{text}"):
        purl = parse_purl(candidate)
        assert purl is None or purl.name


def test_search_needs_every_word() -> None:
    sbom = Sbom(
        "x",
        (
            SbomPackage("openssl", "3.0", ("Apache-2.0",), "pkg:deb/debian/openssl@3.0"),
            SbomPackage("libssl3", "3.0", ("Apache-2.0",)),
            SbomPackage("bash", "5", ("GPL-3.0",)),
        ),
    )
    assert [p.name for p in sbom.search("SSL apache")] == ["openssl", "libssl3"]
    assert [p.name for p in sbom.search("deb ssl")] == ["openssl"]
    assert len(sbom.search("")) == 3
    assert sbom.licences == {"Apache-2.0": 2, "GPL-3.0": 1}


def test_a_diff_pairs_versions_by_name() -> None:
    def sbom(*packages: tuple[str, str]) -> Sbom:
        return Sbom("x", tuple(SbomPackage(name, version) for name, version in packages))

    found = diff(
        sbom(("a", "1"), ("b", "1"), ("c", "1"), ("c", "2")), sbom(("a", "1"), ("b", "2"), ("c", "2"), ("d", "1"))
    )
    assert [p.name for p in found.added] == ["d"]
    assert [(p.name, p.version) for p in found.removed] == [("c", "1")]
    assert [(a.version, b.version) for a, b in found.changed] == [("1", "2")]
    assert found.kept == 2


XML = """<?xml version="1.0"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.4" version="1">
  <metadata><timestamp>2026-01-01T00:00:00Z</timestamp>
    <component type="container"><name>app</name></component></metadata>
  <components>
    <component type="library"><group>org.x</group><name>lib</name><version>1.0</version>
      <licenses><license><id>MIT</id></license></licenses><purl>pkg:maven/org.x/lib@1.0</purl>
      <components><component type="library"><name>inner</name><version>2</version></component></components>
    </component>
    <component type="file"><name>/etc/passwd</name></component>
  </components>
</bom>"""


def test_cyclonedx_as_xml() -> None:
    sbom = parse_sbom(XML.encode())
    assert sbom.format == "CycloneDX 1.4 (XML)"
    assert sbom.name == "app"
    assert [(p.name, p.version, p.licences) for p in sbom.packages] == [
        ("inner", "2", ()),
        ("org.x/lib", "1.0", ("MIT",)),
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><bom xmlns="http://cyclonedx.org/schema/bom/1.4">&a;</bom>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><bom/>',
        b"<bom/>",
        b"<bom",
        b"<a>" * 1000,
        b"{}",
        b"[]",
        b"null",
        b"",
        b"\xff\xfe",
        b'{"bomFormat": "Other"}',
    ],
)
def test_what_is_no_sbom_is_a_clean_error(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_sbom(raw)


def test_wrapped_and_newer_documents() -> None:
    spdx = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "licenseConcluded": "LicenseRef-1"}]}
    spdx["hasExtractedLicensingInfos"] = [{"licenseId": "LicenseRef-1", "name": "Own licence"}]
    for wrapped in (spdx, {"predicateType": "https://spdx.dev/Document", "predicate": {"Data": spdx}}, {"sbom": spdx}):
        assert parse_body(wrapped).packages[0].licences == ("Own licence",)
    third = {
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [
            {"type": "software_Package", "name": "a", "software_packageVersion": "1"},
            {"type": "SpdxDocument", "name": "doc"},
        ],
    }
    sbom = parse_body(third)
    assert (sbom.format, sbom.name, sbom.packages[0].version) == ("SPDX 3", "doc", "1")
    assert sbom.notes


PACKAGE = "pkg:deb/debian/zlib1g@1.2.13?arch=amd64"


def finding(name: str = "CVE-2023-1", purl: str | None = PACKAGE, **more: Any) -> Finding:
    return Finding(name, Severity.HIGH, package="zlib1g", purl=purl, **more)


def openvex(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "author": "me",
        "timestamp": "2026-01-01T00:00:00Z",
        "statements": list(statements),
        **more,
    }


def said(status: str = "not_affected", products: Any = None, name: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "vulnerability": name or {"name": "CVE-2023-1"},
        "products": products if products is not None else [{"@id": "pkg:deb/debian/zlib1g"}],
        "status": status,
        "justification": "vulnerable_code_not_present",
        **more,
    }


def marked(document: dict[str, Any], one: Finding | None = None, **how: Any) -> str | None:
    (found,) = apply_vex([one or finding()], [parse_vex_body(document)], **how)
    return found.vex.status if found.vex else None


def test_a_statement_marks_the_package_it_names() -> None:
    assert marked(openvex(said())) == "not_affected"
    assert marked(openvex(said(products=[PACKAGE]))) == "not_affected"
    assert marked(openvex(said(products=["pkg:deb/debian/zlib1g@9"]))) is None
    assert marked(openvex(said(products=["pkg:deb/debian/other"]))) is None
    assert marked(openvex(said(name="CVE-2023-1"))) == "not_affected"
    assert marked(openvex(said(name="CVE-2023-2"))) is None
    assert marked(openvex(said(name={"name": "GHSA-1", "aliases": ["cve-2023-1"]}))) == "not_affected"
    assert marked(openvex(said()), finding("GHSA-1", aliases=("CVE-2023-1",))) == "not_affected"
    assert marked(openvex(said(status="nonsense"))) is None


def test_images_and_their_parts() -> None:
    image = {"@id": f"pkg:oci/app@{SUBJECT.replace(':', '%3A')}?repository_url=r.example/app"}
    assert marked(openvex(said(products=[image])), image=SUBJECT) == "not_affected"
    assert marked(openvex(said(products=[image])), image=Digest.of(b"other")) is None
    assert marked(openvex(said(products=[image]))) is None
    part = {**image, "subcomponents": [{"@id": "pkg:deb/debian/zlib1g"}]}
    other = {**image, "subcomponents": [{"@id": "pkg:deb/debian/curl"}]}
    assert marked(openvex(said(products=[part])), image=SUBJECT) == "not_affected"
    assert marked(openvex(said(products=[other])), image=SUBJECT) is None
    assert marked(openvex(said(products=[part]))) is None  # not known to be about this image
    assert marked(openvex(said(products=[])), subject=True) == "not_affected"
    assert marked(openvex(said(products=[]))) is None


def test_the_newest_statement_counts_and_on_a_tie_the_last() -> None:
    old = said("affected", timestamp="2025-01-01T00:00:00Z")
    new = said("fixed", timestamp="2026-02-01T00:00:00Z")
    assert marked(openvex(old, new)) == marked(openvex(new, old)) == "fixed"
    assert marked(openvex(said("affected"), said("under_investigation"))) == "under_investigation"


def test_vex_never_hides() -> None:
    some = [finding(), finding("CVE-2023-2")]
    assert [f.id for f in apply_vex(some, [parse_vex_body(openvex(said()))])] == ["CVE-2023-1", "CVE-2023-2"]


def test_cyclonedx_analysis_marks_too() -> None:
    body = {
        "bomFormat": "CycloneDX",
        "vulnerabilities": [
            {
                "id": "CVE-2023-1",
                "analysis": {"state": "false_positive"},
                "affects": [{"ref": f"urn:cdx:1/1#{PACKAGE}"}],
            },
            {"id": "CVE-2023-1"},
        ],
    }
    assert marked(body) == "not_affected"


@pytest.mark.parametrize(
    "raw", [b"{}", b"[]", b'{"@context": "x", "statements": []}', b"", b'{"bomFormat": "CycloneDX"}']
)
def test_what_is_no_vex_is_a_clean_error(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_vex(raw)


def test_statements_are_read_bare_and_enveloped() -> None:
    raw = statement(predicate_type="https://slsa.dev/provenance/v1")
    envelope = {"payload": b64(raw), "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "AAAA"}]}
    for content, enveloped in (
        (raw, False),
        (json.dumps(envelope).encode(), True),
        (json.dumps({"dsseEnvelope": envelope}).encode(), True),
    ):
        found, was = read_statement(content)
        assert found.names(SUBJECT)
        assert not found.names(Digest.of(b"other"))
        assert found.title == "provenance (SLSA)"
        assert was == enveloped
    for wrong in (b"{}", b'{"_type": "https://in-toto.io/Statement/v9", "predicateType": "x"}', b"[]"):
        with pytest.raises(Malformed):
            parse_statement(wrong)


def test_the_subject_has_to_be_this_image() -> None:
    raw = statement()
    good = Envelope("application/vnd.in-toto+json", raw, ())
    demand_subject(good, parse_statement(raw), SUBJECT)
    with pytest.raises(Rejected):
        demand_subject(good, parse_statement(raw), Digest.of(b"other"))
    with pytest.raises(Rejected):
        demand_subject(Envelope("text/plain", raw, ()), parse_statement(raw), SUBJECT)
    empty = Statement("https://in-toto.io/Statement/v1", (), "x", {})
    with pytest.raises(Rejected):
        demand_subject(good, empty, SUBJECT)


def test_predicates_in_words() -> None:
    assert name_of_predicate("https://slsa.dev/provenance/v0.2") == "provenance (SLSA)"
    assert name_of_predicate("https://cosign.sigstore.dev/attestation/vuln/v1") == "vulnerabilities (cosign)"
    assert name_of_predicate("https://spdx.dev/Document/v2.3") == "SBOM (SPDX)"
    assert name_of_predicate("urn:own") == "urn:own"


def test_github_provenance() -> None:
    predicate = {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {"ref": "refs/heads/main", "repository": "https://github.com/a/b", "path": ".github/w.yml"}
            },
            "resolvedDependencies": [
                {"uri": "git+https://github.com/a/b@refs/heads/main", "digest": {"gitCommit": "c" * 40}}
            ],
        },
        "runDetails": {"builder": {"id": "https://runner"}, "metadata": {"invocationId": "https://run/1"}},
    }
    made = parse_provenance(Statement("x", (), "https://slsa.dev/provenance/v1", predicate))
    assert (made.builder, made.source, made.commit) == ("https://runner", "https://github.com/a/b", "c" * 40)
    assert (made.entry_point, made.invocation) == (".github/w.yml", "https://run/1")
    with pytest.raises(Malformed):
        parse_provenance(Statement("x", (), "https://spdx.dev/Document", {}))
