"""A Quay in memory: registry, token service and REST API on one origin, with a time machine for tags.

Written from Quay's source and documentation as the vendor page has them. No static description of its API exists, so
nothing official can be held against it.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.oci11 import Asked, FakeRegistry, Reply, Stored, json_reply
from tests.servers.oci11 import error as refused

if TYPE_CHECKING:
    from tests.servers.content import Content

API = "/api/v1"
OAUTH = ("$oauthtoken", "oauth-0123")
ROBOT = ("shop+ci", "robot-0123")
PERSON = ("alice", "encrypted-password")
WINDOW = 14 * 24 * 3600
NOW = int(datetime.now(UTC).timestamp())


@dataclass
class Position:
    """One entry of a tag's history."""

    name: str
    digest: str
    start: int
    end: int | None = None
    reversion: bool = False


class FakeQuay(FakeRegistry):
    """Serves until it is left. `shop` belongs to an organization of alice's, whose OAuth token opens the REST API."""

    def __init__(self, *, catalog: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.users = dict([OAUTH, ROBOT, PERSON])
        self.has_catalog = catalog
        self.private: set[str] = set()
        self.immutable: set[str] = set()
        self.mirrored: set[str] = set()
        self.history: dict[str, list[Position]] = {}
        self.security: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, list[dict[str, Any]]] = {}
        self.kept: dict[tuple[str, str], tuple[str, bytes]] = {}
        """What the time machine has of (repository, digest)."""
        self._clock = itertools.count(NOW - 100_000)
        self._tokens: dict[str, tuple[str, set[str]]] = {}

    def put(self, repository: str, content: Content, *tags: str) -> str:
        digest = super().put(repository, content, *tags)
        for tag in tags:
            self._point(repository, tag, digest)
        return digest

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/v2/auth":
            return self._token(asked)
        if asked.path.startswith(f"{API}/"):
            return self._rest(asked)
        return self._registry(asked)

    # the registry ------------------------------------------------------------------------------------------------

    def _registry(self, asked: Asked) -> Reply:
        user, granted = self._tokens.get(asked.headers.get("authorization", "")[7:], (None, set()))
        match = re.fullmatch(r"/v2/(.+?)/(tags|manifests|blobs|referrers)/(.+)", asked.path)
        if match is None:
            if user is None:
                return self._challenge("")
            return self._catalog(asked, user) if asked.path == "/v2/_catalog" else super().answer(asked)
        action = "pull" if asked.method in {"GET", "HEAD"} else "push"
        if f"{match[1]}:{action}" not in granted:
            return self._challenge(f"repository:{match[1]}:{'pull' if action == 'pull' else 'pull,push'}")
        if match[1] in self.mirrored and action == "push":
            return refused(405, "DENIED", "repository is not in the state required to perform this action")
        return super().answer(asked)

    def names(self, asked: Asked, member: str, names: list[str]) -> Reply:
        """At most 100 a page, whatever is asked for."""
        asked.query["n"] = str(min(100, int(asked.query.get("n", "50"))))
        return super().names(asked, member, names)

    def manifests(self, asked: Asked, repository: str, stored: Stored, locator: str) -> Reply:
        """Tags have a history, and may be immutable; a delete by digest takes its tags."""
        if asked.method == "PUT":
            if f"{repository}:{locator}" in self.immutable:
                return refused(409, "TAG_IMMUTABLE", f"tag {locator} is immutable")
            reply = super().manifests(asked, repository, stored, locator)
            if reply.status == 201 and ":" not in locator:
                self._point(repository, locator, reply.headers["Docker-Content-Digest"])
            return reply
        if asked.method == "DELETE":
            names = [tag for tag, digest in stored.tags.items() if locator in {tag, digest}]
            if not names:
                return refused(404, "MANIFEST_UNKNOWN", "manifest unknown")
            return self._untag(repository, names) or Reply(202)
        return super().manifests(asked, repository, stored, locator)

    def referrers(self, asked: Asked, repository: str, stored: Stored, subject: str) -> Reply:
        """An unknown subject is an error."""
        if subject not in stored.manifests:
            return refused(400, "MANIFEST_INVALID", "manifest invalid")
        return super().referrers(asked, repository, stored, subject)

    def _catalog(self, asked: Asked, user: str) -> Reply:
        """What the user may see; it goes on by an encrypted token."""
        names = sorted(self.repositories) if self.has_catalog else []
        shown = [name for name in names if user or name not in self.private]
        size = min(100, int(asked.query.get("n", "50")))
        start = int(base64.urlsafe_b64decode(asked.query.get("next_page", "MA==")))
        reply = json_reply({"repositories": shown[start : start + size]})
        if len(shown) > start + size:
            token = base64.urlsafe_b64encode(str(start + size).encode()).decode()
            reply.headers["Link"] = f'</v2/_catalog?n={size}&next_page={token}>; rel="next"'
        return reply

    def _challenge(self, scope: str) -> Reply:
        value = f'Bearer realm="http://{self.host}/v2/auth",service="{self.host}"'
        value += f',scope="{scope}"' if scope else ""
        reply = refused(401, "UNAUTHORIZED", "access to the requested resource is not authorized")
        reply.headers["WWW-Authenticate"] = value
        return reply

    def _token(self, asked: Asked) -> Reply:
        if asked.method != "GET":
            return Reply(405)
        user = ""
        if "authorization" in asked.headers:
            raw = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
            user, _, password = raw.partition(":")
            if self.users.get(user) != password:
                return refused(401, "UNAUTHORIZED", "Invalid username or password")
        granted = set()
        for scope in parse_qs(urlsplit(asked.target).query).get("scope", []):
            kind, repository, actions = [*scope.split(":"), "", ""][:3]
            if kind == "repository" and set(actions.split(",")) - {"pull", "push", "*"}:
                return refused(400, "INVALID_REQUEST", f"bad scope {scope}")
            if user or repository not in self.private:
                granted |= {f"{repository}:{a}" for a in actions.split(",") if user or a == "pull"}
        token = f"quay-{len(self._tokens)}"
        self._tokens[token] = (user, granted)
        return json_reply({"token": token})  # without saying how long it lives

    # the REST API --------------------------------------------------------------------------------------------------

    def _rest(self, asked: Asked) -> Reply:
        authorization = asked.headers.get("authorization")
        if authorization is not None and authorization != f"Bearer {OAUTH[1]}":
            return problem(401, "invalid_token", "Requires authentication")
        has_token = authorization is not None
        path = unquote(asked.path.removeprefix(API))
        for pattern, answer in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match is not None:
                return answer(self, asked, has_token, *match.groups())
        return problem(404, "not_found", "Not Found")

    def user(self, asked: Asked, has_token: bool) -> Reply:
        """Who the token is of."""
        if not has_token:
            return problem(401, "invalid_token", "Requires authentication")
        return json_reply({"anonymous": False, "username": "alice", "organizations": [{"name": "shop"}]})

    def listed(self, asked: Asked, has_token: bool) -> Reply:
        """Of one namespace, two a page."""
        namespace = asked.query.get("namespace")
        if namespace is None:
            return problem(400, "invalid_request", "namespace, starred or public are required")
        names = [
            name
            for name in sorted(self.repositories)
            if name.startswith(f"{namespace}/") and (has_token or name not in self.private)
        ]
        start = int(asked.query.get("next_page", "0"))
        body: dict[str, Any] = {"repositories": [self._repository(name) for name in names[start : start + 2]]}
        if len(names) > start + 2:
            body["next_page"] = str(start + 2)
        return json_reply(body)

    def found(self, asked: Asked, has_token: bool) -> Reply:
        """The search; here the namespace is an object."""
        visible = (name for name in sorted(self.repositories) if has_token or name not in self.private)
        names = [name for name in visible if asked.query["query"] in name]
        number = int(asked.query["page"])
        rows = [self._repository(name) for name in names[number * 10 - 10 : number * 10]]
        shown = [{**row, "namespace": {"kind": "organization", "name": row["namespace"]}, "score": 1.0} for row in rows]
        return json_reply(
            {"results": shown, "has_additional": len(names) > number * 10, "page": number, "page_size": 10}
        )

    def repository(self, asked: Asked, has_token: bool, name: str) -> Reply:
        """One repository, or its end."""
        refusal = self._refusal(name, has_token, needs_token=asked.method == "DELETE")
        if refusal is not None:
            return refusal
        if asked.method == "DELETE":
            del self.repositories[name]
            return Reply(204)
        return json_reply({**self._repository(name), "tag_expiration_s": WINDOW, "can_write": has_token})

    def positions(self, asked: Asked, has_token: bool, name: str) -> Reply:
        """The history of tags, the newest first, or those in use."""
        refusal = self._refusal(name, has_token)
        if refusal is not None:
            return refusal
        rows = sorted(self.history.get(name, []), key=lambda row: row.start, reverse=True)
        if asked.query.get("onlyActiveTags") == "true":
            rows = [row for row in rows if row.end is None]
        number, size = int(asked.query.get("page", "1")), min(100, int(asked.query.get("limit", "50")))
        shown = [self._tag(name, row) for row in rows[(number - 1) * size : number * size]]
        return json_reply({"tags": shown, "page": number, "has_additional": len(rows) > number * size})

    def restore(self, asked: Asked, has_token: bool, name: str, tag: str) -> Reply:
        """Point a tag to a manifest that it had."""
        refusal = self._refusal(name, has_token, needs_token=True)
        if refusal is not None:
            return refusal
        digest = json.loads(asked.body)["manifest_digest"]
        known = any(row.name == tag and row.digest == digest and row.end is not None for row in self.history[name])
        stored = self.repositories[name]
        if known and (name, digest) in self.kept:
            stored.manifests[digest] = self.kept.pop((name, digest))
        if not known or digest not in stored.manifests:
            return problem(404, "not_found", "Could not find manifest")
        self.repositories[name].tags[tag] = digest
        self._point(name, tag, digest, reversion=True)
        return json_reply({})

    def scanned(self, asked: Asked, has_token: bool, name: str, digest: str) -> Reply:
        """Clair's answer about a manifest; an index is unsupported."""
        refusal = self._refusal(name, has_token)
        if refusal is not None:
            return refusal
        if digest not in self.repositories[name].manifests:
            return problem(404, "not_found", "Not Found")
        if "manifests" in json.loads(self.repositories[name].manifests[digest][1]):
            return json_reply({"status": "unsupported", "data": None})
        return json_reply(self.security.get(digest, {"status": "queued", "data": None}))

    def pruned(self, asked: Asked, has_token: bool, name: str) -> Reply:
        """Auto-prune policies of a repository or an organization."""
        if not has_token:
            return problem(403, "insufficient_scope", "Unauthorized")
        return json_reply({"policies": self.policies.get(name, [])})

    # values ----------------------------------------------------------------------------------------------------------

    def _refusal(self, name: str, has_token: bool, *, needs_token: bool = False) -> Reply | None:
        if not has_token and (needs_token or name in self.private):
            return problem(401, "invalid_token", "Requires authentication")
        return problem(404, "not_found", "Not Found") if name not in self.repositories else None

    def _repository(self, name: str) -> dict[str, Any]:
        namespace, _, short = name.partition("/")
        return {
            "namespace": namespace,
            "name": short,
            "description": f"About {short}",
            "is_public": name not in self.private,
            "kind": "image",
            "state": "NORMAL",
            "last_modified": NOW - 500,
            "quota_report": {"quota_bytes": 4096, "configured_quota": None},
        }

    def _tag(self, repository: str, row: Position) -> dict[str, Any]:
        stored = self.repositories[repository].manifests
        media_type, raw = stored.get(row.digest) or self.kept[repository, row.digest]
        body, is_list = json.loads(raw), "index" in media_type
        parts = [] if is_list else [body["config"], *body["layers"]]
        made: dict[str, Any] = {
            "name": row.name,
            "reversion": row.reversion,
            "start_ts": row.start,
            "manifest_digest": row.digest,
            "is_manifest_list": is_list,
            "size": None if is_list else sum(part["size"] for part in parts),
            "last_modified": format_datetime(datetime.fromtimestamp(row.start, UTC)),
            "immutable": f"{repository}:{row.name}" in self.immutable,
        }
        if row.end is not None:
            made |= {"end_ts": row.end, "expiration": format_datetime(datetime.fromtimestamp(row.end, UTC))}
        return made

    def _point(self, repository: str, tag: str, digest: str, *, reversion: bool = False) -> None:
        now = next(self._clock)
        self._end(repository, {tag}, now)
        self.history.setdefault(repository, []).append(Position(tag, digest, now, reversion=reversion))

    def _end(self, repository: str, names: set[str], now: int) -> None:
        for row in self.history.get(repository, []):
            if row.name in names and row.end is None:
                row.end = now

    def _untag(self, repository: str, names: list[str]) -> Reply | None:
        if any(f"{repository}:{name}" in self.immutable for name in names):
            return refused(409, "TAG_IMMUTABLE", f"tag {names[0]} is immutable")
        stored = self.repositories[repository]
        gone = {stored.tags.pop(name) for name in names}
        self._end(repository, set(names), next(self._clock))
        for digest in gone - set(stored.tags.values()):
            # What no tag leads to any more is not given out, though the time machine still has it.
            self.kept[repository, digest] = stored.manifests.pop(digest)
        return None


def problem(status: int, kind: str, message: str) -> Reply:
    """An error of the REST API."""
    body = {"detail": message, "error_message": message, "error_type": kind, "title": kind, "status": status}
    return json_reply(body, status)


_NAME = r"([^/]+/[^/]+)"
_ROUTES: list[tuple[str, Any]] = [
    ("/user/", FakeQuay.user),
    ("/repository", FakeQuay.listed),
    ("/find/repositories", FakeQuay.found),
    (f"/repository/{_NAME}/tag/", FakeQuay.positions),
    (f"/repository/{_NAME}/tag/([^/]+)/restore", FakeQuay.restore),
    (f"/repository/{_NAME}/manifest/([^/]+)/security", FakeQuay.scanned),
    (f"/repository/{_NAME}/autoprunepolicy/", FakeQuay.pruned),
    ("/organization/([^/]+)/autoprunepolicy/", FakeQuay.pruned),
    (f"/repository/{_NAME}", FakeQuay.repository),
]
