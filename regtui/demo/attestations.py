"""What BuildKit attaches to a build (SLSA provenance, SPDX), and SBOM and VEX documents that hang on an image."""

from __future__ import annotations

import base64
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from regtui.demo.images import encode, manifest_json, plain, stamp
from regtui.oci import Descriptor, media_types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from regtui.demo.images import Blobs, Image

IN_TOTO: Final = "application/vnd.in-toto+json"
CYCLONEDX: Final = "application/vnd.cyclonedx+json"
OPENVEX: Final = "application/vnd.openvex+json"
SLSA_V1: Final = "https://slsa.dev/provenance/v1"
SPDX: Final = "https://spdx.dev/Document"
EMPTY: Final = b"{}"

_BUILDKIT_ATTESTATION: Final = "application/vnd.docker.attestation.manifest.v1+json"
_BUILD_TYPE: Final = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"
_BUILDER: Final = "https://ci.demo.example/shop/builder"
_TOOL: Final = "regtui demo"
_VEX_MEMBERS: Final = {"justification": "justification", "action": "action_statement", "notes": "status_notes"}


def empty_config(blobs: Blobs) -> Descriptor:
    """The empty descriptor with its two bytes inline (OCI image-spec manifest.md)."""
    kept = blobs.put(EMPTY, media_types.OCI_EMPTY)
    return Descriptor(kept.media_type, kept.digest, kept.size, data=EMPTY)


def statement(subject: Sequence[tuple[str, Descriptor]], predicate_type: str, predicate: Any) -> dict[str, Any]:
    """An in-toto statement v1 about these names and digests."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": item.digest.encoded}} for name, item in subject],
        "predicateType": predicate_type,
        "predicate": predicate,
    }


def put_buildkit_attestation(
    blobs: Blobs, image: Image, name: str, source: Mapping[str, str], dockerfile: str
) -> Descriptor:
    """The attestation manifest that BuildKit puts beside an image: provenance and SPDX, both unsigned."""
    subject = [(f"pkg:docker/{name}?platform={str(image.recipe.platform).replace('/', '%2F')}", image.descriptor)]
    layers = []
    for kind, predicate in ((SLSA_V1, provenance(image, source, dockerfile)), (SPDX, spdx(image, name))):
        body = encode(statement(subject, kind, predicate))
        layers.append(blobs.put(body, IN_TOTO, annotations={"in-toto.io/predicate-type": kind}))
    manifest = manifest_json(
        empty_config(blobs), layers, artifact_type=_BUILDKIT_ATTESTATION, subject=plain(image.descriptor)
    )
    return blobs.put(encode(manifest), media_types.OCI_MANIFEST)


def provenance(image: Image, source: Mapping[str, str], dockerfile: str) -> dict[str, Any]:
    """SLSA provenance v1 as BuildKit writes it with mode=max.

    `source` has `uri`, `revision`, `base` (a reference) and `base_digest`.
    """
    recipe = image.recipe
    commit = {"sha1": source["revision"]}
    layers = [item.to_json() for item in image.layers]
    return {
        "buildDefinition": {
            "buildType": _BUILD_TYPE,
            "externalParameters": {
                "configSource": {"uri": source["uri"], "digest": commit, "path": "Dockerfile"},
                "request": {
                    "frontend": "dockerfile.v0",
                    "args": {"build-arg:VERSION": source["version"]},
                    "locals": [{"name": "context"}, {"name": "dockerfile"}],
                },
            },
            "internalParameters": {"builderPlatform": "linux/amd64"},
            "resolvedDependencies": [
                {
                    "uri": f"pkg:docker/{source['base']}?platform={str(recipe.platform).replace('/', '%2F')}",
                    "digest": {"sha256": source["base_digest"].partition(":")[2]},
                },
                {"uri": f"{source['uri']}#{source['revision']}", "digest": commit},
            ],
        },
        "runDetails": {
            "builder": {"id": _BUILDER},
            "metadata": {
                "invocationId": str(uuid.uuid5(uuid.NAMESPACE_URL, str(image.descriptor.digest))),
                "startedOn": stamp(recipe.created - timedelta(seconds=74)),
                "finishedOn": stamp(recipe.created),
                "buildkit_completeness": {"request": True, "resolvedDependencies": True},
                "buildkit_metadata": {
                    "vcs": {"source": source["uri"], "revision": source["revision"]},
                    "source": {
                        "infos": [
                            {
                                "filename": "Dockerfile",
                                "language": "Dockerfile",
                                "data": base64.b64encode(dockerfile.encode()).decode(),
                            }
                        ]
                    },
                    "layers": {"step0:0": [layers]},
                },
            },
        },
    }


def spdx(image: Image, name: str) -> dict[str, Any]:
    """An SPDX 2.3 document that lists the image's packages."""
    packages: list[dict[str, Any]] = [
        {
            "name": name,
            "SPDXID": "SPDXRef-DocumentRoot-Image",
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False,
            "primaryPackagePurpose": "CONTAINER",
        }
    ]
    for number, (package, _) in enumerate(image.packages()):
        packages.append(
            {
                "name": package.name,
                "SPDXID": f"SPDXRef-Package-{package.manager}-{number}",
                "versionInfo": package.version,
                "downloadLocation": "NOASSERTION",
                "filesAnalyzed": False,
                "licenseConcluded": "NOASSERTION",
                "licenseDeclared": package.licence,
                "externalRefs": [
                    {
                        "referenceCategory": "PACKAGE-MANAGER",
                        "referenceType": "purl",
                        "referenceLocator": package.purl,
                    }
                ],
            }
        )
    root = packages[0]["SPDXID"]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"https://demo.example/spdx/{image.descriptor.digest.encoded[:32]}",
        "creationInfo": {"created": stamp(image.recipe.created), "creators": [f"Tool: {_TOOL}"]},
        "packages": packages,
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": root, "relationshipType": "DESCRIBES"},
            *(
                {"spdxElementId": root, "relatedSpdxElement": item["SPDXID"], "relationshipType": "CONTAINS"}
                for item in packages[1:]
            ),
        ],
    }


