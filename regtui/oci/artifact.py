"""Artifacts named in words: what a manifest is when it is not an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.oci import media_types
from regtui.oci.manifest import ImageManifest, Index

if TYPE_CHECKING:
    from regtui.oci.descriptor import Descriptor

_SIGNED: Final = ("application/vnd.dev.cosign.simplesigning.v1+json", "application/vnd.dsse.envelope.v1+json")
_IN_TOTO: Final = "application/vnd.in-toto+json"

NAMES: Final[dict[str, str]] = {
    media_types.OCI_CONFIG: "image",
    media_types.DOCKER_CONFIG: "image",
    media_types.DOCKER_PLUGIN_CONFIG: "Docker plugin",
    "application/vnd.cncf.helm.config.v1+json": "Helm chart",
    "application/vnd.helm.plugin.v1+json": "Helm plugin",
    "application/vnd.cncf.flux.config.v1+json": "Flux source",
    "application/vnd.wasm.config.v0+json": "WASM component",
    "application/vnd.wasm.config.v1+json": "WASM module",
    "application/vnd.module.wasm.config.v1+json": "WASM module",
    "application/vnd.docker.ai.model.config.v0.1+json": "AI model",
    "application/vnd.cncf.model.manifest.v1+json": "AI model",
    "application/vnd.cncf.model.config.v1+json": "AI model",
    "application/vnd.kitops.modelkit.config.v1+json": "ModelKit",
    "application/vnd.cncf.openpolicyagent.config.v1+json": "OPA policy",
    "application/vnd.cnab.config.v1+json": "CNAB bundle",
    "application/vnd.sylabs.sif.config.v1+json": "Singularity image",
    "application/vnd.oci.source.image.config.v1+json": "source image",
    "application/vnd.buildkit.cacheconfig.v0": "build cache",
    "application/vnd.unknown.config.v1+json": "artifact",
    "application/vnd.unknown.artifact.v1": "artifact",
    media_types.OCI_EMPTY: "artifact",
    "application/vnd.dev.cosign.artifact.sig.v1+json": "cosign signature",
    "application/vnd.dev.cosign.simplesigning.v1+json": "cosign signature",
    "application/vnd.dev.sigstore.bundle.v0.3+json": "Sigstore bundle",
    "application/vnd.dev.sigstore.bundle+json;version=0.1": "Sigstore bundle",
    "application/vnd.dev.sigstore.bundle+json;version=0.2": "Sigstore bundle",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "Sigstore bundle",
    "application/vnd.cncf.notary.signature": "Notary Project signature",
    "application/vnd.in-toto+json": "in-toto attestation",
    "application/vnd.dsse.envelope.v1+json": "DSSE attestation",
    "application/spdx+json": "SBOM (SPDX)",
    "text/spdx": "SBOM (SPDX)",
    "text/spdx+json": "SBOM (SPDX)",
    "application/vnd.cyclonedx+json": "SBOM (CycloneDX)",
    "application/vnd.cyclonedx+xml": "SBOM (CycloneDX)",
    "application/vnd.cyclonedx": "SBOM (CycloneDX)",
    "application/vnd.syft+json": "SBOM (Syft)",
    "application/vnd.goharbor.harbor.sbom.v1": "SBOM (Harbor)",
    "application/vnd.openvex+json": "VEX statement",
    "application/openvex+json": "VEX statement",
    "application/sarif+json": "scan report (SARIF)",
    "application/vnd.aquasec.trivy.report+json": "scan report (Trivy)",
    "application/vnd.amazon.soci.index.v1+json": "SOCI index",
    "application/vnd.amazon.soci.index.v2+json": "SOCI index",
    "application/vnd.oci.attestation.manifest.v1+json": "attestation",
    "application/vnd.docker.attestation.manifest.v1+json": "attestation",
}


def name_of_type(kind: str | None) -> str:
    """An artifact type or media type in words; an unknown one is given back as it is."""
    if not kind:
        return "artifact"
    return NAMES.get(kind) or kind


def name_of(manifest: ImageManifest | Index) -> str:
    """What this manifest is, in words."""
    if isinstance(manifest, Index):
        if manifest.artifact_type:
            return name_of_type(manifest.artifact_type)
        return "Docker manifest list" if manifest.media_type == media_types.DOCKER_MANIFEST_LIST else "OCI index"
    # Cosign's signatures and attestations behind a tag stand in manifests that look like an image's.
    for kind in _SIGNED:
        if any(layer.media_type == kind for layer in manifest.layers) and manifest.is_image:
            return name_of_type(kind)
    if any(layer.media_type == _IN_TOTO for layer in manifest.layers):
        return "attestation" if manifest.is_image or manifest.artifact_type is None else name_of_type(manifest.kind)
    return name_of_type(manifest.kind)


def title_of(descriptor: Descriptor) -> str | None:
    """The file name that ORAS and others give a blob."""
    return descriptor.annotations.get("org.opencontainers.image.title")
