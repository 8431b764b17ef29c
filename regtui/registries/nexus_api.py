"""Nexus's own REST API: its repositories with their settings, and the components that are tags.

Source: OpenAPI of Nexus 3.94 and sonatype/nexus-public, below `/service/rest`. It answers on Nexus's main port only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from regtui.oci import Digest, InvalidDigest
from regtui.registries import fields as read
from regtui.registries.contract import TagSummary
from regtui.transport.auth import CredentialAuth
from regtui.transport.errors import BadAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from regtui.transport.client import RegistryClient

REST: Final = "/service/rest"
FORMATS: Final = frozenset({"docker", "oci"})
_MOST_PAGES: Final = 400
"""Pages of one search, of 50 components each: they come one after another, whatever is asked."""
_MOST_FOUND: Final = 10
_ANSWERED: Final = frozenset({200})
_DELETED: Final = frozenset({204})


@dataclass(frozen=True, slots=True)
class NexusRepository:
    """One of Nexus's repositories for images. `settings` are there for administrators only."""

    name: str
    type: str
    """`hosted`, `proxy` or `group`."""
    format: str
    settings: Mapping[str, Any] | None = None

    @property
    def is_hosted(self) -> bool:
        """Whether what is in it was pushed to it, and can be deleted from it."""
        return self.type == "hosted"

    @property
    def is_merged(self) -> bool:
        """Whether it only shows what is in its members."""
        return self.type == "group"

    @property
    def members(self) -> tuple[str, ...]:
        """The repositories that a group is made of."""
        return read.texts(self._part("group").get("memberNames"))

    @property
    def write_policy(self) -> str | None:
        """`ALLOW`, `ALLOW_ONCE` or `DENY`, None when it is not told."""
        policy = read.text(self._part("storage").get("writePolicy"))
        return policy.upper() if policy else None

    @property
    def policy_names(self) -> tuple[str, ...] | None:
        """Its cleanup policies, None when they are not told."""
        return None if self.settings is None else read.texts(self._part("cleanup").get("policyNames"))

    def is_immutable(self, tag: str) -> bool | None:
        """Whether a tag can't be moved, None when that is not told."""
        policy = self.write_policy
        if policy is None:
            return None
        if policy == "ALLOW_ONCE" and tag == "latest":
            return not self._part("storage").get("latestPolicy")
        return policy != "ALLOW"

    def answers_at(self, host: str) -> bool:
        """Whether this address (`name`, `name:port`) is a connector or a subdomain of this repository alone."""
        docker = self._part("docker")
        name, _, port = host.partition(":")
        subdomain = read.text(docker.get("subdomain"))
        ports = {str(docker.get("httpPort")), str(docker.get("httpsPort"))}
        return bool(subdomain and name.startswith(f"{subdomain}.")) or (bool(port) and port in ports)

    def _part(self, name: str) -> dict[str, Any]:
        return read.fields((self.settings or {}).get(name))


@dataclass(frozen=True, slots=True)
class Component:
    """A tag as Nexus keeps it: an image's name with a version, and the asset that is its manifest."""

    id: str
    repository: str
    name: str
    version: str
    manifest: Mapping[str, Any]

    @property
    def digest(self) -> Digest | None:
        """The manifest's digest: Nexus tells the checksum of the bytes."""
        checksum = read.text(read.fields(self.manifest.get("checksum")).get("sha256"))
        try:
            return Digest.parse(f"sha256:{checksum}") if checksum else None
        except InvalidDigest:
            return None

    def summary(self, repository: NexusRepository, *, with_digest: bool) -> TagSummary:
        """The row of this tag. The image's size is not told: `fileSize` is the manifest's own."""
        return TagSummary(
            self.version,
            digest=self.digest if with_digest else None,
            media_type=read.text(self.manifest.get("contentType")) if with_digest else None,
            pushed=read.moment(self.manifest.get("lastModified")) or read.moment(self.manifest.get("blobUpdated")),
            pulled=read.moment(self.manifest.get("lastDownloaded")),
            immutable=repository.is_immutable(self.version),
        )


