"""Docker Hub in memory: the registry, its token service, its storage and hub.docker.com, each on an origin of its own.

Written from Docker's published API descriptions and clients as the vendor page has them. Every request to the Hub API
and every answer of it is held against the official description where that is on the machine.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.origins import Origins
from tests.fakes.pushes import Pushes
from tests.fakes.validation import Exchange, Watch, specification
from tests.servers.oci11 import Asked, FakeRegistry, Reply, Stored, json_reply
from tests.servers.oci11 import error as refused

if TYPE_CHECKING:
    from tests.servers.content import Content

ALICE = ("alice", "dckr_pat_0123")
BOB = ("bob", "password-with-second-factor")
MORE = {
    "#/components/schemas/tag": {
        "digest": {"type": "string"},
        "media_type": {"type": "string"},
        "content_type": {"type": "string"},
        "tag_status": {"type": "string", "enum": ["active", "inactive"]},
    },
}
"""Fields that Docker's own clients decode and the description leaves out."""
UNDOCUMENTED = (
    r"DELETE /v2/repositories/[^/]+/[^/]+/(tags/[^/]+/)?",
    r"GET /v2/user/orgs",
    r"GET /api/search/v4",
    r"GET /v2/search/repositories/",
)
PULL = "ratelimit"


@dataclass
class World:
    """What the four services share."""

    repositories: dict[str, Stored] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=lambda: dict([ALICE, BOB]))
    needs_access_token: set[str] = field(default_factory=lambda: {"bob"})
    owners: dict[str, str] = field(default_factory=lambda: {"shop": "alice", "alice": "alice"})
    private: set[str] = field(default_factory=set)
    immutable: set[str] = field(default_factory=set)
    times: Pushes = field(default_factory=Pushes)
    pulled: dict[tuple[str, str], str] = field(default_factory=dict)
    pulls_left: int = 100
    deep: int = 300
    """Rows after which anonymous users are refused."""
    has_new_search: bool = True
    tokens: dict[str, tuple[str, set[str]]] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    logins: int = 0
    limited: bool = False

    def may(self, user: str, repository: str, action: str) -> bool:
        """Everybody reads what is public; the owner of a namespace does everything in it."""
        is_own = bool(user) and self.owners.get(repository.partition("/")[0]) == user
        return is_own or (action == "pull" and repository in self.repositories and repository not in self.private)


class _Tokens(FakeRegistry):
    """auth.docker.io: missing rights are no error, the token just holds fewer actions."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def answer(self, asked: Asked) -> Reply:
        query = parse_qs(urlsplit(asked.target).query)
        user = ""
        if "authorization" in asked.headers:
            raw = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
            user, _, password = raw.partition(":")
            if self.world.users.get(user) != password:
                return json_reply({"details": "incorrect username or password"}, 401)
        granted = set()
        for scope in query.get("scope", []):
            _, repository, actions = [*scope.split(":"), "", ""][:3]
            granted |= {f"{repository}:{a}" for a in actions.split(",") if self.world.may(user, repository, a)}
        token = f"registry-{len(self.world.tokens)}"
        self.world.tokens[token] = (user, granted)
        return json_reply(
            {"token": token, "access_token": token, "expires_in": 300, "issued_at": "2026-01-01T00:00:00Z"}
        )


class _Storage(FakeRegistry):
    """Where blobs are redirected to: it takes no Authorization."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def answer(self, asked: Asked) -> Reply:
        if "authorization" in asked.headers:
            return Reply(400, b"Only one auth mechanism allowed")
        _, repository, digest = asked.path.split("@")
        return super().blobs(asked, repository, self.world.repositories[repository], digest)


