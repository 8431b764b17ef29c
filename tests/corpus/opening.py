"""An image of an OCI layout with one entry, opened as the tests of contents and the benchmarks read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.oci import Descriptor, Digest, ImageManifest, parse_config, parse_manifest

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Layer:
    """One layer: its descriptor, the digest of its tar, and where its blob lies."""

    descriptor: Descriptor
    diff_id: Digest
    path: Path


def open_layout(layout: Path) -> tuple[ImageManifest, tuple[Layer, ...]]:
    """The manifest and the layers, base first."""
    blobs = layout / "blobs/sha256"

    def read(digest: str) -> bytes:
        return (blobs / digest.partition(":")[2]).read_bytes()

    manifest = parse_manifest(read(json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]))
    assert isinstance(manifest, ImageManifest)
    config = parse_config(read(manifest.config.digest))
    pairs = zip(manifest.layers, config.diff_ids, strict=True)
    return manifest, tuple(Layer(layer, diff_id, blobs / layer.digest.encoded) for layer, diff_id in pairs)
