"""A GitLab in memory on two origins: the registry with its own API, and the GitLab with tokens and REST API.

Written from GitLab's documentation as the vendor page has it. Its API's description is one file for the whole product
and not at hand, so nothing official can be held against this.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.origins import Origins
from tests.fakes.pushes import Pushes
from tests.servers.oci11 import Asked, FakeRegistry, Reply, Stored, json_reply
from tests.servers.oci11 import error as refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.content import Content

PERSON = ("alice", "glpat-0123")
DEPLOY = ("gitlab+deploy-token-1", "gldt-0123")
JOB = ("gitlab-ci-token", "job-0123")


@dataclass
class World:
    """What both hosts share. Projects by path; a repository belongs to the project that its path starts with."""

    projects: dict[str, int] = field(default_factory=lambda: {"shop/cart": 11, "shop/sub/web": 12, "alice/toys": 13})
    repositories: dict[str, Stored] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=lambda: dict([PERSON, DEPLOY, JOB]))
    private: set[str] = field(default_factory=set)
    protected: set[str] = field(default_factory=set)
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: Pushes = field(default_factory=Pushes)
    tokens: dict[str, set[str]] = field(default_factory=dict)
    lingering: dict[str, int] = field(default_factory=dict)
    """Repository whose end is queued → how often it is still seen."""
    queue: int = 2

    def project_of(self, repository: str) -> str | None:
        """The project that a repository lies in."""
        fitting = [path for path in self.projects if repository == path or repository.startswith(f"{path}/")]
        return max(fitting, key=len, default=None)

    def number_of(self, repository: str) -> int:
        """What the REST API calls a repository."""
        return 100 + sorted([*self.repositories, *self.lingering]).index(repository)


class _Home(FakeRegistry):
    """The GitLab: `/jwt/auth` and `/api/v4`."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/jwt/auth":
            return self._token(asked)
        if not asked.path.startswith("/api/v4/"):
            return Reply(404, b"<html><title>Not Found</title></html>", {"Content-Type": "text/html"})
        given = asked.headers.get("private-token") or asked.headers.get("job-token")
        if given is not None and given not in {PERSON[1], JOB[1]}:
            return json_reply({"message": "401 Unauthorized"}, 401)
        for pattern, answer in self._routes():
            match = re.fullmatch(pattern, asked.path.removeprefix("/api/v4"))
            if match is not None:
                if given is None:
                    return json_reply({"message": "401 Unauthorized"}, 401)
                return answer(asked, *map(unquote, match.groups()))
        return json_reply({"error": "404 Not Found"}, 404)

    def _routes(self) -> list[tuple[str, Callable[..., Reply]]]:
        return [
            ("/user", lambda asked: json_reply({"id": 1, "username": "alice"})),
            ("/projects", self._projects),
            ("/projects/([^/]+)", self._project),
            ("/groups/([^/]+)/registry/repositories", self._of_group),
            ("/projects/([^/]+)/registry/repositories", self._of_project),
            (r"/projects/([^/]+)/registry/repositories/(\d+)", self._delete),
            (r"/registry/repositories/(\d+)", self._one),
        ]

    def _token(self, asked: Asked) -> Reply:
        if asked.method != "GET":
            return Reply(404)
        user = ""
        if "authorization" in asked.headers:
            raw = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
            user, _, password = raw.partition(":")
            if self.world.users.get(user) != password:
                return refused(401, "UNAUTHORIZED", "HTTP Basic: Access denied")
        granted = set()
        for scope in parse_qs(urlsplit(asked.target).query).get("scope", []):
            _, repository, actions = [*scope.split(":"), "", ""][:3]
            project = self.world.project_of(repository)
            if project is not None and (user or project not in self.world.private):
                granted |= {f"{repository}:{a}" for a in actions.split(",") if user or a == "pull"}
        token = f"jwt-{len(self.world.tokens)}"
        self.world.tokens[token] = granted
        return json_reply({"token": token})  # without saying how long it lives

    def _page(self, asked: Asked, rows: list[dict[str, Any]]) -> Reply:
        number, size = int(asked.query.get("page", "1")), min(100, int(asked.query.get("per_page", "20")))
        reply = json_reply(rows[(number - 1) * size : number * size])
        reply.headers["X-Next-Page"] = str(number + 1) if number * size < len(rows) else ""
        if len(rows) <= 10_000:
            reply.headers["X-Total"] = str(len(rows))
        return reply

    def _projects(self, asked: Asked) -> Reply:
        assert asked.query["membership"] == "true"
        return self._page(asked, [{"id": n, "path_with_namespace": path} for path, n in self.world.projects.items()])

    def _find(self, name: str) -> str | None:
        return next((path for path, number in self.world.projects.items() if name in {path, str(number)}), None)

    def _project(self, asked: Asked, name: str) -> Reply:
        path = self._find(name)
        if path is None:
            return json_reply({"message": "404 Project Not Found"}, 404)
        policy = self.world.policies.get(path)
        return json_reply({"id": self.world.projects[path], "container_expiration_policy": policy})

    def _row(self, repository: str, *, counts: bool = False) -> dict[str, Any]:
        project = self.world.project_of(repository)
        assert project is not None
        made = {
            "id": self.world.number_of(repository),
            "name": repository.removeprefix(project).strip("/"),
            "path": repository,
            "project_id": self.world.projects[project],
            "location": f"registry.test/{repository}",
            "created_at": "2026-01-01T00:00:00.000Z",
            "cleanup_policy_started_at": None,
            "status": "delete_scheduled" if repository in self.world.lingering else None,
        }
        if counts:
            made["tags_count"] = len(self.world.repositories[repository].tags)
        return made

    def _of_group(self, asked: Asked, name: str) -> Reply:
        if name == "alice" or not any(path.startswith(f"{name}/") for path in self.world.projects):
            return json_reply({"message": "404 Group Not Found"}, 404)
        below = [path for path in sorted(self.world.repositories) if path.startswith(f"{name}/")]
        return self._page(asked, [self._row(path) for path in below])

    def _of_project(self, asked: Asked, name: str) -> Reply:
        project = self._find(name)
        if project is None:
            return json_reply({"message": "404 Project Not Found"}, 404)
        own = [path for path in sorted(self.world.repositories) if self.world.project_of(path) == project]
        return self._page(asked, [self._row(path, counts=asked.query.get("tags_count") == "true") for path in own])

    def _delete(self, asked: Asked, project: str, number: str) -> Reply:
        found = next((n for n in self.world.repositories if self.world.number_of(n) == int(number)), None)
        if asked.method != "DELETE" or found is None or str(self.world.projects[self._find(project) or ""]) != project:
            return json_reply({"message": "404 Not Found"}, 404)
        del self.world.repositories[found]
        self.world.lingering[found] = self.world.queue
        return json_reply({}, 202)

    def _one(self, asked: Asked, number: str) -> Reply:
        known = [*self.world.repositories, *self.world.lingering]
        found = next((name for name in known if self.world.number_of(name) == int(number)), None)
        if found is None:
            return json_reply({"message": "404 Not found"}, 404)
        reply = json_reply({key: value for key, value in self._row(found).items() if key != "project_id"})
        if found in self.world.lingering:
            self.world.lingering[found] -= 1
            if self.world.lingering[found] < 0:
                del self.world.lingering[found]
                return json_reply({"message": "404 Not found"}, 404)
        return reply