class NexusApi:
    """Calls of the REST API, signed in ahead: Nexus shows strangers less without a challenge."""

    def __init__(self, client: RegistryClient, api_host: str | None) -> None:
        self._auth = CredentialAuth(host=client.host)
        self._client = client.beside(api_host, auth=self._auth)

    @property
    def is_stranger(self) -> bool:
        """Whether nothing secret went along with the last request."""
        return self._auth.credential is None or self._auth.credential.is_anonymous

    async def repositories(self) -> dict[str, NexusRepository]:
        """The repositories for images that this user may see, by name. Raises RegistryError."""
        listed = await self._client.request("GET", f"{REST}/v1/repositories")
        body = listed.json()
        if not isinstance(body, list):
            raise BadAnswer(f"{self._client.host} has no REST API of Nexus at this address.", host=self._client.host)
        settings = await self._settings()
        found = {}
        for row in read.objects(body):
            name, kind, form = (read.text(row.get(member)) for member in ("name", "type", "format"))
            if name and kind and form in FORMATS:
                found[name] = NexusRepository(name, kind, form, settings.get(name))
        return found

    async def catalog(self, repository: str, query: Mapping[str, str]) -> tuple[tuple[str, ...], str | None]:
        """One page of the images in a repository, and its Link: the long form of the address is always there."""
        path = f"/repository/{quote(repository, safe='')}/v2/_catalog"
        answer = await self._client.request("GET", path, params=query, headers={"Accept": "application/json"})
        return read.texts(read.fields(answer.json()).get("repositories")), answer.headers.get("Link")

    async def components(self, repository: NexusRepository, **query: str) -> AsyncIterator[list[Component]]:
        """Pages of what the search finds: `name`, `version` and `sha256` are exact, `q` is free text."""
        asked = {"repository": repository.name, "format": repository.format, **query}
        async for rows in self._searched(asked):
            yield [component for row in rows if (component := _component(row)) is not None]

    async def images(self, form: str, text: str) -> AsyncIterator[list[tuple[str, str]]]:
        """(repository, image) of what the search finds for a text, page by page; repeated ones, too."""
        pages = 0
        async for rows in self._searched({"format": form, "q": text}):
            found = ((read.text(row.get("repository")), read.text(row.get("name"))) for row in rows)
            yield [(repository, name) for repository, name in found if repository and name]
            pages += 1
            if pages >= _MOST_FOUND:
                return

    async def delete(self, component: Component) -> None:
        """Remove one component: this tag, no other. Raises NotFound, Forbidden."""
        await self._client.request("DELETE", f"{REST}/v1/components/{quote(component.id, safe='')}", expect=_DELETED)

    async def policies(self, form: str) -> list[dict[str, Any]]:
        """The cleanup policies of a format. Raises Forbidden, NotFound where this version has no such call."""
        answer = await self._client.request("GET", f"{REST}/internal/cleanup-policies", params={"format": form})
        return read.objects(answer.json())

    async def _searched(self, query: Mapping[str, str]) -> AsyncIterator[list[dict[str, Any]]]:
        # One version after another: what has the same version comes together.
        asked = {**query, "sort": "version", "direction": "asc"}
        tokens: set[str] = set()
        for _ in range(_MOST_PAGES):
            body = read.fields((await self._client.request("GET", f"{REST}/v1/search", params=asked)).json())
            yield read.objects(body.get("items"))
            token = read.text(body.get("continuationToken"))
            if token is None or token in tokens:
                return
            tokens.add(token)
            asked = {**asked, "continuationToken": token}

    async def _settings(self) -> dict[str, dict[str, Any]]:
        """Settings of the repositories by name; none for who is no administrator."""
        expect = _ANSWERED | {401, 403, 404}
        answer = await self._client.request("GET", f"{REST}/v1/repositorySettings", expect=expect)
        if answer.status != 200:
            return {}
        return {str(row.get("name")): row for row in read.objects(answer.json())}


def sentence_of(policy: Mapping[str, Any]) -> str:
    """What a cleanup policy deletes, in words. Of one that is known by its name only, that."""
    if len(policy) == 1:
        return f"{policy.get('name')} (Nexus does not tell you what it deletes)."
    days = (("criteriaLastBlobUpdated", "pushed"), ("criteriaLastDownloaded", "pulled"))
    conditions = [f"not {word} for {read.whole(policy.get(name))} days" for name, word in days if policy.get(name)]
    pattern = read.text(policy.get("criteriaAssetRegex"))
    if pattern:
        conditions.append(f"whose path fits {pattern}")
    kind = read.text(policy.get("criteriaReleaseType"))
    if kind:
        conditions.append(f"that are {kind.lower()}")
    keep = read.whole(policy.get("retain"))
    kept = f", and keeps the newest {keep}" if keep else ""
    return f"{read.text(policy.get('name')) or 'A policy'} deletes what is {' and '.join(conditions) or 'there'}{kept}."


def _component(row: Mapping[str, Any]) -> Component | None:
    ident, repository, name, version = (
        read.text(row.get(member)) for member in ("id", "repository", "name", "version")
    )
    if not (ident and repository and name and version):
        return None
    assets = read.objects(row.get("assets"))
    ending = f"/manifests/{version}"
    manifest = next((one for one in assets if str(one.get("path", "")).endswith(ending)), {})
    return Component(ident, repository, name, version, manifest)