class _Registry(FakeRegistry):
    """registry-1.docker.io."""

    def __init__(self, world: World, tokens: _Tokens, storage: _Storage) -> None:
        super().__init__()
        self.world, self.tokens, self.storage = world, tokens, storage
        self.repositories = world.repositories

    def answer(self, asked: Asked) -> Reply:
        user, granted = self.world.tokens.get(asked.headers.get("authorization", "")[7:], (None, set()))
        match = re.fullmatch(r"/v2/(.+?)/(tags|manifests|blobs|referrers)/(.+)", asked.path)
        if match is None:
            return self._challenge("") if user is None or asked.path != "/v2/" else super().answer(asked)
        action = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(asked.method, "push")
        if match[2] == "blobs" and action == "delete":
            action = "push"  # an upload is given up
        if f"{match[1]}:{action}" not in granted:
            return self._challenge(f"repository:{match[1]}:{action}")
        if match[2] != "manifests":
            return super().answer(asked)
        if action == "pull":
            return self._limited(asked, user)
        if action == "delete":
            return self._delete(match[1], match[3])
        if f"{match[1]}:{match[3]}" in self.world.immutable:
            return refused(403, "DENIED", "tag is immutable")
        reply = super().answer(asked)
        if reply.status == 201:
            self.world.times.stamp(match[1], match[3])
        return reply

    def blobs(self, asked: Asked, repository: str, stored: Stored, rest: str) -> Reply:
        """Blobs lie elsewhere."""
        if asked.method == "GET" and rest in stored.blobs:
            return Reply(307, headers={"Location": f"http://{self.storage.host}/blob@{repository}@{rest}"})
        return super().blobs(asked, repository, stored, rest)

    def _limited(self, asked: Asked, user: str | None) -> Reply:
        """A GET counts, a HEAD does not; who is signed in is not limited here."""
        if user:
            return super().answer(asked)
        if asked.method == "GET":
            if self.world.pulls_left <= 0:
                return refused(429, "TOOMANYREQUESTS", "You have reached your unauthenticated pull rate limit.")
            self.world.pulls_left -= 1
        reply = super().answer(asked)
        reply.headers.update({"ratelimit-limit": "100;w=21600", "docker-ratelimit-source": "127.0.0.1"})
        reply.headers["ratelimit-remaining"] = f"{self.world.pulls_left};w=21600"
        return reply

    def _delete(self, repository: str, locator: str) -> Reply:
        stored = self.world.repositories.get(repository, Stored())
        if ":" not in locator:
            return refused(405, "UNSUPPORTED", "only digests")
        if locator not in stored.manifests:
            return refused(404, "MANIFEST_UNKNOWN")
        held = any(
            locator in {entry["digest"] for entry in json.loads(raw).get("manifests", [])}
            for _, raw in stored.manifests.values()
        )
        if held or locator in stored.tags.values():
            return refused(403, "DENIED", "manifest is referenced by a tag or another manifest")
        del stored.manifests[locator]
        return Reply(202)

    def _challenge(self, scope: str) -> Reply:
        value = f'Bearer realm="http://{self.tokens.host}/token",service="registry.docker.io"'
        reply = refused(401, "UNAUTHORIZED", "authentication required")
        reply.headers["WWW-Authenticate"] = value + (f',scope="{scope}"' if scope else "")
        return reply


