"""The whole of OCI distribution 1.1: what distribution_read.py reads, and pushing, mounting, retagging, deleting.

Source: OCI distribution-spec v1.1. Writes are only called by confirmed plans; nothing here asks back.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urljoin, urlsplit
from weakref import WeakValueDictionary

from regtui.oci import Digest, DigestMismatch, Index, InvalidReference
from regtui.oci.reference import is_tag
from regtui.oci.tags import referrers_tag
from regtui.registries.contract import Support
from regtui.registries.distribution_read import DistributionReader
from regtui.registries.referrers_tag import as_referrer, with_entry, without_entry
from regtui.transport.errors import (
    BadAnswer,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    RegistryError,
    Unauthorized,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.oci import Descriptor, Manifest
    from regtui.transport.exchange import Answer

_STORED: Final = frozenset({200, 201})
_DELETED: Final = frozenset({200, 202, 204})
_TRIES: Final = 5
_NOBODY: Final = Digest("sha256:" + "0" * 64)


class DistributionRegistry(DistributionReader):
    """A registry that speaks plain OCI distribution."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._list_locks: WeakValueDictionary[tuple[str, Digest], asyncio.Lock] = WeakValueDictionary()

    async def put_manifest(self, repository: str, locator: str, manifest: Manifest) -> Digest:
        """Put exact bytes at a tag or digest. Raises DigestMismatch, BadRequest when content is missing, Conflict.

        A manifest with a subject is entered under the referrers tag where the registry does not do so itself.
        """
        answer = await self._put(repository, locator, manifest)
        if manifest.subject is not None and not answer.headers.get("OCI-Subject"):
            await self.add_to_referrers_tag(repository, manifest)
        return manifest.digest

    async def put_blob(self, repository: str, descriptor: Descriptor, content: AsyncIterator[bytes]) -> None:
        """Upload a blob in one streamed request; the registry checks its digest."""
        scope = self.push_scope(repository)
        answer = await self.client.request(
            "POST", self.path(repository, "blobs", "uploads", ""), content=b"", scope=scope, expect=frozenset({202})
        )
        location = self._location(answer)
        target = f"{location}{'&' if '?' in location else '?'}digest={quote(descriptor.digest, safe=':')}"
        headers = {"Content-Type": "application/octet-stream"}
        try:
            await self.client.upload("PUT", target, content, size=descriptor.size, headers=headers, scope=scope)
        except BaseException:
            await self._cancel_upload(location, scope)
            raise

    async def mount_blob(self, repository: str, digest: Digest, source: str) -> bool:
        """Mount a blob from another repository; False when the registry wants it uploaded."""
        scopes = (self.push_scope(repository), self.pull_scope(source))
        self.path(source)  # refuses what is no repository
        answer = await self.client.request(
            "POST",
            self.path(repository, "blobs", "uploads", ""),
            params={"mount": Digest.parse(digest), "from": source},
            content=b"",
            scope=scopes,
            expect=frozenset({201, 202}),
        )
        if answer.status == 201:
            return True
        await self._cancel_upload(self._location(answer), scopes)
        return False

    async def delete_tag(self, repository: str, tag: str) -> None:
        """Remove one tag and nothing else. Raises Unsupported where the registry only deletes by digest."""
        if not is_tag(tag):
            raise InvalidReference(f"{tag[:128]!a} is not a tag.")
        try:
            await self._delete_at(repository, tag)
        except (BadRequest, Unsupported) as error:
            if isinstance(error, BadRequest) and error.code not in {"DIGEST_INVALID", "UNSUPPORTED"}:
                raise
            reason = f"{self.host} can't delete a tag alone, only a manifest with all of its tags."
            self._delete_tag = Support(False, reason)
            raise Unsupported(reason, host=self.host, status=error.status, code=error.code) from error
        self._delete_tag = Support(True)

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Remove a manifest and every tag that points to it. Raises NotFound, Unsupported, Conflict."""
        try:
            await self._delete_at(repository, Digest.parse(digest))
        except Unsupported as error:
            self._delete = self._deletion_is_off(error)
            raise Unsupported(
                self._delete.reason,
                hint="Who runs the registry can switch deletion on.",
                host=self.host,
                status=error.status,
                code=error.code,
            ) from error
        self._delete = Support(True)

    async def probe_delete(self, repository: str) -> Support:
        """Whether manifests can be deleted, by deleting one that can't exist. Only for runs that were confirmed."""
        self._delete = Support(True)
        try:
            await self._delete_at(repository, _NOBODY)
        except NotFound:
            pass  # it looked for what is not there: deletion is on
        except Unsupported as error:
            self._delete = self._deletion_is_off(error)
        except (Unauthorized, Forbidden):
            self._delete = Support(False, f"{self.host} does not let you delete in {repository}.")
        except BadRequest as error:
            self._delete = self._deletion_is_off(error) if error.code == "UNSUPPORTED" else None
        return self._delete or Support(None, "Only trying tells.")

    async def delete_repository(self, repository: str) -> None:
        """There is no such call. Raises Unsupported."""
        raise Unsupported(
            f"{self.host} can't delete a repository as a whole.",
            hint="Delete every manifest in it; its name may stay listed until the registry's own cleanup.",
            host=self.host,
        )

    async def add_to_referrers_tag(self, repository: str, manifest: Manifest) -> None:
        """Enter a manifest under its subject's referrers tag, and look whether it stayed. Raises Conflict."""
        assert manifest.subject is not None, "only a manifest with a subject refers to something"
        entry = as_referrer(manifest)
        subject = manifest.subject.digest
        async with self._list_lock(repository, subject):
            for _ in range(_TRIES):
                changed = with_entry(await self._own_referrers_tag(repository, subject), entry)
                if changed is None:
                    return
                await self._put(repository, referrers_tag(subject), changed)
            if with_entry(await self._own_referrers_tag(repository, subject), entry) is not None:
                raise self._lost(repository, subject)

    async def remove_from_referrers_tag(self, repository: str, subject: Digest, digest: Digest) -> bool:
        """Take a deleted manifest off its subject's referrers tag; False when it is not listed. Raises Conflict."""
        async with self._list_lock(repository, subject):
            for attempt in range(_TRIES + 1):
                listed = await self._own_referrers_tag(repository, subject)
                changed = without_entry(listed, digest) if listed is not None else None
                if changed is None:
                    return attempt > 0
                if attempt < _TRIES:
                    await self._put(repository, referrers_tag(subject), changed)
            raise self._lost(repository, subject)

    # for vendors to override ---------------------------------------------------------------------------------

    def push_scope(self, repository: str) -> str:
        """The token scope that writes."""
        return f"repository:{repository}:pull,push"

    def delete_scope(self, repository: str) -> str:
        """The token scope that deletes."""
        return f"repository:{repository}:pull,delete"

    # the rest ------------------------------------------------------------------------------------------------

    async def _put(self, repository: str, locator: str, manifest: Manifest) -> Answer:
        if ":" in locator and locator != manifest.digest:
            raise DigestMismatch(f"These bytes are {manifest.digest}, not {locator[:120]}.")
        answer = await self.client.request(
            "PUT",
            self.manifest_path(repository, locator),
            content=manifest.raw,
            headers={"Content-Type": manifest.media_type},
            scope=self.push_scope(repository),
            expect=_STORED,
        )
        said = answer.headers.get("Docker-Content-Digest", "")
        # A registry may name its own copy by another algorithm; only the same one can be compared by sight.
        if said.startswith(f"{manifest.digest.algorithm}:") and said != manifest.digest:
            raise DigestMismatch(f"{self.host} stored {said[:140]!a} where {manifest.digest} was sent.")
        return answer

    async def _delete_at(self, repository: str, locator: str) -> None:
        await self.client.request(
            "DELETE", self.manifest_path(repository, locator), scope=self.delete_scope(repository), expect=_DELETED
        )

    def _deletion_is_off(self, error: RegistryError) -> Support:
        if error.code == "UNSUPPORTED":
            return Support(False, f"Deletion is switched off on {self.host}.")
        return Support(False, f"{self.host} is read-only, or a cache of another registry.")

    def _location(self, answer: Answer) -> str:
        """Where an upload goes on. Behind proxies its scheme and port are often wrong; another host is not trusted."""
        location = answer.headers.get("Location")
        if not location:
            raise BadAnswer(f"{self.host} opened an upload and did not say where.", host=self.host)
        try:
            parts, own = urlsplit(urljoin(answer.url, location)), urlsplit(self.client.base_url)
            is_ours = parts.scheme in {"http", "https"} and parts.hostname == own.hostname
        except ValueError:
            is_ours = False
        if not is_ours:
            raise BadAnswer(f"{self.host} sends an upload to another place; nothing is sent there.", host=self.host)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    async def _cancel_upload(self, location: str, scope: str | tuple[str, ...]) -> None:
        try:
            await self.client.request("DELETE", location, scope=scope, expect=_DELETED)
        except RegistryError:
            return  # it was only tidiness: sessions are dropped by the registry in time

    def _list_lock(self, repository: str, subject: Digest) -> asyncio.Lock:
        """Held while a referrers tag is read, changed and put: whoever writes it through this object waits for it."""
        return self._list_locks.setdefault((repository, subject), asyncio.Lock())

    async def _own_referrers_tag(self, repository: str, subject: Digest) -> Index | None:
        try:
            found = await self.manifest(repository, referrers_tag(subject))
        except NotFound:
            return None
        if not isinstance(found, Index):
            raise Conflict(
                f"The referrers tag {referrers_tag(subject)} of {repository} is not an index.",
                hint="Something else was pushed under that name; look at it and remove it first.",
                host=self.host,
            )
        return found

    def _lost(self, repository: str, subject: Digest) -> Conflict:
        return Conflict(
            f"The referrers of {subject.short} in {repository} keep changing.",
            hint="Another client writes them at the same time; try again.",
            host=self.host,
        )
