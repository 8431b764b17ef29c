"""Artifactory's own REST API: its repositories, what AQL tells of tags, folders that are tags, and Xray.

Source: JFrog's documentation of the REST API and AQL, and what jfrog-client-go does. Below `/artifactory` and `/xray`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from regtui.oci import Digest, InvalidDigest
from regtui.oci.reference import is_tag
from regtui.registries import fields as read
from regtui.registries.contract import DeletedManifest, TagSummary
from regtui.transport.auth import CredentialAuth, basic, bearer
from regtui.transport.errors import BadAnswer, BadRequest, Forbidden, NotFound, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from regtui.credentials.values import Credential
    from regtui.transport.client import RegistryClient
    from regtui.transport.exchange import Answer

REST: Final = "/artifactory/api"
PACKAGES: Final = ("docker", "oci")
TRASH: Final = "auto-trashcan"
_MANIFESTS: Final = ["manifest.json", "list.manifest.json"]
_CHILD: Final = re.compile(r"sha256(?::|__)[0-9a-f]{64}", re.ASCII)
"""How the folders of an index's children are called."""
_TOKEN: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+|cmVmdGtu[\w+/=-]{40,}", re.ASCII)
"""An access token, or the short reference to one: both are sent as Bearer, API keys and passwords by Basic."""
_MANIFEST_PAGE: Final = 1_000
_FILE_PAGE: Final = 20_000
_LARGEST: Final = 64 << 20
_GONE: Final = frozenset({200, 202, 204})


@dataclass(frozen=True, slots=True)
class ArtifactoryRepository:
    """One of Artifactory's repositories for images."""

    name: str
    type: str
    """`LOCAL`, `REMOTE`, `VIRTUAL` or `FEDERATED`."""

    @property
    def is_own(self) -> bool:
        """Whether what is in it was pushed to it, and can be deleted from it."""
        return self.type in {"LOCAL", "FEDERATED"}

    @property
    def is_merged(self) -> bool:
        """Whether it only shows what is in others."""
        return self.type == "VIRTUAL"

    @property
    def searched_as(self) -> str | None:
        """The name by which AQL knows its files: those of a remote lie in its cache. None for a virtual one."""
        return {"REMOTE": f"{self.name}-cache", "VIRTUAL": None}.get(self.type, self.name)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as a file in Artifactory: `folder` is a tag, or the digest of an index's child."""

    repository: str
    image: str
    folder: str
    row: Mapping[str, Any]
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> Digest | None:
        """Its digest, by the properties that Artifactory sets."""
        told = read.digest(self.properties.get("docker.manifest.digest"))
        checksum = self.properties.get("sha256")
        try:
            return told or (Digest.parse(f"sha256:{checksum}") if checksum else None)
        except InvalidDigest:
            return None

    @property
    def is_tag(self) -> bool:
        """Whether the folder is a tag, and no child of an index."""
        return is_tag(self.folder) and not is_child(self.folder)

    def summary(self, sizes: Mapping[str, int]) -> TagSummary:
        """The row of this tag. An index's size is not told: its layers lie with its children."""
        stats = next(iter(read.objects(self.row.get("stats"))), {})
        is_index = self.row.get("name") == "list.manifest.json"
        return TagSummary(
            self.folder,
            digest=self.digest,
            media_type=read.text(self.properties.get("docker.manifest.type")),
            size=None if is_index else sizes.get(self.folder),
            pushed=read.moment(self.row.get("modified")) or read.moment(self.row.get("created")),
            pulled=read.moment(stats.get("downloaded")),
        )

    def deleted(self) -> DeletedManifest:
        """The same in the trash can. The locator is where it was: repository, image and folder."""
        repository, _, image = self.image.partition("/")
        return DeletedManifest(
            self.digest,
            (self.folder,) if self.is_tag else (),
            deleted=read.moment(self.row.get("modified")),
            locator=f"{repository}/{image}/{self.folder}",
        )


