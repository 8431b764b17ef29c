"""Images out of steps: layers, config with history, manifest, and the index over several platforms."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from regtui.demo.errors import DemoError
from regtui.oci import Descriptor, Digest, Platform, media_types
from regtui.oci.manifest import REFERENCE_DIGEST, REFERENCE_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from regtui.demo.layers import Layer
    from regtui.demo.packages import Package

BUILDKIT: Final = "buildkit.dockerfile.v0"
UNKNOWN: Final = Platform("unknown", "unknown")


def moment(text: str) -> datetime:
    """A time of the story."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stamp(when: datetime) -> str:
    """RFC 3339 in UTC."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def encode(value: Any) -> bytes:
    """Compact JSON, members in the order given."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Blobs:
    """The content of the layout in the making, by digest."""

    def __init__(self) -> None:
        self._content: dict[Digest, bytes] = {}

    def put(self, content: bytes, media_type: str, **more: Any) -> Descriptor:
        """Keep content; its descriptor."""
        digest = Digest.of(content)
        self._content[digest] = content
        return Descriptor(media_type, digest, len(content), **more)

    def put_layer(self, layer: Layer, **more: Any) -> Descriptor:
        """Keep a layer; its descriptor."""
        self._content[layer.digest] = layer.blob
        return Descriptor(layer.media_type, layer.digest, len(layer.blob), **more)

    def __getitem__(self, digest: Digest) -> bytes:
        return self._content[digest]

    def items(self) -> Iterator[tuple[Digest, bytes]]:
        """All of it."""
        return iter(self._content.items())


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction: with a layer, or (without) a change of the config only. `packages` are what it installed."""

    created_by: str
    layer: Layer | None = None
    packages: tuple[Package, ...] = ()
    comment: str = BUILDKIT
    at: datetime | None = None
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one image for one platform is made of. `run` is the config's own `config` object."""

    platform: Platform
    created: datetime
    steps: tuple[Step, ...]
    run: Mapping[str, Any]
    author: str = ""
    docker: bool = False
    without_history: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """A finished image for one platform."""

    descriptor: Descriptor
    recipe: Recipe
    layers: tuple[Descriptor, ...]
    diff_ids: tuple[Digest, ...]

    def packages(self) -> Iterator[tuple[Package, int]]:
        """What is installed, each with the position of its layer."""
        number = -1
        for step in self.recipe.steps:
            if step.layer is not None:
                number += 1
            for package in step.packages:
                yield package, number


def build_image(blobs: Blobs, recipe: Recipe) -> Image:
    """Put layers, config and manifest of one image."""
    made = [step for step in recipe.steps if step.layer is not None]
    layers = tuple(_put_layer(blobs, step) for step in made)
    diff_ids = tuple(step.layer.diff_id for step in made if step.layer is not None)
    config_type = media_types.DOCKER_CONFIG if recipe.docker else media_types.OCI_CONFIG
    config = blobs.put(encode(_config(recipe, diff_ids)), config_type)
    manifest_type = media_types.DOCKER_MANIFEST if recipe.docker else media_types.OCI_MANIFEST
    manifest = manifest_json(config, layers, media_type=manifest_type, annotations=recipe.annotations)
    descriptor = blobs.put(encode(manifest), manifest_type, platform=recipe.platform)
    return Image(descriptor, recipe, layers, diff_ids)


def _put_layer(blobs: Blobs, step: Step) -> Descriptor:
    layer = step.layer
    if layer is None:
        raise DemoError(f"{step.created_by!a} has no layer.")
    if step.foreign:
        # A foreign layer lies elsewhere: the layout knows its digest and size, not its bytes.
        return Descriptor(layer.media_type, layer.digest, len(layer.blob), urls=step.foreign)
    return blobs.put_layer(layer)


def _config(recipe: Recipe, diff_ids: Sequence[Digest]) -> dict[str, Any]:
    made: dict[str, Any] = {"created": stamp(recipe.created)}
    if recipe.author:
        made["author"] = recipe.author
    made |= recipe.platform.to_json()
    made["config"] = dict(recipe.run)
    made["rootfs"] = {"type": "layers", "diff_ids": [str(item) for item in diff_ids]}
    if not recipe.without_history:
        made["history"] = [_history(recipe, number, step) for number, step in enumerate(recipe.steps)]
    return made


def _history(recipe: Recipe, number: int, step: Step) -> dict[str, Any]:
    when = step.at or recipe.created - timedelta(seconds=len(recipe.steps) - 1 - number)
    made: dict[str, Any] = {"created": stamp(when), "created_by": step.created_by}
    if step.comment:
        made["comment"] = step.comment
    if step.layer is None:
        made["empty_layer"] = True
    return made


def manifest_json(
    config: Descriptor,
    layers: Sequence[Descriptor],
    *,
    media_type: str = media_types.OCI_MANIFEST,
    artifact_type: str | None = None,
    subject: Descriptor | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An image manifest as a JSON object (OCI image-spec manifest.md)."""
    made: dict[str, Any] = {"schemaVersion": 2, "mediaType": media_type}
    if artifact_type:
        made["artifactType"] = artifact_type
    made["config"] = config.to_json()
    made["layers"] = [layer.to_json() for layer in layers]
    if subject is not None:
        made["subject"] = plain(subject).to_json()
    if annotations:
        made["annotations"] = dict(annotations)
    return made


def index_json(
    manifests: Sequence[Descriptor],
    annotations: Mapping[str, str] | None = None,
    media_type: str = media_types.OCI_INDEX,
) -> dict[str, Any]:
    """An index as a JSON object (OCI image-spec image-index.md)."""
    made: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [entry.to_json() for entry in manifests],
    }
    if annotations:
        made["annotations"] = dict(annotations)
    return made


def plain(descriptor: Descriptor) -> Descriptor:
    """The descriptor with media type, digest and size only, as a subject is given."""
    return Descriptor(descriptor.media_type, descriptor.digest, descriptor.size)


def attestation_entry(descriptor: Descriptor, image: Image) -> Descriptor:
    """An index entry for a BuildKit attestation manifest about an image (attestation-storage.md of BuildKit)."""
    return Descriptor(
        descriptor.media_type,
        descriptor.digest,
        descriptor.size,
        {REFERENCE_DIGEST: str(image.descriptor.digest), REFERENCE_TYPE: "attestation-manifest"},
        platform=UNKNOWN,
    )
