"""The referrers tag: an index that clients keep by hand where the referrers API is missing.

Source: OCI distribution-spec, "Referrers Tag Schema". There is no lock between clients: two that write at
once lose one entry, so the caller reads again after writing, and lets its own writers take turns. Pure functions.
"""

from __future__ import annotations

import json
from typing import Any

from regtui.oci import Descriptor, Digest, ImageManifest, Index, Manifest, parse_manifest
from regtui.oci import media_types as types


def as_referrer(manifest: Manifest) -> Descriptor:
    """The descriptor under which a referrers list names a manifest: with its artifact type and annotations."""
    kind = manifest.artifact_type
    if kind is None and isinstance(manifest, ImageManifest):
        kind = manifest.config.media_type
    return Descriptor(manifest.media_type, manifest.digest, manifest.size, manifest.annotations, kind)


def with_entry(index: Index | None, entry: Descriptor) -> Index | None:
    """The index with this entry added; None when it lists it already."""
    if index is not None and any(d.digest == entry.digest for d in index.manifests):
        return None
    body: dict[str, Any] = {"schemaVersion": 2, "mediaType": types.OCI_INDEX}
    if index is not None:
        body = json.loads(index.raw)
    body["manifests"] = [*(body.get("manifests") or []), entry.to_json()]
    return _made(body)


def without_entry(index: Index, digest: Digest) -> Index | None:
    """The index without the entries of this digest; None when it lists none."""
    body = json.loads(index.raw)
    listed = body.get("manifests") or []
    kept = [entry for entry in listed if entry["digest"] != digest]
    if len(kept) == len(listed):
        return None
    body["manifests"] = kept
    return _made(body)


def _made(body: object) -> Index:
    index = parse_manifest(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(), types.OCI_INDEX)
    assert isinstance(index, Index)
    return index