def cyclonedx(image: Image, name: str) -> dict[str, Any]:
    """A CycloneDX 1.6 document; each component names its layer as Trivy does."""
    components = []
    for package, number in image.packages():
        components.append(
            {
                "bom-ref": package.purl,
                "type": "library",
                "name": package.name,
                "version": package.version,
                "licenses": [{"license": {"id": package.licence}}],
                "purl": package.purl,
                "properties": [
                    {"name": "aquasecurity:trivy:LayerDigest", "value": str(image.layers[number].digest)},
                    {"name": "aquasecurity:trivy:LayerDiffID", "value": str(image.diff_ids[number])},
                ],
            }
        )
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, str(image.descriptor.digest) + ' bom')}",
        "version": 1,
        "metadata": {
            "timestamp": stamp(image.recipe.created + timedelta(minutes=3)),
            "tools": {"components": [{"type": "application", "name": _TOOL}]},
            "component": {
                "type": "container",
                "name": name,
                "purl": f"pkg:oci/{name.rpartition('/')[2]}@{str(image.descriptor.digest).replace(':', '%3A')}",
            },
        },
        "components": components,
    }


def openvex(image: Image, name: str, subject: Descriptor, statements: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """An OpenVEX 0.2.0 document about packages in an image.

    Each statement has `id`, `purl`, `status`, and where the format asks for it `justification` or `action`.
    """
    product = f"pkg:oci/{name.rpartition('/')[2]}@{str(subject.digest).replace(':', '%3A')}?repository_url={name}"
    when = stamp(image.recipe.created + timedelta(days=1))
    made = []
    for row in statements:
        entry: dict[str, Any] = {
            "vulnerability": {"name": row["id"]},
            "products": [{"@id": product, "subcomponents": [{"@id": row["purl"]}]}],
            "status": row["status"],
            "timestamp": when,
        }
        entry |= {member: row[ours] for ours, member in _VEX_MEMBERS.items() if ours in row}
        made.append(entry)
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"https://demo.example/vex/{subject.digest.encoded[:32]}",
        "author": "Demo Shop security team",
        "role": "Document Creator",
        "timestamp": when,
        "version": 1,
        "statements": made,
    }
