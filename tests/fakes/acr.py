"""Azure Container Registry: OCI with scopes, `/acr/v1`, the OAuth2 endpoints, soft delete; and Azure's own APIs.

Built from Microsoft's documentation, every `/acr/v1` and `/oauth2` call and answer held against the data plane's
description. Its quirks: no `expires_in`, fewer actions granted without an error, thousand entries at most, 405 for what
is locked, relative Links, times with seven digits, an index without a size.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.validation import Exchange, Watch, specification
from tests.servers.content import Content
from tests.servers.oci11 import Asked, FakeRegistry, Reply, Stored, error, json_reply

HOST = "acme.azurecr.io"
NOBODY = "00000000-0000-0000-0000-000000000000"
DESCRIPTION = "azure-acr-dataplane-2019-07-15-preview.swagger.yaml"
# 2021-07-01 added `references`; the detail of an error is a list in the documentation's own example; every docker
# client sends its account and client_id along (distribution, auth/token.md).
_TOKEN_QUERY = [
    {"name": name, "in": "query", "required": name in {"service", "scope"}, "type": "string"}
    for name in ("service", "scope", "account", "client_id")
]
AMENDED: dict[str, Any] = {
    "slashes": frozenset({"name"}),
    "also": {
        "#/definitions/AcrManifestAttributesBase": {
            "references": {"type": "array", "items": {"$ref": "#/definitions/ManifestAttributes_manifest_references"}}
        },
    },
    "replace": {
        "#/definitions/AcrErrorInfo/properties/detail": {},
        "#/paths/~1oauth2~1token/get/parameters": _TOKEN_QUERY,
    },
}
OPEN = {"deleteEnabled": True, "writeEnabled": True, "listEnabled": True, "readEnabled": True}


def jwt(**claims: Any) -> str:
    """A token whose signature nobody checks here."""
    parts = [{"alg": "none"}, claims]
    made = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*made, "c2lnbmF0dXJl"])


@dataclass
class Kept:
    """A soft-deleted manifest."""

    media_type: str
    raw: bytes
    tags: list[str]
    deleted: str = "2026-10-05T00:00:00.1234567Z"


@dataclass
class About:
    """What ACR keeps of a repository besides its content."""

    locks: dict[str, dict[str, bool]] = field(default_factory=dict)
    """Tag or digest → attributes that are not true."""
    sizes: dict[str, int] = field(default_factory=dict)
    deleted: dict[str, Kept] = field(default_factory=dict)


class FakeAcr(FakeRegistry):
    """A registry of its own OAuth2 service."""

    def __init__(self, *, soft_delete: bool = True, anonymous: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.soft_delete, self.anonymous = soft_delete, anonymous
        self.about: dict[str, About] = {}
        self.watch = Watch(
            specification(DESCRIPTION, **AMENDED), covers="/acr/v1/", undocumented=(r"\w+ .*/_deleted/.*",)
        )
        self.oauth = Watch(specification(DESCRIPTION, **AMENDED), covers="/oauth2/")
        self.users = {"acme": "password"}
        self.refresh = {"refresh-of-docker": True}
        self.entra = {"entra-token"}
        self.grants: set[str] | None = None
        """Actions that tokens may hold; None for all."""
        self.clock = 1_790_000_000
        self.life = 4500
        self.firewall = False

    def put(self, repository: str, content: Content, *tags: str) -> str:
        """Store content with all that it needs, without a request."""
        self.about.setdefault(repository, About())
        return super().put(repository, content, *tags)

    def handle(self, asked: Asked) -> Reply:
        """Answer, and hold both against the description."""
        reply = super().handle(asked)
        for watch in (self.watch, self.oauth):
            watch.saw(Exchange.of(asked, reply))
        return reply

    def check(self) -> None:
        """Raises AssertionError for what did not fit."""
        self.watch.check()
        self.oauth.check()

    def calls(self, prefix: str) -> list[str]:
        """Method and path of every call below a path."""
        return [f"{asked.method} {asked.path}" for asked in self.asked if asked.path.startswith(prefix)]

    def answer(self, asked: Asked) -> Reply:
        """The OAuth2 service, or what a token allows."""
        if self.firewall:
            return error(403, "DENIED", "client with IP '10.0.0.1' is not allowed access")
        if asked.path == "/oauth2/exchange":
            return self.exchange(asked)
        if asked.path == "/oauth2/token":
            return self.token(asked)
        needed = needed_scope(asked)
        held = self.held(asked)
        if held is None or (needed is not None and not all(part in held for part in _parts(needed))):
            return self.challenge(asked, needed)
        return self.own(asked) if asked.path.startswith("/acr/v1/") else self.registry(asked)

    # signing in ------------------------------------------------------------------------------------------------

    def exchange(self, asked: Asked) -> Reply:
        """An Entra token for a refresh token."""
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form.get("service") != HOST or form.get("grant_type") != "access_token":
            return error(400, "BADREQUEST", "the form is not complete")
        if form.get("access_token") not in self.entra:
            return error(401, "UNAUTHORIZED", "unknown or expired token")
        token = jwt(sub="someone", exp=self.clock + 3 * 3600, iat=self.clock, number=len(self.refresh))
        self.refresh[token] = True
        return json_reply({"refresh_token": token})

    def token(self, asked: Asked) -> Reply:
        """A refresh token, or user and password, for an access token; anybody's where that is allowed."""
        user = "anonymous"
        if asked.method == "POST":
            form = {name: values[-1] for name, values in parse_qs(asked.body.decode()).items()}
            if form.get("refresh_token") not in self.refresh:
                return error(401, "UNAUTHORIZED", "authentication required")
            user, scopes = "entra", form.get("scope", "").split()
        else:
            scopes = parse_qs(asked.target.partition("?")[2]).get("scope", [])
            if "authorization" in asked.headers:
                user, _, password = _basic(asked)
                if self.users.get(user) != password and not (user == NOBODY and password in self.refresh):
                    return error(401, "UNAUTHORIZED", "authentication required")
        granted = [
            part for scope in scopes for part in _parts(scope) if self.grants is None or _action(part) in self.grants
        ]
        if user == "anonymous":
            granted = [part for part in granted if self.anonymous and _action(part) in {"pull", "metadata_read"}]
        return json_reply({"access_token": jwt(user=user, held=granted, iat=self.clock, exp=self.clock + self.life)})

    def held(self, asked: Asked) -> list[str] | None:
        """What the token of a request holds; None without a good one."""
        scheme, _, text = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or text.count(".") != 2:
            return None
        part = text.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return claims["held"] if claims["exp"] > self.clock else None

    def challenge(self, asked: Asked, needed: str | None) -> Reply:
        """401 with the scope that is missing."""
        kind, _, rest = (needed or "").partition(":")
        name, _, actions = rest.rpartition(":")
        detail = [{"Type": kind, "Name": name, "Action": action} for action in actions.split(",")] if needed else None
        reply = json_reply(
            {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required", "detail": detail}]}, 401
        )
        scope = f',scope="{needed}"' if needed else ""
        realm = f"http://{asked.headers['host']}/oauth2/token"
        reply.headers["WWW-Authenticate"] = f'Bearer realm="{realm}",service="{HOST}"{scope}'
        return reply

    # the registry ----------------------------------------------------------------------------------------------

    def registry(self, asked: Asked) -> Reply:
        """OCI, with locks, and manifests that go with all that refers to them."""
        match = re.fullmatch(r"/v2/(.+)/manifests/(.+)", asked.path)
        if match is None or asked.method not in {"PUT", "DELETE"}:
            return super().answer(asked)
        name, locator = match.groups()
        about = self.about.setdefault(name, About())
        if asked.method == "PUT":
            if not self.is_free(about, locator, "writeEnabled"):
                return error(405, "UNSUPPORTED", "The operation is disallowed on this registry, repository or image.")
            if self.soft_delete and Content("", asked.body).digest in about.deleted:
                return error(409, "CONFLICT", "the manifest is soft deleted")
            return super().answer(asked)
        stored = self.repositories.get(name, Stored())
        if ":" not in locator:
            return error(405, "UNSUPPORTED", "deleting by tag is not supported")
        if locator not in stored.manifests:
            return error(404, "MANIFEST_UNKNOWN", f"manifest sha256:{locator} is not found")
        if not self.is_free(about, locator, "deleteEnabled", "writeEnabled"):
            return error(405, "UNSUPPORTED", "The operation is disallowed on this registry, repository or image.")
        self.remove(stored, about, locator)
        return Reply(202)

    def remove(self, stored: Stored, about: About, digest: str) -> None:
        """A manifest, its tags, and everything that refers to it."""
        media_type, raw = stored.manifests.pop(digest)
        about.deleted[digest] = Kept(media_type, raw, [tag for tag, to in stored.tags.items() if to == digest])
        stored.tags = {tag: to for tag, to in stored.tags.items() if to != digest}
        for other, (_, body) in list(stored.manifests.items()):
            if (json.loads(body).get("subject") or {}).get("digest") == digest:
                self.remove(stored, about, other)

    def is_free(self, about: About, what: str, *switches: str) -> bool:
        """Whether none of these locks holds a tag or manifest."""
        return all(about.locks.get(what, {}).get(switch, True) for switch in switches)

    # /acr/v1 ---------------------------------------------------------------------------------------------------

    def own(self, asked: Asked) -> Reply:
        """ACR's own API."""
        if asked.path == "/acr/v1/_catalog":
            return self.paged(asked, {}, "repositories", sorted(self.repositories), str)
        path = asked.path.removeprefix("/acr/v1/")
        if path.startswith("_deleted/"):
            return self.kept(asked, path.removeprefix("_deleted/"))
        name, _, rest = path.partition("/_")
        if name not in self.repositories:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")
        stored, about = self.repositories[name], self.about.setdefault(name, About())
        head = {"registry": HOST, "imageName": name}
        if not rest:
            return self.delete_repository(name)
        if rest == "tags":
            items = [self.tag(about, tag, digest) for tag, digest in sorted(stored.tags.items())]
            return self.paged(asked, head, "tags", items, lambda item: item["name"])
        if rest == "manifests":
            items = [self.manifest(stored, about, digest) for digest in sorted(stored.manifests)]
            return self.paged(asked, head, "manifests", items, lambda item: item["digest"])
        tag = rest.removeprefix("tags/")
        if tag not in stored.tags:
            return error(404, "TAG_UNKNOWN", "the specified tag does not exist")
        if not self.is_free(about, tag, "deleteEnabled", "writeEnabled"):
            return error(405, "UNSUPPORTED", "The operation is disallowed on this registry, repository or image.")
        del stored.tags[tag]
        return Reply(202)

    def delete_repository(self, name: str) -> Reply:
        """All of it, unless something is locked."""
        stored, about = self.repositories[name], self.about[name]
        if any(not self.is_free(about, what, "deleteEnabled", "writeEnabled") for what in about.locks):
            return error(409, "CONFLICT", "The repository has locked images.")
        del self.repositories[name], self.about[name]
        return json_reply({"manifestsDeleted": list(stored.manifests), "tagsDeleted": list(stored.tags)}, 202)

    def tag(self, about: About, name: str, digest: str) -> dict[str, Any]:
        """One tag."""
        return {
            "name": name,
            "digest": digest,
            "createdTime": "2026-09-01T10:00:00.1234567Z",
            "lastUpdateTime": "2026-10-01T10:00:00.1234567Z",
            "signed": False,
            "changeableAttributes": OPEN | about.locks.get(name, {}),
        }

    def manifest(self, stored: Stored, about: About, digest: str) -> dict[str, Any]:
        """One manifest; an index has no size of its images, and no platform."""
        media_type, raw = stored.manifests[digest]
        body = json.loads(raw)
        found: dict[str, Any] = {
            "digest": digest,
            "imageSize": about.sizes.get(digest, 5000 + sum(entry["size"] for entry in body.get("layers", []))),
            "createdTime": "2026-09-01T10:00:00.1234567Z",
            "lastUpdateTime": "2026-09-01T10:00:00.1234567Z",
            "mediaType": media_type,
            "changeableAttributes": OPEN | about.locks.get(digest, {}),
        }
        tags = [tag for tag, to in stored.tags.items() if to == digest]
        if tags:
            found["tags"] = tags[:10]
        if "manifests" in body:
            found["references"] = [
                {
                    "digest": entry["digest"],
                    "architecture": entry["platform"]["architecture"],
                    "os": entry["platform"]["os"],
                }
                for entry in body["manifests"]
            ]
        elif body.get("config", {}).get("digest") in stored.blobs:
            config = json.loads(stored.blobs[body["config"]["digest"]])
            if "architecture" in config:
                found |= {"architecture": config["architecture"], "os": config["os"]}
            found["configMediaType"] = body["config"]["mediaType"]
        return found

    def kept(self, asked: Asked, path: str) -> Reply:
        """What was deleted, and bringing it back."""
        if not self.soft_delete:
            return error(405, "UNSUPPORTED", "Soft delete policy is disabled")
        name, _, rest = path.partition("/_")
        about, stored = self.about.get(name), self.repositories.get(name)
        if about is None or stored is None:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")
        if rest == "manifests":
            items = [{"digest": digest, "deletedAt": kept.deleted} for digest, kept in sorted(about.deleted.items())]
            return self.paged(asked, {"imageName": name}, "manifests", items, lambda item: item["digest"])
        if rest == "tags":
            listed = [(tag, d, kept) for d, kept in about.deleted.items() for tag in kept.tags]
            items = [{"name": tag, "digest": d, "deletedAt": kept.deleted} for tag, d, kept in sorted(listed, key=str)]
            return self.paged(asked, {"imageName": name}, "tags", items, lambda item: item["name"])
        digest, tag = rest.removeprefix("manifests/"), json.loads(asked.body).get("tag")
        if digest in about.deleted:
            back = about.deleted.pop(digest)
            stored.manifests[digest] = (back.media_type, back.raw)
        if digest not in stored.manifests:
            return error(404, "MANIFEST_UNKNOWN", "no such deleted manifest")
        if tag:
            if stored.tags.get(tag, digest) != digest and asked.query.get("force") != "true":
                return error(409, "CONFLICT", "the tag exists")
            stored.tags[tag] = digest
        return Reply(200)

    def paged(self, asked: Asked, head: dict[str, Any], member: str, items: list[Any], key: Any) -> Reply:
        """A thousand at most, whatever is asked for; the Link is relative."""
        size = min(int(asked.query.get("n", 100)), self.page)
        left = [item for item in items if key(item) > asked.query.get("last", "")]
        reply = json_reply(head | {member: left[:size] or None if member == "repositories" else left[:size]})
        if len(left) > size:
            reply.headers["Link"] = f'<{asked.path}?last={key(left[size - 1])}&n={size}&orderby=>; rel="next"'
        return reply


def needed_scope(asked: Asked) -> str | None:
    """What a call needs; None for the API's root."""
    if asked.path in {"/v2/_catalog", "/acr/v1/_catalog"}:
        return "registry:catalog:*"
    if asked.path.startswith("/acr/v1/_deleted/"):
        name = asked.path.removeprefix("/acr/v1/_deleted/").partition("/_")[0]
        return f"repository:{name}:{'deleted_restore' if asked.method == 'POST' else 'deleted_read'}"
    if asked.path.startswith("/acr/v1/"):
        name = asked.path.removeprefix("/acr/v1/").partition("/_")[0]
        return f"repository:{name}:{'delete' if asked.method == 'DELETE' else 'metadata_read'}"
    match = re.fullmatch(r"/v2/(.+?)/(tags|manifests|blobs|referrers)/.+", asked.path)
    if match is None:
        return None
    actions = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(asked.method, "pull,push")
    return f"repository:{match[1]}:{actions}"


def _parts(scope: str) -> list[str]:
    resource, _, actions = scope.rpartition(":")
    return [f"{resource}:{action}" for action in actions.split(",")]


def _action(part: str) -> str:
    return part.rpartition(":")[2]


def _basic(asked: Asked) -> tuple[str, str, str]:
    return base64.b64decode(asked.headers["authorization"].partition(" ")[2]).decode().partition(":")
