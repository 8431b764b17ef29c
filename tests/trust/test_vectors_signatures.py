"""Every signature vector gives the verdict that a correct verifier gives."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from regtui.oci import Descriptor, Digest
from regtui.trust.bundle import parse_bundle
from regtui.trust.bundle_verification import verify_bundle
from regtui.trust.cosign_keys import read_key
from regtui.trust.errors import InvalidPolicy, Malformed, TrustError
from regtui.trust.identity import IdentityRule, Matcher
from regtui.trust.notation.cbor import read_cbor, write_cbor
from regtui.trust.notation.trust_policy import parse_policy
from regtui.trust.notation.trust_store import TrustStore, read_certificates
from regtui.trust.notation.verification import NotationTrust, verify_notation
from regtui.trust.policy import TrustPolicy
from regtui.trust.simple_signing import SignedLayer, verify_simple_signature
from regtui.trust.timestamps import read_timestamp
from regtui.trust.trust_root import parse_trust_root
from regtui.trust.verdict import Outcome, SignatureResult, Status

if TYPE_CHECKING:
    from pathlib import Path

BEACON = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/"
    ".github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
GITHUB = "https://token.actions.githubusercontent.com"
NOW = datetime(2026, 6, 4, 18, 0, tzinfo=UTC)


def descriptor_of(manifest: bytes) -> Descriptor:
    media_type = json.loads(manifest)["mediaType"]
    return Descriptor(media_type, Digest.of(manifest), len(manifest))


def files_of(vector: dict[str, Any], folder: Path) -> dict[str, Path]:
    return {one["file"].rsplit("/", 1)[-1]: folder / one["file"] for one in vector["files"]}


def bundle_rules(vector: dict[str, Any]) -> tuple[IdentityRule, ...]:
    name = vector["id"].rsplit("/", 1)[-1]
    anyone = IdentityRule(Matcher(".+", True), Matcher("https?://.+", True))
    if "conformance" in vector["id"] and name not in (
        "intoto-with-custom-trust-root",
        "bundle-with-root-cert_fail",
        "wrong-material_fail",
    ):
        return (IdentityRule.exact(BEACON, GITHUB), *((anyone,) if "rekor2" in name or "trust-root" in name else ()))
    if name == "oci-attestation":
        return (IdentityRule.exact("cody@soyland.com", "https://github.com/login/oauth"),)
    return (anyone,)


def bundle_policy(vector: dict[str, Any], files: dict[str, Path], folder: Path) -> TrustPolicy:
    production = folder / "trust" / "sigstore-production-trusted_root.json"
    root = next((path for name, path in files.items() if "trusted_root" in name or "trust_config" in name), production)
    if "bundle_v3_github" in vector["id"] or "sigstore-python/bundle" in vector["id"]:
        root = folder / "trust" / "sigstore-staging-trusted_root.json"
    if vector["id"].endswith("bundle_v3_github.whl"):
        root = production
    keys = [path for name, path in files.items() if name in ("key.pub", "public-key-validity.pem")]
    until = datetime(2026, 6, 4, 17, 0, tzinfo=UTC) if "public-key-validity" in vector["id"] else None
    return TrustPolicy(
        "test",
        keys=tuple(read_key(path.read_bytes(), path.name, valid_until=until) for path in keys),
        identities=bundle_rules(vector),
        trust_root=parse_trust_root(root.read_bytes()),
    )


def judge_bundle(vector: dict[str, Any], folder: Path) -> SignatureResult:
    files = files_of(vector, folder)
    raw = next(p for n, p in files.items() if n.endswith((".sigstore.json", ".sigstore"))).read_bytes()
    artifact = next((p for n, p in files.items() if n == "artifact" or n.endswith((".txt", ".whl"))), None)
    content: bytes | None = (artifact or folder / "bundles" / "conformance" / "a.txt").read_bytes()
    subject = Digest.of(content or b"")
    policy = bundle_policy(vector, files, folder)
    try:
        envelope = parse_bundle(raw).envelope
    except Malformed:
        envelope = None
    if vector["id"].endswith(("othername", "public-key-validity")):
        # The artifact itself is not among the files: the digest that its maker verified with has to do.
        digest = json.loads(raw)["messageSignature"]["messageDigest"]["digest"]
        subject, content = Digest.parse("sha256:" + base64.b64decode(digest).hex()), None
    if envelope is not None and artifact is None:
        digests = json.loads(envelope.payload)["subject"][0]["digest"]
        algorithm = "sha256" if "sha256" in digests else "sha512"
        named = Digest.parse(f"{algorithm}:{digests[algorithm]}")
        # A statement about another artifact has to be refused; one vector's statement is about an image, one's npm.
        if vector["id"].startswith(("bundles/cosign", "bundles/sigstore-go")):
            subject = named
    return verify_bundle(raw, subject, policy, artifact=content, now=NOW)


@pytest.mark.vectors("sigstore-bundle")
def test_bundle(vector: dict[str, Any], vector_folder: Path) -> None:
    try:
        result = judge_bundle(vector, vector_folder)
    except InvalidPolicy:
        assert vector["expect"] == "fail"
        return
    if vector["expect"] == "pass":
        assert result.status is Status.VERIFIED, result
        assert result.signer
        assert result.intact
    else:
        assert result.status in (Status.INVALID, Status.UNVERIFIED), result


def simple_layer(file: Path) -> SignedLayer:
    raw = file.read_bytes()
    body = json.loads(raw[raw.index(b"{") :])
    return SignedLayer(body["mimeType"], base64.b64decode(body["payload"]), body["annotations"])


def simple_policy(name: str, folder: Path) -> TrustPolicy:
    place = folder / "cosign" / "v2-dir"
    root = parse_trust_root((folder / "trust" / "sigstore-production-trusted_root.json").read_bytes())
    keys = (read_key((place / "cosign.pub").read_bytes(), "cosign.pub"),)
    if name.startswith("keyless"):
        subject = "evil@redhat.com" if name.endswith("identity") else "mitr@redhat.com"
        issuer = "https://accounts.google.com" if name.endswith("issuer") else "https://github.com/login/oauth"
        return TrustPolicy(name, identities=(IdentityRule.exact(subject, issuer),), trust_root=root)
    if name.startswith("pki"):
        anchor = "pki_root_crts.pem" if name == "pki-valid" else "fulcio_v1.crt.pem"
        rules = (IdentityRule.exact("qiwan@redhat.com"),)
        return TrustPolicy(name, identities=rules, authorities=((place / anchor).read_bytes(),))
    if name == "wrong-key":
        keys = (read_key((place / "cosign2.pub").read_bytes(), "cosign2.pub"),)
    return TrustPolicy(name, keys=keys)


@pytest.mark.vectors("cosign-v2")
def test_old_style_signature(vector: dict[str, Any], vector_folder: Path) -> None:
    name = vector["id"].rsplit("/", 1)[-1]
    files = files_of(vector, vector_folder)
    subject = Digest.of(files["manifest.json"].read_bytes())
    signatures = [path for file, path in files.items() if file.startswith("signature-")]
    assert signatures
    for path in signatures:
        result = verify_simple_signature(simple_layer(path), subject, simple_policy(name, vector_folder), now=NOW)
        assert (result.status is Status.VERIFIED) == (vector["expect"] == "pass"), result
        if vector["expect"] == "fail":
            assert result.status is Status.INVALID, result


@pytest.mark.vectors("cosign-v2-registry")
def test_old_style_signature_from_a_registry(vector: dict[str, Any], vector_folder: Path) -> None:
    files = files_of(vector, vector_folder)
    subject = Digest.of(files["image-manifest.json"].read_bytes())
    manifest = json.loads(next(p for n, p in files.items() if "sig" in n and n.endswith(".json")).read_bytes())
    payload = next(p for n, p in files.items() if n.startswith("blob-") or n == "payload.json").read_bytes()
    key = files.get("alice.pub", files.get("key.pub"))
    assert key is not None
    policy = TrustPolicy("test", keys=(read_key(key.read_bytes(), key.name),))
    layers = [SignedLayer(one["mediaType"], payload, one["annotations"]) for one in manifest["layers"]]
    results = [verify_simple_signature(layer, subject, policy) for layer in layers]
    assert any(r.verified for r in results) == (vector["expect"] == "pass"), results
    if "bob.pub" in files:
        other = TrustPolicy("test", keys=(read_key(files["bob.pub"].read_bytes(), "bob"),))
        assert not any(verify_simple_signature(layer, subject, other).verified for layer in layers)


STRICT = {
    "name": "test",
    "registryScopes": ["*"],
    "signatureVerification": {"level": "strict"},
    "trustStores": ["ca:test", "signingAuthority:test"],
    "trustedIdentities": ["*"],
}


def notation_trust(files: dict[str, Path]) -> NotationTrust:
    stores: dict[tuple[str, str], tuple[bytes, ...]] = {}
    statement = dict(STRICT)
    for name, path in files.items():
        if path.parent.name == "tsa":
            stores["tsa", "test"] = read_certificates(path)
            statement["trustStores"] = ["ca:test", "signingAuthority:test", "tsa:test"]
        elif name.endswith((".pem", ".crt")) and name != "other-root.pem":
            stores["ca", "test"] = stores["signingAuthority", "test"] = read_certificates(path)
    policy = json.dumps({"version": "1.0", "trustPolicies": [statement]}).encode()
    return NotationTrust.read(policy, TrustStore(stores))


def notation_target(vector: dict[str, Any], files: dict[str, Path], payload: bytes) -> Descriptor:
    if "image-manifest.json" in files:
        return descriptor_of(files["image-manifest.json"].read_bytes())
    digest = Digest.parse("sha256:" + vector["note"].rsplit("sha256:", 1)[1][:64])
    said = json.loads(payload)["targetArtifact"]
    return Descriptor(said["mediaType"], digest, said["size"])


def payload_of(raw: bytes, media_type: str) -> bytes:
    if media_type == "application/cose":
        return bytes(read_cbor(raw).value[2])
    text = json.loads(raw)["payload"]
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


@pytest.mark.vectors("notation")
def test_notation(vector: dict[str, Any], vector_folder: Path) -> None:
    files = files_of(vector, vector_folder)
    file = next(p for n, p in files.items() if n.endswith((".sig", ".cose", ".jws", "_env.json", "0.0.9.json")))
    raw = file.read_bytes()
    media_type = "application/jose+json" if raw.lstrip()[:1] == b"{" else "application/cose"
    target = notation_target(vector, files, payload_of(raw, media_type))
    result = verify_notation(raw, media_type, target, "localhost/test", notation_trust(files), now=datetime.now(UTC))
    if vector["expect"] == "pass":
        assert result.status is Status.VERIFIED, result
    else:
        assert result.status is (Status.UNVERIFIED if "plugin_min" in vector["id"] else Status.INVALID), result
    if vector["id"].endswith("coseExpiredWithTimestamp"):
        outcomes = {check.name: check.outcome for check in result.checks}
        assert outcomes["authenticTimestamp"] is Outcome.PASSED
        assert outcomes["authenticity"] is Outcome.FAILED


@pytest.mark.vectors("trust-policy")
def test_trust_policy(vector: dict[str, Any], vector_folder: Path) -> None:
    raw = (vector_folder / vector["files"][0]["file"]).read_bytes()
    if vector["expect"] == "pass":
        assert parse_policy(raw).statements
    else:
        with pytest.raises(InvalidPolicy):
            parse_policy(raw)


@pytest.mark.vectors("rfc3161-token")
def test_timestamp_token(vector: dict[str, Any], vector_folder: Path) -> None:
    raw = (vector_folder / vector["files"][0]["file"]).read_bytes()
    if vector["expect"] == "pass":
        assert read_timestamp(raw).moment == datetime(2021, 9, 17, 14, 9, 10, tzinfo=UTC)
    else:
        with pytest.raises(TrustError):
            read_timestamp(raw)


@pytest.mark.vectors("trust-root")
def test_trust_root(vector: dict[str, Any], vector_folder: Path) -> None:
    root = parse_trust_root((vector_folder / vector["files"][0]["file"]).read_bytes())
    assert root.logs
    assert root.authorities
    assert root.certificate_logs


@pytest.mark.vectors("notation-encoding")
def test_notation_encoding(vector: dict[str, Any], vector_folder: Path) -> None:
    """The encodings are read byte for byte; their unknown critical attribute keeps both from being verified."""
    raw = (vector_folder / vector["files"][0]["file"]).read_bytes()
    body = json.loads(raw)
    media_type = "application/jose+json"
    if "expectedOutput" in body:
        for member in ("protectedHeaders", "unprotectedHeaders", "expectedOutput"):
            encoded = bytes.fromhex(body[member]["cborHex"])
            assert write_cbor(read_cbor(encoded)) == encoded
        raw, media_type = bytes.fromhex(body["expectedOutput"]["cborHex"]), "application/cose"
        envelope = read_cbor(raw)
        assert envelope.tag == 18
        assert read_cbor(envelope.value[0])["io.cncf.notary.expiry"].value == body["expiry"]
        assert envelope.value[2] == bytes.fromhex(body["payload"])
    target = Descriptor("application/vnd.oci.image.manifest.v1+json", Digest.of(b"x"), 1)
    assert verify_notation(raw, media_type, target, "localhost/test", None).status is Status.INVALID
