"""What hangs on the releases: signatures that verify or are meant not to, SBOM, provenance, findings, VEX."""

from __future__ import annotations

import base64
import hashlib
import json
import math

import pytest

from regtui.demo import attestations, signatures
from regtui.demo.scan import TRIVY_REPORT
from regtui.oci.tags import referrers_tag


@pytest.fixture(scope="module")
def public(demo):
    """Check a signature with the public key that is handed out; True or False."""
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = serialization.load_pem_public_key(demo.trust["cosign.pub"].encode())

    def check(signature: bytes, message: bytes) -> bool:
        try:
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    return check


def of_type(document, found: list[dict], kind: str) -> list[dict]:
    return [document(entry["digest"]) for entry in found if entry["artifactType"] == kind]


def pae(envelope: dict) -> bytes:
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


@pytest.mark.parametrize(
    ("name", "good"),
    [("shop/cart:1.4.2", True), ("shop/cart:1.4.1", True), ("shop/cart:1.4.0", False), ("ml/sentiment:1.1.0", True)],
)
def test_tag_signatures(demo, document, names, public, name, good):
    digest = names[name]["digest"]
    manifest = document(names[f"{name.partition(':')[0]}:{referrers_tag(digest)}.sig"]["digest"])
    (layer,) = manifest["layers"]
    payload = demo.blobs[layer["digest"]]
    assert layer["mediaType"] == signatures.SIMPLE_SIGNING
    assert public(base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"]), payload)
    signed = json.loads(payload)["critical"]["image"]["docker-manifest-digest"]
    assert (signed == digest) is good


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("shop/cart:1.4.2", True),
        ("shop/cart:1.5.0-beta.1", True),
        ("shop/web:2.1.0", False),
        ("charts/cart:1.0.0", True),
    ],
)
def test_bundles(demo, document, names, referrers, public, name, good):
    digest = names[name]["digest"]
    (manifest,) = of_type(document, referrers(digest), signatures.BUNDLE)
    bundle = document(manifest["layers"][0]["digest"])
    envelope = bundle["dsseEnvelope"]
    assert public(base64.b64decode(envelope["signatures"][0]["sig"]), pae(envelope)) is good
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["subject"][0]["digest"]["sha256"] == digest.partition(":")[2]
    assert manifest["annotations"]["dev.sigstore.bundle.predicateType"] == statement["predicateType"]
    key = base64.b64decode("".join(demo.trust["cosign.pub"].splitlines()[1:-1]))
    hint = base64.b64encode(hashlib.sha256(key).digest()).decode()
    assert (bundle["verificationMaterial"]["publicKey"]["hint"] == hint) is good


def test_the_attestation_tag(demo, document, names, public):
    digest = names["shop/cart:1.4.2"]["digest"]
    manifest = document(names[f"shop/cart:{referrers_tag(digest)}.att"]["digest"])
    envelope = document(manifest["layers"][0]["digest"])
    assert public(base64.b64decode(envelope["signatures"][0]["sig"]), pae(envelope))


@pytest.mark.parametrize(("name", "known"), [("infra/nginx:latest", True), ("infra/nginx:stable", False)])
def test_notation_signatures(demo, document, names, referrers, name, known):
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    entry = names[name]
    listed = names.get(f"infra/nginx:{referrers_tag(entry['digest'])}")
    found = document(listed["digest"])["manifests"] if listed else referrers(entry["digest"])
    (manifest,) = of_type(document, found, signatures.NOTATION)
    envelope = document(manifest["layers"][0]["digest"])
    leaf, root = (x509.load_der_x509_certificate(base64.b64decode(item)) for item in envelope["header"]["x5c"])
    raw = base64.urlsafe_b64decode(envelope["signature"] + "==")
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    signed = f"{envelope['protected']}.{envelope['payload']}".encode()
    leaf.public_key().verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    leaf.verify_directly_issued_by(root)
    target = json.loads(base64.urlsafe_b64decode(envelope["payload"] + "=="))["targetArtifact"]
    assert target == {member: entry[member] for member in ("mediaType", "digest", "size")}
    assert (root == x509.load_pem_x509_certificate(demo.trust["notation-ca.pem"].encode())) is known


def test_some_images_are_unsigned(names, referrers):
    for name in ("shop/cart:1.3.9", "shop/internal/worker:latest", "infra/postgres:17"):
        digest = names[name]["digest"]
        assert referrers(digest) == []
        assert not [other for other in names if referrers_tag(digest) in other]


@pytest.mark.parametrize("name", ["shop/cart:1.4.2", "shop/web:2.0.0"])
def test_buildkit_attestations_fit_their_image(document, names, name):
    index = document(names[name]["digest"])
    digests = [entry["digest"] for entry in index["manifests"]]
    attached = [entry for entry in index["manifests"] if "annotations" in entry]
    assert len(attached) * 2 == len(digests)
    for entry in attached:
        subject = entry["annotations"]["vnd.docker.reference.digest"]
        assert subject in digests
        manifest = document(entry["digest"])
        assert manifest["subject"]["digest"] == subject
        statements = [document(layer["digest"]) for layer in manifest["layers"]]
        assert [item["predicateType"] for item in statements] == [attestations.SLSA_V1, attestations.SPDX]
        for item in statements:
            assert item["subject"][0]["digest"]["sha256"] == subject.partition(":")[2]
        layers = statements[0]["predicate"]["runDetails"]["metadata"]["buildkit_metadata"]["layers"]["step0:0"][0]
        assert layers == document(subject)["layers"]


