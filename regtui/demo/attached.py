"""What hangs on the releases: signatures good and bad, SBOM, scan reports, VEX. One function per word of the story."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from regtui.demo import attestations, samples, scan, signatures
from regtui.demo.images import Image, encode, index_json, manifest_json, moment, plain, stamp
from regtui.demo.story import HOST
from regtui.demo.workshop import provenance_source
from regtui.oci import Descriptor, media_types
from regtui.oci.tags import referrers_tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from regtui.demo.signatures import Keys
    from regtui.demo.story import Release
    from regtui.demo.workshop import Workshop
    from regtui.oci import Digest


@dataclass(frozen=True, slots=True)
class Pushed:
    """A release that is there: what its tags name, and its images per platform (none for an artifact)."""

    release: Release
    root: Descriptor
    images: tuple[Image, ...] = ()

    @property
    def name(self) -> str:
        """Its repository with the host."""
        return f"{HOST}/{self.release.repository}"

    @property
    def later(self) -> datetime:
        """When it was signed."""
        return moment(self.release.created) + timedelta(minutes=2)


@dataclass(slots=True)
class Attachments:
    """Collects what is attached: tags of cosign's older forms, and referrers."""

    workshop: Workshop
    keys: Keys
    roots: dict[tuple[str, str], Descriptor]
    tags: list[tuple[str, str, Descriptor]] = field(default_factory=list)
    """(repository, tag, descriptor)"""
    referrers: list[Descriptor] = field(default_factory=list)
    """Manifests with a subject, which index.json lists without a name."""

    def attach(self, pushed: Pushed) -> None:
        """Make everything that the story hangs on a release."""
        for word in pushed.release.attached:
            _MAKERS[word](self, pushed)

    def refer(self, kind: str, document: dict[str, Any], subject: Descriptor, title: str, when: datetime) -> None:
        """A document as a referrer, as `oras attach` puts it."""
        blobs = self.workshop.blobs
        notes = {"org.opencontainers.image.title": title}
        layer = blobs.put(encode(document), _LAYER_TYPES.get(kind, kind), annotations=notes)
        made = manifest_json(
            attestations.empty_config(blobs),
            [layer],
            artifact_type=kind,
            subject=plain(subject),
            annotations={"org.opencontainers.image.created": stamp(when)},
        )
        self.referrers.append(
            blobs.put(encode(made), media_types.OCI_MANIFEST, artifact_type=kind, annotations=made["annotations"])
        )


_LAYER_TYPES: Final = {scan.TRIVY_REPORT: "application/json"}


def _cosign_tag(subject: Digest, suffix: str) -> str:
    return f"{referrers_tag(subject)}.{suffix}"


def _signature(made: Attachments, pushed: Pushed) -> None:
    claims = {"build": f"https://ci.demo.example/{pushed.release.repository}/{pushed.release.version}"}
    payload = signatures.cosign_payload(pushed.name, pushed.root.digest, claims)
    _put_signature(made, pushed, payload)


def _signature_of_another(made: Attachments, pushed: Pushed) -> None:
    """A good signature over the digest of 1.3.9, copied to where that of this image belongs."""
    other = made.roots[pushed.release.repository, "1.3.9"]
    _put_signature(made, pushed, signatures.cosign_payload(pushed.name, other.digest))


def _put_signature(made: Attachments, pushed: Pushed, payload: bytes) -> None:
    kept = signatures.put_cosign_signature(made.workshop.blobs, made.keys.cosign, [payload], pushed.later)
    made.tags.append((pushed.release.repository, _cosign_tag(pushed.root.digest, "sig"), kept))


def _attestation_tag(made: Attachments, pushed: Pushed) -> None:
    document = attestations.statement(
        [(pushed.name, pushed.root)],
        "https://cosign.sigstore.dev/attestation/v1",
        {"Data": "approved for production by the release board", "Timestamp": stamp(pushed.later)},
    )
    kept = signatures.put_cosign_attestation(made.workshop.blobs, made.keys.cosign, document, pushed.later)
    made.tags.append((pushed.release.repository, _cosign_tag(pushed.root.digest, "att"), kept))


