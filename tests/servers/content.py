"""Images, indexes and artifacts as bytes, deterministic from their arguments: what the tests put into registries."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import Any

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"


@dataclass(frozen=True)
class Content:
    """Bytes with their media type; `needs` are the blobs and manifests that must be there first."""

    media_type: str
    raw: bytes
    needs: tuple[Content, ...] = ()
    is_manifest: bool = False
    platform: dict[str, str] | None = field(default=None, compare=False)

    @property
    def digest(self) -> str:
        """sha256 of the bytes."""
        return "sha256:" + hashlib.sha256(self.raw).hexdigest()

    @property
    def descriptor(self) -> dict[str, Any]:
        """The descriptor that points here."""
        made: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": len(self.raw)}
        if self.platform:
            made["platform"] = self.platform
        return made


def dumps(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def tar(files: dict[str, bytes]) -> bytes:
    """An uncompressed tar of these files, without times and owners."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def layer(files: dict[str, bytes]) -> tuple[Content, str]:
    """A gzip layer of these files, and its diff ID."""
    plain = tar(files)
    diff_id = "sha256:" + hashlib.sha256(plain).hexdigest()
    return Content(OCI_LAYER, gzip.compress(plain, mtime=0)), diff_id


def image(
    files: dict[str, bytes] | list[dict[str, bytes]] | None = None,
    *,
    platform: str = "linux/amd64",
    created: str = "2026-01-02T03:04:05Z",
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
) -> Content:
    """An image of one platform; one layer per dict of files."""
    steps = files if isinstance(files, list) else [files or {"etc/hello": b"hello\n"}]
    layers = [layer(step) for step in steps]
    os_name, architecture, *variant = platform.split("/")
    about = {"architecture": architecture, "os": os_name, **({"variant": variant[0]} if variant else {})}
    config = {
        "created": created,
        **about,
        "config": {"Cmd": ["/bin/hello"], "Labels": labels or {}},
        "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in layers]},
        "history": [{"created": created, "created_by": f"COPY step {n} /"} for n in range(len(layers))],
    }
    blob = Content(OCI_CONFIG, dumps(config))
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": blob.descriptor,
        "layers": [content.descriptor for content, _ in layers],
    }
    if annotations:
        manifest["annotations"] = annotations
    return Content(OCI_MANIFEST, dumps(manifest), (blob, *(content for content, _ in layers)), True, about)


def index(*children: Content, annotations: dict[str, str] | None = None) -> Content:
    """An index of these images."""
    body: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [child.descriptor for child in children],
    }
    if annotations:
        body["annotations"] = annotations
    return Content(OCI_INDEX, dumps(body), children, True)


def artifact(
    kind: str,
    data: bytes = b"{}",
    *,
    subject: Content | None = None,
    annotations: dict[str, str] | None = None,
    data_type: str = "application/json",
) -> Content:
    """An OCI 1.1 artifact with one blob, hanging on `subject` when one is given."""
    config, blob = Content(EMPTY, b"{}"), Content(data_type, data)
    body: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": kind,
        "config": config.descriptor,
        "layers": [blob.descriptor],
    }
    if subject is not None:
        body["subject"] = subject.descriptor
    if annotations:
        body["annotations"] = annotations
    return Content(OCI_MANIFEST, dumps(body), (config, blob), True)
