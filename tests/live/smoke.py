"""A look around at a real registry, for whoever has one: an environment variable switches it on. Nothing is changed.

    REGTUI_LIVE_ZOT=zot.example.com/team/app uv run pytest -m live tests/live/test_zot.py

| variable (KIND in capitals, `-` as `_`) | meaning |
|---|---|
| `REGTUI_LIVE_<KIND>` | host/repository of something that is there |
| `REGTUI_LIVE_<KIND>_USER`, `…_PASSWORD` | who to be; else what the docker configuration and the keyring know |
| `REGTUI_LIVE_<KIND>_API` | the setting `api`, where the product needs it |
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from regtui.credentials.chain import CredentialChain
from regtui.credentials.values import Credential, Secret
from regtui.oci import Reference
from regtui.registries.contract import Capabilities, Capability, Registry, TagSummary, closing
from regtui.registries.detect import open_registry
from regtui.storage.settings import RegistrySettings
from regtui.transport.client import RegistryClient
from regtui.transport.errors import NotFound, Unsupported
from regtui.transport.options import HostOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Found:
    """What a look around saw."""

    registry: Registry
    repository: str
    capabilities: Capabilities
    tags: tuple[TagSummary, ...] = ()
    listed: tuple[str, ...] = ()
    referrers: str = ""
    scan: str = ""
    requests: list[str] = field(default_factory=list)


@asynccontextmanager
async def opened(kind: str) -> AsyncIterator[tuple[Registry, str, RegistryClient]]:
    """The registry and the repository that the environment names; skips the test when it names none."""
    name = f"REGTUI_LIVE_{kind.upper().replace('-', '_')}"
    if not os.environ.get(name):
        pytest.skip(f"{name} names no host/repository to look at")
    reference = Reference.parse(os.environ[name], default_tag=None)
    user, password = os.environ.get(f"{name}_USER", ""), os.environ.get(f"{name}_PASSWORD")
    credential = Credential(user, Secret(password), source="the environment") if password else None
    chain = CredentialChain.default(flags=credential, flags_host=reference.host, only_host=reference.host)
    client = RegistryClient(HostOptions(reference.host), chain)
    settings = RegistrySettings(reference.host, api=os.environ.get(f"{name}_API") or None)
    try:
        yield await open_registry(client, settings), reference.path, client
    finally:
        await client.close()


async def look_around(kind: str, **expected: Any) -> Found:
    """Everything that reads, once. `expected` are attributes of tags that the kind's listing has to fill."""
    async with opened(kind) as (registry, repository, client):
        assert registry.kind == kind, "it was taken for another kind of registry"
        await registry.check()
        found = Found(registry, repository, await registry.capabilities())
        if found.capabilities[Capability.LIST_REPOSITORIES].available:
            async with closing(registry.repositories()) as pages:
                found.listed = tuple(one.path for one in (await anext(pages)).items)
            assert found.listed, "it lists no repositories"
        async with closing(registry.tags(repository)) as pages:
            found.tags = (await anext(pages)).items
        assert found.tags, "the repository has no tags"
        for name in expected.get("told", ()):
            assert any(getattr(tag, name) is not None for tag in found.tags), f"the listing tells no {name}"
        tag = found.tags[0]
        manifest = await registry.manifest(repository, tag.name)
        assert tag.digest in {None, manifest.digest}, "the listing's digest is not the manifest's"
        assert (await registry.head_manifest(repository, tag.name)).digest == manifest.digest
        found.referrers = (await registry.referrers(repository, manifest.digest)).source
        try:
            found.scan = (await registry.scan_report(repository, manifest.digest)).state
        except (Unsupported, NotFound) as error:
            found.scan = str(error)
        found.requests = [f"{record.method} {record.url}" for record in client.log.records]
        return found