class _Registry(FakeRegistry):
    """The registry, with or without a metadata database."""

    def __init__(self, world: World, home: _Home, *, database: bool, says: bool, old: bool) -> None:
        super().__init__()
        self.world, self.home, self.has_database, self.says, self.is_old = world, home, database, says, old
        self.repositories = world.repositories

    def handle(self, asked: Asked) -> Reply:
        reply = super().handle(asked)
        reply.headers["Gitlab-Container-Registry-Version"] = "v4.30.0-gitlab"
        if self.says:
            reply.headers["Gitlab-Container-Registry-Database-Enabled"] = str(self.has_database).lower()
        return reply

    def answer(self, asked: Asked) -> Reply:
        granted = self.world.tokens.get(asked.headers.get("authorization", "")[7:])
        match = re.fullmatch(r"/v2/(.+?)/(tags|manifests|blobs|referrers)/(.+)", asked.path)
        own = re.fullmatch(r"/gitlab/v1/repositories/(.+)/tags/list(/?)", asked.path)
        if asked.path.startswith("/gitlab/") and not self.has_database:
            return Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"})
        if match is None and own is None:
            if granted is None:
                return self._challenge("")
            return json_reply({}) if asked.path == "/gitlab/v1/" else super().answer(asked)
        repository = match[1] if match is not None else own[1] if own is not None else ""
        action = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(asked.method, "push")
        if match is not None and match[2] == "blobs" and action == "delete":
            action = "push"
        if f"{repository}:{action}" not in (granted or set()):
            return self._challenge(f"repository:{repository}:{action}")
        if own is not None:
            if not own[2]:
                return Reply(301, headers={"Location": f"{asked.path}/"})
            return self._own_tags(asked, repository)
        reply = super().answer(asked)
        if match is not None and match[2] == "manifests" and asked.method == "PUT" and ":" not in match[3]:
            self.world.times.stamp(repository, match[3])
        return reply

    def tags(self, asked: Asked, repository: str, stored: Stored, rest: str) -> Reply:
        """Also the old way to delete a tag alone."""
        if asked.method == "DELETE" and rest.startswith("reference/"):
            gone = stored.tags.pop(rest.removeprefix("reference/"), None)
            return Reply(202) if gone is not None else refused(404, "MANIFEST_UNKNOWN")
        return super().tags(asked, repository, stored, rest)

    def manifests(self, asked: Asked, repository: str, stored: Stored, locator: str) -> Reply:
        """Protected tags stay; an old registry deletes by digest only."""
        if asked.method in {"PUT", "DELETE"} and f"{repository}:{locator}" in self.world.protected:
            return refused(403, "DENIED", "requested access to the resource is denied: tag is protected")
        if asked.method == "DELETE" and self.is_old and ":" not in locator:
            return refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        return super().manifests(asked, repository, stored, locator)

    def _own_tags(self, asked: Asked, repository: str) -> Reply:
        if repository not in self.repositories:
            return refused(404, "NAME_UNKNOWN", "repository name not known to registry")
        stored, size = self.repositories[repository], int(asked.query.get("n", "100"))
        if not 1 <= size <= 1000:
            return refused(400, "INVALID_QUERY_PARAMETER_VALUE")
        left = sorted(tag for tag in stored.tags if tag > asked.query.get("last", ""))
        reply = json_reply([self._tag(repository, stored, tag) for tag in left[:size]])
        if len(left) > size:
            reply.headers["Link"] = f'<http://{self.host}{asked.path}?n={size}&last={left[size - 1]}>; rel="next"'
        return reply

    def _tag(self, repository: str, stored: Stored, tag: str) -> dict[str, Any]:
        digest = stored.tags[tag]
        media_type, raw = stored.manifests[digest]
        body = json.loads(raw)
        config = body.get("config")
        parts = [*body.get("layers", []), *([config] if config else [])]
        return {
            "name": tag,
            "digest": digest,
            "config_digest": config["digest"] if config else None,
            "media_type": media_type,
            "size_bytes": len(raw) + sum(part["size"] for part in parts) if config else None,
            "created_at": "2026-01-01T00:00:00.000Z",
            "updated_at": None,
            "published_at": self.world.times[repository, tag],
        }

    def _challenge(self, scope: str) -> Reply:
        value = f'Bearer realm="http://{self.home.host}/jwt/auth",service="container_registry"'
        reply = refused(401, "UNAUTHORIZED", "authentication required")
        reply.headers["WWW-Authenticate"] = value + (f',scope="{scope}"' if scope else "")
        return reply


class FakeGitLab(Origins):
    """Both hosts: `host` is the registry's, `home` the GitLab's."""

    def __init__(self, *, database: bool = True, says: bool = True, old: bool = False) -> None:
        self.world = World()
        self.gitlab = _Home(self.world)
        self.registry = _Registry(self.world, self.gitlab, database=database, says=says, old=old)
        super().__init__(self.gitlab, self.registry)

    @property
    def host(self) -> str:
        return self.registry.host

    @property
    def home(self) -> str:
        return self.gitlab.host

    def put(self, repository: str, content: Content, *tags: str) -> None:
        """Store content, without a request."""
        self.registry.put(repository, content, *tags)
        self.world.times.stamp(repository, *tags)
