"""Amazon ECR, private: manifests and blobs over OCI, everything else by the JSON API.

Source: botocore's model ecr 2015-09-21; "Amazon ECR Lifecycle policy properties". Without AWS credentials (or without
the extra regtui[aws]) it is a plain registry that lists no metadata and deletes nothing.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from regtui.credentials.values import Credential, Secret
from regtui.oci import Digest, DigestMismatch, InvalidReference
from regtui.oci.reference import is_repository_path, is_tag
from regtui.registries.aws import NO_CREDENTIALS, AwsApi, AwsIdentity, SigV4, read_host
from regtui.registries.cloud import CloudCredentials, apart, good_until
from regtui.registries.contract import (
    Capabilities,
    Capability,
    Identity,
    Page,
    RepositorySummary,
    RetentionRules,
    ScanReport,
    Support,
    TagSummary,
)
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.ecr_answers import (
    Mutability,
    add_findings,
    image_rows,
    lifecycle,
    moment,
    not_deleted,
    scan_report,
)
from regtui.registries.fields import fields, objects, text, texts
from regtui.transport.errors import BadAnswer, NotFound, RegistryError, Unauthorized, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from regtui.credentials.values import CredentialSource
    from regtui.oci import Descriptor, Manifest
    from regtui.storage.settings import RegistrySettings
    from regtui.transport.client import RegistryClient

PAGE: Final = 1_000
"""The most that DescribeImages and DescribeRepositories give at once."""


class EcrRegistry(DistributionRegistry):
    """One account's registry in one region."""

    kind = "ecr"
    sends_all_tags = False
    service = "ecr"
    target = "AmazonEC2ContainerRegistry_V20150921"

    def __init__(
        self, client: RegistryClient, *, host: str | None = None, settings: RegistrySettings | None = None
    ) -> None:
        super().__init__(client, host=host, settings=settings)
        self.aws = AwsIdentity()
        place = read_host(self.host)
        self.account = place.account if place else None
        self.region = place.region if place else self.home_region
        client.sign_in_through(self.credentials)
        signer = SigV4(self.aws, self.service, self.region)
        api_host = self.settings.api or (place.api_host if place else self.default_api)
        self.api = AwsApi(client.beside(api_host, auth=signer), self.target, self.service)
        self._mutability: dict[str, Mutability] = {}

    home_region = "us-east-1"
    """The region of a host that names none: a proxy, a stand-in."""
    default_api: str | None = None
    """Where the API answers for such a host; None is the host itself."""

    def credentials(self, known: CredentialSource) -> CredentialSource:
        """Docker's credential for this host where there is one, else a token that AWS gives for twelve hours."""
        return EcrCredentials(self, known)

    async def api_problem(self, repository: str | None = None) -> str | None:
        """Why the JSON API can't be used by this user (for this repository), in a sentence; None when it can."""
        return await apart(self.aws.look)

    async def authorization_token(self) -> Credential:
        """User and password for the registry, good for twelve hours. Raises RegistryError."""
        answer = await self.api.read("GetAuthorizationToken", {})
        data = answer.get("authorizationData")
        given = fields(data) or next(iter(objects(data)), {})  # private: a list of one; public: an object
        try:
            user, colon, password = base64.b64decode(given.get("authorizationToken") or "").decode().partition(":")
        except (TypeError, ValueError):
            colon = ""
        if not colon:
            raise BadAnswer(f"AWS gave {self.host} a token that can't be read.", host=self.host)
        ends = moment(given.get("expiresAt"))
        until = good_until(ends.timestamp() if ends is not None else 0.0)
        return Credential(user, Secret(password), source=self.aws.name() or "AWS", good_until=until)

    async def capabilities(self) -> Capabilities:
        """What AWS offers, and what is missing without its credentials."""
        plain = await super().capabilities()
        problem = await self.api_problem()
        by_api = Support(True) if problem is None else Support(False, problem)
        missing = Support(None, "IAM decides; only trying tells.") if problem is None else by_api
        offered = {
            Capability.TAG_DETAILS: by_api,
            Capability.DELETE_TAG: missing,
            Capability.DELETE_MANIFEST: missing,
            Capability.DELETE_REPOSITORY: missing,
            Capability.SCAN_REPORT: by_api,
            Capability.TRIGGER_SCAN: missing,
            Capability.RETENTION: by_api,
            Capability.IMMUTABLE_TAGS: by_api,
            Capability.SOFT_DELETE: Support(False, "ECR keeps nothing of what was deleted."),
            Capability.SEARCH: Support(False, "ECR has no search; the list is filtered here."),
        }
        return Capabilities({**plain.support, **offered})

    async def repository_pages(self, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        """DescribeRepositories; without AWS credentials the catalog, which ECR also answers."""
        if await self.api_problem() is not None:
            async for page in super().repository_pages(prefix):
                yield page
            return
        async for answer in self.api.pages("DescribeRepositories", {**self.registry_id, "maxResults": PAGE}):
            yield Page(tuple(self._repositories(answer, prefix)))

    async def probe_catalog(self) -> None:
        """The smallest question for repositories."""
        if await self.api_problem() is not None:
            return await super().probe_catalog()
        await self.api.read("DescribeRepositories", {**self.registry_id, "maxResults": 1})
        return None

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """DescribeImages: one question per thousand images, with sizes, pushes, pulls, findings; the untagged last."""
        if await self.api_problem(repository) is not None:
            async for page in super().tags(repository):
                yield page
            return
        mutability = self._mutability.get(repository)
        untagged: list[tuple[TagSummary, str | None]] = []
        seen: set[str | None] = set()
        async for answer in self.api.pages("DescribeImages", {**self.named(repository), "maxResults": PAGE}):
            rows: list[TagSummary] = []
            for image in objects(answer.get("imageDetails")):
                found = image_rows(image, mutability)
                seen.add(text(image.get("imageDigest")))
                rows += [row for row in found if not row.is_untagged]
                untagged += [(row, text(image.get("subjectManifestDigest"))) for row in found if row.is_untagged]
            yield Page(tuple(rows))
        # What refers to an image that is listed is found from there.
        yield Page(tuple(row for row, subject in untagged if subject not in seen))

    async def put_manifest(self, repository: str, locator: str, manifest: Manifest) -> Digest:
        """PutImage, which checks the digest and says when tags are immutable. Raises Conflict, BadRequest."""
        if await self.api_problem(repository) is not None:
            return await super().put_manifest(repository, locator, manifest)
        self.manifest_path(repository, locator)  # refuses what is no name
        if ":" in locator and locator != manifest.digest:
            raise DigestMismatch(f"These bytes are {manifest.digest}, not {locator[:120]}.")
        body: dict[str, Any] = {
            **self.named(repository),
            "imageManifest": manifest.raw.decode(),
            "imageManifestMediaType": manifest.media_type,
            "imageDigest": manifest.digest,
        }
        if ":" not in locator:
            body["imageTag"] = locator
        try:
            await self.api.write("PutImage", body)
        except RegistryError as error:
            if error.code != "ImageAlreadyExistsException":  # it points there already
                raise
        return manifest.digest

    async def put_blob(self, repository: str, descriptor: Descriptor, content: AsyncIterator[bytes]) -> None:
        """Upload a blob. Raises NotFound with the way out when the repository has not been made yet."""
        try:
            await super().put_blob(repository, descriptor, content)
        except NotFound as error:
            name = self.named(repository)["repositoryName"]
            raise NotFound(
                f"{self.host} has no repository {repository}.",
                hint="Make it first: " + self.make_hint.format(name=name, region=self.region),
                host=self.host,
                status=error.status,
                code=error.code,
            ) from error

    async def delete_tag(self, repository: str, tag: str) -> None:
        """BatchDeleteImage by tag. Raises Unsupported for an image's last tag: ECR would delete the image with it."""
        if not is_tag(tag):
            raise InvalidReference(f"{tag[:128]!a} is not a tag.")
        await self.require_api("delete a tag", repository)
        answer = await self.api.read("DescribeImages", {**self.named(repository), "imageIds": [{"imageTag": tag}]})
        if self._is_last_tag(answer):
            raise Unsupported(
                f"{tag} is the last tag of its image, and ECR deletes the image with its last tag.",
                hint="Delete the image itself when that is what you want, or tag it otherwise first.",
                host=self.host,
            )
        await self._remove(repository, {"imageTag": tag})

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """BatchDeleteImage by digest, with all tags. Raises NotFound, Conflict for what an index holds."""
        await self.require_api("delete an image", repository)
        await self._remove(repository, {"imageDigest": Digest.parse(digest)})

    async def probe_delete(self, repository: str) -> Support:
        """Whether images can be deleted at all: by the API, if IAM lets."""
        problem = await self.api_problem(repository)
        return Support(True) if problem is None else Support(False, problem)

    async def delete_repository(self, repository: str) -> None:
        """DeleteRepository with everything in it. Raises NotFound, Forbidden."""
        await self.require_api("delete a repository", repository)
        await self.api.write("DeleteRepository", {**self.named(repository), "force": True})

    async def scan_report(self, repository: str, digest: Digest) -> ScanReport:
        """DescribeImageScanFindings with all pages put together; "none" when it was never scanned."""
        await self.require_api("read scan reports", repository)
        image = {**self.named(repository), "imageId": {"imageDigest": Digest.parse(digest)}}
        report: dict[str, Any] = {}
        try:
            async for answer in self.api.pages("DescribeImageScanFindings", {**image, "maxResults": PAGE}):
                if not add_findings(report, answer):
                    break
        except NotFound as error:
            if error.code != "ScanNotFoundException":
                raise
            return ScanReport("none", "Amazon ECR", message="ECR has not scanned this image.")
        return scan_report(report)

    async def trigger_scan(self, repository: str, digest: Digest) -> None:
        """StartImageScan: basic scanning, once per image and day. Raises RateLimited, Unsupported."""
        await self.require_api("start a scan", repository)
        body = {**self.named(repository), "imageId": {"imageDigest": Digest.parse(digest)}}
        await self.api.write("StartImageScan", body)

    async def retention(self, repository: str) -> RetentionRules | None:
        """The lifecycle policy; None when none is set."""
        await self.require_api("read lifecycle policies", repository)
        try:
            answer = await self.api.read("GetLifecyclePolicy", self.named(repository))
        except NotFound as error:
            if error.code != "LifecyclePolicyNotFoundException":
                raise
            return None
        return lifecycle(answer, self.host)

    def identity(self) -> Identity:
        """The AWS profile or the way of signing in; else the registry's own user."""
        name = self.aws.name()
        return Identity(name, "AWS credentials") if name else super().identity()

    # for ECR Public to override ------------------------------------------------------------------------------

    @property
    def registry_id(self) -> dict[str, str]:
        """Whose registry every call is about: the account in the host name, never the profile's."""
        return {"registryId": self.account} if self.account else {}

    def named(self, repository: str) -> dict[str, Any]:
        """The members that name a repository in a call. Raises InvalidReference."""
        if not is_repository_path(repository):
            raise InvalidReference(f"{repository[:120]!a} is not a repository's path.")
        return {**self.registry_id, "repositoryName": repository}

    def path_of(self, name: str) -> str:
        """The path under which references name a repository of the API."""
        return name

    make_hint = "aws ecr create-repository --repository-name {name} --region {region}"
    """How a repository is made, which no push does."""

    async def require_api(self, what: str, repository: str) -> None:
        """Raises Unsupported when the JSON API, which alone can do this, is out of reach."""
        problem = await self.api_problem(repository)
        if problem is not None:
            hint = "Set AWS_PROFILE, or run `aws configure` or `aws sso login`." if problem == NO_CREDENTIALS else None
            raise Unsupported(f"Only Amazon's API can {what} at {self.host}. {problem}", hint=hint, host=self.host)

    # the rest ------------------------------------------------------------------------------------------------

    def _repositories(self, answer: Mapping[str, Any], prefix: str) -> list[RepositorySummary]:
        found = []
        for entry in objects(answer.get("repositories")):
            name = self.path_of(text(entry.get("repositoryName")) or "")
            if not is_repository_path(name):
                continue
            mutability = Mutability.read(entry)
            if mutability is not None:
                self._mutability[name] = mutability
            if name.startswith(prefix):
                found.append(RepositorySummary(name))
        return found

    def _is_last_tag(self, answer: Mapping[str, Any]) -> bool:
        image = next(iter(objects(answer.get("imageDetails"))), {})
        return len(texts(image.get("imageTags"))) < 2

    async def _remove(self, repository: str, image: dict[str, str]) -> None:
        answer = await self.api.write("BatchDeleteImage", {**self.named(repository), "imageIds": [image]})
        # 200 says nothing: what was not deleted is listed.
        for failure in objects(answer.get("failures")):
            raise not_deleted(failure, self.host)


class EcrCredentials(CloudCredentials):
    """Docker's credential for the host, else GetAuthorizationToken."""

    def __init__(self, registry: EcrRegistry, known: CredentialSource) -> None:
        super().__init__(registry.host, known)
        self._registry = registry

    async def obtain(self) -> Credential:
        """A new token. Raises Unauthorized when AWS credentials are missing: nobody is let in anonymously."""
        problem = await self._registry.api_problem()
        if problem is not None:
            raise Unauthorized(
                f"{self._host} lets nobody in without signing in. {problem}",
                hint=f"Or: aws ecr get-login-password | regtui login {self._host} -u AWS --password-stdin",
                host=self._host,
            )
        return await self._registry.authorization_token()
