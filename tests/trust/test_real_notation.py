"""Images signed by the real notation verify in both envelopes, and not after any byte of them was changed."""

from __future__ import annotations

import json
import os
import random
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from regtui.oci import Descriptor, Digest
from regtui.trust.image_trust import Gathered, Material, gather_signatures, judge, verify_image
from regtui.trust.notation.cbor import read_cbor
from regtui.trust.notation.trust_store import read_trust_store
from regtui.trust.notation.verification import NotationTrust
from regtui.trust.policy import TrustPolicy
from regtui.trust.referrers_tree import build_tree
from regtui.trust.verdict import SignatureFormat, Status
from tests.servers import tools
from tests.trust.real_images import open_registry, push_image

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.registries.distribution import DistributionRegistry

pytestmark = pytest.mark.real

FORMATS = {"jws": SignatureFormat.NOTATION_JWS, "cose": SignatureFormat.NOTATION_COSE}
FLIPS = 400


@dataclass
class Notation:
    """notation with a home of its own, and an image in a registry."""

    folder: Path
    host: str
    repository: str
    digest: str

    def run(self, *arguments: str) -> str:
        ran = subprocess.run(
            [tools.require("notation"), *arguments],
            cwd=self.folder,
            env={**os.environ, "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    @property
    def reference(self) -> str:
        return f"{self.host}/{self.repository}@{self.digest}"

    def make_key(self, name: str) -> None:
        """A key with its certificate, which goes to the trust store of the same name."""
        self.run("cert", "generate-test", name)

    def sign(self, key: str, envelope: str, *more: str, tag: bool = False) -> None:
        """Sign; with `tag` as notation does by itself: under the referrers tag, whatever the registry offers."""
        how = (f"--force-referrers-tag={str(tag).lower()}", "--key", key, "--signature-format", envelope)
        self.run("sign", "--insecure-registry", *how, *more, self.reference)

    def policy(self, store: str) -> TrustPolicy:
        """A policy over notation's own folder, which notation itself reads as well."""
        statement = {
            "name": "acme",
            "registryScopes": ["*"],
            "signatureVerification": {"level": "strict"},
            "trustStores": [f"ca:{store}"],
            "trustedIdentities": ["*"],
        }
        file = self.folder / "notation" / "trustpolicy.json"
        file.write_text(json.dumps({"version": "1.0", "trustPolicies": [statement]}))
        return TrustPolicy("acme", notation=NotationTrust.read(file.read_bytes(), read_trust_store(file.parent)))

    def registry(self) -> DistributionRegistry:
        return open_registry(self.host)


@pytest.fixture(params=["crane_registry", "olareg"])
def notation(request: pytest.FixtureRequest, tmp_path: Path, namespace: str) -> Notation:
    """Over crane's registry, and over olareg, which has the referrers API."""
    tools.require("notation")
    host = request.getfixturevalue(request.param)
    return Notation(tmp_path, host, f"{namespace}/app", push_image(tmp_path, host, f"{namespace}/app"))


@pytest.mark.parametrize("envelope", ["jws", "cose"])
async def test_both_envelopes_verify_as_notation_itself_does(notation: Notation, envelope: str) -> None:
    notation.make_key("signer.example")
    notation.make_key("stranger.example")
    notation.sign("signer.example", envelope, "-m", "build=42")
    policy, other = notation.policy("signer.example"), notation.policy("stranger.example")
    notation.policy("signer.example")
    assert "Successfully verified" in notation.run("verify", "--insecure-registry", notation.reference)
    registry = notation.registry()
    try:
        manifest = await registry.manifest(notation.repository, "v1")
        trust = await verify_image(registry, notation.repository, manifest, policy)
        assert [(r.format, r.status) for r in trust.verdict.results] == [(FORMATS[envelope], Status.VERIFIED)], trust
        assert "CN=signer.example" in (trust.verdict.results[0].signer or "")
        assert ("build", "42") in trust.verdict.results[0].details
        stranger = await verify_image(registry, notation.repository, manifest, other)
        assert stranger.verdict.status is Status.INVALID
        nobody = await verify_image(registry, notation.repository, manifest, TrustPolicy())
        assert nobody.verdict.status is Status.UNVERIFIED
        assert nobody.verdict.results[0].intact
        tree = await build_tree(registry, notation.repository, manifest)
        assert [one.title for one in tree.attached] == ["Notary Project signature"]
    finally:
        await registry.close()


async def test_a_referrers_tag_is_found_beside_the_api(notation: Notation) -> None:
    notation.make_key("signer.example")
    notation.sign("signer.example", "jws", tag=True)
    registry = notation.registry()
    try:
        manifest = await registry.manifest(notation.repository, "v1")
        trust = await verify_image(registry, notation.repository, manifest, notation.policy("signer.example"))
    finally:
        await registry.close()
    assert trust.verdict.status is Status.VERIFIED, trust


@pytest.mark.parametrize("envelope", ["jws", "cose"])
async def test_what_notation_made_does_not_survive_a_change(notation: Notation, envelope: str) -> None:
    notation.make_key("signer.example")
    notation.sign("signer.example", envelope)
    policy, place = notation.policy("signer.example"), f"{notation.host}/{notation.repository}"
    registry = notation.registry()
    try:
        manifest = await registry.manifest(notation.repository, "v1")
        gathered = await gather_signatures(registry, notation.repository, manifest)
    finally:
        await registry.close()
    assert judge(gathered, place, policy).verdict.status is Status.VERIFIED
    (material,) = gathered.materials
    chosen = random.Random(envelope)
    places = chosen.sample(range(len(material.content)), min(FLIPS, len(material.content)))
    for position in places:
        changed = bytearray(material.content)
        changed[position] ^= 1 << chosen.randrange(8)
        made = Gathered(gathered.subject, gathered.manifest, (Material(material.layer, bytes(changed), "x"),))
        if judge(made, place, policy).verdict.status is Status.VERIFIED:
            assert nothing_signed_differs(material.content, bytes(changed), envelope), position
    other = gathered.manifest.replace(b"schemaVersion", b"schemaversion")
    swapped = Gathered(Descriptor(gathered.subject.media_type, Digest.of(other), len(other)), other, gathered.materials)
    assert judge(swapped, place, policy).verdict.status is Status.INVALID


def nothing_signed_differs(one: bytes, other: bytes, envelope: str) -> bool:
    """Whether two envelopes differ only where nobody signs and nothing is read: spelling, and the agent's name."""
    if envelope == "cose":
        first, second = read_cbor(one).value, read_cbor(other).value
        first[1].pop("io.cncf.notary.signingAgent", None)
        second[1].pop("io.cncf.notary.signingAgent", None)
        unsigned = [key for key in second[1] if key not in first[1] and isinstance(key, str)]
        for key in unsigned:
            second[1].pop(key)
        return bool(first == second)
    left, right = json.loads(one), json.loads(other)
    for body in (left, right):
        body["header"] = {"x5c": body["header"].get("x5c")}
    return bool(left == right)
