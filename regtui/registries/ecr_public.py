"""Amazon ECR Public (public.ecr.aws): everybody pulls; whose alias it is lists, tags and deletes by the JSON API.

Source: botocore's model ecr-public 2020-10-30. The first component of a path is the alias of somebody's registry;
the API knows the caller's own only, so other people's repositories are read as plain OCI and can't be listed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from regtui.credentials.values import ANONYMOUS, Credential
from regtui.oci import Digest, InvalidReference
from regtui.oci.reference import is_repository_path
from regtui.registries.cloud import apart
from regtui.registries.contract import (
    Capabilities,
    Capability,
    Page,
    RepositorySummary,
    RetentionRules,
    ScanReport,
    Support,
)
from regtui.registries.ecr import EcrCredentials, EcrRegistry
from regtui.registries.fields import flag, objects, text
from regtui.transport.errors import Forbidden, RegistryError, Unauthorized, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.credentials.values import CredentialSource

_NO_SCAN: Final = "ECR Public does not scan."
_NO_RULES: Final = "ECR Public has no lifecycle policies."
_OTHERS: Final = "ECR Public lists nobody else's repositories."


class EcrPublicRegistry(EcrRegistry):
    """public.ecr.aws, as this AWS user or as anybody."""

    kind = "ecr-public"
    service = "ecr-public"
    target = "SpencerFrontendService"
    default_api = "api.ecr-public.us-east-1.amazonaws.com"
    make_hint = "aws ecr-public create-repository --repository-name {name} --region us-east-1"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._aliases: tuple[str, ...] | None = None
        self._finding_aliases = asyncio.Lock()
        self._why_none = ""

    def credentials(self, known: CredentialSource) -> CredentialSource:
        """Docker's credential where there is one, else a token of AWS; without either, anybody."""
        return EcrPublicCredentials(self, known)

    async def api_problem(self, repository: str | None = None) -> str | None:
        """Why the JSON API does not serve this repository: no AWS credentials, or another account's alias."""
        problem = await super().api_problem()
        if problem is not None:
            return problem
        aliases = await self._own_aliases()
        if not aliases:
            return self._why_none
        if repository is None or repository.partition("/")[0] in aliases:
            return None
        return f"{repository.partition('/')[0][:60]} is not an alias of your account, and the API knows no others."

    async def capabilities(self) -> Capabilities:
        """As for a private registry, without scans, policies and immutable tags."""
        known = dict((await super().capabilities()).support)
        known[Capability.SCAN_REPORT] = known[Capability.TRIGGER_SCAN] = Support(False, _NO_SCAN)
        known[Capability.RETENTION] = Support(False, _NO_RULES)
        known[Capability.IMMUTABLE_TAGS] = Support(False, "Tags of ECR Public can always be moved.")
        known[Capability.SEARCH] = Support(False, "The gallery's search (gallery.ecr.aws) has no public API.")
        return Capabilities(known)

    async def repository_pages(self, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        """The repositories of this user's own alias. Raises Unsupported without AWS credentials."""
        await self.probe_catalog()
        async for page in super().repository_pages(prefix):
            yield page

    async def probe_catalog(self) -> None:
        """Whether there is an alias to list. Raises Unsupported."""
        problem = await self.api_problem()
        if problem is not None:
            hint = f"Name one ({self.host}/alias/repository) and pin it."
            raise Unsupported(f"{_OTHERS} {problem}", hint=hint, host=self.host)

    def named(self, repository: str) -> dict[str, Any]:
        """The name without the alias. Raises InvalidReference."""
        name = repository.partition("/")[2]
        if not is_repository_path(repository) or not name:
            raise InvalidReference(f"{repository[:120]!a} is not an alias and a repository's name.")
        return {"repositoryName": name}

    def path_of(self, name: str) -> str:
        """The name below the first alias."""
        return f"{(self._aliases or ('',))[0]}/{name}"

    async def scan_report(self, repository: str, digest: Digest) -> ScanReport:
        """There is none. Raises Unsupported."""
        raise Unsupported(_NO_SCAN, host=self.host)

    async def trigger_scan(self, repository: str, digest: Digest) -> None:
        """There is none. Raises Unsupported."""
        raise Unsupported(_NO_SCAN, host=self.host)

    async def retention(self, repository: str) -> RetentionRules | None:
        """There are none. Raises Unsupported."""
        raise Unsupported(_NO_RULES, host=self.host)

    def forget_aliases(self) -> None:
        """Ask anew whose aliases these are: another profile may have been chosen."""
        self._aliases = None

    async def _own_aliases(self) -> tuple[str, ...]:
        """The aliases of this user's registry, the primary one first; asked for once."""
        async with self._finding_aliases:
            if self._aliases is None:
                try:
                    self._aliases = tuple([alias async for alias in self._ask_aliases()])
                    self._why_none = "Your account has no registry in ECR Public yet."
                except RegistryError as error:
                    # Whatever is wrong with the account, what is public can be read.
                    self._aliases, self._why_none = (), error.sentence
            return self._aliases

    async def _ask_aliases(self) -> AsyncIterator[str]:
        async for answer in self.api.pages("DescribeRegistries", {}):
            aliases = [alias for entry in objects(answer.get("registries")) for alias in objects(entry.get("aliases"))]
            for alias in sorted(aliases, key=lambda one: not flag(one.get("primaryRegistryAlias"))):
                name = text(alias.get("name"))
                if name is not None and alias.get("status") == "ACTIVE":
                    yield name


class EcrPublicCredentials(EcrCredentials):
    """Docker's credential, else GetAuthorizationToken; anybody where AWS gives none."""

    def __init__(self, registry: EcrPublicRegistry, known: CredentialSource) -> None:
        super().__init__(registry, known)
        self._forget_aliases = registry.forget_aliases

    def forget(self, host: str) -> None:
        """Ask anew next time, also whose aliases these are."""
        super().forget(host)
        self._forget_aliases()

    async def obtain(self) -> Credential:
        """A new token; ANONYMOUS without AWS credentials, or when IAM allows no token."""
        if await apart(self._registry.aws.look) is not None:
            return ANONYMOUS
        try:
            return await self._registry.authorization_token()
        except (Forbidden, Unauthorized):
            return ANONYMOUS