class _Hub(FakeRegistry):
    """hub.docker.com."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        described = specification("dockerhub-api-2026-excerpt.openapi.yaml", also=MORE)
        # What the description leaves out: limits, and refusals of private things.
        self.watch = Watch(described, undocumented=UNDOCUMENTED, more_statuses=frozenset({401, 403, 429}))

    def handle(self, asked: Asked) -> Reply:
        reply = super().handle(asked)
        self.watch.saw(Exchange.of(asked, reply))
        return reply

    def answer(self, asked: Asked) -> Reply:
        if self.world.limited:
            return json_reply({"detail": "Rate limit exceeded", "error": False}, 429, X_Retry_After="4102444800")
        if asked.path == "/v2/auth/token":
            return self._login(asked)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        user = self.world.sessions.get(token, "")
        if token and not user:
            return json_reply({"message": "unauthorized", "errinfo": {}}, 401)
        reply = self._routed(asked, user)
        reply.headers.update({"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "599"})
        return reply

    def _routed(self, asked: Asked, user: str) -> Reply:
        if asked.path == "/v2/user/orgs":
            if not user:
                return json_reply({"message": "access denied", "errinfo": {}}, 401)
            names = [name for name, owner in self.world.owners.items() if owner == user and name != user]
            return json_reply({"count": len(names), "next": None, "results": [{"orgname": name} for name in names]})
        if asked.path == "/api/search/v4":
            return self._search(asked) if self.world.has_new_search else Reply(404)
        if asked.path == "/v2/search/repositories/":
            return self._old_search(asked)
        match = re.fullmatch(r"/v2/namespaces/([^/]+)/repositories(?:/([^/]+)/tags)?", asked.path)
        if match is not None:
            return (
                self._tags(asked, user, f"{match[1]}/{match[2]}") if match[2] else self._listed(asked, user, match[1])
            )
        match = re.fullmatch(r"/v2/repositories/([^/]+)/([^/]+)/(?:tags/([^/]+)/)?", asked.path)
        if match is not None and asked.method == "DELETE":
            return self._delete(user, f"{match[1]}/{match[2]}", match[3])
        return json_reply({"message": "page not found", "errinfo": {}}, 404)

    def _login(self, asked: Asked) -> Reply:
        self.world.logins += 1
        given = json.loads(asked.body)
        user = given["identifier"]
        if self.world.users.get(user) != given["secret"] or user in self.world.needs_access_token:
            return json_reply({"detail": "Incorrect authentication credentials"}, 401)
        token = f"hub-{self.world.logins}"
        self.world.sessions[token] = user
        return json_reply({"access_token": token})

    def _page(self, asked: Asked, rows: list[Any], made: Any) -> Reply:
        number, size = int(asked.query.get("page", "1")), int(asked.query.get("page_size", "10"))
        shown = rows[(number - 1) * size : number * size]
        if number > 1 and not shown:
            return json_reply({"message": "page out of range", "errinfo": {}}, 404)
        more = (
            f"http://{self.host}{asked.path}?page={number + 1}&page_size={size}" if number * size < len(rows) else None
        )
        return json_reply({"count": len(rows), "next": more, "previous": None, "results": [made(r) for r in shown]})

    def _listed(self, asked: Asked, user: str, namespace: str) -> Reply:
        if namespace not in self.world.owners and namespace != "library":
            return json_reply({"message": "object not found", "errinfo": {}}, 404)
        names = [name for name in sorted(self.world.repositories) if name.startswith(f"{namespace}/")]
        return self._page(asked, [name for name in names if self.world.may(user, name, "pull")], _repository)

    def _tags(self, asked: Asked, user: str, repository: str) -> Reply:
        if not self.world.may(user, repository, "pull") or repository not in self.world.repositories:
            return json_reply({"message": "object not found", "errinfo": {"namespace": repository}}, 404)
        if not user and int(asked.query["page"]) * int(asked.query["page_size"]) > self.world.deep:
            words = "pagination offset too large for anonymous requests; sign in to page further"
            return json_reply({"message": words, "errinfo": {}}, 403)
        stored = self.world.repositories[repository]
        names = sorted(stored.tags, key=lambda tag: self.world.times.get((repository, tag), ""), reverse=True)
        return self._page(asked, names, lambda name: _tag(self.world, repository, name))

    def _delete(self, user: str, repository: str, tag: str | None) -> Reply:
        if repository not in self.world.repositories:
            return json_reply({"message": "object not found", "errinfo": {}}, 404)
        if not self.world.may(user, repository, "delete"):
            return json_reply({"message": "access denied", "errinfo": {}}, 403)
        if tag is None:
            del self.world.repositories[repository]
            return Reply(202)
        if self.world.repositories[repository].tags.pop(tag, None) is None:
            return json_reply({"message": "tag not found", "errinfo": {}}, 404)
        return Reply(204)

    def _search(self, asked: Asked) -> Reply:
        start, size = int(asked.query["from"]), int(asked.query["size"])
        names = [
            n for n in sorted(self.world.repositories) if asked.query["query"] in n and n not in self.world.private
        ]
        rows = [
            {"id": name, "name": name.removeprefix("library/"), "type": "image", "pull_count": "1B+"}
            | {"short_description": f"About {name}", "updated_at": "2026-02-02T02:02:02.222Z"}
            for name in names[start : start + size]
        ]
        return json_reply({"total": len(names), "results": rows})

    def _public(self, text: str) -> list[str]:
        return [name for name in sorted(self.world.repositories) if text in name and name not in self.world.private]

    def _old_search(self, asked: Asked) -> Reply:
        names = [
            n for n in sorted(self.world.repositories) if asked.query["query"] in n and n not in self.world.private
        ]
        return self._page(asked, names, lambda name: {"repo_name": name.removeprefix("library/"), "is_official": False})


class FakeDockerHub(Origins):
    """All four services: `host` is the registry's, `api` the Hub's."""

    def __init__(self) -> None:
        self.world = World()
        self.tokens, self.storage = _Tokens(self.world), _Storage(self.world)
        self.registry, self.hub = _Registry(self.world, self.tokens, self.storage), _Hub(self.world)
        super().__init__(self.tokens, self.storage, self.registry, self.hub)

    @property
    def host(self) -> str:
        return self.registry.host

    @property
    def api(self) -> str:
        return self.hub.host

    def put(self, repository: str, content: Content, *tags: str) -> None:
        """Store content, without a request."""
        self.registry.put(repository, content, *tags)
        self.world.times.stamp(repository, content.digest, *tags)


def _repository(name: str) -> dict[str, Any]:
    namespace, _, short = name.partition("/")
    return {
        "name": short,
        "namespace": namespace,
        "repository_type": "image",
        "status": 1,
        "status_description": "active",
        "description": f"About {short}",
        "is_private": False,
        "star_count": 1,
        "pull_count": 7,
        "last_updated": "2026-02-02T02:02:02.222222Z",
        "last_modified": None,
        "date_registered": "2026-01-01T00:00:00Z",
        "affiliation": "",
        "media_types": [],
        "content_types": ["image"],
        "categories": [],
        "storage_size": 4096,
    }


def _tag(world: World, repository: str, name: str) -> dict[str, Any]:
    stored = world.repositories[repository]
    digest = stored.tags[name]
    media_type, raw = stored.manifests[digest]
    images = [_image(stored, one) for one in [d["digest"] for d in json.loads(raw).get("manifests", [])] or [digest]]
    if len(images) > 1:
        images.append({"architecture": "unknown", "os": "unknown", "size": 1234, "digest": None, "status": "inactive"})
    return {
        "id": 1,
        "name": name,
        "full_size": images[0]["size"],
        "digest": digest,
        "media_type": media_type,
        "content_type": "image",
        "tag_status": "active",
        "tag_last_pulled": world.pulled.get((repository, name)),
        "tag_last_pushed": world.times.get((repository, name)),
        "last_updated": world.times.get((repository, name)),
        "last_updater": 1,
        "last_updater_username": "alice",
        "creator": 1,
        "repository": 1,
        "v2": True,
        "images": images,
    }


def _image(stored: Stored, digest: str) -> dict[str, Any]:
    body = json.loads(stored.manifests[digest][1])
    config = json.loads(stored.blobs[body["config"]["digest"]])
    parts = [body["config"], *body["layers"]]
    return {
        "architecture": config.get("architecture", ""),
        "features": "",
        "variant": config.get("variant", ""),
        "digest": digest,
        "os": config.get("os", ""),
        "os_features": "",
        "os_version": "",
        "size": sum(part["size"] for part in parts),
        "status": "active",
        "last_pulled": None,
        "last_pushed": "2026-03-01T00:00:00Z",
    }
