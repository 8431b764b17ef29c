"""`docker save` archives: a manifest for each image, made from its config and layers.

Such an archive has no registry manifest. One is made here, always the same for the same archive: Docker's
media types, layers as they lie in the archive (mostly uncompressed, so that their digest is the diff ID).
Source: moby, tarexport; the forms of kaniko, skopeo and Docker 25.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Descriptor, Digest, ImageManifest, InvalidManifest, RegtuiError, parse_config, parse_manifest
from regtui.oci import media_types as types
from regtui.oci.config import LARGEST_CONFIG
from regtui.registries.archive import InvalidLayout
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from regtui.registries.archive import Member, TarArchive

_LARGEST_LIST: Final = 8 << 20
_MOST_IMAGES: Final = 2_000
_MOST_LAYERS: Final = 2_000
_CHUNK: Final = 1 << 20
_BLOB: Final = re.compile(r"blobs/sha256/([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class SavedImage:
    """One image of the archive: its names, and its manifest or why there is none."""

    names: tuple[str, ...]
    manifest: ImageManifest | None
    problem: RegtuiError | None = None


def saved_images(archive: TarArchive, place: str) -> tuple[tuple[SavedImage, ...], dict[Digest, Member]]:
    """The images of a `docker save` archive, and where each blob of theirs lies.

    Raises InvalidLayout when there is no list of images. An image that lacks parts is listed with its problem.
    """
    raw = archive.read("manifest.json", _LARGEST_LIST)
    if raw is None:
        raise InvalidLayout(
            f"{place} holds neither an OCI layout (index.json) nor a docker save archive (manifest.json).",
            hint="Make one with `docker save -o image.tar NAME` or `skopeo copy … oci-archive:image.tar`.",
        )
    try:
        listed = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidLayout(f"The manifest.json of {place} is not valid JSON.") from error
    if not isinstance(listed, list) or not listed:
        raise InvalidLayout(f"The manifest.json of {place} lists no images.")
    reader = _Reader(archive)
    return tuple(reader.image(item) for item in listed[:_MOST_IMAGES]), reader.blobs


class _Reader:
    """Makes manifests, and notes on the way where the blobs are."""

    def __init__(self, archive: TarArchive) -> None:
        self.blobs: dict[Digest, Member] = {}
        self._archive = archive
        self._hashed: dict[Member, Digest] = {}

    def image(self, item: Any) -> SavedImage:
        names: tuple[str, ...] = ()
        try:
            if not isinstance(item, dict):
                raise InvalidManifest("An image of this archive is no JSON object.")
            names = _texts(item.get("RepoTags"))
            return SavedImage(names, self._manifest(item))
        except RegtuiError as problem:
            return SavedImage(names, None, problem)

    def _manifest(self, item: dict[str, Any]) -> ImageManifest:
        name, layers = item.get("Config"), _texts(item.get("Layers"))
        if not isinstance(name, str):
            raise InvalidManifest("An image of this archive names no config.")
        if len(layers) > _MOST_LAYERS:
            raise InvalidManifest(f"An image of this archive has {len(layers):,} layers; {_MOST_LAYERS:,} are read.")
        raw = self._archive.read(name, LARGEST_CONFIG)
        member = self._archive.resolve(name)
        if raw is None or member is None:
            raise NotFound(f"The config {name[:120]!a} is missing in this archive.")
        named = _BLOB.fullmatch(name)
        # Only names below blobs/ promise a digest; Docker, too, takes the others for plain file names.
        config = Digest(f"sha256:{named.group(1)}") if named else Digest.of(raw)
        config.verify(raw)
        self.blobs[config] = member
        diff_ids = parse_config(raw).diff_ids
        known = diff_ids if len(diff_ids) == len(layers) else (None,) * len(layers)
        made = {
            "schemaVersion": 2,
            "mediaType": types.DOCKER_MANIFEST,
            "config": Descriptor(types.DOCKER_CONFIG, config, member.size).to_json(),
            "layers": [self._layer(layer, diff_id).to_json() for layer, diff_id in zip(layers, known, strict=True)],
        }
        manifest = parse_manifest(json.dumps(made, separators=(",", ":")).encode(), types.DOCKER_MANIFEST)
        assert isinstance(manifest, ImageManifest)
        return manifest

    def _layer(self, name: str, diff_id: Digest | None) -> Descriptor:
        member = self._archive.resolve(name)
        if member is None:
            raise NotFound(f"The layer {name[:120]!a} is missing in this archive.")
        with self._archive.open(member) as stream:
            magic = stream.read(4)
        media_type = types.DOCKER_LAYER_TAR
        if magic.startswith(b"\x1f\x8b"):
            media_type = types.DOCKER_LAYER_GZIP
        elif magic == b"\x28\xb5\x2f\xfd":
            media_type = types.DOCKER_LAYER_ZSTD
        named = _BLOB.fullmatch(name)
        # Digests that are only claimed here are checked when the layer is read, like every other blob.
        if named:
            digest = Digest(f"sha256:{named.group(1)}")
        elif media_type == types.DOCKER_LAYER_TAR and diff_id is not None:
            digest = diff_id
        else:
            digest = self._hash(member)
        self.blobs[digest] = member
        return Descriptor(media_type, digest, member.size)

    def _hash(self, member: Member) -> Digest:
        if member not in self._hashed:
            sha = hashlib.sha256()
            with self._archive.open(member) as stream:
                while chunk := stream.read(_CHUNK):
                    sha.update(chunk)
            self._hashed[member] = Digest(f"sha256:{sha.hexdigest()}")
        return self._hashed[member]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
