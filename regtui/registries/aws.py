"""Amazon's side of its registries: host names, SigV4 signatures by botocore, and the JSON API with its errors.

Sources: botocore's service models ecr 2015-09-21 and ecr-public 2020-10-30; the AWS JSON 1.1 protocol; host names of
awslabs/amazon-ecr-credential-helper. botocore is the optional extra `regtui[aws]`: it gives credentials and
signatures and sends nothing but what only it can ask (SSO, instance and container roles), in a thread.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from regtui.registries.cloud import in_thread, library
from regtui.registries.fields import fields, text
from regtui.transport.errors import (
    BadAnswer,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    RegistryError,
    ServerFault,
    Unauthorized,
    Unreachable,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from regtui.transport.client import RegistryClient
    from regtui.transport.errors import Facts
    from regtui.transport.exchange import Answer, Request, Response
    from regtui.transport.steps import Steps

_PRIVATE: Final = re.compile(
    r"(?P<account>\d{12})\.dkr(?P<dual>-ecr|\.ecr)(?P<fips>-fips)?\.(?P<region>[\w-]+)\.(?P<suffix>[\w.-]+)",
    re.ASCII | re.IGNORECASE,
)
_DUAL_STACK: Final = {"on.aws": "api.aws", "on.amazonwebservices.com.cn": "api.amazonwebservices.com.cn"}
_MOST_PAGES: Final = 10_000
_PAUSES: Final = (0.3, 1.0, 3.0)
"""Seconds before a question is asked again that was throttled or failed on their side."""
_ANY: Final = frozenset(range(200, 600)) - {301, 302, 303, 307, 308}
_LARGEST: Final = 32 << 20
_ENDED: Final = re.compile(rb"ExpiredToken|UnrecognizedClient|InvalidClientTokenId")
_LONGEST_ERROR: Final = 4096
NO_LIBRARY: Final = (
    "Amazon's API needs the extra regtui[aws] (pip install 'regtui[aws]'): without it this is a plain registry."
)
NO_CREDENTIALS: Final = (
    "No AWS credentials were found (environment, profile, SSO, role): without them this is a plain registry."
)


@dataclass(frozen=True, slots=True)
class EcrPlace:
    """What a private registry's host name tells: whose it is, where it is, and where its API answers."""

    account: str
    region: str
    api_host: str


def read_host(host: str) -> EcrPlace | None:
    """Read `<account>.dkr.ecr.<region>.<suffix>` and its FIPS and dual-stack forms; None for any other host."""
    match = _PRIVATE.fullmatch(host.partition(":")[0].lower())
    if match is None:
        return None
    region, suffix, fips = match["region"], match["suffix"], bool(match["fips"])
    if match["dual"] == "-ecr" and not fips:
        api = f"ecr.{region}.{_DUAL_STACK.get(suffix, 'api.aws')}"
    elif fips:
        suffix = {"on.aws": "amazonaws.com", "on.amazonwebservices.com.cn": "amazonaws.com.cn"}.get(suffix, suffix)
        api = f"{'' if suffix == 'amazonaws.com' else 'api.'}ecr-fips.{region}.{suffix}"
    else:
        api = f"api.ecr.{region}.{suffix}"
    return EcrPlace(match["account"], region, api)


