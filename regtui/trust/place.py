"""What trust asks of the place where an image lies: a registry itself, or one that is read through a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from regtui.oci import Descriptor, Digest, ImageManifest, Index
    from regtui.registries.contract import ManifestHead, Referrers


class Place(Protocol):
    """The four questions out of the contract of a registry (registries/contract.py), with its words and errors."""

    host: str

    async def manifest(self, repository: str, locator: str) -> ImageManifest | Index:
        """The manifest at a tag or digest, verified. Raises NotFound and other RegistryErrors."""
        ...

    async def head_manifest(self, repository: str, locator: str) -> ManifestHead:
        """Digest, media type and size of the manifest at a tag or digest. Raises NotFound."""
        ...

    async def referrers(self, repository: str, subject: Digest, artifact_type: str | None = None) -> Referrers:
        """What names this digest as its subject."""
        ...

    async def small_blob(self, repository: str, descriptor: Descriptor, limit: int = 8 << 20) -> bytes:
        """A whole small blob, verified. Raises Unsupported beyond `limit` bytes."""
        ...
