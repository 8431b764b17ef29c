"""GitHub's REST API of packages: who owns them, what they are, their versions.

Source: GitHub's OpenAPI description (packages), and what ghcr-cleanup-action does. A version is a manifest by digest
with the tags that point to it. All of it needs a classic personal access token, for public packages, too.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from regtui.oci.reference import is_repository_path, is_tag
from regtui.registries import fields as read
from regtui.registries.contract import DeletedManifest, RepositorySummary, TagSummary
from regtui.registries.pages import parse_links
from regtui.transport.auth import CredentialAuth, password_as_bearer
from regtui.transport.errors import CredentialRefused, Forbidden, NotFound, RateLimited, Unauthorized

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from regtui.oci import Digest
    from regtui.transport.client import RegistryClient
    from regtui.transport.exchange import Answer
    from regtui.transport.rate import RateLimit

HOST: Final = "ghcr.io"
_PAGE: Final = 100
_AT_ONCE: Final = 5
"""Pages asked for at the same time: GitHub slows bursts down."""
_MOST_PAGES: Final = 10_000
_KEPT_FOR: Final = timedelta(days=30)
_HEADERS: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_OK: Final = frozenset({200})
_DONE: Final = frozenset({204})
READ: Final = "read:packages"
DELETE: Final = "delete:packages"
WRITE: Final = "write:packages"


@dataclass(frozen=True, slots=True)
class Version:
    """A manifest in a package, with its tags."""

    id: int
    digest: Digest
    tags: tuple[str, ...]
    created: Any
    deleted: Any

    def rows(self) -> tuple[TagSummary, ...]:
        """A row per tag; one named by the digest when there is none. GitHub tells the time of the digest alone."""
        pushed = read.moment(self.created)
        names = self.tags or (str(self.digest),)
        return tuple(TagSummary(name, digest=self.digest, pushed=pushed) for name in names)

    def as_deleted(self) -> DeletedManifest:
        """The same as something that can be restored, for 30 days."""
        when = read.moment(self.deleted)
        until = when + _KEPT_FOR if when is not None else None
        return DeletedManifest(self.digest, self.tags, deleted=when, kept_until=until, locator=str(self.id))


class GithubPackages:
    """Calls of the REST API, as the owner of one token."""

    def __init__(self, client: RegistryClient, api_host: str | None) -> None:
        """`api_host` is what the settings say; None finds the API that belongs to the registry's host."""
        self._auth = CredentialAuth(password_as_bearer, host=client.host)
        own = client.host.removeprefix("containers.")
        is_enterprise = client.host != HOST and api_host is None
        self._prefix = "/api/v3" if is_enterprise else ""
        self._client = client.beside(api_host or (own if is_enterprise else "api.github.com"), auth=self._auth)
        self._login: str | None = None
        self._is_known = False
        self._owners: dict[str, str] = {}
        self.scopes: frozenset[str] | None = None
        """What the token may do; None where GitHub does not tell."""

    @property
    def rate(self) -> RateLimit | None:
        """What is left of the hour's requests."""
        return self._client.rate

    async def login(self) -> str | None:
        """The token's owner; None without a token, and for a token that is no person's. Raises CredentialRefused."""
        if not self._is_known:
            try:
                answer = await self._ask("GET", "/user")
            except CredentialRefused:
                raise
            except (Unauthorized, Forbidden, NotFound):
                pass  # nobody, or a workflow's token, which is no person's
            else:
                self._login = read.text(read.fields(answer.json()).get("login"))
                told = answer.headers.get("X-OAuth-Scopes")
                self.scopes = None if told is None else frozenset(part.strip() for part in told.split(","))
            self._is_known = True
        return self._login

    @property
    def has_token(self) -> bool:
        """Whether GitHub has taken a token; known after `login`."""
        return self._auth.accepted is not None

    def may(self, scope: str) -> bool | None:
        """Whether the token has a scope (`write:packages` includes reading); None where GitHub does not tell."""
        if self.scopes is None:
            return None
        return scope in self.scopes or (scope == READ and WRITE in self.scopes)

    async def packages(self, owner: str) -> AsyncIterator[tuple[list[RepositorySummary], int | None]]:
        """The container packages of an owner, page by page, with the number of pages. Raises NotFound."""
        path = f"{await self._base(owner)}/packages"
        async for rows, last in self._pages(path, {"package_type": "container"}):
            yield [row for one in rows if (row := _package(owner, one)) is not None], last

    async def versions(self, repository: str, state: str = "active") -> AsyncIterator[list[Version]]:
        """The versions of a package, the newest first. Raises NotFound, which stands for a lack of rights, too."""
        path = f"{await self._package_path(repository)}/versions"
        async for rows, _ in self._pages(path, {"state": state}):
            yield [version for row in rows if (version := _version(row)) is not None]

    async def delete_version(self, repository: str, ident: int) -> None:
        """Remove a version with all of its tags. Raises NotFound, Forbidden."""
        await self._ask("DELETE", f"{await self._package_path(repository)}/versions/{ident}", expect=_DONE)

    async def delete_package(self, repository: str) -> None:
        """Remove a package with every version. Raises NotFound, Forbidden."""
        await self._ask("DELETE", await self._package_path(repository), expect=_DONE)

    async def restore_version(self, repository: str, ident: int) -> None:
        """Bring a deleted version back with its tags. Raises NotFound, Forbidden."""
        path = f"{await self._package_path(repository)}/versions/{ident}/restore"
        await self._ask("POST", path, expect=_DONE)

    async def _package_path(self, repository: str) -> str:
        owner, _, name = repository.partition("/")
        return f"{await self._base(owner)}/packages/container/{quote(name, safe='')}"

    async def _base(self, owner: str) -> str:
        """Where an owner's packages are: private ones of one's own have a place of their own."""
        if owner not in self._owners:
            login = await self.login()
            if login is not None and owner == login.lower():
                self._owners[owner] = "/user"
            else:
                about = read.fields((await self._ask("GET", f"/users/{quote(owner, safe='')}")).json())
                group = "orgs" if about.get("type") == "Organization" else "users"
                self._owners[owner] = f"/{group}/{quote(owner, safe='')}"
        return self._owners[owner]

    async def _pages(
        self, path: str, query: Mapping[str, str]
    ) -> AsyncIterator[tuple[list[dict[str, Any]], int | None]]:
        """The first page tells the last; those between are asked for some at a time, and given in their order."""
        rows, last = await self._page(path, query, 1)
        yield rows, last
        numbers = list(range(2, min(last or 1, _MOST_PAGES) + 1))
        for start in range(0, len(numbers), _AT_ONCE):
            asked = (self._page(path, query, number) for number in numbers[start : start + _AT_ONCE])
            for rows, _ in await asyncio.gather(*asked):
                yield rows, last

    async def _page(self, path: str, query: Mapping[str, str], number: int) -> tuple[list[dict[str, Any]], int | None]:
        answer = await self._ask("GET", path, params={**query, "per_page": str(_PAGE), "page": str(number)})
        return read.objects(answer.json()), _last_page(answer.headers.get("Link"))

    async def _ask(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, expect: frozenset[int] = _OK
    ) -> Answer:
        answer = await self._client.request(
            method,
            self._prefix + path,
            params=params,
            headers=_HEADERS,
            content=b"" if method == "POST" else None,
            expect=expect | {403, 404},
        )
        if answer.status in expect:
            return answer
        raise self._refusal(answer)

    def _refusal(self, answer: Answer) -> Forbidden | NotFound | RateLimited:
        said = read.text(read.fields(answer.json()).get("message")) if answer.body.startswith(b"{") else None
        facts: dict[str, Any] = {"host": self._client.host, "status": answer.status, "detail": said}
        needed, has = answer.headers.get("X-Accepted-OAuth-Scopes"), answer.headers.get("X-OAuth-Scopes")
        if answer.status == 404:
            hint = "It may also be a lack of rights: organisation packages want admin rights, and a classic token."
            return NotFound("GitHub has no such package, version or owner.", hint=hint, **facts)
        wait = read.whole(answer.headers.get("Retry-After"))
        if wait is not None or answer.headers.get("X-RateLimit-Remaining") == "0":
            hint = f"Try again in {wait} s." if wait else "The limit is per hour: try again later."
            return RateLimited("GitHub takes no more requests for now.", retry_after=wait, hint=hint, **facts)
        hint = "Only classic personal access tokens work here, no fine-grained ones."
        if needed:
            hint = f"The token needs {needed[:200]}; it has {has[:200] if has else 'none'}. {hint}"
        return Forbidden("GitHub does not allow this to your token.", hint=hint, **facts)


def _last_page(header: str | None) -> int | None:
    """The number of the last page by a Link header; None on a single page."""
    for link in parse_links(header):
        if "last" in link.relations:
            return read.whole(next(iter(parse_qs(urlsplit(link.target).query).get("page", [])), None))
    return None


def _package(owner: str, row: Mapping[str, Any]) -> RepositorySummary | None:
    path = f"{owner}/{(read.text(row.get('name')) or '').lower()}"
    if not is_repository_path(path):
        return None
    source = read.text(read.fields(row.get("repository")).get("full_name"))
    about = ", ".join(filter(None, (read.text(row.get("visibility")), f"of {source}" if source else None)))
    return RepositorySummary(path, updated=read.moment(row.get("updated_at")), description=about or None)


def _version(row: Mapping[str, Any]) -> Version | None:
    ident, digest = read.whole(row.get("id")), read.digest(row.get("name"))
    if ident is None or digest is None:
        return None
    container = read.fields(read.fields(row.get("metadata")).get("container"))
    tags = tuple(tag for tag in read.texts(container.get("tags")) if is_tag(tag))
    return Version(ident, digest, tags, row.get("created_at"), row.get("deleted_at"))
