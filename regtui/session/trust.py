"""Who vouches for images, what hangs on them and what is wrong with them, for screens and commands.

Policies come from the `[trust."pattern"]` tables of the settings, read once. A verdict is kept by digest, repository
and policy for a few minutes, and never answers for another policy.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from regtui.oci import Reference
from regtui.oci.errors import InvalidReference, RegtuiError
from regtui.oci.reference import is_tag
from regtui.session.cached_place import FRESH_FOR, CachedPlace
from regtui.session.fan_out import fan_out
from regtui.session.targets import parse_image
from regtui.trust.documents import read_documents
from regtui.trust.errors import ScannerFailed
from regtui.trust.image_reports import FoundReport, ImageReports, Origin, image_reports
from regtui.trust.image_trust import AT_ONCE, ImageTrust, verify_image
from regtui.trust.local_scanners import ScanOptions, find_scanners, scan_image, scan_sbom
from regtui.trust.referrers_tree import build_tree
from regtui.trust.trust_settings import read_trust_settings
from regtui.trust.untrusted import LARGEST_DOCUMENT
from regtui.trust.verdict import through_index

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from regtui.oci import Digest, ImageManifest, Index, Platform
    from regtui.registries.contract import TagSummary
    from regtui.session.images import Image
    from regtui.session.session import Session
    from regtui.trust.documents import Document
    from regtui.trust.local_scanners import Scanner
    from regtui.trust.policy import TrustPolicy, TrustSettings
    from regtui.trust.referrers_tree import ReferrersTree
    from regtui.trust.verdict import SignatureResult, Verdict

MOST_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class ImageVerdict:
    """Who vouches for an image. `verdict` is of what the reference names; `of_platform` of the image that is shown,
    by itself and through its index, None where both are the same. `attestations` are signed statements about either,
    `results` everything that was judged, these included.
    """

    verdict: Verdict
    of_platform: Verdict | None
    attestations: tuple[SignatureResult, ...]
    policy: TrustPolicy
    results: tuple[SignatureResult, ...] = ()

    @property
    def of_shown(self) -> Verdict:
        """What to say of the image that is shown."""
        return self.of_platform or self.verdict


@dataclass(frozen=True, slots=True)
class _Kept:
    trust: ImageTrust
    at: float


class TrustReader:
    """The trust floor over a session. One per session (`Session.trust`)."""

    def __init__(self, session: Session, *, clock: Callable[[], float] = monotonic) -> None:
        self._session = session
        self._clock = clock
        self._places: dict[str, CachedPlace] = {}
        self._verdicts: dict[str, _Kept] = {}
        self._settings: TrustSettings | None = None
        self.problems: tuple[str, ...] = ()
        """What is wrong in the trust tables of the settings, once they were read."""

    async def policy(self, reference: Reference) -> TrustPolicy:
        """The policy of the settings for this repository; one that trusts nobody where no table names it."""
        if self._settings is None:
            settings = self._session.settings
            tables = {**self._session.options.trust, **settings.trust}
            read = await asyncio.to_thread(read_trust_settings, tables, settings.folder or Path())
            self._settings, self.problems = read
        return self._settings.policy_for(reference.name)

    async def place(self, host: str) -> CachedPlace:
        """The registry as trust asks it. Raises RegistryError when it can't be opened."""
        if host not in self._places:
            self._places[host] = CachedPlace(await self._session.registry(host), self._session.reader)
        return self._places[host]

    async def learn_tags(self, host: str, path: str, tags: Iterable[str] | None) -> None:
        """All tags of a repository, once a listing came to its end: they save two requests per image."""
        (await self.place(host)).learn_tags(path, None if tags is None else frozenset(tags))

    def forget(self, host: str, path: str | None = None) -> None:
        """Look anew at what hangs on the images there."""
        if host in self._places:
            self._places[host].forget(path)
        self._verdicts.clear()

    # who vouches

    async def judge(self, image: Image, policy: TrustPolicy | None = None, *, platform: bool = True) -> ImageVerdict:
        """Who vouches for an image, by this policy or else the settings'. Raises RegistryError.

        With `platform`, the image that was chosen out of an index is judged as well.
        """
        reference = image.reference
        chosen = policy if policy is not None else await self.policy(reference)
        top = await self._trust_of(reference, image.top, chosen)
        if not platform or image.manifest is None or image.manifest.digest == image.top.digest:
            results = (*top.verdict.results, *top.attestations)
            return ImageVerdict(top.verdict, None, top.attestations, chosen, results)
        inner = await self._trust_of(reference, image.manifest, chosen)
        attestations = (*inner.attestations, *top.attestations)
        results = (*inner.verdict.results, *top.verdict.results, *attestations)
        return ImageVerdict(top.verdict, through_index(inner.verdict, top.verdict), attestations, chosen, results)

    async def _trust_of(self, reference: Reference, manifest: ImageManifest | Index, policy: TrustPolicy) -> ImageTrust:
        kept = self._kept(reference, manifest.digest, policy)
        if kept is not None:
            return kept
        place = await self.place(reference.host)
        tags = place.known_tags(reference.path)
        trust = await verify_image(place, reference.path, manifest, policy, known_tags=tags)
        self._keep(reference, trust, policy)
        return trust

    def statuses(
        self, host: str, path: str, tags: Iterable[TagSummary]
    ) -> AsyncIterator[tuple[TagSummary, ImageTrust | RegtuiError]]:
        """Who vouches for the images of many tags of one repository, begun in the order given, four at a time.

        Give the tags in view first. Tags of one image cost as much as one. Close it to cancel the rest.
        """
        one_each: dict[Digest, asyncio.Lock] = {}

        async def ask(tag: TagSummary) -> tuple[TagSummary, ImageTrust | RegtuiError]:
            try:
                reference = Reference(host, path, None if tag.is_untagged else tag.name, tag.digest)
                manifest = await self._session.reader.manifest(reference)
                async with one_each.setdefault(manifest.digest, asyncio.Lock()):
                    trust = await self._trust_of(reference, manifest, await self.policy(reference))
                return replace(tag, digest=manifest.digest), trust
            except RegtuiError as error:
                return tag, error

        return fan_out(tags, ask, AT_ONCE)

    def _kept(self, reference: Reference, digest: Digest, policy: TrustPolicy) -> ImageTrust | None:
        kept = self._verdicts.get(policy.cache_key(digest, reference.name))
        return kept.trust if kept is not None and self._clock() - kept.at < FRESH_FOR else None

    def _keep(self, reference: Reference, trust: ImageTrust, policy: TrustPolicy) -> None:
        if trust.verdict.incomplete is not None:
            return
        if len(self._verdicts) >= MOST_KEPT:
            self._verdicts.clear()
        key = policy.cache_key(trust.verdict.subject, reference.name)
        self._verdicts[key] = _Kept(trust, self._clock())

    # what hangs there

    async def tree(self, image: Image) -> ReferrersTree:
        """What hangs on an image, and on each of its platforms. Raises RegistryError."""
        place = await self.place(image.reference.host)
        path = image.reference.path
        return await build_tree(place, path, image.top, known_tags=place.known_tags(path))

    async def documents(
        self, reference: Reference, digest: Digest, *, limit: int = LARGEST_DOCUMENT
    ) -> tuple[Document, ...]:
        """What an attached manifest holds, opened. Raises RegistryError, Unsupported beyond `limit` bytes."""
        place = await self.place(reference.host)
        return await read_documents(place, reference.path, digest, limit=limit)

    async def beside(self, reference: Reference, text: str, platform: Platform | None) -> Image:
        """The image to compare with: a tag of the same repository, or any reference. Raises RegtuiError."""
        other = Reference(reference.host, reference.path, text) if is_tag(text) else parse_image(text)
        return await self._session.image(other, platform)

    # what is wrong with it

    async def reports(self, image: Image) -> ImageReports:
        """Every scan report about an image: the registry's own and attached ones, with VEX. Raises RegistryError."""
        registry = await self._session.registry(image.reference.host)
        place = await self.place(image.reference.host)
        tree = await self.tree(image)
        subjects = [one.digest for one in (image.manifest, image.top) if one is not None]
        found = await image_reports(registry, place, image.reference.path, subjects, tree)
        return ImageReports(found.reports, found.vex, (*found.notes, *tree.notes))

    async def scan(self, image: Image, scanner: Scanner, progress: Callable[[str], None] | None = None) -> FoundReport:
        """Run a scanner of this machine over an image, named by its digest. Cancel it at any time.

        What lies on this disk can't be given to a scanner: there its attached SBOM is scanned. Raises ScannerFailed.
        """
        from regtui.session.session import is_local

        host = image.reference.host
        options = self._session.options
        if is_local(host):
            return await self._scan_sbom(image, scanner, progress)
        plain = self._session.settings.registry(host).plain_http or host in options.plain_http
        # A credential of the command line is for the host that it names, and for no other.
        own = options.credential if options.host == host else None
        how = ScanOptions(platform=image.platform, plain_http=plain, credential=own)
        report = await scan_image(scanner, image.reference, how, progress)
        return FoundReport(report, scanner.name, image.top.digest, Origin.LOCAL)

    async def _scan_sbom(self, image: Image, scanner: Scanner, progress: Callable[[str], None] | None) -> FoundReport:
        found = await self.sbom(image)
        if found is None:
            raise ScannerFailed(
                "Local scanners fetch the image from its registry; this one lies on the disk and has no SBOM attached.",
                hint="Attach an SBOM, or scan the image where it was pushed to.",
            )
        statement = found.statement
        content = found.raw if statement is None else json.dumps(statement.predicate).encode()
        report = await scan_sbom(scanner, content, ScanOptions(platform=image.platform), progress)
        return FoundReport(report, f"{scanner.name} over the attached SBOM", _shown_digest(image), Origin.LOCAL)

    async def sbom(self, image: Image) -> Document | None:
        """The first SBOM that hangs on the image that is shown; None when there is none. Raises RegistryError."""
        tree = await self.tree(image)
        subject = _shown_digest(image)
        hanging = [one for inner in tree.images if inner.subject == subject for one in inner.attached]
        hanging += tree.attached if tree.subject == subject else ()
        for one in hanging:
            if "sbom" not in one.title.lower() and "attestations" not in one.title:
                continue
            for document in await self.documents(image.reference, one.descriptor.digest):
                if document.sbom is not None:
                    return document
        return None


def _shown_digest(image: Image) -> Digest:
    """The digest of the image that is shown: of the platform chosen, where there is one."""
    return image.manifest.digest if image.manifest is not None else image.top.digest


async def chosen_scanner(name: str | None) -> Scanner:
    """The scanner of this name on PATH, or the first one. Raises InvalidReference, ScannerFailed without any."""
    scanners = await find_scanners()
    if name is not None:
        found = next((one for one in scanners if one.name == name), None)
        if found is not None:
            return found
        there = ", ".join(one.name for one in scanners) or "none"
        raise InvalidReference(f"There is no scanner {name[:60]!a} on PATH.", hint=f"There: {there}.")
    if not scanners:
        raise ScannerFailed(
            "There is no scanner on PATH.", hint="Install trivy, grype, osv-scanner or docker scout, and try again."
        )
    return scanners[0]
