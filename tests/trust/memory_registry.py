"""A registry in memory that honours the contract and counts what it is asked."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any, BinaryIO

from regtui.oci import Descriptor, Digest, ImageManifest, Index, parse_manifest
from regtui.oci.tags import referrers_tag
from regtui.registries.contract import Capabilities, ManifestHead, Page, Referrers, Registry
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.transport.errors import RegistryError

EMPTY = Descriptor("application/vnd.oci.empty.v1+json", Digest.of(b"{}"), 2)
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


class MemoryRegistry(Registry):
    """One repository for all. `referrers_api` False answers with the referrers tag only."""

    kind = "memory"
    host = "registry.example"

    def __init__(self, *, referrers_api: bool = True) -> None:
        self.referrers_api = referrers_api
        self.blobs: dict[Digest, bytes] = {}
        self.tagged: dict[str, Digest] = {}
        self.asked: list[str] = []
        self._hanging: dict[Digest, list[Descriptor]] = {}
        self.failing: dict[str, RegistryError] = {}
        self.gate: asyncio.Event | None = None
        self.was_asked = asyncio.Event()
        self.at_once = self.most_at_once = 0

    def put(self, content: bytes, media_type: str = "application/octet-stream", **more: Any) -> Descriptor:
        descriptor = Descriptor(media_type, Digest.of(content), len(content), **more)
        self.blobs[descriptor.digest] = content
        return descriptor

    def put_manifest_of(
        self,
        layers: list[Descriptor],
        *,
        tag: str | None = None,
        subject: Descriptor | None = None,
        artifact_type: str | None = None,
        config: Descriptor = EMPTY,
        annotations: dict[str, str] | None = None,
    ) -> Descriptor:
        body: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config.to_json(),
            "layers": [layer.to_json() for layer in layers],
        }
        if artifact_type:
            body["artifactType"] = artifact_type
        if subject:
            body["subject"] = subject.to_json()
        if annotations:
            body["annotations"] = annotations
        made = self.put(
            json.dumps(body).encode(), OCI_MANIFEST, artifact_type=artifact_type, annotations=annotations or {}
        )
        if tag:
            self.tagged[tag] = made.digest
        if subject:
            self._hanging.setdefault(subject.digest, []).append(made)
        if subject and not self.referrers_api:
            self._list_under_tag(subject.digest, made)
        return made

    def put_index(self, entries: list[Descriptor], tag: str | None = None) -> Descriptor:
        body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry.to_json() for entry in entries]}
        made = self.put(json.dumps(body).encode(), OCI_INDEX)
        if tag:
            self.tagged[tag] = made.digest
        return made

    def _list_under_tag(self, subject: Digest, made: Descriptor) -> None:
        tag = referrers_tag(subject)
        before = parse_manifest(self.blobs[self.tagged[tag]]) if tag in self.tagged else None
        self.put_index([*(before.manifests if isinstance(before, Index) else ()), made], tag)

    async def _ask(self, question: str) -> None:
        self.asked.append(question)
        self.was_asked.set()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.gate is not None:
                await self.gate.wait()
            await asyncio.sleep(0)
        finally:
            self.at_once -= 1
        for start, error in self.failing.items():
            if question.startswith(start):
                raise error

    def _find(self, locator: str) -> bytes:
        digest = self.tagged.get(locator, locator)
        if digest not in self.blobs:
            raise NotFound(f"{locator[:20]} is unknown.", code="MANIFEST_UNKNOWN")
        return self.blobs[Digest(digest)]

    async def capabilities(self) -> Capabilities:
        return Capabilities({})

    async def repositories(self, prefix: str = "") -> AsyncIterator[Page[Any]]:
        yield Page(())

    async def tags(self, repository: str) -> AsyncIterator[Page[Any]]:
        yield Page(())

    async def head_manifest(self, repository: str, locator: str) -> ManifestHead:
        await self._ask(f"HEAD {locator}")
        raw = self._find(locator)
        return ManifestHead(Digest.of(raw), parse_manifest(raw).media_type, len(raw))

    async def manifest(self, repository: str, locator: str) -> ImageManifest | Index:
        await self._ask(f"GET {locator}")
        return parse_manifest(self._find(locator))

    async def blob(self, repository: str, descriptor: Descriptor, *, offset: int = 0) -> AsyncIterator[bytes]:
        await self._ask(f"BLOB {descriptor.digest}")
        yield self._find(descriptor.digest)[offset:]

    async def blob_range(self, repository: str, descriptor: Descriptor, start: int, end: int) -> bytes:
        return self._find(descriptor.digest)[start:end]

    def open_blob(self, repository: str, descriptor: Descriptor, *, offset: int = 0) -> BinaryIO:
        return io.BytesIO(self._find(descriptor.digest)[offset:])

    async def referrers(self, repository: str, subject: Digest, artifact_type: str | None = None) -> Referrers:
        await self._ask(f"REFERRERS {subject}")
        if not self.referrers_api:
            tag = referrers_tag(subject)
            if tag not in self.tagged:
                return Referrers((), "none")
            index = parse_manifest(self.blobs[self.tagged[tag]])
            assert isinstance(index, Index)
            return Referrers(index.manifests, "tag")
        found = self._hanging.get(subject, [])
        return Referrers(tuple(found), "api")
