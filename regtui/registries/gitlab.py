"""GitLab's container registry: distribution, GitLab's own API beside it, and the REST API of the GitLab it belongs to.

Source: docs.gitlab.com (api/container_registry), gitlab-org/container-registry docs/spec/gitlab/api.md. Two hosts: the
registry, and the GitLab whose `/jwt/auth` it names. With a metadata database, the registry has an API of its own under
`/gitlab/v1`. A repository's path starts with that of its project.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from regtui.oci.reference import is_host, is_repository_path, is_tag
from regtui.registries import fields as read
from regtui.registries.contract import (
    Capabilities,
    Capability,
    Page,
    RepositorySummary,
    RetentionRules,
    Support,
    TagSummary,
)
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.numbered import Part, numbered
from regtui.registries.pages import Pager
from regtui.transport.auth import CredentialAuth
from regtui.transport.challenge import read_challenges
from regtui.transport.errors import Conflict, Forbidden, NotFound, Unauthorized, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from regtui.credentials.values import Credential
    from regtui.transport.client import RegistryClient
    from regtui.transport.exchange import Answer

_REST: Final = "/api/v4"
_OWN: Final = "/gitlab/v1"
_SIZE: Final = 100
_ROWS: Final = 1_000
"""Tags of one page of the registry's own API; it sends no more."""
_LARGEST_PAGE: Final = 16 << 20
_MOST_TRIES: Final = 20
_KEPT_BACK: Final = (Unauthorized, Forbidden)
_DATABASE: Final = "gitlab-container-registry-database-enabled"
_JOB: Final = "gitlab-ci-token"
_DELETED: Final = frozenset({200, 202, 204})
_BY_ROLE: Final = Support(None, "Your role in the project decides.")
_NO_SEARCH: Final = "GitLab has no search over its registry; the list is filtered here."
_NO_SCANS: Final = "GitLab's scans belong to pipelines and are not kept with the image."
_NO_BIN: Final = "GitLab restores nothing; pushing it again works until its collection, about a day later."
_RULES: Final = "Its list does not tell which tags are protected or immutable; GitLab refuses when one is."


@dataclass(frozen=True, slots=True)
class _Entry:
    """A repository as the REST API knows it."""

    number: int
    project: int
    path: str