def _bundle(made: Attachments, pushed: Pushed) -> None:
    document = signatures.cosign_sign_statement(pushed.name, pushed.root)
    kept = signatures.put_bundle(made.workshop.blobs, made.keys.cosign, pushed.root, document, pushed.later)
    made.referrers.append(kept)


def _bundle_of_a_stranger(made: Attachments, pushed: Pushed) -> None:
    document = signatures.cosign_sign_statement(pushed.name, pushed.root)
    kept = signatures.put_bundle(made.workshop.blobs, made.keys.stranger, pushed.root, document, pushed.later)
    made.referrers.append(kept)


def _provenance_bundle(made: Attachments, pushed: Pushed) -> None:
    """SLSA provenance about each platform's image, signed: unlike BuildKit's own copy in the index."""
    for image in pushed.images:
        source = provenance_source(made.workshop, pushed.release)
        dockerfile = samples.dockerfile(pushed.release.repository, source["base"])
        predicate = attestations.provenance(image, source, dockerfile)
        document = attestations.statement([(pushed.name, image.descriptor)], attestations.SLSA_V1, predicate)
        kept = signatures.put_bundle(made.workshop.blobs, made.keys.cosign, image.descriptor, document, pushed.later)
        made.referrers.append(kept)


def _notation(made: Attachments, pushed: Pushed) -> None:
    kept = signatures.put_notation_signature(made.workshop.blobs, made.keys.notation, pushed.root, pushed.later)
    if pushed.release.repository != "infra/nginx":
        made.referrers.append(kept)
        return
    # As a registry without the referrers API keeps it: an index under the referrers tag.
    listed = made.workshop.blobs.put(encode(index_json([kept])), media_types.OCI_INDEX)
    made.tags.append((pushed.release.repository, referrers_tag(pushed.root.digest), listed))


def _notation_of_an_outsider(made: Attachments, pushed: Pushed) -> None:
    kept = signatures.put_notation_signature(made.workshop.blobs, made.keys.outsider, pushed.root, pushed.later)
    made.referrers.append(kept)


def _sbom(made: Attachments, pushed: Pushed) -> None:
    for image in pushed.images:
        document = attestations.cyclonedx(image, pushed.name)
        made.refer(attestations.CYCLONEDX, document, image.descriptor, "sbom.cdx.json", pushed.later)


def _scan_report(made: Attachments, pushed: Pushed) -> None:
    report = scan.trivy_report(pushed.images[0], pushed.name, pushed.release.version, pushed.root)
    when = pushed.later + timedelta(hours=6)
    made.refer(scan.TRIVY_REPORT, report, pushed.root, "trivy-report.json", when)


def _vex(made: Attachments, pushed: Pushed) -> None:
    image = pushed.images[0]
    purls = {package.name: package.purl for package, _ in image.packages()}
    rows = [{**row, "purl": purls[row["package"]]} for row in _VEX if row["package"] in purls]
    document = attestations.openvex(image, pushed.name, pushed.root, rows)
    made.refer(attestations.OPENVEX, document, pushed.root, "openvex.json", pushed.later + timedelta(days=1))


_VEX: Final = (
    {
        "id": "CVE-2023-45853",
        "package": "zlib1g",
        "status": "not_affected",
        "justification": "vulnerable_code_not_present",
        "notes": "The minizip part is not in Debian's library.",
    },
    {
        "id": "CVE-2005-2541",
        "package": "tar",
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
    },
    {"id": "CVE-2019-1010022", "package": "libc6", "status": "under_investigation"},
    {
        "id": "CVE-2011-3374",
        "package": "apt",
        "status": "affected",
        "action": "Do not run apt-key in derived images.",
    },
)

_MAKERS: Final[dict[str, Callable[[Attachments, Pushed], None]]] = {
    "signature": _signature,
    "signature of another image": _signature_of_another,
    "attestation tag": _attestation_tag,
    "bundle": _bundle,
    "bundle of a stranger": _bundle_of_a_stranger,
    "provenance bundle": _provenance_bundle,
    "notation": _notation,
    "notation of an outsider": _notation_of_an_outsider,
    "sbom": _sbom,
    "scan report": _scan_report,
    "vex": _vex,
}
