"""Docker Hub: its own API (hub.docker.com) for lists, search and deletes; the registry for content.

Source: docker/docs content/reference/api/hub and .../registry; docker/hub-tool and docker/hub-mcp for what is not
published there. Two services with two unrelated tokens. A GET of a manifest counts against the pull limit, a HEAD
and the Hub API do not: everything that a list shows comes from the latter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from regtui.oci import Digest, Platform
from regtui.oci.reference import is_repository_path, is_tag
from regtui.registries import fields as read
from regtui.registries.contract import (
    Capabilities,
    Capability,
    Identity,
    Page,
    RepositorySummary,
    Support,
    TagSummary,
    closing,
)
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.dockerhub_auth import HubAuth
from regtui.registries.numbered import Part, numbered
from regtui.transport.errors import (
    BadAnswer,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    ServerFault,
    Unauthorized,
    Unreachable,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_HUB: Final = "hub.docker.com"
_SIZE: Final = 100
_MOST_FOUND: Final = 10
"""Pages of search results: nobody reads the second thousand."""
_LARGEST_PAGE: Final = 32 << 20
_DELETED: Final = frozenset({200, 202, 204})
_OFFICIAL: Final = "library/"
_NO_SCANS: Final = "Docker Hub's API has no scan reports; SBOMs that hang on an image are shown with it."
_NO_RULES: Final = "Docker Hub has no retention rules."
_NO_BIN: Final = "Docker Hub keeps nothing that was deleted."
_IMMUTABLE: Final = "Its list does not tell which tags are immutable; Docker Hub refuses when one is."
_DEEP: Final = "Docker Hub shows the rest only to signed in users: regtui login docker.io"


class DockerHub(DistributionRegistry):
    """docker.io, by name or by one of its other names."""

    kind = "dockerhub"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.hub_auth = HubAuth(self.host)
        self.hub = self.client.beside(self.settings.api or _HUB, auth=self.hub_auth)
        self._own: tuple[str, ...] | None = None
        self._catalog = Support(True)  # the registry's catalog is closed to everybody

    async def capabilities(self) -> Capabilities:
        """What Docker Hub offers; which namespaces are the user's is asked once."""
        known = await super().capabilities()
        namespaces, down = await self._namespaces_or_why_not()
        lists = Support(bool(namespaces or self.settings.repositories), "" if namespaces else self._no_list().sentence)
        write = Support(None, "Your permissions on the repository decide.")
        if down is not None:
            write = Support(None, down)
        elif self.hub_auth.refused:
            write = Support(None, f"Docker Hub's own API refuses the sign-in: {self.hub_auth.refused}")
        elif self.hub.signed_in_as is None:
            write = Support(False, f"Sign in first: regtui login {self.host}")
        return Capabilities(
            {
                **known.support,
                Capability.LIST_REPOSITORIES: lists,
                Capability.SEARCH: Support(True),
                Capability.TAG_DETAILS: Support(True),
                Capability.PUSH: write,
                Capability.DELETE_TAG: write,
                Capability.DELETE_MANIFEST: write,
                Capability.DELETE_REPOSITORY: write,
                Capability.SCAN_REPORT: Support(False, _NO_SCANS),
                Capability.TRIGGER_SCAN: Support(False, _NO_SCANS),
                Capability.RETENTION: Support(False, _NO_RULES),
                Capability.IMMUTABLE_TAGS: Support(False, _IMMUTABLE),
                Capability.SOFT_DELETE: Support(False, _NO_BIN),
            }
        )

    async def _namespaces_or_why_not(self) -> tuple[tuple[str, ...], str | None]:
        """A network may let the registry through and not its API: content is read all the same."""
        try:
            return await self.namespaces(), None
        except (Unreachable, ServerFault) as error:
            return (), error.sentence

    async def namespaces(self) -> tuple[str, ...]:
        """Where repositories are listed without being named: those of the settings, else the user's own and orgs."""
        if self.settings.namespaces:
            return self.settings.namespaces
        if self._own is None:
            try:
                answer = await self.hub.request("GET", "/v2/user/orgs", params={"page": "1", "page_size": str(_SIZE)})
            except (Unauthorized, Forbidden, NotFound):
                found: list[str | None] = []
            else:
                rows = read.objects(read.fields(answer.json()).get("results"))
                found = [read.text(row.get("orgname")) or read.text(row.get("name")) for row in rows]
            mine = self.hub.signed_in_as
            self._own = tuple(dict.fromkeys(name for name in (mine, *found) if name and is_repository_path(name)))
        return self._own

    # lists ---------------------------------------------------------------------------------------------------

    async def repositories(self, prefix: str = "") -> AsyncIterator[Page[RepositorySummary]]:
        """Those of a namespace: the prefix's, or the known ones. Raises Unsupported when there is none."""
        known = [name for name in await self.namespaces() if f"{name}/".startswith(prefix)]
        namespace = prefix.partition("/")[0]
        wanted = list(dict.fromkeys([*([namespace] if is_repository_path(namespace) else []), *known]))
        pinned = tuple(RepositorySummary(path) for path in self.settings.repositories if path.startswith(prefix))
        if not wanted and not pinned and not prefix:
            raise self._no_list()
        if pinned:
            yield Page(pinned, stopped=None if wanted else self._no_list().sentence)
        seen = {repository.path for repository in pinned}
        for name in wanted:
            async for page in self._of_namespace(name, prefix):
                new = tuple(repository for repository in page.items if repository.path not in seen)
                yield Page(new, page.total if len(wanted) == 1 and not pinned else None, page.stopped)
        if not wanted:
            yield Page(())

    async def _of_namespace(self, namespace: str, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        path = f"/v2/namespaces/{quote(namespace, safe='')}/repositories"
        is_whole = f"{namespace}/".startswith(prefix)
        try:
            async for part in self._parts(path, {"ordering": "name"}, f"the repositories of {namespace}"):
                rows = (_repository_of(namespace, row) for row in part.rows)
                kept = tuple(row for row in rows if row is not None and row.path.startswith(prefix))
                yield Page(kept, part.total if is_whole else None, part.stopped)
        except (NotFound, BadRequest):
            yield Page(())  # nobody has this name

    async def search(self, text: str) -> AsyncIterator[Page[RepositorySummary]]:
        """All public images, in Docker Hub's own order. Neither of its two searches is a published API."""
        wanted = text.strip().removeprefix(_OFFICIAL)
        if not wanted:
            yield Page(())
            return

        async def newer(number: int) -> Part:
            params = {"query": wanted, "from": str((number - 1) * _SIZE), "size": str(_SIZE)}
            return await self._found("/api/search/v4", params, "total", number)

        async def older(number: int) -> Part:
            params = {"query": wanted, "page": str(number), "page_size": str(_SIZE)}
            return await self._found("/v2/search/repositories/", params, "count", number)

        told = False
        try:
            async for part in numbered(newer, size=_SIZE, most=_MOST_FOUND):
                told = True
                yield Page(_hits(part))
        except (NotFound, BadRequest, BadAnswer, Forbidden, Unsupported):
            if told:
                raise
        else:
            return
        async for part in numbered(older, size=_SIZE, most=_MOST_FOUND):
            yield Page(_hits(part))

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """100 tags with everything in one request, several at once, newest first.

        Anonymous users are refused after some pages: the list ends there and says so. It does not go on by name,
        since finding out about those would use up the pull limit. Where only the registry can be reached, names it is.
        """
        path = f"{self._place(repository)}/tags"
        seen: set[str] = set()
        try:
            async with closing(self._parts(path, {}, f"the tags of {repository}")) as parts:
                async for part in parts:
                    rows = tuple(row for row in map(_tag_of, part.rows) if row is not None and row.name not in seen)
                    seen.update(row.name for row in rows)
                    yield Page(rows, part.total, part.stopped)
        except (Unreachable, ServerFault):
            if seen:
                raise
            async for page in super().tags(repository):
                yield page

    async def _parts(self, path: str, query: dict[str, str], what: str) -> AsyncIterator[Part]:
        async def ask(number: int) -> Part:
            params = {**query, "page": str(number), "page_size": str(_SIZE)}
            try:
                answer = await self.hub.request("GET", path, params=params, limit=_LARGEST_PAGE, what=what)
            except Forbidden as error:
                if number == 1:
                    raise
                return Part([], stopped=_DEEP if self.hub.signed_in_as is None else error.sentence)
            except NotFound:
                if number == 1:
                    raise
                return Part([])  # a page behind the end
            body = read.fields(answer.json())
            return Part(read.objects(body.get("results")), read.whole(body.get("count")), bool(body.get("next")))

        async for part in numbered(ask, size=_SIZE):
            yield part

    async def _found(self, path: str, params: dict[str, str], total: str, number: int) -> Part:
        answer = await self.hub.request("GET", path, params=params, limit=_LARGEST_PAGE, what="its search")
        body = read.fields(answer.json())
        rows = read.objects(body.get("results"))
        return Part(rows, more=number * _SIZE < (read.whole(body.get(total)) or 0))

    # writes --------------------------------------------------------------------------------------------------

    async def delete_tag(self, repository: str, tag: str) -> None:
        """The tag alone, by the Hub API: the registry's own delete is for manifests only. Raises NotFound."""
        namespace, name = self._parted(repository)
        self.manifest_path(repository, tag)  # refuses what is no tag
        if not is_tag(tag):
            raise NotFound(f"{repository} has no tag {tag[:128]!a}.", host=self.host)
        path = f"/v2/repositories/{namespace}/{name}/tags/{tag}/"
        await self.hub.request("DELETE", path, expect=_DELETED, what=f"tag {tag} of {repository}")

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Its tags first, each by itself, and then the manifest: Docker Hub keeps what something refers to.

        Raises Conflict when an index still holds it, NotFound.
        """
        digest = Digest.parse(digest)
        await self.head_manifest(repository, digest)
        async with closing(self.tags(repository)) as pages:
            names = [tag.name async for page in pages for tag in page.items if tag.digest == digest]
        for name in names:
            await self.delete_tag(repository, name)
        try:
            await super().delete_manifest(repository, digest)
        except Forbidden as error:
            raise Conflict(
                f"Docker Hub keeps {digest.short} of {repository}.",
                hint="An index still holds it (delete that first), or you may not delete here.",
                host=self.host,
                status=error.status,
                detail=error.detail,
            ) from error

    async def delete_repository(self, repository: str) -> None:
        """The repository with all that is in it, by the Hub API."""
        namespace, name = self._parted(repository)
        path = f"/v2/repositories/{namespace}/{name}/"
        await self.hub.request("DELETE", path, expect=_DELETED, what=f"repository {repository}")

    def delete_scope(self, repository: str) -> str:
        """All three: a token with `delete` alone is refused."""
        return f"repository:{repository}:pull,push,delete"

    # the rest ------------------------------------------------------------------------------------------------

    def identity(self) -> Identity:
        """Who regtui is here, and what is left of the pull limit; nothing is told where there is no limit."""
        known = super().identity()
        name = known.name or self.hub.signed_in_as
        return Identity(name, "signed in" if name else "anonymous", known.rate_limit, known.rate_remaining)

    def _parted(self, repository: str) -> tuple[str, str]:
        self.path(repository)  # refuses what is no repository
        namespace, _, name = repository.partition("/")
        if not name or "/" in name:
            raise NotFound(
                f"Docker Hub has no repository {repository}.",
                hint="Its repositories have two parts: namespace/name, or library/name for official images.",
                host=self.host,
            )
        return namespace, name

    def _place(self, repository: str) -> str:
        namespace, name = self._parted(repository)
        return f"/v2/namespaces/{namespace}/repositories/{name}"

    def _no_list(self) -> Unsupported:
        return Unsupported(
            "Docker Hub lists repositories by namespace only.",
            hint=f"Name one (regtui repos {self.host}/library), search (regtui search {self.host} TEXT), "
            "sign in to see your own, or set `namespaces` in the settings.",
            host=self.host,
        )


def _repository_of(namespace: str, row: Mapping[str, Any]) -> RepositorySummary | None:
    path = f"{read.text(row.get('namespace')) or namespace}/{read.text(row.get('name')) or ''}"
    if not is_repository_path(path):
        return None
    return RepositorySummary(
        path,
        size=read.whole(row.get("storage_size")),
        updated=read.moment(row.get("last_updated")),
        description=read.text(row.get("description")),
    )


def _hits(part: Part) -> tuple[RepositorySummary, ...]:
    """Results of either search; official images may come without their namespace."""
    found = []
    for row in part.rows:
        name = read.text(row.get("name")) or read.text(row.get("repo_name")) or ""
        path = name if "/" in name else _OFFICIAL + name
        if is_repository_path(path):
            about = read.text(row.get("short_description"))
            found.append(RepositorySummary(path, updated=read.moment(row.get("updated_at")), description=about))
    return tuple(found)


def _tag_of(row: Mapping[str, Any]) -> TagSummary | None:
    """A tag; its size is that of all platforms' images, of which attestations are none."""
    name = read.text(row.get("name"))
    if name is None or not is_tag(name):
        return None
    images = [image for image in read.objects(row.get("images")) if image.get("os") != "unknown"]
    sizes = [size for image in images if (size := read.whole(image.get("size"))) is not None]
    whole = sum(sizes) if images and len(sizes) == len(images) else None
    return TagSummary(
        name,
        digest=read.digest(row.get("digest")),
        media_type=read.text(row.get("media_type")),
        size=read.whole(row.get("full_size")) if not images else whole,
        pushed=read.moment(row.get("tag_last_pushed")) or read.moment(row.get("last_updated")),
        pulled=read.moment(row.get("tag_last_pulled")),
        platforms=tuple(dict.fromkeys(filter(None, map(_platform_of, images)))) if images else None,
    )


def _platform_of(image: Mapping[str, Any]) -> Platform | None:
    system, machine = read.text(image.get("os")), read.text(image.get("architecture"))
    if system is None or machine is None:
        return None
    return Platform(system, machine, read.text(image.get("variant")) or "", read.text(image.get("os_version")) or "")
