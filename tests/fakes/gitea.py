"""A Gitea's container registry in memory, with the REST API of packages; held against a real Gitea by its own tests.

Quirks: both challenges, tokens without an end whose scope nobody reads, a Link until the page is empty, pages of 100 at
most, layers that go with the last version which holds them, a missing layer told as 404.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from tests.servers.oci11 import Asked, FakeRegistry, Reply, Stored, error, json_reply

API = "/api/v1/packages"
CREATED = "2026-01-02T03:04:05Z"


class GiteaFake(FakeRegistry):
    """See the module. `user` is (name, password); strangers read everything unless `sign_in_is_required`."""

    def __init__(
        self,
        *,
        user: tuple[str, str] = ("alice", "wonderland"),
        sign_in_is_required: bool = False,
        api: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**{"referrers": False, **options})
        self.user, self.sign_in_is_required, self.has_api = user, sign_in_is_required, api

    def answer(self, asked: Asked) -> Reply:
        """Tokens, the REST API, the registry protocol."""
        if asked.path == "/v2/token":
            return self._give_token(asked)
        if asked.path.startswith(f"{API}/"):
            return self._packages(asked) if self.has_api else Reply(404)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        is_user = token == "mine" or asked.headers.get("authorization") == self._basic()
        if not is_user and (token != "ghost" or asked.method not in {"GET", "HEAD"}):
            realm = f'Bearer realm="http://{self.host}/v2/token",service="container_registry",scope="*"'
            both = {"WWW-Authenticate": f'{realm}, Basic realm="Gitea Container Registry"'}
            return replace(error(401, "UNAUTHORIZED", ""), headers={"Content-Type": "application/json", **both})
        if asked.path == "/v2/_catalog":
            return self._catalog(asked)
        return super().answer(asked)

    def tags(self, asked: Asked, repository: str, stored: Stored, rest: str) -> Reply:
        """A Link whenever the page is not empty."""
        if not stored.manifests:
            return error(404, "NAME_UNKNOWN", "")
        size = int(asked.query.get("n", len(stored.tags)))
        page = sorted(tag for tag in stored.tags if tag > asked.query.get("last", ""))[:size]
        reply = json_reply({"name": repository, "tags": page})
        if page:
            reply.headers["Link"] = f'<{asked.path}?n={size}&last={page[-1]}>; rel="next"'
        return reply

    def manifests(self, asked: Asked, repository: str, stored: Stored, locator: str) -> Reply:
        """Deletes take the layers along, and their lack is told as 404."""
        if asked.method == "DELETE":
            return self._remove(stored, locator)
        reply = super().manifests(asked, repository, stored, locator)
        is_lacking = reply.status == 400 and b"MANIFEST_BLOB_UNKNOWN" in reply.body
        return error(404, "BLOB_UNKNOWN", "") if is_lacking else reply

    def _remove(self, stored: Stored, locator: str) -> Reply:
        digest = stored.tags.get(locator, locator)
        if digest not in stored.manifests:
            return error(404, "MANIFEST_UNKNOWN", "")
        gone = [locator] if locator in stored.tags else [tag for tag, at in stored.tags.items() if at == digest]
        for tag in gone:
            del stored.tags[tag]
        if digest not in stored.tags.values():
            del stored.manifests[digest]
            left = [json.loads(raw) for _, raw in stored.manifests.values()]
            needed = {d["digest"] for body in left for d in [body.get("config", {}), *body.get("layers", [])] if d}
            stored.blobs = {name: raw for name, raw in stored.blobs.items() if name in needed}
        return Reply(202)

    def _catalog(self, asked: Asked) -> Reply:
        size = min(int(asked.query.get("n", "100")), 100, self.page)
        names = sorted(path for path, stored in self.repositories.items() if stored.manifests)
        page = [path for path in names if path > asked.query.get("last", "")][:size]
        reply = json_reply({"repositories": page})
        if len(page) == size:
            reply.headers["Link"] = f'</v2/_catalog?n={size}&last={page[-1]}>; rel="next"'
        return reply

    # who may what --------------------------------------------------------------------------------------------

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(":".join(self.user).encode()).decode()

    def _give_token(self, asked: Asked) -> Reply:
        if asked.method != "GET":
            return Reply(404)
        given = asked.headers.get("authorization")
        if given == self._basic():
            return json_reply({"token": "mine"})
        if given is not None or self.sign_in_is_required:
            return error(401, "UNAUTHORIZED", "")
        return json_reply({"token": "ghost"})

    # the REST API --------------------------------------------------------------------------------------------

    def _packages(self, asked: Asked) -> Reply:
        is_user = asked.headers.get("authorization") == self._basic()
        if not is_user and ("authorization" in asked.headers or self.sign_in_is_required or asked.method != "GET"):
            return json_reply({"message": "token is required", "url": "http://test.invalid/api/swagger"}, 401)
        match = re.fullmatch(rf"{API}/([^/]+)/container/([^/]+)(?:/([^/]+))?", asked.path)
        assert match is not None, asked.path
        stored = self.repositories.get(f"{match[1]}/{unquote(match[2])}")
        versions = self._versions(stored) if stored is not None else []
        if stored is None or not versions:
            return json_reply({"errors": None, "message": "not found"}, 404)
        if asked.method == "DELETE":
            version = unquote(match[3])
            return Reply(204) if version in versions and self._remove(stored, version).status == 202 else Reply(404)
        size, page = min(int(asked.query.get("limit", "30")), 50), int(asked.query.get("page", "1"))
        shown = versions[(page - 1) * size : page * size]
        return json_reply([{"id": 1, "name": match[2], "version": v, "created_at": CREATED} for v in shown])

    def _versions(self, stored: Stored) -> list[str]:
        tagged = set(stored.tags.values())
        return [*stored.tags, *(digest for digest in stored.manifests if digest not in tagged)]
