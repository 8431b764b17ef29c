"""Harbor 2: its REST API for lists, scans and deletes, and plain distribution for content.

Source: goharbor/harbor v2.15 (api/v2.0/swagger.yaml, src/server, src/controller). A repository is `project/name`; the
slashes of the name are encoded twice in the REST API's paths. What a user may do depends on the role in the project.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from regtui.oci import Digest
from regtui.oci.reference import is_tag
from regtui.registries import fields as read
from regtui.registries.contract import Capabilities, Capability, Identity, Page, RepositorySummary, Support
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.harbor_errors import in_words
from regtui.registries.harbor_rows import REPORT_TYPES, report_of, repository_of, retention_of, rows_of, state_of
from regtui.registries.numbered import Part, numbered
from regtui.transport.auth import CredentialAuth
from regtui.transport.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    RegistryError,
    Unauthorized,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from regtui.oci import ImageManifest, Index, Manifest
    from regtui.registries.contract import ManifestHead, RetentionRules, ScanReport, TagSummary
    from regtui.transport.exchange import Answer

_API: Final = "/api/v2.0"
_SIZE: Final = 100
"""Entries of a page; Harbor refuses more."""
_LARGEST_PAGE: Final = 32 << 20
_LARGEST_REPORT: Final = 64 << 20
_KEPT_BACK: Final = (Unauthorized, Forbidden)
_NOT_FOUND: Final = "NOT_FOUND"
"""Harbor's own word; a 404 without it says that there is no such API."""
_DETAILS: Final = {
    "with_tag": "true",
    "with_label": "false",
    "with_scan_overview": "true",
    "with_sbom_overview": "false",
    "with_accessory": "true",
    "with_immutable_status": "true",
}
_REPORTS: Final = {"X-Accept-Vulnerabilities": REPORT_TYPES}
_BY_ROLE: Final = Support(None, "Your role in the project decides.")
_NO_BIN: Final = "Harbor keeps nothing that was deleted; pushing it again works until its garbage collection."
_REPOSITORIES: Final = "the list of repositories"
_SEARCHABLE: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-/")