def is_child(folder: str) -> bool:
    """Whether a folder is called as those of an index's children are; such names may stand among the tags."""
    return _CHILD.fullmatch(folder) is not None


def sign(credential: Credential) -> dict[str, str]:
    """How REST is signed in to: tokens as Bearer, everything else by Basic."""
    token = credential.registry_token or credential.password
    if token is None:
        return {}
    is_token = credential.registry_token is not None or not credential.username or _TOKEN.fullmatch(token.reveal())
    return {"authorization": bearer(token) if is_token else basic(credential)}


class ArtifactoryApi:
    """Calls of the REST API."""

    def __init__(self, client: RegistryClient, api_host: str | None) -> None:
        self._auth = CredentialAuth(sign, host=client.host)
        self._client = client.beside(api_host, auth=self._auth)
        self._has_sorting = True

    @property
    def is_stranger(self) -> bool:
        """Whether nothing secret went along with the last request."""
        return self._auth.credential is None or self._auth.credential.is_anonymous

    async def repositories(self) -> dict[str, ArtifactoryRepository]:
        """The repositories for images that this user may see, by key. Raises RegistryError."""
        found: dict[str, ArtifactoryRepository] = {}
        for package in PACKAGES:
            answer = await self._client.request("GET", f"{REST}/repositories", params={"packageType": package})
            body = answer.json()
            if not isinstance(body, list):
                raise BadAnswer(f"{self._client.host} has no REST API of Artifactory here.", host=self._client.host)
            for row in read.objects(body):
                key, kind = read.text(row.get("key")), read.text(row.get("type"))
                if key and kind:
                    found[key] = ArtifactoryRepository(key, kind.upper())
        return found

    async def settings(self, key: str) -> dict[str, Any] | None:
        """The settings of a repository, None for who may not see them."""
        try:
            answer = await self._client.request("GET", f"{REST}/repositories/{quote(key, safe='')}")
        except (BadRequest, Forbidden, NotFound):  # 400 stands for both of the others here
            return None
        return read.fields(answer.json())

    async def catalog(self, key: str, query: Mapping[str, str]) -> tuple[tuple[str, ...], str | None]:
        """One page of the images in a repository, and its Link. Other types than JSON are answered with 406."""
        path = f"{REST}/docker/{quote(key, safe='')}/v2/_catalog"
        answer = await self._client.request("GET", path, params=query, headers={"Accept": "application/json"})
        return read.texts(read.fields(answer.json()).get("repositories")), answer.headers.get("Link")

    async def manifests(self, key: str, image: str) -> AsyncIterator[list[Manifest]]:
        """Every manifest in an image's own folders, in pages of 1,000, the newest first."""
        where = {"repo": key, "path": {"$match": f"{image}/*"}, "name": {"$in": _MANIFESTS}}
        offset = 0
        while True:
            rows = await self._found(where, offset)
            yield [one for row in rows if (one := _manifest(row)) is not None and one.image == image]
            offset += len(rows)
            if len(rows) < _MANIFEST_PAGE:
                return

    async def sizes(self, key: str, image: str) -> dict[str, int]:
        """Folder of the image → bytes of the config and the layers in it."""
        where = {"repo": key, "path": {"$match": f"{image}/*"}, "name": {"$match": "sha256__*"}}
        found: dict[str, int] = {}
        offset = 0
        while True:
            tail = f'.include("repo","path","name","size").offset({offset}).limit({_FILE_PAGE})'
            rows = await self._aql(where, tail)
            for row in rows:
                path, size = read.text(row.get("path")) or "", read.whole(row.get("size"))
                parent, _, folder = path.rpartition("/")
                if parent == image and size is not None:
                    found[folder] = found.get(folder, 0) + size
            offset += len(rows)
            if len(rows) < _FILE_PAGE:
                return found

    async def images_below(self, key: str, image: str) -> frozenset[str]:
        """Other images whose folders lie in an image's folder."""
        where = {"repo": key, "path": {"$match": f"{image}/*"}, "name": {"$in": _MANIFESTS}}
        found: set[str] = set()
        offset = 0
        while rows := await self._found(where, offset):
            found.update(one.image for row in rows if (one := _manifest(row)) is not None)
            offset += len(rows)
            if len(rows) < _MANIFEST_PAGE:
                break
        return frozenset(found - {image})

    async def trash(self, key: str, image: str) -> AsyncIterator[list[DeletedManifest]]:
        """What of an image lies in the trash can."""
        async for page in self.manifests(TRASH, f"{key}/{image}"):
            yield [one.deleted() for one in page]

    async def restore(self, locator: str) -> None:
        """Put a folder back from the trash can to where it was. Raises NotFound, Forbidden."""
        path = quote(locator, safe="/")
        await self._client.request("POST", f"{REST}/trash/restore/{path}", params={"to": locator}, content=b"")

    async def children(self, key: str, path: str) -> tuple[frozenset[str], frozenset[str]]:
        """(files, folders) of a folder, by name. Raises NotFound."""
        answer = await self._client.request("GET", f"{REST}/storage/{quote(key, safe='')}/{quote(path, safe='/')}")
        listed = read.objects(read.fields(answer.json()).get("children"))
        named = [((read.text(one.get("uri")) or "").strip("/"), one.get("folder") is True) for one in listed]
        files = frozenset(name for name, is_folder in named if not is_folder)
        return files, frozenset(name for name, is_folder in named if is_folder)

    async def delete(self, key: str, path: str) -> None:
        """Remove a folder with all that is in it. Raises NotFound, Forbidden."""
        target = f"/artifactory/{quote(key, safe='')}/{quote(path, safe='/:')}"
        await self._client.request("DELETE", target, expect=_GONE)

    async def has_xray(self) -> bool:
        """Whether there is an Xray beside it that knows this user."""
        try:
            answer = await self._client.request("GET", "/xray/api/v1/system/version")
        except (NotFound, Forbidden, Unsupported, BadRequest):
            return False
        return b"xray_version" in answer.body

    async def xray_summary(self, digest: Digest) -> dict[str, Any]:
        """Xray's summary of a manifest, as it gave it."""
        body = json.dumps({"checksums": [digest.encoded]}).encode()
        answer = await self._read_by_post("/xray/api/v2/summary/artifact", body, "application/json")
        return read.fields(answer.json())

    async def _found(self, where: Mapping[str, Any], offset: int) -> list[dict[str, Any]]:
        """A page of manifests with properties; sorted and with statistics until that is refused."""
        page = f".offset({offset}).limit({_MANIFEST_PAGE})"
        plain = '.include("repo","path","name","size","created","modified","property"'
        if self._has_sorting:
            try:
                return await self._aql(where, f'{plain},"stat").sort({{"$desc":["modified"]}}){page}')
            except BadRequest:
                self._has_sorting = False
        return await self._aql(where, f"{plain}){page}")

    async def _aql(self, where: Mapping[str, Any], tail: str) -> list[dict[str, Any]]:
        query = f"items.find({json.dumps(where, separators=(',', ':'))}){tail}"
        answer = await self._read_by_post(f"{REST}/search/aql", query.encode(), "text/plain")
        return read.objects(read.fields(answer.json()).get("results"))

    async def _read_by_post(self, path: str, content: bytes, kind: str) -> Answer:
        """A question that has to be posted; it changes nothing."""
        headers = {"Content-Type": kind, "Accept": "application/json"}
        return await self._client.request("POST", path, content=content, headers=headers, limit=_LARGEST, reads=True)


def _manifest(row: Mapping[str, Any]) -> Manifest | None:
    repository, path = read.text(row.get("repo")), read.text(row.get("path"))
    if not repository or not path or "/" not in path:
        return None
    image, _, folder = path.rpartition("/")
    pairs = ((read.text(one.get("key")), read.text(one.get("value"))) for one in read.objects(row.get("properties")))
    return Manifest(repository, image, folder, row, {key: value for key, value in pairs if key and value})
