"""Google's registries: gcr.io and Artifact Registry (pkg.dev).

Sources: the `tags/list` extension as go-containerregistry and gcr-cleaner use it; the discovery documents of Artifact
Registry v1 and Container Analysis v1. One `tags/list` gives every manifest of an image, tagged or not.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from regtui.oci import Digest, InvalidReference
from regtui.oci.reference import is_repository_path
from regtui.registries.cloud import apart
from regtui.registries.contract import (
    Capabilities,
    Capability,
    Identity,
    Page,
    Referrers,
    RepositorySummary,
    RetentionRules,
    ScanReport,
    Support,
    TagSummary,
)
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.fields import fields, flag, moment, objects, text, texts
from regtui.registries.google_answers import cleanup, discovery, image_rows, newest, scanned
from regtui.registries.google_api import ANALYSIS, GoogleApi
from regtui.registries.google_identity import HOW, GoogleBearer, GoogleCredentials, GoogleIdentity
from regtui.registries.google_names import Image, image_of, location_name, project_path, read_host, split_project
from regtui.registries.pages import Pager
from regtui.transport.errors import BadAnswer, BadRequest, Conflict, Forbidden, NotFound, Unauthorized, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.credentials.values import CredentialSource
    from regtui.storage.settings import RegistrySettings
    from regtui.transport.client import RegistryClient

_EVERYTHING: Final = {"n": "10000"}
_LARGEST: Final = 64 << 20
_AT_ONCE: Final = 8
_MOST_FOLDERS: Final = 20_000
_MOST_OCCURRENCES: Final = 50_000
_DANGLING: Final = (0.5, 1.0, 2.0)
"""Seconds before a manifest is deleted again whose tags have just gone: the registry notices late."""


class GoogleRegistry(DistributionRegistry):
    """One host of Google's."""

    kind = "google"
    sends_all_tags = False

    def __init__(
        self, client: RegistryClient, *, host: str | None = None, settings: RegistrySettings | None = None
    ) -> None:
        super().__init__(client, host=host, settings=settings)
        self.place = read_host(self.host)
        self.google = GoogleIdentity()
        client.sign_in_through(self.credentials)
        signer = GoogleBearer(self.google)
        self.artifacts = GoogleApi(
            client.beside(self.settings.api or self.place.api, auth=signer), "roles/artifactregistry.reader"
        )
        self.analysis = GoogleApi(
            client.beside(self.settings.api or ANALYSIS, auth=signer), "roles/containeranalysis.occurrences.viewer"
        )
        self.pause = asyncio.sleep
        self._immutable: dict[str, bool] = {}
        """Resource name of a repository → whether its tags are immutable, as far as a listing told."""

    def credentials(self, known: CredentialSource) -> CredentialSource:
        """What is kept for the host, else this Google user's access token."""
        return GoogleCredentials(self.host, known, self.google)

    async def capabilities(self) -> Capabilities:
        """What Google offers; who may do it, only trying tells."""
        known = dict((await super().capabilities()).support)
        trying = Support(None, "Google's roles decide; only trying tells.")
        has_api = self.place.location is not None
        by_api = trying if has_api else Support(False, f"{self.host} is none of Artifact Registry's hosts.")
        known |= {
            Capability.SEARCH: Support(False, "Google's registries have no search; the list is filtered here."),
            Capability.TAG_DETAILS: Support(True),
            Capability.DELETE_TAG: trying,
            Capability.DELETE_MANIFEST: trying,
            Capability.DELETE_REPOSITORY: by_api,
            Capability.SCAN_REPORT: trying,
            Capability.TRIGGER_SCAN: Support(
                False, "Artifact Analysis scans what is pushed; a scan can't be asked for."
            ),
            Capability.RETENTION: by_api,
            Capability.IMMUTABLE_TAGS: by_api,
            Capability.SOFT_DELETE: Support(False, "Google's registries keep nothing of what was deleted."),
        }
        return Capabilities(known)

    # listing -------------------------------------------------------------------------------------------------

    async def repository_pages(self, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        """The images of the projects that are known; gcr.io's catalog where none is. Raises Unsupported."""
        wanted = await self._wanted(prefix)
        if not wanted and self.place.is_gcr:
            async for page in super().repository_pages(prefix):
                yield page
            return
        if not wanted:
            raise self._no_project()
        for path in wanted:
            pages = self._images_of_gcr(path) if self.place.is_gcr else self._images_of(path)
            try:
                async for page in pages:
                    yield Page(tuple(one for one in page.items if one.path.startswith(prefix)), stopped=page.stopped)
            except (NotFound, Forbidden, Unsupported) as error:
                if len(wanted) == 1:
                    raise
                yield Page((), stopped=f"{path}: {error.sentence}")

    async def probe_catalog(self) -> None:
        """Whether there is a project to list, else gcr.io's catalog. Raises Unsupported."""
        if await self._wanted(""):
            return
        if not self.place.is_gcr:
            raise self._no_project()
        await super().probe_catalog()

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """One question for everything: tags, and manifests without a tag. Raises NotFound where nothing is."""
        image = image_of(self.place, repository)
        immutable = self._immutable.get(image.repository_name) if image is not None else None
        is_first = True
        async for body, stopped in self._listing(repository):
            rows = image_rows(body, immutable)
            if is_first and not rows and not texts(body.get("child")):
                raise NotFound(
                    f"{self.host} has no image {repository}, or nothing is in it.",
                    hint="Check the name; what is private looks the same before signing in.",
                    host=self.host,
                )
            is_first = False
            yield Page(rows, stopped=stopped)

    async def referrers(self, repository: str, subject: Digest, artifact_type: str | None = None) -> Referrers:
        """The referrers API where Google has it; elsewhere it redirects to a page for people, or answers with one."""
        try:
            return await super().referrers(repository, subject, artifact_type)
        except (BadAnswer, Unauthorized):
            if self._referrers_api is not None:
                raise
            self._referrers_api = False
            return await super().referrers(repository, subject, artifact_type)

    # deleting ------------------------------------------------------------------------------------------------

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Remove the tags of a manifest, then itself: Google refuses the other way round.

        Raises NotFound, Conflict for what an index holds.
        """
        locator = Digest.parse(digest)
        async for body, _ in self._listing(repository):
            for tag in texts(fields(fields(body.get("manifest")).get(locator)).get("tag")):
                await self.delete_tag(repository, tag)
        for wait in (*_DANGLING, None):
            try:
                return await super().delete_manifest(repository, locator)
            except BadRequest as error:
                if error.code == "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE":
                    raise self._held(error) from error
                if error.code != "GOOGLE_MANIFEST_DANGLING_TAG" or wait is None:
                    raise
                await self.pause(wait)
        return None

    async def delete_repository(self, repository: str) -> None:
        """Remove an image with all its versions (a package of Artifact Registry). Raises NotFound, Unsupported."""
        await self.artifacts.delete(f"/v1/{self._image(repository).package_name}")

    # what Google knows besides -------------------------------------------------------------------------------

    async def scan_report(self, repository: str, digest: Digest) -> ScanReport:
        """Artifact Analysis: whether the image was scanned, and what was found. Raises Unsupported where it is off."""
        self.path(repository)
        project, _ = split_project(repository)
        about = f'resourceUrl="https://{self.host}/{repository}@{Digest.parse(digest)}"'
        path = f"/v1/projects/{project}/occurrences"
        seen: list[dict[str, Any]] = []
        async for answer in self.analysis.pages(path, {"filter": f'kind="DISCOVERY" AND {about}'}):
            seen += objects(answer.get("occurrences"))
        state, message = discovery(seen)
        found: list[dict[str, Any]] = []
        if state == "complete":
            async for answer in self.analysis.pages(path, {"filter": f'kind="VULNERABILITY" AND {about}'}):
                found += objects(answer.get("occurrences"))
                if len(found) >= _MOST_OCCURRENCES:
                    break
        return scanned(state, message, found, newest(seen))

    async def retention(self, repository: str) -> RetentionRules | None:
        """The cleanup policies of the repository of Artifact Registry. Raises Unsupported, NotFound."""
        name = self._image(repository).repository_name
        answer = await self.artifacts.get(f"/v1/{name}")
        self._note_immutable(name, answer)
        return cleanup(answer)

    def identity(self) -> Identity:
        """The Google user, instead of the name that stands for a token."""
        plain = super().identity()
        if self.google.name is None or plain.name is None:
            return plain
        return Identity(self.google.name, "Google", plain.rate_limit, plain.rate_remaining)

    @property
    def ways_to_sign_in(self) -> str:
        """What to run, in words."""
        missing = f" ({self.google.problem})" if self.google.problem else ""
        return f"{HOW}{missing} or {super().ways_to_sign_in}"

    # the rest ------------------------------------------------------------------------------------------------

    async def _listing(self, repository: str) -> AsyncIterator[tuple[dict[str, Any], str | None]]:
        """Google's own `tags/list`, one page as a rule, with the reason why it stops early, if it does."""
        path, scope = self.path(repository, "tags", "list"), self.pull_scope(repository)
        pager = Pager(dict(_EVERYTHING))
        while pager.query is not None:
            answer = await self.client.request("GET", path, params=pager.query, scope=scope, limit=_LARGEST)
            body = fields(answer.json())
            names = [*texts(body.get("tags")), *fields(body.get("manifest"))]
            pager.take(names, answer.headers.get("Link"))
            yield body, pager.stopped

    async def _wanted(self, prefix: str) -> list[str]:
        """Projects to list, or repositories of projects: the settings', else the prefix's, else the user's own."""
        if self.settings.namespaces:
            return list(self.settings.namespaces)
        if "/" in prefix:
            return [project_path(split_project(prefix)[0])]
        if not self.google.was_asked:
            await apart(self.google.credential)
        return [project_path(self.google.project)] if self.google.project else []

    async def _images_of(self, path: str) -> AsyncIterator[Page[RepositorySummary]]:
        """pkg.dev: the packages of every Docker repository of a project, or of the one that `path` names."""
        project, only = split_project(path)
        assert self.place.location is not None, "pkg.dev hosts name a location"
        async for answer in self.artifacts.pages(f"/v1/{location_name(project, self.place.location)}/repositories"):
            for repository in objects(answer.get("repositories")):
                name = text(repository.get("name")) or ""
                short = unquote(name.rpartition("/")[2])
                if repository.get("format") != "DOCKER" or only not in {"", short}:
                    continue
                self._note_immutable(name, repository)
                async for page in self._packages(name, f"{project_path(project)}/{short}"):
                    yield page

    async def _images_of_gcr(self, path: str) -> AsyncIterator[Page[RepositorySummary]]:
        """gcr.io: the packages of the repository that stands for the host; where that is out of reach, a walk."""
        project, _ = split_project(path)
        if self.place.location is not None:
            name = Image(project, self.place.location, self.place.repository or "", "x").repository_name
            try:
                async for page in self._packages(name, project_path(project)):
                    yield page
            except (NotFound, Forbidden, Unauthorized, Unsupported):
                pass  # a project that never moved, or a user who may only pull
            else:
                return
        async for page in self._walk(path):
            yield page

    async def _packages(self, name: str, path: str) -> AsyncIterator[Page[RepositorySummary]]:
        async for answer in self.artifacts.pages(f"/v1/{name}/packages"):
            listed = objects(answer.get("packages"))
            found = [(unquote((text(entry.get("name")) or "").rpartition("/")[2]), entry) for entry in listed]
            yield Page(
                tuple(
                    RepositorySummary(f"{path}/{package}", updated=moment(entry.get("updateTime")))
                    for package, entry in found
                    if is_repository_path(f"{path}/{package}")
                )
            )

    async def _walk(self, path: str) -> AsyncIterator[Page[RepositorySummary]]:
        """Folder by folder, by the `child` of each `tags/list`."""
        waiting, asked = [path], 0
        while waiting and asked < _MOST_FOLDERS:
            now, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            asked += len(now)
            bodies = await asyncio.gather(*(self._folder(folder) for folder in now))
            for folder, body in zip(now, bodies, strict=True):
                children = [f"{folder}/{child}" for child in texts(body.get("child"))]
                waiting += [child for child in children if is_repository_path(child)]
            found = [(f, texts(b.get("tags"))) for f, b in zip(now, bodies, strict=True) if b.get("manifest")]
            stopped = f"The walk was cut off after {asked:,} folders." if waiting and asked >= _MOST_FOLDERS else None
            yield Page(tuple(RepositorySummary(folder, tags=len(tags)) for folder, tags in found), stopped=stopped)

    async def _folder(self, path: str) -> dict[str, Any]:
        async for body, _ in self._listing(path):
            return body
        return {}

    def _note_immutable(self, name: str, repository: dict[str, Any]) -> None:
        self._immutable[name] = flag(fields(repository.get("dockerConfig")).get("immutableTags")) or False

    def _image(self, repository: str) -> Image:
        """The image in Artifact Registry. Raises InvalidReference, Unsupported."""
        if not is_repository_path(repository):
            raise InvalidReference(f"{repository[:120]!a} is not a repository's path.")
        found = image_of(self.place, repository)
        if found is None:
            raise Unsupported(f"{self.host}/{repository} is no image of Artifact Registry.", host=self.host)
        return found

    def _no_project(self) -> Unsupported:
        return Unsupported(
            f"{self.host} lists the images of a project, and none is known.",
            hint='Name it in the settings (namespaces = ["my-project"], or "my-project/repository"), '
            f"or sign in with {HOW}.",
            host=self.host,
        )

    def _held(self, error: BadRequest) -> Conflict:
        return Conflict(
            f"{self.host} keeps this manifest: an index holds it.",
            hint="Delete the index first.",
            host=self.host,
            status=error.status,
            code=error.code,
            detail=error.detail,
        )
