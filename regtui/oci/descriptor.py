"""Descriptors: media type, digest and size of some content (OCI image-spec descriptor.md)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from regtui.oci.digest import Digest
from regtui.oci.errors import InvalidDigest, InvalidManifest
from regtui.oci.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_ANNOTATIONS: Final[Mapping[str, str]] = MappingProxyType({})
LARGEST_SIZE: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Points at content. `size` is in bytes, as stored (compressed)."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=lambda: NO_ANNOTATIONS)
    artifact_type: str | None = None
    platform: Platform | None = None
    urls: tuple[str, ...] = ()
    data: bytes | None = None

    @classmethod
    def from_json(cls, value: Any, where: str) -> Self:
        """Read a descriptor; `where` names its place in an error. Raises InvalidManifest."""
        if not isinstance(value, dict):
            raise InvalidManifest(f"{where} is not a descriptor.")
        media_type, size = value.get("mediaType"), value.get("size")
        if not isinstance(media_type, str):
            raise InvalidManifest(f"{where} has no mediaType.")
        if type(size) is not int or not 0 <= size <= LARGEST_SIZE:
            raise InvalidManifest(f"{where} has no valid size.")
        try:
            digest = Digest.parse(value["digest"]) if isinstance(value.get("digest"), str) else None
        except InvalidDigest as error:
            raise InvalidManifest(f"{where}: {error.sentence}") from error
        if digest is None:
            raise InvalidManifest(f"{where} has no digest.")
        artifact_type = value.get("artifactType")
        urls = value.get("urls")
        return cls(
            media_type,
            digest,
            size,
            annotations_of(value.get("annotations")),
            artifact_type if isinstance(artifact_type, str) and artifact_type else None,
            Platform.from_json(value.get("platform")),
            tuple(u for u in urls if isinstance(u, str)) if isinstance(urls, list) else (),
            _inline(value.get("data")),
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON object, members in the order of the specification."""
        made: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.urls:
            made["urls"] = list(self.urls)
        if self.annotations:
            made["annotations"] = dict(self.annotations)
        if self.data is not None:
            made["data"] = base64.b64encode(self.data).decode("ascii")
        if self.artifact_type:
            made["artifactType"] = self.artifact_type
        if self.platform is not None:
            made["platform"] = self.platform.to_json()
        return made


def annotations_of(value: Any) -> Mapping[str, str]:
    """The annotations of an object; members that are not text are left out."""
    if not isinstance(value, dict) or not value:
        return NO_ANNOTATIONS
    return MappingProxyType({k: v for k, v in value.items() if isinstance(k, str) and isinstance(v, str)})


def _inline(value: Any) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
