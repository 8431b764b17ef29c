"""An Artifactory in memory: docker repositories, AQL, folders that are tags, the trash can, and Xray beside it.

Images lie under "<key>/<image>". JFrog publishes no description of its API that could hold this against it: it is
written from the documentation. Quirks: errors without codes, a challenge without a scope, 406 for lists that are
asked for as manifests, a Link without the repository's prefix and with a number for `last`.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.servers.content import OCI_INDEX
from tests.servers.oci11 import Asked, FakeRegistry, Reply, Stored, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "/artifactory/api"
VERSION = {"X-JFrog-Version": "Artifactory/7.111.4 81104900", "X-Artifactory-Id": "0123", "X-Artifactory-Node-Id": "a"}
_AQL = re.compile(r"items\.find\((\{.*?\})\)\.include\(([^)]*)\)(\.sort\([^)]*\))?\.offset\((\d+)\)\.limit\((\d+)\)")


@dataclass
class Hosting:
    """One repository of Artifactory."""

    type: str = "LOCAL"
    members: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class File:
    """A file as AQL sees it."""

    repo: str
    path: str
    name: str
    size: int
    digest: str
    media_type: str = ""


def refused(status: int, message: str) -> Reply:
    """An error as REST gives it: without a code."""
    return json_reply({"errors": [{"status": status, "message": message}]}, status)


class ArtifactoryFake(FakeRegistry):
    """See the module. `user` is (name, password); `token` an access token that goes as Bearer on REST."""

    def __init__(
        self,
        *,
        user: tuple[str, str] | None = None,
        token: str | None = None,
        rest: bool = True,
        aql: bool = True,
        aql_sorts: bool = True,
        xray: bool = False,
        is_admin: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**{"referrers": False, **options})
        self.user, self.token = user, token
        self.has_rest, self.has_aql, self.aql_sorts, self.has_xray = rest, aql, aql_sorts, xray
        self.is_admin = is_admin
        self.hosting: dict[str, Hosting] = {"docker-local": Hosting()}
        self.trash: dict[tuple[str, str], tuple[str, str, bytes]] = {}
        """(path of the image, tag) → digest, media type and bytes of what was deleted."""
        self.summaries: dict[str, dict[str, Any]] = {}
        """Hex of a manifest's digest → Xray's artifact."""
        self.tokens: set[str] = set()

    def handle(self, asked: Asked) -> Reply:
        """Answer with Artifactory's own fields."""
        reply = super().handle(asked)
        return replace(reply, headers=reply.headers | VERSION)

    def answer(self, asked: Asked) -> Reply:
        """Tokens, REST, Xray, the registry protocol."""
        token = re.fullmatch(rf"{API}/docker/([^/]+)/v2/token", asked.path)
        if token is not None:
            return self._give_token(asked)
        is_rest = asked.path.startswith(("/artifactory/", "/xray/"))
        if is_rest and not self.has_rest:
            return Reply(404)
        if self.user is not None and not self._is_user(asked, is_rest=is_rest):
            return self._challenge(is_rest=is_rest)
        if asked.path.startswith("/xray/"):
            return self._xray(asked) if self.has_xray else refused(404, "Not Found")
        if asked.path.startswith(f"{API}/"):
            return self._rest(asked, asked.path.removeprefix(f"{API}/"))
        if is_rest:
            return self._delete_folder(unquote(asked.path).removeprefix("/artifactory/"))
        return self._registry(asked)

    # who may what --------------------------------------------------------------------------------------------

    def _basic(self) -> str:
        assert self.user is not None
        return "Basic " + base64.b64encode(":".join(self.user).encode()).decode()

    def _is_user(self, asked: Asked, *, is_rest: bool) -> bool:
        given = asked.headers.get("authorization", "")
        if self.token is not None and is_rest:
            return given == f"Bearer {self.token}"
        return given == self._basic() or given.removeprefix("Bearer ") in self.tokens

    def _give_token(self, asked: Asked) -> Reply:
        if self.user is not None and asked.headers.get("authorization") != self._basic():
            return refused(401, "Bad credentials")
        self.tokens.add(f"docker-{len(self.tokens)}")
        return json_reply({"token": f"docker-{len(self.tokens) - 1}", "expires_in": 3600})

    def _challenge(self, *, is_rest: bool) -> Reply:
        realm = f"http://{self.host}{API}/docker/docker-local/v2/token"
        challenge = 'Basic realm="Artifactory Realm"' if is_rest else f'Bearer realm="{realm}",service="{self.host}"'
        reply = refused(401, "Authentication is required")
        return replace(reply, headers=reply.headers | {"WWW-Authenticate": challenge})

    # the registry protocol -----------------------------------------------------------------------------------

    def _registry(self, asked: Asked) -> Reply:
        match = re.fullmatch(r"/v2/([^/]+)/(.+?)/(tags|manifests|blobs|referrers)/(.+)", asked.path)
        if match is None or match[1] not in self.hosting:
            return super().answer(asked)
        key, image, kind, rest = match.groups()
        if kind == "tags" and "manifest" in asked.headers.get("accept", ""):
            return refused(406, "Not Acceptable")
        hosting = self.hosting[key]
        if hosting.type == "VIRTUAL":
            return self._of_virtual(asked, image, hosting, f"{kind}/{rest}", kind)
        if hosting.type == "REMOTE" and asked.method not in {"GET", "HEAD"}:
            return refused(405, "remote repositories take nothing")
        return super().answer(asked)

    def _of_virtual(self, asked: Asked, image: str, hosting: Hosting, rest: str, kind: str) -> Reply:
        if asked.method not in {"GET", "HEAD"}:
            return refused(405, "no default deployment repository")
        found = [f"{member}/{image}" for member in hosting.members]
        if kind == "tags":
            tags = sorted({tag for path in found if path in self.repositories for tag in self.repositories[path].tags})
            return self.names(asked, "tags", tags)
        replies = (super(ArtifactoryFake, self).answer(replace(asked, path=f"/v2/{path}/{rest}")) for path in found)
        return next((reply for reply in replies if reply.status != 404), refused(404, "not here"))

    def names(self, asked: Asked, member: str, names: list[str]) -> Reply:
        """Pages by number, with a Link that lacks the repository's prefix."""
        size, start = min(int(asked.query.get("n", self.page)), self.page), int(asked.query.get("last", "0"))
        listed = sorted(names)
        reply = json_reply({member: listed[start : start + size]})
        if len(listed) > start + size:
            inner = "/v2/" + asked.path.rpartition("/v2/")[2].partition("/")[2]
            reply.headers["Link"] = f'<{inner}?last={start + size}&n={size}>; rel="next"'
        return reply

    # REST ----------------------------------------------------------------------------------------------------

    def _rest(self, asked: Asked, path: str) -> Reply:
        catalog = re.fullmatch(r"docker/([^/]+)/v2/_catalog", path)
        if catalog is not None:
            return self.names(asked, "repositories", self._images(catalog[1]))
        if path == "repositories":
            wanted = asked.query["packageType"]
            rows = [self._row(key) for key in sorted(self.hosting)] if wanted == "docker" else []
            return json_reply(rows)
        if path.startswith("repositories/"):
            return self._settings(path.removeprefix("repositories/"))
        if path == "search/aql":
            return self._aql(asked)
        if path.startswith("storage/"):
            return self._storage(unquote(path.removeprefix("storage/")))
        if path.startswith("trash/restore/") and asked.method == "POST":
            return self._restore(unquote(path.removeprefix("trash/restore/")), asked.query["to"])
        return refused(404, "Not Found")

    def _row(self, key: str) -> dict[str, Any]:
        url = f"http://{self.host}/artifactory/{key}"
        return {"key": key, "type": self.hosting[key].type, "url": url, "packageType": "Docker", "description": ""}

    def _settings(self, key: str) -> Reply:
        if not self.is_admin:
            return refused(400, "Bad Request")
        hosting = self.hosting[key]
        body = {"key": key, "rclass": hosting.type.lower(), "packageType": "docker", "maxUniqueTags": 0}
        return json_reply(body | {"dockerTagRetention": 1, "repositories": list(hosting.members)} | hosting.settings)

    def _images(self, key: str) -> list[str]:
        keys = self.hosting[key].members if self.hosting[key].type == "VIRTUAL" else (key,)
        filled = (path.partition("/") for path, stored in self.repositories.items() if stored.tags)
        return sorted({image for own, _, image in filled if own in keys})

    # AQL and folders -----------------------------------------------------------------------------------------

    def _aql(self, asked: Asked) -> Reply:
        if not self.has_aql:
            return refused(403, "AQL is not available for this edition")
        assert (asked.method, asked.headers["content-type"]) == ("POST", "text/plain")
        parsed = _AQL.fullmatch(asked.body.decode())
        if parsed is None:
            return refused(400, "Failed to parse query")
        where, include = json.loads(parsed[1]), json.loads(f"[{parsed[2]}]")
        if not self.aql_sorts and (parsed[3] or "stat" in include):
            return refused(400, "sort is not supported here")
        offset, limit = int(parsed[4]), int(parsed[5])
        found = [file for file in self._files(where["repo"]) if self._fits(file, where)]
        rows = [self._file_row(file, include) for file in found[offset : offset + limit]]
        about = {"start_pos": offset, "end_pos": offset + len(rows), "total": len(rows), "limit": limit}
        return json_reply({"results": rows, "range": about})

    def _fits(self, file: File, where: dict[str, Any]) -> bool:
        name = where["name"]
        fits_name = file.name in name["$in"] if "$in" in name else fnmatchcase(file.name, name["$match"])
        return fits_name and fnmatchcase(file.path, where["path"]["$match"])

    def _file_row(self, file: File, include: list[str]) -> dict[str, Any]:
        row: dict[str, Any] = {"repo": file.repo, "path": file.path, "name": file.name, "size": file.size}
        if "property" in include:
            row |= {"created": "2026-01-02T03:04:05.678Z", "modified": "2026-02-03T04:05:06.789+01:00"}
            told = {
                "docker.manifest": file.path.rpartition("/")[2],
                "docker.manifest.digest": file.digest,
                "docker.manifest.type": file.media_type,
                "sha256": file.digest.removeprefix("sha256:"),
            }
            row["properties"] = [{"key": key, "value": value} for key, value in told.items()]
        if "stat" in include:
            pulled = {"downloads": 3, "downloaded": "2026-05-06T07:08:09.123Z", "downloaded_by": "ci"}
            row["stats"] = [pulled if file.path.endswith("/v1") else {"downloads": 0}]
        return row

    def _files(self, repo: str) -> Iterator[File]:
        if repo == "auto-trashcan":
            for (path, tag), (digest, media_type, raw) in self.trash.items():
                yield File(repo, f"{path}/{tag}", "manifest.json", len(raw), digest, media_type)
            return
        key = repo.removesuffix("-cache")
        for path, stored in sorted(self.repositories.items()):
            own, _, image = path.partition("/")
            if own == key and (self.hosting[key].type == "REMOTE") == repo.endswith("-cache"):
                for folder, digest in self._folders(stored).items():
                    yield from self._in_folder(repo, f"{image}/{folder}", stored, digest)

    def _folders(self, stored: Stored) -> dict[str, str]:
        """Folder → digest: a tag has one, and every manifest that no tag points to."""
        tagged = set(stored.tags.values())
        return stored.tags | {digest: digest for digest in stored.manifests if digest not in tagged}

    def _in_folder(self, repo: str, path: str, stored: Stored, digest: str) -> Iterator[File]:
        media_type, raw = stored.manifests[digest]
        name = "list.manifest.json" if media_type == OCI_INDEX else "manifest.json"
        yield File(repo, path, name, len(raw), digest, media_type)
        body = json.loads(raw)
        for blob in [body.get("config"), *body.get("layers", [])]:
            if blob:
                yield File(repo, path, blob["digest"].replace(":", "__"), blob["size"], blob["digest"])

    def _children(self, path: str) -> list[dict[str, Any]]:
        repo, _, inside = path.partition("/")
        found: dict[str, bool] = {}
        for file in self._files(repo) if repo in self.hosting else ():
            whole = f"{file.path}/{file.name}"
            if whole.startswith(f"{inside}/"):
                name, _, rest = whole.removeprefix(f"{inside}/").partition("/")
                found[name] = bool(rest)
        return [{"uri": f"/{name}", "folder": is_folder} for name, is_folder in found.items()]

    def _storage(self, path: str) -> Reply:
        children = self._children(path)
        return json_reply({"path": path, "children": children}) if children else refused(404, "Unable to find item")

    def _delete_folder(self, path: str) -> Reply:
        if not self._children(path):
            return refused(404, "Could not locate artifact")
        for image, stored in list(self.repositories.items()):
            if f"{image}/".startswith(f"{path}/"):
                for tag in list(stored.tags):
                    self._drop(image, stored, tag)
                del self.repositories[image]
            elif path.startswith(f"{image}/") and path.removeprefix(f"{image}/") in self._folders(stored):
                self._drop(image, stored, path.removeprefix(f"{image}/"))
        return Reply(204)

    def _drop(self, image: str, stored: Stored, folder: str) -> None:
        digest = stored.tags.pop(folder, folder)
        self.trash[image, folder] = (digest, *stored.manifests[digest])
        children = {d["digest"] for _, raw in stored.manifests.values() for d in json.loads(raw).get("manifests", [])}
        if digest not in {*stored.tags.values(), *children}:
            del stored.manifests[digest]

    def _restore(self, path: str, to: str) -> Reply:
        image, _, tag = path.rpartition("/")
        if not self.is_admin:
            return refused(403, "Forbidden")
        if path != to or (image, tag) not in self.trash:
            return refused(404, "Item is not in the trash can")
        digest, media_type, raw = self.trash.pop((image, tag))
        stored = self.repositories.setdefault(image, Stored())
        stored.manifests[digest] = (media_type, raw)
        stored.tags[tag] = digest
        return Reply(200, b"Successfully restored trash items")

    # Xray ----------------------------------------------------------------------------------------------------

    def _xray(self, asked: Asked) -> Reply:
        if asked.path == "/xray/api/v1/system/version":
            return json_reply({"xray_version": "3.111.9", "xray_revision": "abc"})
        assert asked.path == "/xray/api/v2/summary/artifact"
        (checksum,) = json.loads(asked.body)["checksums"]
        if checksum in self.summaries:
            return json_reply({"artifacts": [self.summaries[checksum]]})
        said = {"error": "Artifact doesn't exist or not indexed/cached in Xray", "identifier": checksum}
        return json_reply({"artifacts": [], "errors": [said]})