def test_provenance_names_the_base_that_it_was_built_from(document, names):
    index = document(names["shop/cart:1.4.1"]["digest"])
    statement = document(document(index["manifests"][2]["digest"])["layers"][0]["digest"])
    base = statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    assert base["uri"].startswith("pkg:docker/registry.demo.example/base/debian:12-slim")
    assert f"sha256:{base['digest']['sha256']}" == names["base/debian:12.10-20260504-slim"]["digest"]
    assert names["base/debian:12-slim"]["digest"] != names["base/debian:12.10-20260504-slim"]["digest"]


def test_sboms_list_the_packages_of_their_layers(document, names, referrers):
    image = names["shop/reports:0.4.0"]["digest"]
    (manifest,) = of_type(document, referrers(image), attestations.CYCLONEDX)
    bom = document(manifest["layers"][0]["digest"])
    layers = {layer["digest"] for layer in document(image)["layers"]}
    assert len(bom["components"]) > 80
    for component in bom["components"]:
        assert component["properties"][0]["value"] in layers
        assert component["purl"].startswith(("pkg:deb/debian/", "pkg:pypi/"))
    assert len({component["bom-ref"] for component in bom["components"]}) == len(bom["components"])


def test_the_scan_report_has_all_severities_and_true_layers(document, names, referrers):
    image = names["shop/reports:0.4.0"]["digest"]
    (manifest,) = of_type(document, referrers(image), TRIVY_REPORT)
    report = document(manifest["layers"][0]["digest"])
    findings = [row for result in report["Results"] for row in result["Vulnerabilities"]]
    assert 22 <= len(findings) <= 30
    assert {row["Severity"] for row in findings} == {"CRITICAL", "HIGH", "MEDIUM", "LOW", "UNKNOWN"}
    assert {row["Status"] for row in findings} >= {"fixed", "affected", "will_not_fix", "fix_deferred"}
    layers = {layer["digest"] for layer in document(image)["layers"]}
    assert all(row["Layer"]["Digest"] in layers for row in findings)
    assert all(("FixedVersion" in row) == (row["Status"] == "fixed") for row in findings)
    keys = [(row["VulnerabilityID"], row["PkgName"]) for row in findings]
    assert len(keys) == len(set(keys))


def test_newer_packages_have_fewer_findings(document, names, referrers):
    def count(name: str) -> int:
        (manifest,) = of_type(document, referrers(names[name]["digest"]), TRIVY_REPORT)
        report = document(manifest["layers"][0]["digest"])
        return sum(len(result["Vulnerabilities"]) for result in report["Results"])

    assert 0 < count("shop/reports:0.5.0") < count("shop/reports:0.4.0") / 2
    assert 0 < count("shop/cart:1.4.2") < 10


def test_scores_follow_from_their_vectors(document, names, referrers):
    (manifest,) = of_type(document, referrers(names["shop/reports:0.4.0"]["digest"]), TRIVY_REPORT)
    report = document(manifest["layers"][0]["digest"])
    scored = [row["CVSS"]["nvd"] for result in report["Results"] for row in result["Vulnerabilities"] if "CVSS" in row]
    assert len(scored) > 20
    for row in scored:
        assert base_score(row["V3Vector"]) == row["V3Score"], row


def base_score(vector: str) -> float:
    """CVSS v3.1 specification, 7.1."""
    name, *parts = vector.split("/")
    assert name == "CVSS:3.1"
    values = dict(part.split(":") for part in parts)
    changed = values["S"] == "C"
    impacts = [{"H": 0.56, "L": 0.22, "N": 0.0}[values[member]] for member in "CIA"]
    lost = 1 - math.prod(1 - impact for impact in impacts)
    impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 if changed else 6.42 * lost
    ease = (
        8.22
        * {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2}[values["AV"]]
        * {"L": 0.77, "H": 0.44}[values["AC"]]
        * {"N": 0.85, "L": 0.68 if changed else 0.62, "H": 0.5 if changed else 0.27}[values["PR"]]
        * {"N": 0.85, "R": 0.62}[values["UI"]]
    )
    if impact <= 0:
        return 0.0
    return math.ceil(round(min((1.08 if changed else 1) * (impact + ease), 10) * 100_000) / 10_000) / 10


def test_vex_speaks_about_packages_that_are_there(document, names, referrers):
    image = names["shop/reports:0.4.0"]["digest"]
    (manifest,) = of_type(document, referrers(image), attestations.OPENVEX)
    vex = document(manifest["layers"][0]["digest"])
    (bom_manifest,) = of_type(document, referrers(image), attestations.CYCLONEDX)
    purls = {component["purl"] for component in document(bom_manifest["layers"][0]["digest"])["components"]}
    assert {row["status"] for row in vex["statements"]} == {"not_affected", "affected", "under_investigation"}
    for row in vex["statements"]:
        (product,) = row["products"]
        assert image.replace(":", "%3A") in product["@id"]
        assert product["subcomponents"][0]["@id"] in purls
        assert row["status"] != "not_affected" or "justification" in row
        assert row["status"] != "affected" or "action_statement" in row
