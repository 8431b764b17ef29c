"""Amazon ECR, private: the JSON API and the registry over one store, on loopback.

Built from AWS's documentation and held against botocore's model: what does not fit is noted in `faults`. Signatures are
computed anew by botocore from what arrived. Its quirks: 200 with `failures`, the last tag takes the image along, index
children stay, pages by token, errors as `prefix#Name`, numbers for times, Basic tokens that end.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.fakes.aws_shapes import faults_of_input, faults_of_output, knows_error
from tests.servers.content import Content
from tests.servers.oci11 import Asked, FakeRegistry, Reply, Stored, error, json_reply

ACCOUNT = "123456789012"
REGION = "eu-central-1"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
KEY, SECRET = "AKIATESTTESTTESTTEST", "not-so-secret"
START = 1_760_000_000.5
INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}


class AwsError(Exception):
    """An error of the API."""

    def __init__(self, code: str, message: str = "no", status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass
class About:
    """What ECR keeps of a repository besides its content."""

    mutability: str = "MUTABLE"
    excepted: tuple[str, ...] = ()
    pushed: dict[str, float] = field(default_factory=dict)
    pulled: dict[str, float] = field(default_factory=dict)
    summaries: dict[str, dict[str, int]] = field(default_factory=dict)
    scans: dict[str, dict[str, Any]] = field(default_factory=dict)
    lifecycle: str | None = None


class FakeEcr(FakeRegistry):
    """One account's registry in one region. `host` serves both: the API at `/`, the registry below `/v2/`."""

    service, target = "ecr", "AmazonEC2ContainerRegistry_V20150921"

    def __init__(self, *, most: int = 1000, **options: Any) -> None:
        super().__init__(**options)
        self.most = most
        self.about: dict[str, About] = {}
        self.faults: list[str] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.passwords: dict[str, float] = {}
        """Password → when it ends, on `clock`."""
        self.token_life = 12 * 3600.0
        self.padding = ""
        """What makes passwords as long as AWS's."""
        self.clock = START + 10_000_000
        self.refuse: list[AwsError] = []
        """Errors that the next calls get, in order."""
        self.keys = {KEY: SECRET}
        self.session_token: str | None = None
        """What has to come along with temporary credentials."""

    # filling ---------------------------------------------------------------------------------------------------

    def create(self, repository: str, **about: Any) -> About:
        """An empty repository: ECR makes none by a push."""
        self.repositories.setdefault(repository, Stored())
        return self.about.setdefault(repository, About(**about))

    def put(self, repository: str, content: Content, *tags: str) -> str:
        """Store content with all that it needs, without a request."""
        about = self.create(repository)
        digest = super().put(repository, content, *tags)
        about.pushed.setdefault(digest, START + len(about.pushed))
        return digest

    def calls_of(self, operation: str) -> list[dict[str, Any]]:
        """The bodies of every call of an operation."""
        return [body for name, body in self.calls if name == operation]

    # answering -------------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Reply:
        """The API at `/`, the registry for who has a token that has not ended."""
        if asked.path == "/" and asked.method == "POST":
            return self.api(asked)
        scheme, _, text = asked.headers.get("authorization", "").partition(" ")
        user, _, password = base64.b64decode(text).decode().partition(":") if scheme == "Basic" else ("", "", "")
        if user != "AWS" or self.passwords.get(password, 0) <= self.clock:
            reply = error(401, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
            realm = f"https://{HOST}/"
            reply.headers["WWW-Authenticate"] = f'Basic realm="{realm}",service="ecr.amazonaws.com"'
            return reply
        return self.registry(asked)

    def registry(self, asked: Asked) -> Reply:
        """The registry's own half: as the specification has it, but no repository is made by a push."""
        if asked.method == "DELETE" and "/manifests/" in asked.path:
            return Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"})
        if asked.method in {"PUT", "POST"}:
            name = asked.path.removeprefix("/v2/").partition("/blobs/")[0].partition("/manifests/")[0]
            if name not in self.repositories:
                return error(404, "NAME_UNKNOWN", f"The repository with name '{name}' does not exist")
        return super().answer(asked)

    def api(self, asked: Asked) -> Reply:
        """One call of the JSON API."""
        prefix, _, operation = asked.headers.get("x-amz-target", "").partition(".")
        body = json.loads(asked.body)
        self.calls.append((operation, body))
        self.faults += faults_of_input(self.service, operation, body)
        if prefix != self.target or asked.headers.get("content-type") != "application/x-amz-json-1.1":
            self.faults.append(f"{operation} is not asked for as AWS JSON 1.1")
        try:
            self.check_signature(asked)
            self.check_call(body)
            answer = self.dispatch(operation, body)
        except AwsError as found:
            if found.status == 400 and not knows_error(self.service, operation, found.code):
                self.faults.append(f"{operation} never answers {found.code}")
            return json_reply({"__type": f"com.amazon.ecr#{found.code}", "message": found.message}, found.status)
        self.faults += faults_of_output(self.service, operation, answer)
        return json_reply(answer)

    def dispatch(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer of an operation. Raises AwsError."""
        answer: dict[str, Any] = getattr(self, operation)(body)
        return answer

    def check_call(self, body: dict[str, Any]) -> None:
        """Refuse what is to be refused, and other accounts. Raises AwsError."""
        if self.refuse:
            raise self.refuse.pop(0)
        if body.get("registryId", ACCOUNT) != ACCOUNT:
            raise AwsError("RepositoryNotFoundException")

    def check_signature(self, asked: Asked) -> None:
        """Sign what arrived again, and compare. Raises AwsError."""
        stated = asked.headers.get("authorization", "")
        scope = stated.partition("Credential=")[2].partition(",")[0]
        key, _, rest = scope.partition("/")
        if rest.split("/")[1:] != [self.signing_region, self.service, "aws4_request"] or key not in self.keys:
            raise AwsError("UnrecognizedClientException", "The security token included in the request is invalid.")
        signer = SigV4Auth(Credentials(key, self.keys[key]), self.service, self.signing_region)
        signed = ("content-type", "x-amz-target", "x-amz-date", "x-amz-security-token")
        kept = {name: asked.headers[name] for name in signed if name in asked.headers}
        again = AWSRequest("POST", f"http://{asked.headers['host']}/", headers=kept, data=asked.body)
        again.context["timestamp"] = kept["x-amz-date"]
        made = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
        if not stated.endswith(f"Signature={made}") or kept.get("x-amz-security-token") != self.session_token:
            raise AwsError("UnrecognizedClientException", "The signature does not match.")

    signing_region = REGION

    # operations ------------------------------------------------------------------------------------------------

    def GetAuthorizationToken(self, body: dict[str, Any]) -> dict[str, Any]:
        """A new password for the registry."""
        return {"authorizationData": [self.new_token() | {"proxyEndpoint": f"https://{HOST}"}]}

    def new_token(self) -> dict[str, Any]:
        """A token that ends."""
        password = f"password-{len(self.passwords)}{self.padding}"
        self.passwords[password] = self.clock + self.token_life
        token = base64.b64encode(f"AWS:{password}".encode()).decode()
        return {"authorizationToken": token, "expiresAt": self.passwords[password]}

    def DescribeRepositories(self, body: dict[str, Any]) -> dict[str, Any]:
        """Pages of repositories."""
        if "repositoryNames" in body:
            return {"repositories": [self.described(name) for name in body["repositoryNames"]]}
        page, more = self.page_of(sorted(self.repositories), body)
        return {"repositories": [self.described(name) for name in page], **more}

    def described(self, name: str) -> dict[str, Any]:
        """One repository."""
        about = self.existing(name)
        found: dict[str, Any] = {
            "repositoryArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}",
            "registryId": ACCOUNT,
            "repositoryName": name,
            "repositoryUri": f"{HOST}/{name}",
            "createdAt": START,
            "imageTagMutability": about.mutability,
            "imageScanningConfiguration": {"scanOnPush": False},
        }
        if about.excepted:
            filters = [{"filterType": "WILDCARD", "filter": text} for text in about.excepted]
            found["imageTagMutabilityExclusionFilters"] = filters
        return found

    def DescribeImages(self, body: dict[str, Any]) -> dict[str, Any]:
        """Pages of images, or those that are named."""
        name = body["repositoryName"]
        self.existing(name)
        if "imageIds" in body:
            digests = [self.digest_of(name, image) for image in body["imageIds"]]
            if None in digests:
                raise AwsError("ImageNotFoundException", "The image with imageId does not exist.")
            return {"imageDetails": [self.detail(name, digest) for digest in digests if digest]}
        page, more = self.page_of(list(self.repositories[name].manifests), body)
        return {"imageDetails": [self.detail(name, digest) for digest in page], **more}

    def detail(self, name: str, digest: str) -> dict[str, Any]:
        """One image."""
        stored, about = self.repositories[name], self.about[name]
        media_type, raw = stored.manifests[digest]
        manifest = json.loads(raw)
        found: dict[str, Any] = {
            "registryId": ACCOUNT,
            "repositoryName": name,
            "imageDigest": digest,
            "imageSizeInBytes": self.size_of(stored, digest),
            "imagePushedAt": about.pushed.get(digest, START),
            "imageManifestMediaType": media_type,
            "imageStatus": "ACTIVE",
        }
        tags = [tag for tag, target in stored.tags.items() if target == digest]
        if tags:
            found["imageTags"] = tags
        kind = manifest.get("artifactType") or manifest.get("config", {}).get("mediaType")
        if kind:
            found["artifactMediaType"] = kind
        if manifest.get("subject"):
            found["subjectManifestDigest"] = manifest["subject"]["digest"]
        if digest in about.pulled:
            found["lastRecordedPullTime"] = about.pulled[digest]
        if digest in about.summaries:
            summary = {"imageScanCompletedAt": START, "findingSeverityCounts": about.summaries[digest]}
            found["imageScanFindingsSummary"] = summary
        return found

    def size_of(self, stored: Stored, digest: str) -> int:
        """All layers and the config; of an index, the largest of its images."""
        manifest = json.loads(stored.manifests[digest][1])
        if "manifests" in manifest:
            return max(self.size_of(stored, child["digest"]) for child in manifest["manifests"])
        return sum(d["size"] for d in [manifest["config"], *manifest["layers"]])

    def BatchDeleteImage(self, body: dict[str, Any]) -> dict[str, Any]:
        """Always 200; what was not deleted is in `failures`."""
        name, gone, failures = body["repositoryName"], [], []
        self.existing(name)
        stored = self.repositories[name]
        for image in body["imageIds"]:
            digest = self.digest_of(name, image)
            tags = [tag for tag, target in stored.tags.items() if target == digest]
            takes_image = "imageTag" not in image or len(tags) == 1
            if digest is None:
                failures.append(self.failure(image, "ImageNotFound", "Requested image not found"))
            elif takes_image and self.parents(stored, digest):
                failures.append(self.failure(image, "ImageReferencedByManifestList", "referenced by manifest list"))
            elif not takes_image:
                del stored.tags[image["imageTag"]]
                gone.append({"imageDigest": digest, "imageTag": image["imageTag"]})
            else:
                del stored.manifests[digest]
                stored.tags = {tag: target for tag, target in stored.tags.items() if target != digest}
                gone += [{"imageDigest": digest, "imageTag": tag} for tag in tags] or [{"imageDigest": digest}]
        return {"imageIds": gone, "failures": failures}

    def failure(self, image: dict[str, str], code: str, reason: str) -> dict[str, Any]:
        """One entry of `failures`."""
        return {"imageId": image, "failureCode": code, "failureReason": reason}

    def parents(self, stored: Stored, digest: str) -> bool:
        """Whether an index holds this image."""
        bodies = [json.loads(raw) for _, raw in stored.manifests.values()]
        return any(child["digest"] == digest for body in bodies for child in body.get("manifests", []))

    def PutImage(self, body: dict[str, Any]) -> dict[str, Any]:
        """Put a manifest, with what ECR checks first."""
        name, tag, raw = body["repositoryName"], body.get("imageTag"), body["imageManifest"].encode()
        about = self.existing(name)
        stored = self.repositories[name]
        manifest, digest = json.loads(raw), Content("", raw).digest
        if body.get("imageDigest", digest) != digest:
            raise AwsError("ImageDigestDoesNotMatchException")
        needed = [d["digest"] for d in [*manifest.get("layers", []), *filter(None, [manifest.get("config")])]]
        if any(blob not in stored.blobs for blob in needed):
            raise AwsError("LayersNotFoundException")
        if any(child["digest"] not in stored.manifests for child in manifest.get("manifests", [])):
            raise AwsError("ReferencedImagesNotFoundException")
        if digest in stored.manifests and (tag is None or stored.tags.get(tag) == digest):
            raise AwsError("ImageAlreadyExistsException")
        if tag in stored.tags and about.mutability == "IMMUTABLE":
            raise AwsError("ImageTagAlreadyExistsException", f"The image tag '{tag}' already exists")
        stored.manifests[digest] = (body.get("imageManifestMediaType") or manifest["mediaType"], raw)
        about.pushed.setdefault(digest, self.clock)
        if tag:
            stored.tags[tag] = digest
        image_id = {"imageDigest": digest, **({"imageTag": tag} if tag else {})}
        return {"image": {"registryId": ACCOUNT, "repositoryName": name, "imageId": image_id}}

    def DeleteRepository(self, body: dict[str, Any]) -> dict[str, Any]:
        """Not when there is something in it, unless forced."""
        name = body["repositoryName"]
        described = self.described(name)
        if self.repositories[name].manifests and not body.get("force"):
            raise AwsError("RepositoryNotEmptyException")
        del self.repositories[name], self.about[name]
        return {"repository": described}

    def DescribeImageScanFindings(self, body: dict[str, Any]) -> dict[str, Any]:
        """One page of the findings that were preset."""
        name = body["repositoryName"]
        digest = self.digest_of(name, body["imageId"])
        about = self.existing(name)
        if digest is None:
            raise AwsError("ImageNotFoundException")
        if digest not in about.scans:
            raise AwsError("ScanNotFoundException", f"Image scan does not exist for {digest}")
        scan = about.scans[digest]
        found, more = dict(scan["imageScanFindings"]), {}
        for member in ("findings", "enhancedFindings"):
            if member in found:
                found[member], more = self.page_of(found[member], body)
        head = {"registryId": ACCOUNT, "repositoryName": name, "imageId": {"imageDigest": digest}}
        return head | {"imageScanStatus": scan["imageScanStatus"], "imageScanFindings": found, **more}

    def StartImageScan(self, body: dict[str, Any]) -> dict[str, Any]:
        """Once per image and day; not for indexes."""
        name = body["repositoryName"]
        digest = self.digest_of(name, body["imageId"])
        about = self.existing(name)
        if digest is None:
            raise AwsError("ImageNotFoundException")
        if self.repositories[name].manifests[digest][0] in INDEXES:
            raise AwsError("UnsupportedImageTypeException")
        if digest in about.scans:
            raise AwsError("LimitExceededException", "The scan quota per image has been exceeded. Wait and try again.")
        about.scans[digest] = {"imageScanStatus": {"status": "IN_PROGRESS"}, "imageScanFindings": {}}
        head = {"registryId": ACCOUNT, "repositoryName": name, "imageId": {"imageDigest": digest}}
        return head | {"imageScanStatus": {"status": "IN_PROGRESS"}}

    def GetLifecyclePolicy(self, body: dict[str, Any]) -> dict[str, Any]:
        """The policy that was preset."""
        about = self.existing(body["repositoryName"])
        if about.lifecycle is None:
            raise AwsError("LifecyclePolicyNotFoundException")
        head = {"registryId": ACCOUNT, "repositoryName": body["repositoryName"]}
        return head | {"lifecyclePolicyText": about.lifecycle, "lastEvaluatedAt": START}

    # the rest --------------------------------------------------------------------------------------------------

    def existing(self, name: str) -> About:
        """What is known of a repository. Raises AwsError."""
        if name not in self.repositories:
            raise AwsError("RepositoryNotFoundException", f"The repository with name '{name}' does not exist")
        return self.about.setdefault(name, About())

    def digest_of(self, name: str, image: dict[str, str]) -> str | None:
        """The digest that an image id names, None when there is no such image."""
        stored = self.repositories.get(name, Stored())
        digest = image.get("imageDigest") or stored.tags.get(image.get("imageTag", ""))
        return digest if digest in stored.manifests else None

    def page_of(self, items: list[Any], body: dict[str, Any]) -> tuple[list[Any], dict[str, str]]:
        """One page, and the token of the next."""
        start = int(body.get("nextToken", "token-0").removeprefix("token-"))
        size = min(body.get("maxResults", 100), self.most)
        more = {"nextToken": f"token-{start + size}"} if start + size < len(items) else {}
        return items[start : start + size], more