class GitLabRegistry(DistributionRegistry):
    """gitlab.com's registry, or one's own."""

    kind = "gitlab"
    pause = 1.0
    """Seconds between two looks whether a repository is gone: GitLab only queues its end."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._rest: RegistryClient | None = None
        self._has_database: bool | None = None
        self._catalog = Support(True)  # for the administrators of an instance only: GitLab's lists are used

    async def capabilities(self) -> Capabilities:
        """What GitLab offers; whether the registry has a database, and whether the REST API is open, is asked once."""
        known = await super().capabilities()
        details = Support(True)
        if not await self.has_database():
            details = Support(False, "This registry has no metadata database: tags are listed by name.")
        lists, rest = Support(True), _BY_ROLE
        try:
            await self._ask("/user", "who one is")
        except (NotFound, *_KEPT_BACK):
            reason = f"It needs a token for GitLab's API (scope read_api or api): regtui login {self.host}"
            rest = Support(False, reason)
            pinned = bool(self.settings.repositories or self.settings.namespaces)
            lists = Support(pinned, "" if pinned else reason)
        return Capabilities(
            {
                **known.support,
                Capability.LIST_REPOSITORIES: lists,
                Capability.SEARCH: Support(False, _NO_SEARCH),
                Capability.TAG_DETAILS: details,
                Capability.DELETE_TAG: _BY_ROLE,
                Capability.DELETE_MANIFEST: _BY_ROLE,
                Capability.DELETE_REPOSITORY: rest,
                Capability.SCAN_REPORT: Support(False, _NO_SCANS),
                Capability.TRIGGER_SCAN: Support(False, _NO_SCANS),
                Capability.RETENTION: rest,
                Capability.IMMUTABLE_TAGS: Support(False, _RULES),
                Capability.SOFT_DELETE: Support(False, _NO_BIN),
            }
        )

    async def has_database(self) -> bool:
        """Whether the registry has its own API: by its greeting, else by asking once."""
        if self._has_database is None:
            said = (await self._greeting(_DATABASE)).lower()
            self._has_database = said == "true" if said in {"true", "false"} else await self._probe()
        return self._has_database

    async def _probe(self) -> bool:
        try:
            await self.client.request("GET", f"{_OWN}/", expect=frozenset({200, 401}))
        except (NotFound, Unsupported):
            return False
        except _KEPT_BACK:
            return True
        return True

    async def _greeting(self, field: str) -> str:
        """A field of the registry's first answer."""
        if self.client.greeting is None:
            with suppress(*_KEPT_BACK):  # it greeted all the same
                await self.check()
        return self.client.greeting[1].get(field, "") if self.client.greeting is not None else ""

    async def rest(self) -> RegistryClient:
        """GitLab's REST API: on the host that the settings name, else where the registry sends for its tokens."""
        if self._rest is None:
            host = self.settings.api or await self._home()
            self._rest = self.client.beside(host, auth=CredentialAuth(_signed))
        return self._rest

    async def _home(self) -> str:
        for challenge in read_challenges([await self._greeting("www-authenticate")]):
            parts = urlsplit(challenge.parameters.get("realm", ""))
            if parts.path.endswith("/jwt/auth") and is_host(parts.netloc):
                return parts.netloc
        raise Unsupported(
            f"{self.host} does not say which GitLab it belongs to.",
            hint=f'Set `api = "gitlab.example.com"` for {self.host} in the settings.',
            host=self.host,
        )

    # lists ---------------------------------------------------------------------------------------------------

    async def repositories(self, prefix: str = "") -> AsyncIterator[Page[RepositorySummary]]:
        """Those below the prefix's group or project, the settings' namespaces, or the projects one is a member of."""
        pinned = tuple(RepositorySummary(path) for path in self.settings.repositories if path.startswith(prefix))
        seen = {repository.path for repository in pinned}
        yield Page(pinned)
        try:
            async for part in self._wanted(prefix):
                rows = [row for row in map(_repository_of, part) if row is not None and row.path not in seen]
                kept = tuple(row for row in rows if row.path.startswith(prefix))
                seen.update(row.path for row in kept)
                yield Page(kept)
        except _KEPT_BACK as error:
            if not pinned:
                raise Unsupported(
                    f"{self.host} lists repositories only with a token for GitLab's API.",
                    hint=f"Sign in with one of the scope read_api, or name a repository: {self.host}/group/project",
                    host=self.host,
                    status=error.status,
                ) from error
            yield Page((), stopped="The rest is listed only with a token for GitLab's API (scope read_api).")

    async def _wanted(self, prefix: str) -> AsyncIterator[list[dict[str, Any]]]:
        folder = prefix.rpartition("/")[0]
        if folder and is_repository_path(folder):
            names = [folder]
        else:
            names = [name for name in self.settings.namespaces if f"{name}/".startswith(prefix)]
            if is_repository_path(prefix) and prefix not in names:
                names.append(prefix)
        if names:
            told = False
            for name in names:
                async for rows in self._below(name):
                    told = told or bool(rows)
                    yield rows
            if told or folder or not prefix:
                return
            # The prefix may be the beginning of a name.
        groups: dict[str, list[str]] = {}
        async for part in self._parts("/projects", {"membership": "true", "simple": "true"}):
            for row in part.rows:
                path = read.text(row.get("path_with_namespace")) or ""
                groups.setdefault(path.partition("/")[0], []).append(path)
        for name, projects in groups.items():
            async for rows in self._of_group(name, projects):
                yield rows

    async def _of_group(self, name: str, projects: list[str]) -> AsyncIterator[list[dict[str, Any]]]:
        """A whole group tree at once; project by project where it is a user's, or not all of it is one's to see."""
        try:
            async for part in self._parts(f"/groups/{_encoded(name)}/registry/repositories"):
                yield part.rows
        except (NotFound, Forbidden):
            for project in projects:
                async for rows in self._of_project(project):
                    yield rows

    async def _below(self, name: str) -> AsyncIterator[list[dict[str, Any]]]:
        """What lies below a path: of a group, else of a project, else of the project that the path is in."""
        try:
            async for part in self._parts(f"/groups/{_encoded(name)}/registry/repositories"):
                yield part.rows
        except NotFound:
            while name:
                found = False
                async for rows in self._of_project(name):
                    found = True
                    yield rows
                name = "" if found else name.rpartition("/")[0]

    async def _of_project(self, project: str) -> AsyncIterator[list[dict[str, Any]]]:
        """A project's repositories; nothing where there is no such project, or its registry is off."""
        try:
            path = f"/projects/{_encoded(project)}/registry/repositories"
            async for part in self._parts(path, {"tags_count": "true"}):
                yield part.rows
        except (NotFound, Forbidden):
            return

    async def _parts(self, path: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Part]:
        async def ask(number: int) -> Part:
            params = {**(query or {}), "page": str(number), "per_page": str(_SIZE)}
            answer = await self._ask(path, "the list of repositories", params=params)
            more = bool(answer.headers.get("X-Next-Page", "").strip())
            # Totals are left out above 10,000.
            return Part(read.objects(answer.json()), read.whole(answer.headers.get("X-Total")), more)

        async for part in numbered(ask, size=_SIZE):
            yield part

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """1,000 tags with digest, size and date in one request where the registry has a database; else by name."""
        self.path(repository)  # refuses what is no repository
        if not await self.has_database():
            async for page in super().tags(repository):
                yield page
            return
        path, scope = f"{_OWN}/repositories/{repository}/tags/list/", self.pull_scope(repository)
        pager = Pager({"n": str(_ROWS)})
        while pager.query is not None:
            answer = await self.client.request(
                "GET", path, params=pager.query, scope=scope, limit=_LARGEST_PAGE, what=f"the tags of {repository}"
            )
            rows = {row.name: row for row in map(_tag_of, read.objects(answer.json())) if row is not None}
            link = answer.headers.get("Link")
            new = pager.take(list(rows), link)
            total = len(new) if link is None and pager.pages == 1 else None
            yield Page(tuple(rows[name] for name in new), total, pager.stopped)

    # one repository ------------------------------------------------------------------------------------------

    async def retention(self, repository: str) -> RetentionRules | None:
        """The cleanup policy of the project; None when it has none."""
        entry = await self._entry(repository)
        body = read.fields((await self._ask(f"/projects/{entry.project}", f"the project of {repository}")).json())
        policy = read.fields(body.get("container_expiration_policy"))
        return _retention_of(policy) if policy else None

    async def delete_tag(self, repository: str, tag: str) -> None:
        """The tag alone: as distribution since GitLab 16.4, before that by GitLab's own path."""
        try:
            await super().delete_tag(repository, tag)
        except Unsupported:
            path = self.path(repository, "tags", "reference", tag)
            await self.client.request("DELETE", path, scope=self.delete_scope(repository), expect=_DELETED)
            self._delete_tag = Support(True)

    async def delete_repository(self, repository: str) -> None:
        """With all that is in it. GitLab only queues it: looks until it is gone. Raises Conflict while it is not."""
        entry = await self._entry(repository)
        path = f"/projects/{entry.project}/registry/repositories/{entry.number}"
        what = f"repository {repository}"
        await (await self.rest()).request("DELETE", _REST + path, expect=_DELETED, what=what)
        for _ in range(_MOST_TRIES):
            try:
                await self._ask(f"/registry/repositories/{entry.number}", what)
            except NotFound:
                return
            await asyncio.sleep(self.pause)
        raise Conflict(
            f"GitLab has taken the order to delete {repository}, and not carried it out yet.",
            hint="Look again in a while.",
            host=self.host,
        )

    async def _entry(self, repository: str) -> _Entry:
        """What the REST API calls a repository. Raises NotFound, and Unsupported without a token for that API."""
        self.path(repository)
        try:
            async for rows in self._below(repository):
                for row in rows:
                    number, project = read.whole(row.get("id")), read.whole(row.get("project_id"))
                    if row.get("path") == repository and number is not None and project is not None:
                        return _Entry(number, project, repository)
        except _KEPT_BACK as error:
            raise Unsupported(
                f"{self.host} does this only with a token for GitLab's API.",
                hint=f"Sign in with a token of the scope api: regtui login {self.host}",
                host=self.host,
                status=error.status,
            ) from error
        raise NotFound(f"{self.host} has no repository {repository}.", host=self.host)

    # the rest ------------------------------------------------------------------------------------------------

    async def _ask(self, path: str, what: str, *, params: Mapping[str, str] | None = None) -> Answer:
        client = await self.rest()
        headers = {"Accept": "application/json"}
        try:
            return await client.request(
                "GET", _REST + path, params=params, headers=headers, limit=_LARGEST_PAGE, what=what
            )
        except _KEPT_BACK as error:
            if error.code is None:
                error.hint = f"GitLab's API wants a token of the scope read_api or api: regtui login {self.host}"
            raise


