"""Media types of OCI and Docker, and what each stands for.

Source: OCI image-spec media-types.md; Docker manifest-v2-2.md.
"""

from __future__ import annotations

from typing import Final

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY: Final = "application/vnd.oci.empty.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_LAYER_ZSTD: Final = "application/vnd.oci.image.layer.v1.tar+zstd"
OCI_ARTIFACT_MANIFEST: Final = "application/vnd.oci.artifact.manifest.v1+json"
ORAS_ARTIFACT_MANIFEST: Final = "application/vnd.cncf.oras.artifact.manifest.v1+json"

DOCKER_MANIFEST_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_TAR: Final = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_GZIP: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_LAYER_ZSTD: Final = "application/vnd.docker.image.rootfs.diff.tar.zstd"
DOCKER_PLUGIN_CONFIG: Final = "application/vnd.docker.plugin.v1+json"
DOCKER_SCHEMA1: Final = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_SCHEMA1_SIGNED: Final = "application/vnd.docker.distribution.manifest.v1+prettyjws"

INDEXES: Final = frozenset({OCI_INDEX, DOCKER_MANIFEST_LIST})
MANIFESTS: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
IMAGE_CONFIGS: Final = frozenset({OCI_CONFIG, DOCKER_CONFIG})
SCHEMA1: Final = frozenset({DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED})
OLD_ARTIFACTS: Final = frozenset({OCI_ARTIFACT_MANIFEST, ORAS_ARTIFACT_MANIFEST})

ACCEPT_MANIFESTS: Final = ", ".join((OCI_INDEX, DOCKER_MANIFEST_LIST, OCI_MANIFEST, DOCKER_MANIFEST))
"""The Accept header of every manifest GET and HEAD: distribution answers 404 without the stored type."""


def bare(content_type: str | None) -> str | None:
    """A Content-Type without its parameters, lower case; None when it says nothing."""
    if not content_type:
        return None
    return content_type.partition(";")[0].strip().lower() or None


def is_layer(media_type: str) -> bool:
    """Whether this is a layer of an image's root file system (compressed or not, foreign or not)."""
    return media_type.startswith(
        ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
    ) and not media_type.endswith("squashfs")


def is_foreign(media_type: str) -> bool:
    """Whether this layer may lie outside of the registry (nondistributable, Windows base layers)."""
    return ".nondistributable." in media_type or ".foreign." in media_type


def is_encrypted(media_type: str) -> bool:
    """Whether this layer is encrypted (ocicrypt), so that nothing of it can be listed."""
    return media_type.endswith("+encrypted")


def compression(media_type: str) -> str | None:
    """`gzip`, `zstd`, `none` as the media type of a layer says; None when it does not say."""
    text = media_type.removesuffix("+encrypted")
    if text.endswith(("+gzip", ".gzip", "+gz")):
        return "gzip"
    if text.endswith(("+zstd", ".zstd")):
        return "zstd"
    return "none" if text.endswith(".tar") else None
