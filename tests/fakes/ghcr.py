"""ghcr.io and api.github.com in memory, on one port: tokens even for public images, packages and versions by REST.

Quirks: deletes at the registry are 405, the referrers API leads to a web page that answers 429, a version goes with
all of its tags and the last one not at all, names are double-encoded, 404 stands for a lack of rights, too.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from tests.fakes.validation import Exchange, Watch, specification
from tests.servers.oci11 import Asked, FakeRegistry, Reply, Stored, error, json_reply

ALL_SCOPES = "read:packages, write:packages, delete:packages"
CREATED = "2026-01-02T03:04:05Z"
UPDATED = "2026-02-03T04:05:06Z"
DELETED = "2026-03-04T05:06:07Z"
_VERSIONS = "/users/{username}/packages/{package_type}/{package_name}/versions"
_PAGING = [
    {"$ref": f"#/components/parameters/{name}"}
    for name in ("package-type", "package-name", "username", "page", "per-page")
]
_STATE = {"name": "state", "in": "query", "schema": {"type": "string", "enum": ["active", "deleted"]}}


@dataclass(frozen=True)
class Gone:
    """A version that was deleted."""

    digest: str
    media_type: str
    raw: bytes
    tags: tuple[str, ...]


class GhcrFake(FakeRegistry):
    """See the module. `token` is the secret of `login`; owners in `organisations` are such, all others users."""

    def __init__(
        self,
        *,
        login: str = "Alice",
        token: str | None = "ghp_secret",
        scopes: str | None = ALL_SCOPES,
        organisations: tuple[str, ...] = ("octo-org",),
        limit: int = 5000,
        **options: Any,
    ) -> None:
        super().__init__(**{"referrers": False, **options})
        self.login, self.token, self.scopes, self.organisations = login, token, scopes, organisations
        self.left = limit
        self.downloaded: set[str] = set()
        """Packages that may not be deleted any more: public ones of more than 5,000 downloads."""
        self.gone: dict[str, dict[int, Gone]] = {}
        self.ids: dict[tuple[str, str], int] = {}
        pointer = "/paths/" + _VERSIONS.replace("/", "~1") + "/get/parameters"
        self.watch = Watch(
            specification("github-packages-excerpt.openapi.json", replace={pointer: [*_PAGING, _STATE]}),
            undocumented=("GET /user", r"GET /users/[^/]+", r"[A-Z]+ /v2/.*", "GET /token", "GET /html/.*"),
            more_statuses=frozenset({400, 429}),
        )

    def handle(self, asked: Asked) -> Reply:
        """Answer, and hold both sides against the description."""
        reply = super().handle(asked)
        self.watch.saw(Exchange.of(asked, reply))
        return reply

    def answer(self, asked: Asked) -> Reply:
        """The registry below /v2/, its tokens, and REST for everything else."""
        if asked.path == "/token":
            return self._give_token(asked)
        if asked.path.startswith("/html/"):
            return Reply(429, b"<html>Too many requests</html>", {"Content-Type": "text/html"})
        if asked.path.startswith("/v2/"):
            return self._registry(asked)
        return self._rest(asked)

    # the registry --------------------------------------------------------------------------------------------

    def _give_token(self, asked: Asked) -> Reply:
        given = asked.headers.get("authorization", "")
        if not given:
            return json_reply({"token": "anonymous"})
        name, _, secret = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")
        return json_reply({"token": "mine"}) if name and secret == self.token else Reply(403, b"denied")

    def _registry(self, asked: Asked) -> Reply:
        if not asked.headers.get("authorization", "").startswith("Bearer "):
            challenge = f'Bearer realm="http://{self.host}/token",service="ghcr.io",scope="repository:user/image:pull"'
            reply = error(401, "UNAUTHORIZED", "authentication required")
            return replace(reply, headers=reply.headers | {"WWW-Authenticate": challenge})
        if asked.path == "/v2/_catalog":
            return Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"})
        if "/referrers/" in asked.path:
            return Reply(303, headers={"Location": f"http://{self.host}/html{asked.path}"})
        if asked.method == "DELETE" and "/uploads/" not in asked.path:
            return error(405, "UNSUPPORTED", "The operation is unsupported.")
        return super().answer(asked)

    # REST ----------------------------------------------------------------------------------------------------

    def _rest(self, asked: Asked) -> Reply:
        is_over = self.left <= 0
        self.left = max(0, self.left - 1)
        rate = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": str(self.left)}
        has_token = asked.headers.get("authorization") == f"Bearer {self.token}"
        if "authorization" in asked.headers and not has_token:
            return _refused(401, "Bad credentials")
        if is_over:
            return _refused(403, "API rate limit exceeded", rate)
        reply = self._authorised(asked, has_token=has_token)
        known = {"X-OAuth-Scopes": self.scopes} if has_token and self.scopes is not None else {}
        return replace(reply, headers=reply.headers | rate | known)

    def _authorised(self, asked: Asked, *, has_token: bool) -> Reply:
        owner = re.fullmatch(r"/users/([^/]+)", asked.path)
        if owner is not None:
            kind = "Organization" if owner[1] in self.organisations else "User"
            return json_reply({"login": owner[1], "type": kind})
        if not has_token:
            return _refused(401, "Requires authentication")
        if asked.path == "/user":
            return json_reply({"login": self.login, "type": "User"})
        if self.scopes is not None:
            needed = "read:packages"
            if asked.method == "DELETE":
                needed = "delete:packages"
            elif asked.method == "POST":
                needed = "write:packages"
            if needed not in self.scopes:
                return _refused(403, "Resource not accessible", {"X-Accepted-OAuth-Scopes": needed})
        return self._packages(asked)

    def _packages(self, asked: Asked) -> Reply:
        match = re.fullmatch(r"/(user|users/([^/]+)|orgs/([^/]+))/packages(?:/container/([^/]+)(.*))?", asked.path)
        assert match is not None, asked.path
        owner = match[2] or match[3] or self.login.lower()
        right = "user" if owner == self.login.lower() else f"orgs/{owner}" if owner in self.organisations else None
        if match[1] not in {right, f"users/{owner}"} or (right and match[1] != right):
            return _refused(404, "Not Found")
        if match[4] is None:
            assert asked.query["package_type"] == "container"
            names = [path for path in self.repositories if path.startswith(f"{owner}/")]
            return self._paged(asked, [self._package(path) for path in names])
        path = f"{owner}/{unquote(match[4])}"
        if path not in self.repositories and path not in self.gone:
            return _refused(404, "Package not found.")
        return self._package_call(asked, path, match[5])

    def _package_call(self, asked: Asked, path: str, rest: str) -> Reply:
        if rest == "" and asked.method == "DELETE":
            return self._delete_package(path)
        if rest == "/versions":
            if asked.query.get("state") == "deleted":
                gone = self.gone.get(path, {}).items()
                return self._paged(
                    asked, [self._version(path, ident, one.digest, one.tags, DELETED) for ident, one in gone]
                )
            return self._paged(asked, self._versions(path))
        ident = re.fullmatch(r"/versions/(\d+)(/restore)?", rest)
        assert ident is not None, rest
        return self._restore(path, int(ident[1])) if ident[2] else self._delete_version(path, int(ident[1]))

    def _delete_package(self, path: str) -> Reply:
        if path in self.downloaded:
            return _refused(400, "Publicly visible packages with more than 5000 downloads cannot be deleted.")
        if path not in self.repositories:
            return _refused(404, "Package not found.")
        del self.repositories[path]
        return Reply(204)

    def _delete_version(self, path: str, ident: int) -> Reply:
        stored = self.repositories.get(path, Stored())
        digest = next((d for d in stored.manifests if self._ident(path, d) == ident), None)
        if digest is None:
            return _refused(404, "Package not found.")
        if len(stored.manifests) == 1:
            return _refused(400, "You cannot delete the last tagged version of a package.")
        tags = tuple(tag for tag, d in stored.tags.items() if d == digest)
        self.gone.setdefault(path, {})[ident] = Gone(digest, *stored.manifests.pop(digest), tags)
        for tag in tags:
            del stored.tags[tag]
        return Reply(204)

    def _restore(self, path: str, ident: int) -> Reply:
        gone = self.gone.get(path, {}).pop(ident, None)
        if gone is None:
            return _refused(404, "Package not found.")
        stored = self.repositories.setdefault(path, Stored())
        stored.manifests[gone.digest] = (gone.media_type, gone.raw)
        stored.tags.update(dict.fromkeys(gone.tags, gone.digest))
        return Reply(204)

    def _ident(self, path: str, digest: str) -> int:
        return self.ids.setdefault((path, digest), 1000 + len(self.ids))

    def _versions(self, path: str) -> list[dict[str, Any]]:
        stored = self.repositories.get(path, Stored())
        rows = []
        for digest in reversed(stored.manifests):  # the newest first
            tags = tuple(tag for tag, pointed in stored.tags.items() if pointed == digest)
            rows.append(self._version(path, self._ident(path, digest), digest, tags))
        return rows

    def _version(
        self, path: str, ident: int, digest: str, tags: tuple[str, ...], deleted: str | None = None
    ) -> dict[str, Any]:
        url = f"https://api.github.com/orgs/x/packages/container/{path}/versions/{ident}"
        row = {"id": ident, "name": digest, "url": url, "package_html_url": url, "created_at": CREATED}
        row |= {"updated_at": UPDATED, "metadata": {"package_type": "container", "container": {"tags": list(tags)}}}
        return row | ({"deleted_at": deleted} if deleted else {})

    def _package(self, path: str) -> dict[str, Any]:
        url = f"https://api.github.com/packages/{path}"
        row = {
            "id": len(path),
            "name": path.partition("/")[2],
            "package_type": "container",
            "url": url,
            "html_url": url,
        }
        row |= {"version_count": len(self.repositories[path].manifests), "visibility": "private"}
        return row | {"created_at": CREATED, "updated_at": UPDATED}

    def _paged(self, asked: Asked, rows: list[dict[str, Any]]) -> Reply:
        size, page = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
        last = max(1, -(-len(rows) // size))
        reply = json_reply(rows[(page - 1) * size : page * size])
        if page < last:
            base = f"https://api.github.com{asked.path}?per_page={size}"
            reply.headers["Link"] = f'<{base}&page={page + 1}>; rel="next", <{base}&page={last}>; rel="last"'
        return reply


def _refused(status: int, message: str, headers: dict[str, str] | None = None) -> Reply:
    reply = json_reply(
        {"message": message, "documentation_url": "https://docs.github.com", "status": str(status)}, status
    )
    return replace(reply, headers=reply.headers | (headers or {}))