class AwsIdentity:
    """Who this user is for AWS, by botocore's chain: environment, profiles, SSO, processes, roles.

    Everything here may block for seconds: call it in a thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked = False
        self._credentials: Any = None
        self.region: str | None = None
        """The region of the environment or profile."""
        self.profile: str | None = None
        self.problem: str | None = None
        """Why nothing can be signed, in a sentence; None when it can, and before `look`."""

    def forget(self) -> None:
        """Look anew next time: a profile may have been signed in again. It never waits for a look under way."""
        self._looked = False
        self._credentials = None

    def look(self) -> str | None:
        """Find the credentials, once; what is in the way, None when there are some."""
        with self._lock:
            if not self._looked:
                self.problem = self._find()
                self._looked = True
            return self.problem

    def name(self) -> str | None:
        """Who this is, for the status line; None before `look` and without credentials."""
        credentials = self._credentials
        if credentials is None:
            return None
        return f"AWS profile {self.profile}" if self.profile else f"AWS ({credentials.method})"

    def sign(self, request: Request, service: str, region: str) -> dict[str, str]:
        """The header fields that sign a request. Raises Unauthorized when there is nothing to sign with."""
        problem, credentials = self.look(), self._credentials
        if problem is not None or credentials is None:
            raise Unauthorized(
                problem or NO_CREDENTIALS, hint="Set AWS_PROFILE, or run `aws configure` or `aws sso login`."
            )
        auth, awsrequest, exceptions = (import_module(f"botocore.{n}") for n in ("auth", "awsrequest", "exceptions"))
        kept = {name: value for name, value in request.headers.items() if name in {"content-type", "x-amz-target"}}
        signing = awsrequest.AWSRequest(request.method, request.url, data=request.content, headers=kept)
        try:
            auth.SigV4Auth(credentials.get_frozen_credentials(), service, region).add_auth(signing)
        except exceptions.BotoCoreError as error:
            raise Unauthorized(
                f"AWS credentials of {self.name()} can't be used: {type(error).__name__}.",
                hint="They may have ended: sign in again, for example with `aws sso login`.",
            ) from None
        return {name.lower(): value for name, value in signing.headers.items() if name not in kept}

    def _find(self) -> str | None:
        session, exceptions = library("botocore.session"), library("botocore.exceptions")
        if session is None or exceptions is None:
            return NO_LIBRARY
        try:
            made = session.Session()
            self.profile, self.region = made.profile, made.get_config_variable("region")
            self._credentials = made.get_credentials()
        except exceptions.BotoCoreError as error:
            return f"AWS credentials can't be read: {str(error)[:300]}"
        return NO_CREDENTIALS if self._credentials is None else None


class SigV4:
    """Signs every request to AWS's API (an AuthFlow)."""

    def __init__(self, identity: AwsIdentity, service: str, region: str) -> None:
        self._identity = identity
        self._service = service
        self._region = region

    def __repr__(self) -> str:
        return f"<SigV4 {self._service} {self._region}>"

    def flow(self, request: Request) -> Steps[None]:
        """The request with its signature. Raises Unauthorized when there is nothing to sign with."""
        signature: Mapping[str, str] = yield in_thread(
            lambda: self._identity.sign(request, self._service, self._region)
        )
        response: Response = yield request.with_headers(**signature)
        if response.status in {400, 403} and _ENDED.search(response.body[:_LONGEST_ERROR]):
            self._identity.forget()

    def forget(self) -> None:
        """Look the credentials up anew."""
        self._identity.forget()


