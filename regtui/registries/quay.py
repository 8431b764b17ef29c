"""Quay (quay.io, Red Hat Quay, Project Quay): its REST API for lists, history and scans, distribution for content.

Source: quay/quay, endpoints/v2 and endpoints/api. What signs in to the registry (users, robots, app tokens) does not
sign in to the REST API: only an OAuth access token, given as the password of the user `$oauthtoken`, opens both.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest, Index
from regtui.oci.reference import is_repository_path
from regtui.registries import fields as read
from regtui.registries.contract import (
    Capabilities,
    Capability,
    Identity,
    Page,
    Referrers,
    RepositorySummary,
    Support,
)
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.numbered import Part, numbered
from regtui.registries.quay_rows import deleted_of, merged, report_of, repository_of, retention_of, tag_of
from regtui.transport.auth import CredentialAuth, bearer
from regtui.transport.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthorized, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.credentials.values import Credential
    from regtui.oci import Manifest
    from regtui.registries.contract import DeletedManifest, RetentionRules, ScanReport, TagSummary
    from regtui.transport.exchange import Answer

_API: Final = "/api/v1"
_OAUTH: Final = "$oauthtoken"
_SIZE: Final = 100
"""Entries of a page, everywhere."""
_MOST_HISTORY: Final = 100
"""Pages of a tag history that are read for what was deleted."""
_MOST_FOUND: Final = 10
_MOST_PLATFORMS: Final = 32
_LARGEST_REPORT: Final = 64 << 20
_KEPT_BACK: Final = (Unauthorized, Forbidden)
_BY_RIGHTS: Final = Support(None, "Your rights on the repository decide.")
_BY_ITSELF: Final = "Quay scans every image by itself; a scan can't be asked for."


@dataclass(frozen=True, slots=True)
class _Account:
    """Who the OAuth token is of; no name without one."""

    name: str | None
    namespaces: tuple[str, ...] = ()


class QuayRegistry(DistributionRegistry):
    """A Quay."""

    kind = "quay"
    page_size = _SIZE
    sends_all_tags = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.api = self.client.beside(self.settings.api, auth=CredentialAuth(_signed))
        self._account: _Account | None = None

    async def capabilities(self) -> Capabilities:
        """What Quay offers; who the user is to the REST API is asked once."""
        account = await self.account()
        known = await super().capabilities()
        needs_token = Support(False, self._needs_token().sentence)
        by_token = _BY_RIGHTS if account.name else needs_token
        lists = Support(True) if self.settings.namespaces or account.name else known[Capability.LIST_REPOSITORIES]
        return Capabilities(
            {
                **known.support,
                Capability.LIST_REPOSITORIES: lists,
                Capability.SEARCH: Support(True),
                Capability.TAG_DETAILS: Support(True),
                Capability.DELETE_TAG: _BY_RIGHTS,
                Capability.DELETE_MANIFEST: _BY_RIGHTS,
                Capability.DELETE_REPOSITORY: by_token,
                Capability.SCAN_REPORT: Support(True),
                Capability.TRIGGER_SCAN: Support(False, _BY_ITSELF),
                Capability.RETENTION: by_token,
                Capability.IMMUTABLE_TAGS: Support(True),
                Capability.SOFT_DELETE: by_token,
            }
        )

    async def account(self) -> _Account:
        """Who the user is to the REST API, and the namespaces that are theirs; asked once."""
        if self._account is None:
            try:
                body = read.fields((await self._ask("/user/", "who one is")).json())
            except (*_KEPT_BACK, NotFound):
                self._account = _Account(None)
            else:
                name = read.text(body.get("username"))
                orgs = (read.text(one.get("name")) for one in read.objects(body.get("organizations")))
                own = tuple(dict.fromkeys(one for one in (name, *orgs) if one and is_repository_path(one)))
                self._account = _Account(name, own)
        return self._account

    # lists ---------------------------------------------------------------------------------------------------

    async def repositories(self, prefix: str = "") -> AsyncIterator[Page[RepositorySummary]]:
        """Those of the prefix's namespace, of the settings' or the user's own; else the registry's catalog."""
        namespace = prefix.partition("/")[0]
        known = self.settings.namespaces or (await self.account()).namespaces
        wanted = [name for name in known if f"{name}/".startswith(prefix)]
        if is_repository_path(namespace) and namespace not in wanted:
            wanted.append(namespace)
        pinned = tuple(RepositorySummary(path) for path in self.settings.repositories if path.startswith(prefix))
        if not wanted:
            async for page in self._from_catalog(prefix, pinned):
                yield page
            return
        yield Page(pinned)
        seen = {repository.path for repository in pinned}
        for name in wanted:
            async for page in self._of_namespace(name, prefix):
                yield Page(tuple(row for row in page.items if row.path not in seen), stopped=page.stopped)

    async def _of_namespace(self, namespace: str, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        query = {"namespace": namespace, "last_modified": "true"}
        try:
            async for part in self._tokened(query, f"the repositories of {namespace}"):
                rows = (repository_of(row) for row in part.rows)
                yield Page(tuple(row for row in rows if row is not None and row.path.startswith(prefix)))
        except (NotFound, BadRequest):
            yield Page(())  # nobody has this name

    async def _from_catalog(
        self, prefix: str, pinned: tuple[RepositorySummary, ...]
    ) -> AsyncIterator[Page[RepositorySummary]]:
        """quay.io's catalog is empty to most; then only what the settings name can be listed."""
        found = False
        async for page in super().repositories(prefix):
            found = found or bool(page.items)
            yield page
        if not found and not prefix:
            error = Unsupported(
                f"{self.host} lists repositories by namespace.",
                hint=f"Name one (regtui repos {self.host}/NAMESPACE), search (regtui search {self.host} TEXT), or set "
                "`namespaces` for it in the settings.",
                host=self.host,
            )
            if not pinned:
                raise error
            yield Page(pinned, stopped=error.sentence)

    async def search(self, text: str) -> AsyncIterator[Page[RepositorySummary]]:
        """Repositories that Quay finds, public ones and the user's own."""

        async def ask(number: int) -> Part:
            params = {"query": text.strip(), "page": str(number)}
            answer = await self._ask("/find/repositories", "its search", params=params)
            body = read.fields(answer.json())
            return Part(read.objects(body.get("results")), more=read.flag(body.get("has_additional")) is True)

        if text.strip():
            async for part in numbered(ask, size=_SIZE, most=_MOST_FOUND):
                yield Page(tuple(filter(None, map(repository_of, part.rows))))
        else:
            yield Page(())

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """100 tags with digest, size and date in one request; by name where the REST API is closed to the user."""
        self.path(repository)  # refuses what is no repository
        told = False
        try:
            async for part in self._history(repository, {"onlyActiveTags": "true"}):
                told = True
                yield Page(tuple(filter(None, map(tag_of, part.rows))), stopped=part.stopped)
        except _KEPT_BACK:
            if told:
                raise
        if not told:
            async for page in super().tags(repository):
                yield page

    async def _history(self, repository: str, query: dict[str, str], most: int = 10_000) -> AsyncIterator[Part]:
        async def ask(number: int) -> Part:
            params = {"limit": str(_SIZE), "page": str(number), **query}
            what = f"the tags of {repository}"
            body = read.fields((await self._ask(f"/repository/{repository}/tag/", what, params=params)).json())
            return Part(read.objects(body.get("tags")), more=read.flag(body.get("has_additional")) is True)

        async for part in numbered(ask, size=_SIZE, most=most):
            yield part

    async def _tokened(self, query: dict[str, str], what: str) -> AsyncIterator[Part]:
        """The list of repositories, which goes on by an opaque token."""
        params, asked = query, set[str]()
        while True:
            body = read.fields((await self._ask("/repository", what, params=params)).json())
            yield Part(read.objects(body.get("repositories")))
            token = read.text(body.get("next_page"))
            if token is None or token in asked:
                return
            asked.add(token)
            params = {**query, "next_page": token}

    # one image -----------------------------------------------------------------------------------------------

    async def referrers(self, repository: str, subject: Digest, artifact_type: str | None = None) -> Referrers:
        """As distribution; an unknown subject is an error here, and has no referrers."""
        try:
            return await super().referrers(repository, subject, artifact_type)
        except BadRequest as error:
            if error.code != "MANIFEST_INVALID":
                raise
            return Referrers((), "api")

    async def scan_report(self, repository: str, digest: Digest) -> ScanReport:
        """Clair's report; of an index, the reports of its platforms together. Raises NotFound, Unauthorized."""
        report = await self._security(repository, digest)
        if report.state != "unsupported":
            return report
        top = await self.manifest(repository, digest)
        if not isinstance(top, Index) or not top.platforms:
            return report
        children = top.platforms[:_MOST_PLATFORMS]
        found = await asyncio.gather(*(self._security(repository, child.digest) for child in children))
        names = (str(child.platform or child.digest.short) for child in children)
        return merged(dict(zip(names, found, strict=True)))

    async def _security(self, repository: str, digest: Digest) -> ScanReport:
        self.path(repository)
        path = f"/repository/{repository}/manifest/{Digest.parse(digest)}/security"
        what = f"the scan report of {digest.short} in {repository}"
        answer = await self._ask(path, what, params={"vulnerabilities": "true"}, limit=_LARGEST_REPORT)
        return report_of(answer.json())

    async def retention(self, repository: str) -> RetentionRules | None:
        """Auto-prune policies of the repository, else of its organization; None when there are none."""
        self.path(repository)
        await self._need_token()
        namespace = repository.partition("/")[0]
        what = f"the auto-prune policies of {repository}"
        own = read.fields((await self._ask(f"/repository/{repository}/autoprunepolicy/", what)).json())
        found = retention_of(own, "this repository")
        if found is not None:
            return found
        try:
            whole = read.fields((await self._ask(f"/organization/{namespace}/autoprunepolicy/", what)).json())
        except (NotFound, *_KEPT_BACK):  # the namespace of a user, or not this user's to see
            return None
        return retention_of(whole, f"all of {namespace}")

    # writes --------------------------------------------------------------------------------------------------

    async def put_manifest(self, repository: str, locator: str, manifest: Manifest) -> Digest:
        """As distribution. Raises Conflict where the tag is immutable."""
        try:
            return await super().put_manifest(repository, locator, manifest)
        except Conflict as error:
            raise self._immutable(error, repository, locator) from error

    async def delete_tag(self, repository: str, tag: str) -> None:
        """The tag alone; the time machine keeps it for a while. Raises Conflict where it is immutable."""
        try:
            await super().delete_tag(repository, tag)
        except Conflict as error:
            raise self._immutable(error, repository, tag) from error

    async def delete_repository(self, repository: str) -> None:
        """The repository with all that is in it, for good. Raises Unsupported without an OAuth token."""
        self.path(repository)
        await self._need_token()
        path, what = f"{_API}/repository/{repository}", f"repository {repository}"
        await self.api.request("DELETE", path, expect=frozenset({204}), what=what)

    async def deleted(self, repository: str) -> AsyncIterator[Page[DeletedManifest]]:
        """What the time machine still has, read off the history of tags. Raises Unsupported without an OAuth token."""
        self.path(repository)
        await self._need_token()
        params = {"includeTags": "false", "includeStats": "false"}
        what = f"repository {repository}"
        about = read.fields((await self._ask(f"/repository/{repository}", what, params=params)).json())
        window = read.whole(about.get("tag_expiration_s"))
        rows, stopped = [], None
        async for part in self._history(repository, {}, _MOST_HISTORY):
            rows += part.rows
            stopped = part.stopped
        yield Page(deleted_of(rows, window, datetime.now(UTC)), stopped=stopped)

    async def restore(self, repository: str, deleted: DeletedManifest) -> None:
        """Put every tag that it had back. Raises NotFound when the time machine has let go of it."""
        self.path(repository)
        await self._need_token()
        if deleted.digest is None or not deleted.tags:
            raise Unsupported("Quay restores tags: there is none to restore here.", host=self.host)
        body = b'{"manifest_digest":"%s"}' % deleted.digest.encode()
        for tag in deleted.tags:
            self.manifest_path(repository, tag)  # refuses what is no tag
            await self.api.request(
                "POST",
                f"{_API}/repository/{repository}/tag/{tag}/restore",
                headers={"Content-Type": "application/json"},
                content=body,
                expect=frozenset({200, 201}),
                what=f"the deleted tag {tag} of {repository}",
            )

    def delete_scope(self, repository: str) -> str:
        """Quay's tokens know no `delete`: who may push may delete."""
        return self.push_scope(repository)

    # the rest ------------------------------------------------------------------------------------------------

    def identity(self) -> Identity:
        """Who regtui is here: the OAuth token's user, else who the registry took."""
        account = self._account.name if self._account is not None else None
        name = account or self.client.signed_in_as
        return Identity(name, "signed in" if name else "anonymous")

    async def _ask(
        self, path: str, what: str, *, params: dict[str, str] | None = None, limit: int = 16 << 20
    ) -> Answer:
        accepting = {"Accept": "application/json"}
        return await self.api.request("GET", _API + path, params=params, headers=accepting, limit=limit, what=what)

    async def _need_token(self) -> None:
        if (await self.account()).name is None:
            raise self._needs_token()

    def _needs_token(self) -> Unsupported:
        return Unsupported(
            f"{self.host} does this only for an OAuth access token.",
            hint=f"Make one in an organization's applications, and sign in as {_OAUTH}: regtui login {self.host}",
            host=self.host,
        )

    def _immutable(self, error: Conflict, repository: str, tag: str) -> Conflict:
        return Conflict(
            f"The tag {tag[:128]} of {repository} is immutable.",
            hint="Who may write can switch that off for the tag in Quay, or choose another tag.",
            host=self.host,
            status=error.status,
            code=error.code,
            detail=error.detail,
        )


def _signed(credential: Credential) -> dict[str, str]:
    """Only an OAuth token goes to the REST API; other passwords are not for it."""
    if credential.username == _OAUTH and credential.password:
        return {"authorization": bearer(credential.password)}
    return {}
