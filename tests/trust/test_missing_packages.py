"""Without the optional packages the verdict says what is missing and is never "verified"; nothing loads early."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from regtui.oci import Digest
from regtui.trust import cosign_keys, sigstore_library, trust_root
from regtui.trust.bundle_verification import verify_bundle
from regtui.trust.identity import IdentityRule, Matcher
from regtui.trust.notation.verification import verify_notation
from regtui.trust.policy import TrustPolicy
from regtui.trust.simple_signing import verify_simple_signature
from regtui.trust.verdict import Status
from tests.trust.makers import DESCRIPTOR, NOW, REPOSITORY, SUBJECT, Notary, make_key, simple_layer, trusted

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Hides packages as if they were not installed, and what was remembered of them."""

    def hide(*names: str) -> None:
        for name in list(sys.modules):
            if name.split(".")[0] in names:
                monkeypatch.setitem(sys.modules, name, None)
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)
        trust_root.shipped_trust_root.cache_clear()
        sigstore_library._load_root.cache_clear()

    yield hide
    trust_root.shipped_trust_root.cache_clear()
    sigstore_library._load_root.cache_clear()


@pytest.mark.parametrize("own_root", [True, False])
def test_keyless_without_sigstore(without: Any, vector_folder: Path, own_root: bool) -> None:
    folder = vector_folder / "bundles" / "conformance"
    raw = (folder / "happy-path-v0.3" / "bundle.sigstore.json").read_bytes()
    artifact = (folder / "a.txt").read_bytes()
    root = (vector_folder / "trust" / "sigstore-production-trusted_root.json").read_bytes()
    anyone = IdentityRule(Matcher(".+", True), Matcher(".+", True))
    policy = TrustPolicy(
        "test", identities=(anyone,), trust_root=trust_root.parse_trust_root(root) if own_root else None
    )
    assert verify_bundle(raw, Digest.of(artifact), policy, artifact=artifact, now=NOW).verified
    without("sigstore", "sigstore_models")
    result = verify_bundle(raw, Digest.of(artifact), policy, artifact=artifact, now=NOW)
    assert result.status is Status.UNVERIFIED, result
    assert "sigstore package" in result.reason
    assert "regtui[sigstore]" in (result.hint or "")


def test_key_pairs_need_no_sigstore(without: Any) -> None:
    key = make_key("p256")
    policy = TrustPolicy("acme", keys=(trusted(key),))
    without("sigstore", "sigstore_models", "rfc3161_client")
    assert verify_simple_signature(simple_layer(key), SUBJECT, policy, now=NOW).verified


def test_a_managed_key_bundle_is_then_verified_without_its_log(without: Any, vector_folder: Path) -> None:
    folder = vector_folder / "bundles" / "conformance"
    raw = (folder / "managed-key-happy-path" / "bundle.sigstore.json").read_bytes()
    key = cosign_keys.read_key((folder / "managed-key-happy-path" / "key.pub").read_bytes(), "key")
    artifact = (folder / "a.txt").read_bytes()
    without("sigstore", "sigstore_models")
    result = verify_bundle(raw, Digest.of(artifact), TrustPolicy("k", keys=(key,)), artifact=artifact, now=NOW)
    assert result.verified
    assert "not logged" in result.reason
    strict = TrustPolicy("k", keys=(key,), require_log=True)
    assert verify_bundle(raw, Digest.of(artifact), strict, artifact=artifact).status is Status.UNVERIFIED


def test_nothing_is_verified_without_cryptography(without: Any) -> None:
    key, notary = make_key("p256"), Notary()
    policy, layer = TrustPolicy("acme", keys=(trusted(key),)), simple_layer(key)
    raw, trust = notary.jws(), notary.trust()
    without("cryptography")
    first = verify_simple_signature(layer, SUBJECT, policy, now=NOW)
    second = verify_notation(raw, "application/jose+json", DESCRIPTOR, REPOSITORY, trust, now=NOW)
    for result in (first, second):
        assert result.status is Status.UNVERIFIED, result
        assert "cryptography" in result.reason
        assert "regtui[verify]" in (result.hint or "")


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, json\n"
        "import regtui.trust.image_trust, regtui.trust.reports, regtui.trust.sbom, regtui.trust.trust_settings\n"
        "import regtui.trust.referrers_tree, regtui.trust.local_scanners, regtui.trust.export, regtui.trust.vex\n"
        "heavy = ('cryptography', 'sigstore', 'rfc3161_client', 'pydantic', 'requests', 'rich', 'textual', 'httpx')\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules} & set(heavy))))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(ran.stdout) == []