class HarborRegistry(DistributionRegistry):
    """A Harbor from 2.0 on. An older one has no such API, and is served as plain distribution."""

    kind = "harbor"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._api_auth = CredentialAuth()
        self.api = self.client.beside(self.settings.api, auth=self._api_auth)
        self._info: dict[str, Any] | None = None
        self._catalog = Support(True)  # its own list is used; the catalog is for administrators

    async def capabilities(self) -> Capabilities:
        """What Harbor offers; whether the whole of it is read-only is asked once."""
        known = await super().capabilities()
        write = _BY_ROLE
        if read.flag((await self.info()).get("read_only")):
            write = Support(False, f"{self.host} is set to read-only by who runs it.")
        return Capabilities(
            {
                **known.support,
                Capability.LIST_REPOSITORIES: Support(True),
                Capability.SEARCH: Support(True),
                Capability.TAG_DETAILS: Support(True),
                Capability.PUSH: write,
                Capability.DELETE_TAG: write,
                Capability.DELETE_MANIFEST: write,
                Capability.DELETE_REPOSITORY: write,
                Capability.SCAN_REPORT: Support(True),
                Capability.TRIGGER_SCAN: _BY_ROLE,
                Capability.RETENTION: _BY_ROLE,
                Capability.IMMUTABLE_TAGS: Support(True),
                Capability.SOFT_DELETE: Support(False, _NO_BIN),
            }
        )

    async def info(self) -> dict[str, Any]:
        """What Harbor says about itself, asked once; empty for an old one. Raises Unauthorized for a wrong password.

        The REST API takes who has a wrong password for a stranger. Only who is known to it is told the version.
        """
        if self._info is None:
            try:
                found = read.fields((await self._ask("/systeminfo", "what it says about itself")).json())
            except (NotFound, *_KEPT_BACK):
                found = {}
            who = self._api_auth.credential
            if found and who is not None and not who.is_anonymous and "harbor_version" not in found:
                source = f" (from {who.source})" if who.source else ""
                raise Unauthorized(
                    f"{self.host} does not accept the credential of {who.username}{source}.",
                    hint=f"It may be wrong or expired: regtui login {self.host}",
                    host=self.host,
                )
            self._info = found
        return self._info

    # lists ---------------------------------------------------------------------------------------------------

    async def repositories(self, prefix: str = "") -> AsyncIterator[Page[RepositorySummary]]:
        """Those of every project that the user may see, in one list; project by project where that is kept back.

        Users who sign in by OIDC have a CLI secret that opens only the projects' own lists.
        """
        await self.info()
        told = False
        try:
            async for page in self._repositories("/repositories", prefix):
                told = True
                yield page
        except (*_KEPT_BACK, NotFound) as error:
            if told or error.code == _NOT_FOUND:
                raise
            is_old = isinstance(error, NotFound)
        else:
            return
        async for page in super().repositories(prefix) if is_old else self._by_project(prefix):
            yield page

    async def search(self, text: str) -> AsyncIterator[Page[RepositorySummary]]:
        """Repositories with this text in their name, by Harbor's own fuzzy filter."""
        wanted = "".join(letter for letter in text.strip().lower() if letter in _SEARCHABLE)
        if not wanted:
            yield Page(())
            return
        query = {"q": f"name=~{wanted}", "sort": "name"}
        async for part in self._parts("/repositories", query, _REPOSITORIES):
            yield Page(tuple(filter(None, map(repository_of, part.rows))), part.total, part.stopped)

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """By the list of artifacts: everything of 100 digests in one request, newest first; names where it is closed.

        Children of an index are not in that list, nor is what hangs on another artifact (signatures, SBOMs). Where
        there is such, its tags come last and by name: who deletes has to know of them.
        """
        place = self._place(repository)
        seen: set[str] = set()
        hangs = False
        query = {**_DETAILS, "sort": "-push_time"}
        try:
            async for part in self._parts(f"{place}/artifacts", query, f"the tags of {repository}"):
                if not part.rows and not seen:
                    break  # an unknown repository and an empty one look the same here
                rows = [row for artifact in part.rows for row in rows_of(artifact) if row.name not in seen]
                seen.update(row.name for row in rows)
                hangs = hangs or any(read.objects(artifact.get("accessories")) for artifact in part.rows)
                yield Page(tuple(rows), stopped=part.stopped)
        except (*_KEPT_BACK, NotFound) as error:
            if seen or error.code == _NOT_FOUND:
                raise
        if not hangs and seen:
            return
        try:
            async for page in super().tags(repository):
                yield Page(tuple(tag for tag in page.items if tag.name not in seen), stopped=page.stopped)
        except RegistryError as error:
            if not seen:
                raise
            yield Page((), stopped=f"Tags of what hangs on these could not be listed: {error.sentence}")

    async def _by_project(self, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        project, slash, _ = prefix.partition("/")
        async for part in self._parts("/projects", {"with_detail": "false"}, "the list of projects"):
            for row in part.rows:
                name = read.text(row.get("name")) or ""
                if name == project or (not slash and name.startswith(prefix)):
                    async for page in self._repositories(f"/projects/{quote(name, safe='')}/repositories", prefix):
                        yield page
        yield Page(())

    async def _repositories(self, path: str, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        query = {"sort": "name"}
        if prefix:
            if not _SEARCHABLE.issuperset(prefix):
                yield Page(())  # no path has such letters
                return
            query["q"] = f"name=~{prefix}"
        async for part in self._parts(path, query, _REPOSITORIES):
            rows = (repository_of(row) for row in part.rows)
            kept = tuple(row for row in rows if row is not None and row.path.startswith(prefix))
            yield Page(kept, None if prefix else part.total, part.stopped)

    async def _parts(self, path: str, query: dict[str, str], what: str) -> AsyncIterator[Part]:
        async def ask(number: int) -> Part:
            params = {**query, "page": str(number), "page_size": str(_SIZE)}
            answer = await self._ask(path, what, params=params, headers=_REPORTS, limit=_LARGEST_PAGE)
            return Part(read.objects(answer.json()), read.whole(answer.headers.get("X-Total-Count")))

        async for part in numbered(ask, size=_SIZE):
            yield part

    async def check(self) -> None:
        """As distribution; but `/v2/` is closed to strangers, who may see public projects all the same."""
        try:
            await super().check()
        except Unauthorized:
            if not await self.info() or self._api_auth.accepted is not None:
                raise

    # one image -----------------------------------------------------------------------------------------------

    async def head_manifest(self, repository: str, locator: str) -> ManifestHead:
        """As distribution; a project's policy may keep an image back. Raises Forbidden then."""
        with self._in_words(repository, reading=True):
            return await super().head_manifest(repository, locator)

    async def manifest(self, repository: str, locator: str) -> ImageManifest | Index:
        """As distribution; a project's policy may keep an image back. Raises Forbidden then."""
        with self._in_words(repository, reading=True):
            return await super().manifest(repository, locator)

    async def scan_report(self, repository: str, digest: Digest) -> ScanReport:
        """The newest report, of an index that of all its children; else how far the scan has come."""
        artifact = f"{self._place(repository)}/artifacts/{Digest.parse(digest)}"
        what = f"the scan report of {digest.short} in {repository}"
        path = f"{artifact}/additions/vulnerabilities"
        try:
            answer = await self._ask(path, what, headers=_REPORTS, limit=_LARGEST_REPORT)
            found = report_of(answer.json())
        except BadRequest:  # a chart and its like have no such addition
            found = None
        if found is not None:
            return found
        answer = await self._ask(artifact, what, params={**_DETAILS, "with_accessory": "false"}, headers=_REPORTS)
        return state_of(read.fields(answer.json()))

    async def trigger_scan(self, repository: str, digest: Digest) -> None:
        """Have it scanned for vulnerabilities. Raises Conflict when a scan is under way, Unsupported."""
        path = f"{self._place(repository)}/artifacts/{Digest.parse(digest)}/scan"
        try:
            what = f"a scan of {digest.short} in {repository}"
            await self._write("POST", path, what, b'{"scan_type":"vulnerability"}', expect=202)
        except Conflict as error:
            if error.status == 409:
                raise Conflict(
                    f"A scan of {digest.short} is under way already.", hint="Look again in a while.", host=self.host
                ) from error
            raise Unsupported(
                f"The project of {repository} has no scanner that is switched on.",
                hint="Who runs Harbor can set one under Interrogation Services.",
                host=self.host,
            ) from error
        except BadRequest as error:
            raise Unsupported(f"The project's scanner can't scan {digest.short}.", host=self.host) from error

    async def retention(self, repository: str) -> RetentionRules | None:
        """The policy of the project; None when it has none."""
        self.path(repository)
        project = repository.partition("/")[0]
        named = {"X-Is-Resource-Name": "true"}  # else a project called 42 would be the one with that number
        answer = await self._ask(f"/projects/{quote(project, safe='')}", f"project {project}", headers=named)
        number = read.whole(read.fields(read.fields(answer.json()).get("metadata")).get("retention_id"))
        if not number:
            return None
        what = f"the retention policy of {project}"
        return retention_of(read.fields((await self._ask(f"/retentions/{number}", what)).json()))

    # writes --------------------------------------------------------------------------------------------------

    async def put_manifest(self, repository: str, locator: str, manifest: Manifest) -> Digest:
        """As distribution. Raises Conflict where a rule makes the tag immutable, Forbidden over quota."""
        with self._in_words(repository):
            return await super().put_manifest(repository, locator, manifest)

    async def delete_tag(self, repository: str, tag: str) -> None:
        """The tag alone; the artifact stays, untagged. It is named by its digest, so that no other one is hit."""
        place = self._place(repository)
        self.manifest_path(repository, tag)  # refuses what is no tag
        if not is_tag(tag):
            raise NotFound(f"{repository} has no tag {tag[:128]!a}.", host=self.host)
        try:
            artifact = str((await self.head_manifest(repository, tag)).digest)
        except Forbidden:  # kept back by a policy, and still to be deleted
            artifact = tag
        with self._in_words(repository):
            await self._write("DELETE", f"{place}/artifacts/{artifact}/tags/{tag}", f"tag {tag} of {repository}")

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """The artifact with all of its tags, its untagged children and its signatures. Raises Conflict."""
        path = f"{self._place(repository)}/artifacts/{Digest.parse(digest)}"
        with self._in_words(repository):
            await self._write("DELETE", path, f"manifest {digest.short} of {repository}")

    async def delete_repository(self, repository: str) -> None:
        """All that is in it. Raises Conflict when a tag of it is immutable."""
        with self._in_words(repository):
            await self._write("DELETE", self._place(repository), f"repository {repository}")

    # the rest ------------------------------------------------------------------------------------------------

    def identity(self) -> Identity:
        """Who regtui is here: the registry has taken the credential, or the REST API knows the user."""
        name = self.client.signed_in_as or (self.api.signed_in_as if self._info else None)
        return Identity(name, "signed in" if name else "anonymous")

    def _place(self, repository: str) -> str:
        """The REST path of a repository. Raises InvalidReference, and NotFound for a path without a project."""
        self.path(repository)
        project, slash, name = repository.partition("/")
        if not slash:
            raise NotFound(
                f"{self.host} has no repository {repository}.",
                hint="Repositories of a Harbor lie in a project: project/name.",
                host=self.host,
            )
        return f"/projects/{quote(project, safe='')}/repositories/{quote(quote(name, safe=''), safe='')}"

    async def _ask(
        self,
        path: str,
        what: str,
        *,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        limit: int = 8 << 20,
    ) -> Answer:
        accepting = {"Accept": "application/json", **(headers or {})}
        return await self.api.request("GET", _API + path, params=params, headers=accepting, limit=limit, what=what)

    async def _write(self, method: str, path: str, what: str, body: bytes | None = None, *, expect: int = 200) -> None:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        wanted = frozenset({expect})
        await self.api.request(method, _API + path, headers=headers, content=body, expect=wanted, what=what)

    @contextmanager
    def _in_words(self, repository: str, *, reading: bool = False) -> Iterator[None]:
        """What Harbor refuses, in its own terms."""
        try:
            yield
        except RegistryError as error:
            said = in_words(error, self.host, repository, reading=reading)
            if said is None:
                raise
            raise said from error
