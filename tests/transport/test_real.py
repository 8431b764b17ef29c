"""The client against a real registry: distribution 2.8, open and with htpasswd."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from regtui.credentials.values import Credential, Secret
from regtui.oci.digest import Digest
from regtui.transport.errors import NotFound, Unauthorized
from tests.servers import starting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from regtui.transport.client import RegistryClient
    from tests.transport.conftest import Connect

pytestmark = pytest.mark.real
CONTENT = bytes(range(256)) * 4096
ALICE = Credential(starting.USER, Secret(starting.PASSWORD), source="the test")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """distribution with htpasswd."""
    with starting.start_docker_registry(tmp_path_factory.mktemp("guarded"), htpasswd=True) as server:
        yield server.host


async def content() -> AsyncIterator[bytes]:
    for start in range(0, len(CONTENT), 100_000):
        yield CONTENT[start : start + 100_000]


async def push(client: RegistryClient, path: str) -> Digest:
    """Upload CONTENT as a blob; its digest."""
    digest, scope = Digest.of(CONTENT), f"repository:{path}:pull,push"
    opened = await client.request(
        "POST", f"/v2/{path}/blobs/uploads/", scope=scope, expect=frozenset({202}), content=b""
    )
    location = opened.headers["Location"]
    separator = "&" if "?" in location else "?"
    address = f"{location}{separator}digest={digest}"
    await client.upload("PUT", address, content(), size=len(CONTENT), scope=scope)
    return digest


async def check_reading(client: RegistryClient, path: str, digest: Digest) -> None:
    address = f"/v2/{path}/blobs/{digest}"
    whole = [chunk async for chunk in client.download(address, digest=digest, size=len(CONTENT))]
    assert b"".join(whole) == CONTENT
    part = [chunk async for chunk in client.download(address, digest=digest, size=len(CONTENT), offset=1000)]
    assert b"".join(part) == CONTENT[1000:]

    def read(offset: int) -> bytes:
        with client.open_blocking(address, offset=offset) as stream:
            return stream.read()

    assert await asyncio.to_thread(read, 0) == CONTENT
    assert await asyncio.to_thread(read, 777) == CONTENT[777:]


@pytest.mark.parametrize("plain_http", [True, False])
async def test_an_open_registry(connect: Connect, docker_registry: str, namespace: str, plain_http: bool) -> None:
    client = connect(docker_registry, plain_http=plain_http)
    assert (await client.request("GET", "/v2/")).json() == {}
    digest = await push(client, f"{namespace}/a")
    await check_reading(client, f"{namespace}/a", digest)
    assert client.base_url == f"http://{docker_registry}"
    assert client.signed_in_as is None
    with pytest.raises(NotFound) as caught:
        await client.request("GET", f"/v2/{namespace}/a/manifests/none")
    assert caught.value.code == "MANIFEST_UNKNOWN"
    with pytest.raises(NotFound) as caught:
        await client.request("GET", "/v2/UPPER/tags/list")
    assert (caught.value.code, caught.value.detail) == (None, "404 page not found")
    await client.request("DELETE", f"/v2/{namespace}/a/blobs/{digest}", expect=frozenset({202}))


async def test_a_manifest_round_trip(connect: Connect, docker_registry: str, namespace: str) -> None:
    client = connect(docker_registry)
    path, kind = f"{namespace}/b", "application/vnd.oci.image.manifest.v1+json"
    blob = {"mediaType": "application/octet-stream", "digest": await push(client, path), "size": len(CONTENT)}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": blob, "layers": [blob]}).encode()
    put = await client.request(
        "PUT",
        f"/v2/{path}/manifests/v1",
        content=manifest,
        headers={"Content-Type": kind},
        expect=frozenset({201}),
    )
    assert put.headers["docker-content-digest"] == Digest.of(manifest)
    got = await client.request("GET", f"/v2/{path}/manifests/v1", headers={"Accept": kind})
    assert got.body == manifest
    head = await client.request("HEAD", f"/v2/{path}/manifests/v1", headers={"Accept": kind})
    assert (head.body, head.headers["content-length"]) == (b"", str(len(manifest)))


async def test_a_registry_with_passwords(connect: Connect, guarded: str, namespace: str) -> None:
    client = connect(guarded, ALICE)
    digest = await push(client, f"{namespace}/a")
    await check_reading(client, f"{namespace}/a", digest)
    assert client.signed_in_as == starting.USER
    assert [record.status for record in client.log.records].count(401) == 1


async def test_a_registry_with_passwords_and_none(connect: Connect, guarded: str) -> None:
    with pytest.raises(Unauthorized, match="regtui login"):
        await connect(guarded).request("GET", "/v2/")
    wrong = Credential(starting.USER, Secret("wrong"), source="the test")
    with pytest.raises(Unauthorized, match="does not accept the credential"):
        await connect(guarded, wrong).request("GET", "/v2/")