def _signed(credential: Credential) -> dict[str, str]:
    """A personal, group, project or job token; a user's password is none, and opens nothing there."""
    if not credential.password:
        return {}
    field = "job_token" if credential.username == _JOB else "private_token"
    return {field: credential.password.reveal()}


def _encoded(path: str) -> str:
    return quote(path, safe="")


def _repository_of(row: Mapping[str, Any]) -> RepositorySummary | None:
    path = read.text(row.get("path"))
    if path is None or not is_repository_path(path):
        return None
    return RepositorySummary(path, tags=read.whole(row.get("tags_count")), size=read.whole(row.get("size")))


def _tag_of(row: Mapping[str, Any]) -> TagSummary | None:
    """A row of the registry's own list; the sizes of some indexes are not told, and no platforms."""
    name = read.text(row.get("name"))
    if name is None or not is_tag(name):
        return None
    published = read.moment(row.get("published_at")) or read.moment(row.get("updated_at"))
    return TagSummary(
        name,
        digest=read.digest(row.get("digest")),
        media_type=read.text(row.get("media_type")),
        size=read.whole(row.get("size_bytes")),
        pushed=published or read.moment(row.get("created_at")),
    )


def _retention_of(policy: Mapping[str, Any]) -> RetentionRules:
    keeps, older = read.whole(policy.get("keep_n")), read.text(policy.get("older_than"))
    removed, kept = read.text(policy.get("name_regex")), read.text(policy.get("name_regex_keep"))
    sentences = [f"Remove tags that match {removed or '.*'}{f' and are older than {older}' if older else ''}."]
    if keeps:
        sentences.append(f"Keep the {keeps} newest of each image.")
    if kept:
        sentences.append(f"Keep tags that match {kept}.")
    sentences.append(f"It runs every {read.text(policy.get('cadence')) or 'now and then'}; `latest` always stays.")
    return RetentionRules("gitlab", dict(policy), tuple(sentences), read.flag(policy.get("enabled")))