class AwsApi:
    """Calls of one AWS JSON 1.1 service. Errors come as RegistryError with AWS's own code."""

    def __init__(
        self,
        client: RegistryClient,
        target: str,
        service: str,
        *,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`client` is one beside the registry's, with SigV4; `target` starts the X-Amz-Target field."""
        self._client = client
        self._target = target
        self._service = service
        self.pause = pause

    async def read(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A call that changes nothing: tried again when AWS throttles or fails. Raises RegistryError."""
        for wait in _PAUSES:
            try:
                return await self._call(operation, body, reads=True)
            except (RateLimited, ServerFault, Unreachable) as error:
                if isinstance(error, Unreachable) and not error.sent:
                    raise
            await self.pause(wait)
        return await self._call(operation, body, reads=True)

    async def write(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A call that changes something: sent once. Raises RegistryError."""
        return await self._call(operation, body)

    async def pages(self, operation: str, body: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The answers of a listing, page by page. Raises BadAnswer when they go in a circle, RegistryError."""
        asked: set[str] = set()
        more: dict[str, Any] = {}
        while len(asked) < _MOST_PAGES:
            answer = await self.read(operation, {**body, **more})
            yield answer
            token = answer.get("nextToken")
            if not isinstance(token, str) or not token:
                return
            if token in asked:
                raise BadAnswer(f"{self._client.host} lists in a circle ({operation}).", host=self._client.host)
            asked.add(token)
            more = {"nextToken": token}

    async def _call(self, operation: str, body: Mapping[str, Any], *, reads: bool = False) -> dict[str, Any]:
        answer = await self._client.request(
            "POST",
            "/",
            headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{self._target}.{operation}"},
            content=json.dumps(body, separators=(",", ":")).encode(),
            expect=_ANY,
            limit=_LARGEST,
            reads=reads,
        )
        if answer.status != 200:
            raise aws_error(self._client.host, f"{self._service}:{operation}", answer)
        found = answer.json()
        if not isinstance(found, dict):
            raise BadAnswer(f"{self._client.host} answered {operation} with no object.", host=self._client.host)
        return found


_THROTTLED: Final = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
)
_UNKNOWN_USER: Final = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "InvalidClientTokenId",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "ExpiredTokenException",
        "ExpiredToken",
        "SignatureDoesNotMatch",
    }
)
_ERRORS: Final[dict[str, tuple[type[RegistryError], str, str]]] = {
    "RepositoryNotFoundException": (NotFound, "has no such repository", "Check the name, the region and the account."),
    "RegistryNotFoundException": (NotFound, "has no such registry", "Check the account and the alias."),
    "ImageNotFoundException": (NotFound, "has no such image", "It may have been deleted or expired meanwhile."),
    "ImageTagAlreadyExistsException": (
        Conflict,
        "refuses to move this tag: tags of the repository are immutable",
        "Use another tag, or change the repository's tag mutability first.",
    ),
    "RepositoryNotEmptyException": (Conflict, "does not delete a repository with images in it", "Delete them first."),
    "ImageDigestDoesNotMatchException": (Conflict, "computes another digest for these bytes", "Read it anew."),
    "LayersNotFoundException": (BadRequest, "has not got all layers of this image", "Copy its layers first."),
    "ReferencedImagesNotFoundException": (BadRequest, "has not got all images of this index", "Copy them first."),
    "UnsupportedImageTypeException": (
        Unsupported,
        "can't scan this type of image",
        "An index is scanned by its images.",
    ),
    "ImageArchivedException": (Conflict, "keeps this image in its archive", "Restore it to the standard class first."),
    "LimitExceededException": (RateLimited, "has done this once already today", "One scan per image in 24 hours."),
    "ScanNotFoundException": (NotFound, "has not scanned this image", "Start a scan, or switch on scanning on push."),
    "LifecyclePolicyNotFoundException": (NotFound, "has no lifecycle policy there", "None is set."),
}


def aws_error(host: str, action: str, answer: Answer) -> RegistryError:
    """What an answer of the JSON API means. `action` is named as IAM does (`ecr:DescribeImages`). Never raises."""
    try:
        body = fields(answer.json())
    except BadAnswer:
        body = {}
    said = text(body.get("__type")) or text(answer.headers.get("x-amzn-errortype")) or ""
    code = said.rpartition("#")[2].partition(":")[0][:64]
    message = (text(body.get("message")) or text(body.get("Message")) or "")[:500] or None
    facts: Facts = {"host": host, "status": answer.status, "code": code or None, "detail": message}
    if code in _THROTTLED or answer.status == 429:
        facts["hint"] = "Try again in a while: AWS limits calls per account and region."
        return RateLimited(f"{host} takes no more requests for now ({action}).", **facts)
    if code == "AccessDeniedException" or answer.status == 403:
        facts["hint"] = f"Ask for the permission {action}, or use another AWS profile."
        return Forbidden(f"{host} does not allow {action} to you.", **facts)
    if code in _UNKNOWN_USER:
        facts["hint"] = "They may have ended: check AWS_PROFILE, or sign in again with `aws sso login`."
        return Unauthorized(f"{host} does not accept the AWS credentials.", **facts)
    if code in {"RequestExpired", "RequestTimeTooSkewed"}:
        facts["hint"] = "Set this machine's clock right."
        return Unauthorized(f"{host} finds the request too old or too new.", **facts)
    if code in _ERRORS:
        kind, words, facts["hint"] = _ERRORS[code]
        return kind(f"{host} {words}.", **facts)
    if answer.status >= 500:
        facts["hint"] = "Try again later."
        return ServerFault(f"{host} failed with status {answer.status} for {action}.", **facts)
    facts["hint"] = "The registry's own words say what it did not like." if message else None
    return BadRequest(f"{host} rejects {action} ({code or answer.status}).", **facts)
