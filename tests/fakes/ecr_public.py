"""Amazon ECR Public: one account's registry under its alias, with a token service, on loopback.

Like FakeEcr, with what differs: names without the alias in the API, an object instead of a list of tokens, Bearer
tokens for the registry, everybody may read.
"""

from __future__ import annotations

import base64
from typing import Any

from tests.fakes.aws_shapes import service
from tests.fakes.ecr import ACCOUNT, AwsError, FakeEcr
from tests.servers.oci11 import Asked, Reply, error, json_reply

HOST = "public.ecr.aws"
ALIAS = "acme"


class FakeEcrPublic(FakeEcr):
    """`host` serves the API at `/`, tokens at `/token/`, and the registry."""

    service, target, signing_region = "ecr-public", "SpencerFrontendService", "us-east-1"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.bearers = {"anybody": False}
        """Token → whether it may write."""
        self.has_alias = True

    def answer(self, asked: Asked) -> Reply:
        """The API, the token service, the registry."""
        if asked.path == "/" and asked.method == "POST":
            return self.api(asked)
        if asked.path == "/token/":
            return self.token(asked)
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        may_write = self.bearers.get(token) if scheme == "Bearer" else None
        if may_write is None or (asked.method not in {"GET", "HEAD"} and not may_write):
            reply = error(401, "DENIED", "Not Authorized")
            realm = f'realm="http://{asked.headers["host"]}/token/"'
            reply.headers["WWW-Authenticate"] = f'Bearer {realm},service="public.ecr.aws",scope="aws"'
            return reply
        return self.registry(asked)

    def token(self, asked: Asked) -> Reply:
        """A token for anybody, or for who comes with AWS's password."""
        if "authorization" not in asked.headers:
            return json_reply({"token": "anybody"})
        user, _, password = base64.b64decode(asked.headers["authorization"].partition(" ")[2]).decode().partition(":")
        if user != "AWS" or self.passwords.get(password, 0) <= self.clock:
            return error(401, "DENIED", "Your authorization token has expired.")
        self.bearers[f"bearer-{password}"] = True
        return json_reply({"token": f"bearer-{password}"})

    def dispatch(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """Names stand without the alias in the API, with it in the registry."""
        if "repositoryName" in body:
            body = {**body, "repositoryName": f"{ALIAS}/{body['repositoryName']}"}
        return _without_alias(super().dispatch(operation, body))

    def check_call(self, body: dict[str, Any]) -> None:
        """The account or its alias may be named."""
        if body.get("registryId") not in {None, ACCOUNT, ALIAS}:
            raise AwsError("RegistryNotFoundException")
        super().check_call({})

    def GetAuthorizationToken(self, body: dict[str, Any]) -> dict[str, Any]:
        """One object here."""
        return {"authorizationData": self.new_token()}

    def DescribeRegistries(self, body: dict[str, Any]) -> dict[str, Any]:
        """The account's registry with its aliases, the primary one last."""
        aliases = [
            {"name": name, "status": "ACTIVE", "primaryRegistryAlias": primary, "defaultRegistryAlias": not primary}
            for name, primary in (("a1b2c3d4", False), (ALIAS, True))
        ]
        registry = {
            "registryId": ACCOUNT,
            "registryArn": f"arn:aws:ecr-public::{ACCOUNT}:registry/{ACCOUNT}",
            "registryUri": f"{HOST}/{ALIAS}",
            "verified": False,
            "aliases": aliases if self.has_alias else [],
        }
        return {"registries": [registry]}

    def described(self, name: str) -> dict[str, Any]:
        """What the model of this service knows of a repository; those of others are not the account's."""
        return _known("Repository", super().described(name))

    def detail(self, name: str, digest: str) -> dict[str, Any]:
        """What the model of this service knows of an image."""
        return _known("ImageDetail", super().detail(name, digest))

    def DescribeRepositories(self, body: dict[str, Any]) -> dict[str, Any]:
        """The account's own, without those of other aliases that this registry also serves."""
        own = sorted(name for name in self.repositories if name.startswith(f"{ALIAS}/"))
        page, more = self.page_of(own, body)
        return {"repositories": [self.described(name) for name in page], **more}


def _known(shape: str, found: dict[str, Any]) -> dict[str, Any]:
    members = service("ecr-public").shape_for(shape).members
    return {name: value for name, value in found.items() if name in members}


def _without_alias(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_alias(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: entry.removeprefix(f"{ALIAS}/") if name == "repositoryName" else _without_alias(entry)
        for name, entry in value.items()
    }
