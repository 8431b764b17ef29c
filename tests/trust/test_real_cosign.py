"""Images signed by the real cosign verify in every form, and not after anything was changed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from regtui.oci import Digest
from regtui.trust.cosign_keys import read_key
from regtui.trust.image_trust import Gathered, Material, gather_signatures, judge, verify_image
from regtui.trust.policy import TrustPolicy
from regtui.trust.referrers_tree import build_tree
from regtui.trust.simple_signing import SIGNATURE
from regtui.trust.verdict import SignatureFormat, Status
from tests.servers import tools
from tests.trust.makers import make_key
from tests.trust.real_images import open_registry, push_image

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.registries.distribution import DistributionRegistry

pytestmark = pytest.mark.real

OFFLINE = ("-y", "--use-signing-config=false", "--tlog-upload=false")
OLD = "--new-bundle-format=false"


@dataclass
class Workbench:
    """A folder with keys, and an image in a registry."""

    folder: Path
    repository: str
    digest: str
    host: str

    def cosign(self, *arguments: str) -> None:
        ran = subprocess.run(
            [tools.require("cosign"), *arguments],
            cwd=self.folder,
            env={**os.environ, "COSIGN_PASSWORD": "test", "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr

    @property
    def reference(self) -> str:
        return f"{self.host}/{self.repository}@{self.digest}"

    def key(self, kind: str) -> str:
        """Import a key of this kind; the name of the pair."""
        private = make_key(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / f"{kind}.pem").write_bytes(private)
        self.cosign("import-key-pair", "--key", f"{kind}.pem", "--output-key-prefix", kind)
        return kind

    def policy(self, *names: str, **more: bool) -> TrustPolicy:
        keys = tuple(read_key((self.folder / f"{name}.pub").read_bytes(), name) for name in names)
        return TrustPolicy("acme", keys=keys, **more)

    def registry(self) -> DistributionRegistry:
        return open_registry(self.host)


@pytest.fixture
def bench(tmp_path: Path, crane_registry: str, namespace: str) -> Workbench:
    tools.require("cosign")
    digest = push_image(tmp_path, crane_registry, f"{namespace}/app")
    return Workbench(tmp_path, f"{namespace}/app", digest, crane_registry)


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048", "ed25519"])
async def test_key_pairs_verify_in_both_forms(bench: Workbench, kind: str) -> None:
    name, stranger = bench.key(kind), bench.key("p521")
    bench.cosign("sign", *OFFLINE, "--key", f"{name}.key", bench.reference)
    bench.cosign("sign", *OFFLINE, OLD, "--key", f"{name}.key", bench.reference)
    registry = bench.registry()
    try:
        manifest = await registry.manifest(bench.repository, "v1")
        trust = await verify_image(registry, bench.repository, manifest, bench.policy(name))
        assert [(r.format, r.status) for r in trust.verdict.results] == [
            (SignatureFormat.BUNDLE, Status.VERIFIED),
            (SignatureFormat.SIMPLE_SIGNING, Status.VERIFIED),
        ], trust
        other = await verify_image(registry, bench.repository, manifest, bench.policy(stranger))
        assert other.verdict.status is Status.INVALID
        nobody = await verify_image(registry, bench.repository, manifest, TrustPolicy())
        assert nobody.verdict.status is Status.UNVERIFIED
        demanding = await verify_image(registry, bench.repository, manifest, bench.policy(name, require_log=True))
        assert demanding.verdict.status is Status.UNVERIFIED
        tree = await build_tree(registry, bench.repository, manifest)
        assert {one.title for one in tree.attached} == {"Sigstore bundle", "cosign signatures"}
    finally:
        await registry.close()


async def test_attestations_verify_in_both_forms(bench: Workbench) -> None:
    name = bench.key("p256")
    (bench.folder / "predicate.json").write_text(json.dumps({"builder": {"id": "https://ci.example"}}))
    for more in ((), (OLD,)):
        bench.cosign(
            "attest", *OFFLINE, *more, "--key", f"{name}.key", "--type", "slsaprovenance",
            "--predicate", "predicate.json", bench.reference,
        )  # fmt: skip
    registry = bench.registry()
    try:
        manifest = await registry.manifest(bench.repository, "v1")
        trust = await verify_image(registry, bench.repository, manifest, bench.policy(name))
    finally:
        await registry.close()
    assert trust.verdict.status is Status.UNSIGNED
    assert [r.status for r in trust.attestations] == [Status.VERIFIED] * 2, trust
    assert {r.predicate for r in trust.attestations} == {"https://slsa.dev/provenance/v0.2"}


async def test_what_cosign_made_does_not_survive_a_change(bench: Workbench) -> None:
    name = bench.key("p256")
    bench.cosign("sign", *OFFLINE, "--key", f"{name}.key", bench.reference)
    bench.cosign("sign", *OFFLINE, OLD, "--key", f"{name}.key", "-a", "team=core", bench.reference)
    registry = bench.registry()
    try:
        manifest = await registry.manifest(bench.repository, "v1")
        gathered = await gather_signatures(registry, bench.repository, manifest)
    finally:
        await registry.close()
    policy, place = bench.policy(name), f"{bench.host}/{bench.repository}"
    assert [r.verified for r in judge(gathered, place, policy).verdict.results] == [True, True]
    for one in gathered.materials:
        whole = b"{" + one.content[1:]
        assert whole == one.content
        for position in range(0, len(one.content), 7):
            changed = bytearray(one.content)
            changed[position] ^= 0x04
            made = Gathered(gathered.subject, gathered.manifest, (Material(one.layer, bytes(changed), one.source),))
            verdict = judge(made, place, policy).verdict
            if verdict.status is Status.VERIFIED:
                assert only_the_hint_differs(one.content, bytes(changed)), position
    old = next(one for one in gathered.materials if SIGNATURE in one.layer.annotations)
    signature = base64.b64decode(old.layer.annotations[SIGNATURE])
    for position in range(len(signature)):
        broken = bytearray(signature)
        broken[position] ^= 0x10
        layer = replace(old.layer, annotations={SIGNATURE: base64.b64encode(broken).decode()})
        made = Gathered(gathered.subject, gathered.manifest, (Material(layer, old.content, old.source),))
        assert judge(made, place, policy).verdict.status is Status.INVALID, position
    other = gathered.manifest.replace(b"schemaVersion", b"schemaversion")
    descriptor = type(gathered.subject)(gathered.subject.media_type, Digest.of(other), len(other))
    swapped = Gathered(descriptor, other, gathered.materials)
    assert judge(swapped, place, policy).verdict.status is Status.INVALID


def only_the_hint_differs(one: bytes, other: bytes) -> bool:
    """Whether two bundles differ only where nothing is said: the hint at a key, and unknown members."""
    try:
        first, second = json.loads(one), json.loads(other)
    except ValueError:
        return False
    for bundle in (first, second):
        bundle.get("verificationMaterial", {}).get("publicKey", {}).clear()
    return bool(first == second)
