"""Manifests and indexes: parsed views beside the exact bytes that their digest names.

Sources: OCI image-spec manifest.md and image-index.md, Docker manifest-v2-2.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import media_types
from regtui.oci.descriptor import Descriptor, annotations_of
from regtui.oci.digest import Digest
from regtui.oci.errors import InvalidManifest, UnsupportedManifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.oci.platform import Platform

LARGEST_MANIFEST: Final = 8 << 20
"""Bytes of a manifest that regtui reads at most; registries take 4 MiB, some 10 MiB (Gitea)."""
MOST_DESCRIPTORS: Final = 20_000

REFERENCE_TYPE: Final = "vnd.docker.reference.type"
REFERENCE_DIGEST: Final = "vnd.docker.reference.digest"


@dataclass(frozen=True)
class Manifest:
    """What both kinds share. `raw` are the bytes as they came: only they can be put again under this digest."""

    raw: bytes
    media_type: str
    digest: Digest
    artifact_type: str | None
    subject: Descriptor | None
    annotations: Mapping[str, str]

    @property
    def size(self) -> int:
        """Bytes of the manifest itself."""
        return len(self.raw)

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor that points at this manifest."""
        return Descriptor(self.media_type, self.digest, self.size, artifact_type=self.artifact_type)


@dataclass(frozen=True)
class ImageManifest(Manifest):
    """One image for one platform, or an artifact: a config and layers."""

    config: Descriptor
    layers: tuple[Descriptor, ...]

    @property
    def is_image(self) -> bool:
        """Whether the config is an image's, so that there is a root file system to look into."""
        return self.config.media_type in media_types.IMAGE_CONFIGS and self.artifact_type is None

    @cached_property
    def content_size(self) -> int:
        """Bytes of config and layers as stored, each distinct blob once."""
        return sum({d.digest: d.size for d in (self.config, *self.layers)}.values())

    @property
    def kind(self) -> str:
        """The type that decides what this is: artifactType, else the config's media type (image-spec)."""
        if self.artifact_type:
            return self.artifact_type
        if self.config.media_type != media_types.OCI_EMPTY or not self.layers:
            return self.config.media_type
        return self.layers[0].media_type


@dataclass(frozen=True)
class Index(Manifest):
    """Several manifests under one digest: platforms, attestations, nested indexes, or a list of referrers."""

    manifests: tuple[Descriptor, ...]

    @cached_property
    def platforms(self) -> tuple[Descriptor, ...]:
        """The entries that are images for a platform: attestation manifests are told apart."""
        return tuple(d for d in self.manifests if not is_attestation(d))

    @cached_property
    def attestations(self) -> tuple[Descriptor, ...]:
        """BuildKit's attestation manifests among the entries."""
        return tuple(d for d in self.manifests if is_attestation(d))

    def select(self, wanted: Platform) -> Descriptor | None:
        """The first entry that serves the platform."""
        return next((d for d in self.platforms if d.platform and d.platform.matches(wanted)), None)


def parts_of(manifest: Manifest) -> tuple[Descriptor, ...]:
    """What a manifest needs to be whole: config and layers, or the manifests of an index. Not its subject."""
    if isinstance(manifest, Index):
        return manifest.manifests
    return (manifest.config, *manifest.layers) if isinstance(manifest, ImageManifest) else ()


def is_attestation(descriptor: Descriptor) -> bool:
    """Whether an index entry is a BuildKit attestation manifest, not a platform."""
    if descriptor.annotations.get(REFERENCE_TYPE) == "attestation-manifest":
        return True
    return descriptor.platform is not None and descriptor.platform.is_unknown


def parse_manifest(raw: bytes, content_type: str | None = None, digest: Digest | None = None) -> ImageManifest | Index:
    """Read a manifest or an index from its exact bytes.

    The digest, when given, is verified before anything is parsed; without one, sha256 is computed.
    `content_type` is the header that came with it; useless ones (application/json, none) are tolerated.
    Raises DigestMismatch, InvalidManifest, and UnsupportedManifest for schema 1 and withdrawn formats.
    """
    if len(raw) > LARGEST_MANIFEST:
        raise InvalidManifest(f"The manifest has {len(raw):,} bytes; regtui reads at most {LARGEST_MANIFEST:,}.")
    if digest is not None:
        digest.verify(raw)
    body = parse_json_object(raw, "The manifest")
    media_type = _decide_type(body, media_types.bare(content_type))
    artifact_type = body.get("artifactType")
    common = (
        raw,
        media_type,
        digest if digest is not None else Digest.of(raw),
        artifact_type if isinstance(artifact_type, str) and artifact_type else None,
        Descriptor.from_json(body["subject"], "The subject") if body.get("subject") is not None else None,
        annotations_of(body.get("annotations")),
    )
    if media_type in media_types.INDEXES:
        return Index(*common, _descriptors(body.get("manifests"), "entry"))
    return ImageManifest(
        *common,
        Descriptor.from_json(body.get("config"), "The config"),
        _descriptors(body.get("layers"), "layer"),
    )


def parse_json_object(raw: bytes, what: str) -> dict[str, Any]:
    """A JSON object out of untrusted bytes. Raises InvalidManifest for anything else."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError, MemoryError) as error:
        raise InvalidManifest(f"{what} is not valid JSON.") from error
    if not isinstance(value, dict):
        raise InvalidManifest(f"{what} is not a JSON object.")
    return value


def _decide_type(body: dict[str, Any], header: str | None) -> str:
    inside = body.get("mediaType")
    said = media_types.bare(inside) if isinstance(inside, str) else None
    known = media_types.INDEXES | media_types.MANIFESTS | media_types.SCHEMA1 | media_types.OLD_ARTIFACTS
    if header in known and said is not None and said != header:
        raise InvalidManifest(f"The registry calls this {header}, the manifest itself {said[:120]!a}.")
    has_index, has_image = "manifests" in body, "layers" in body or "config" in body
    if has_index and has_image:
        raise InvalidManifest("The manifest claims to be an index and an image at once.")
    decided = header if header in known else said if said in known else _by_shape(body, has_index, has_image)
    if decided in media_types.SCHEMA1:
        raise UnsupportedManifest(
            "This is a schema 1 manifest, a format that Docker gave up in 2019.",
            hint="Push the image again with a current client to convert it.",
        )
    if decided in media_types.OLD_ARTIFACTS:
        raise UnsupportedManifest(
            "This is an artifact manifest of a withdrawn draft of OCI 1.1.",
            hint="Push it again with a current client.",
        )
    if decided is None:
        raise InvalidManifest("This is neither an image manifest nor an index.")
    if (decided in media_types.INDEXES) != has_index:
        raise InvalidManifest(f"The content does not fit its media type {decided}.")
    return decided


def _by_shape(body: dict[str, Any], has_index: bool, has_image: bool) -> str | None:
    if has_index:
        return media_types.OCI_INDEX
    if has_image:
        return media_types.OCI_MANIFEST
    if "fsLayers" in body or body.get("schemaVersion") == 1:
        return media_types.DOCKER_SCHEMA1
    return None


def _descriptors(value: Any, what: str) -> tuple[Descriptor, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidManifest(f"The list of {what} descriptors is not a list.")
    if len(value) > MOST_DESCRIPTORS:
        raise InvalidManifest(f"The manifest lists {len(value):,} {what} descriptors; {MOST_DESCRIPTORS:,} are read.")
    return tuple(Descriptor.from_json(item, f"The {what} number {n}") for n, item in enumerate(value, 1))
