"""A Nexus 3 in memory: docker repositories behind the main port, connectors, and the REST API of 3.94.

Images lie under "<repository>/<image>". Quirks that can be switched on: a search index that lags, the list of a group
that is cut without a word, HEAD that answers 404, deletes by digest that leave the tags behind.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from tests.fakes.validation import Exchange, Watch, specification
from tests.servers.oci11 import Asked, FakeRegistry, Reply, error, json_reply

REST = "/service/rest"
SERVER = "Nexus/3.94.0-12 (COMMUNITY)"
PAGE = 50
_SETTINGS = "/paths/~1v1~1repositorySettings/get/responses/200/content/application~1json/schema"
_KINDS = [{"$ref": f"#/components/schemas/Docker{kind}ApiRepository"} for kind in ("Hosted", "Proxy", "Group")]


@dataclass
class Hosting:
    """One repository of Nexus."""

    type: str = "hosted"
    members: tuple[str, ...] = ()
    write_policy: str = "ALLOW"
    latest_too: bool = False
    policies: tuple[str, ...] = ()
    docker: dict[str, Any] = field(default_factory=dict)


class NexusFake(FakeRegistry):
    """See the module. `user` is (name, password); strangers see `public` repositories only when `open_to_strangers`."""

    def __init__(
        self,
        *,
        user: tuple[str, str] | None = None,
        is_admin: bool = True,
        open_to_strangers: bool = True,
        rest: bool = True,
        head_is_missing: bool = False,
        wrong_checksums: bool = False,
        cut_groups_at: int = 1_000_000,
        **options: Any,
    ) -> None:
        super().__init__(**{"referrers": False, **options})
        self.user, self.is_admin, self.open_to_strangers = user, is_admin, open_to_strangers
        self.has_rest, self.head_is_missing, self.cut_groups_at = rest, head_is_missing, cut_groups_at
        self.wrong_checksums = wrong_checksums
        self.hosting: dict[str, Hosting] = {"docker-hosted": Hosting()}
        self.public: set[str] = set()
        self.unindexed: set[tuple[str, str]] = set()
        """(path, tag) that the index does not know yet."""
        self.ghosts: set[tuple[str, str]] = set()
        """(path, tag) that the index knows still."""
        self.policies: list[dict[str, Any]] = []
        self.watch = Watch(
            specification(
                "nexus-3.94.0.openapi.yaml",
                prefix=REST,
                nulls_are_absent=True,
                replace={_SETTINGS: {"type": "array", "items": {"anyOf": _KINDS}}},
            ),
            covers=f"{REST}/",
            more_statuses=frozenset({401, 403, 404}),
        )

    def handle(self, asked: Asked) -> Reply:
        """Answer with Nexus's Server field, and hold both sides against the description."""
        reply = super().handle(asked)
        if self.has_rest:
            self.watch.saw(Exchange.of(asked, reply))
        return replace(reply, headers=reply.headers | {"Server": SERVER})

    def answer(self, asked: Asked) -> Reply:
        """The REST API, the long form of the catalog, and the registry protocol."""
        is_rest = asked.path.startswith(f"{REST}/")
        if is_rest and not self.has_rest:
            return Reply(404, b"<html>nothing here</html>", {"Content-Type": "text/html"})
        is_stranger = self.user is not None and not self._is_user(asked)
        asks_too_much = "authorization" in asked.headers or asked.method not in {"GET", "HEAD"}
        if is_stranger and (asks_too_much or not self.open_to_strangers):
            return self._challenge()
        if is_rest:
            return self._rest(asked, asked.path.removeprefix(REST))
        long = re.fullmatch(r"/repository/([^/]+)/v2/_catalog", asked.path)
        if long is not None:
            return self._catalog(asked, long[1])
        return self._registry(asked)

    # the registry protocol -----------------------------------------------------------------------------------

    def _registry(self, asked: Asked) -> Reply:
        match = re.fullmatch(r"/v2/([^/]+)/(.+?)/(tags|manifests|blobs|referrers)/(.+)", asked.path)
        if match is None:
            return super().answer(asked)
        name, image, kind, rest = match.groups()
        if name not in self._visible(asked):
            return self._challenge() if name in self.hosting else error(404, "NAME_UNKNOWN")
        hosting = self.hosting[name]
        if hosting.type == "group":
            return self._of_group(asked, name, image, kind, rest)
        if asked.method in {"PUT", "POST"} and hosting.type == "proxy":
            return error(405, "UNSUPPORTED", "a proxy takes nothing")
        if kind == "manifests":
            refused = self._refused(asked, f"{name}/{image}", hosting, rest)
            if refused is not None:
                return refused
        return super().answer(asked)

    def _refused(self, asked: Asked, path: str, hosting: Hosting, locator: str) -> Reply | None:
        stored = self.repositories.get(path)
        if asked.method == "HEAD" and self.head_is_missing:
            return Reply(404)
        if asked.method == "DELETE" and ":" not in locator:
            return error(405, "UNSUPPORTED", "The operation is unsupported.")
        if asked.method == "DELETE" and stored is not None and locator in stored.manifests:
            del stored.manifests[locator]  # its tags stay behind (since about 3.89)
            return Reply(202)
        if asked.method == "PUT" and stored is not None and locator in stored.tags:
            may = hosting.write_policy == "ALLOW" or (hosting.latest_too and locator == "latest")
            if not may:
                return error(400, "DENIED", f"Repository does not allow updating assets: {path}")
        return None

    def _of_group(self, asked: Asked, name: str, image: str, kind: str, rest: str) -> Reply:
        if asked.method not in {"GET", "HEAD"}:
            return error(405, "UNSUPPORTED", "a group takes nothing")
        found = [f"{member}/{image}" for member in self.hosting[name].members]
        if kind == "tags":
            tags = sorted({tag for path in found if path in self.repositories for tag in self.repositories[path].tags})
            return self.names(asked, "tags", tags) if tags else error(404, "NAME_UNKNOWN")
        replies = (super(NexusFake, self).answer(replace(asked, path=f"/v2/{path}/{kind}/{rest}")) for path in found)
        return next((reply for reply in replies if reply.status != 404), error(404, "MANIFEST_UNKNOWN"))

    def _catalog(self, asked: Asked, name: str) -> Reply:
        if name not in self._visible(asked):
            return Reply(403)
        hosting = self.hosting[name]
        if hosting.type != "group":
            return self.names(asked, "repositories", self._images(name))
        merged = sorted({image for member in hosting.members for image in self._images(member)})
        return json_reply({"repositories": merged[: self.cut_groups_at]})

    def _images(self, name: str) -> list[str]:
        start = f"{name}/"
        filled = (path for path, stored in self.repositories.items() if stored.tags)
        return [path.removeprefix(start) for path in filled if path.startswith(start)]

    # who may what --------------------------------------------------------------------------------------------

    def _is_user(self, asked: Asked) -> bool:
        assert self.user is not None
        wanted = base64.b64encode(":".join(self.user).encode()).decode()
        return asked.headers.get("authorization") == f"Basic {wanted}"

    def _visible(self, asked: Asked) -> set[str]:
        return set(self.hosting) if self.user is None or self._is_user(asked) else self.public & set(self.hosting)

    def _challenge(self) -> Reply:
        return Reply(401, headers={"WWW-Authenticate": 'BASIC realm="Sonatype Nexus Repository Manager"'})

    # the REST API --------------------------------------------------------------------------------------------

    def _rest(self, asked: Asked, path: str) -> Reply:
        component = re.fullmatch(r"/v1/components/([^/]+)", path)
        if component is not None and asked.method == "DELETE":
            return self._delete(asked, component[1])
        if path == "/v1/repositories":
            return json_reply([self._repository(name) for name in sorted(self._visible(asked))])
        if path == "/v1/repositorySettings":
            knows = self.is_admin and (self.user is None or self._is_user(asked))
            return json_reply([self._settings(name) for name in sorted(self.hosting)]) if knows else Reply(403)
        if path == "/v1/search":
            return self._search(asked)
        if path == "/internal/cleanup-policies":
            return json_reply(self.policies) if self.is_admin else Reply(403)
        return Reply(404)

    def _repository(self, name: str) -> dict[str, Any]:
        hosting = self.hosting[name]
        url = f"http://{self.host}/repository/{name}"
        return {"name": name, "format": "docker", "type": hosting.type, "url": url, "online": True, "attributes": {}}

    def _settings(self, name: str) -> dict[str, Any]:
        hosting = self.hosting[name]
        made: dict[str, Any] = self._repository(name)
        del made["attributes"]
        made["docker"] = {"v1Enabled": False, "forceBasicAuth": True, "pathEnabled": True, **hosting.docker}
        made["storage"] = {"blobStoreName": "default", "strictContentTypeValidation": True}
        if hosting.type == "hosted":
            made["storage"] |= {"writePolicy": hosting.write_policy, "latestPolicy": hosting.latest_too}
        if hosting.type == "group":
            made["group"] = {"memberNames": list(hosting.members), "writableMember": None}
        else:
            made["cleanup"] = {"policyNames": list(hosting.policies)}
        if hosting.type == "proxy":
            made["proxy"] = {"remoteUrl": "https://registry.invalid", "contentMaxAge": -1, "metadataMaxAge": 1440}
            made["dockerProxy"] = {"indexType": "HUB", "cacheForeignLayers": False}
            made["negativeCache"] = {"enabled": True, "timeToLive": 1440}
            made["httpClient"] = {"blocked": False, "autoBlock": True}
        return made

    def _search(self, asked: Asked) -> Reply:
        wanted = asked.query
        name = wanted.get("repository")
        names = self._visible(asked) if name is None else {name} & self._visible(asked)
        members = {member for one in names for member in (*self.hosting[one].members, one)}
        paths = [path for path in sorted(self.repositories) if path.partition("/")[0] in members]
        rows = [row for path in paths for row in self._rows(path)]
        for member in ("name", "version"):
            rows = [row for row in rows if wanted.get(member, row[member]) == row[member]]
        if "sha256" in wanted:
            rows = [row for row in rows if any(wanted["sha256"] == a["checksum"]["sha256"] for a in row["assets"])]
        if "q" in wanted:
            rows = [row for row in rows if wanted["q"] in row["name"]]
        rows.sort(key=lambda row: str(row["version"]))
        start = int(wanted.get("continuationToken", "0"), 16)
        following = f"{start + PAGE:032x}" if len(rows) > start + PAGE else None
        return json_reply({"items": rows[start : start + PAGE], "continuationToken": following})

    def _rows(self, path: str) -> list[dict[str, Any]]:
        stored = self.repositories[path]
        tags = dict(stored.tags)
        for ghost_path, tag in self.ghosts:
            if ghost_path == path:
                tags[tag] = next(iter(stored.manifests))
        return [self._component(path, tag, digest) for tag, digest in tags.items() if (path, tag) not in self.unindexed]

    def _component(self, path: str, tag: str, digest: str) -> dict[str, Any]:
        name, _, image = path.partition("/")
        media_type, raw = self.repositories[path].manifests.get(digest, ("application/json", b"{}"))
        checksum = "0" * 64 if self.wrong_checksums else digest.removeprefix("sha256:")
        asset = {
            "id": _ident(name, image, tag, "asset"),
            "path": f"v2/{image}/manifests/{tag}",
            "downloadUrl": f"http://{self.host}/repository/{name}/v2/{image}/manifests/{tag}",
            "repository": name,
            "format": "docker",
            "contentType": media_type,
            "checksum": {"sha256": checksum, "sha1": "0" * 40},
            "fileSize": len(raw),
            "lastModified": "2026-01-02T03:04:05.000+00:00",
            "lastDownloaded": "2026-05-06T07:08:09.123+00:00" if tag == "v1" else None,
            "blobCreated": "2026-01-02T03:04:05.000+00:00",
            "uploader": "ci",
        }
        return {
            "id": _ident(name, image, tag),
            "repository": name,
            "format": "docker",
            "group": None,
            "name": image,
            "version": tag,
            "assets": [asset],
            "tags": [],
        }

    def _delete(self, asked: Asked, ident: str) -> Reply:
        try:
            name, image, tag = json.loads(base64.b64decode(unquote(ident), validate=True))
        except ValueError:
            return Reply(422)
        stored = self.repositories.get(f"{name}/{image}")
        if name not in self._visible(asked):
            return Reply(403)
        if stored is None or stored.tags.pop(tag, None) is None:
            return Reply(404)
        return Reply(204)


def _ident(*parts: str) -> str:
    return base64.b64encode(json.dumps(parts).encode()).decode()


class NexusConnector(FakeRegistry):
    """A port of one repository alone: no REST API, and a Link with an inner prefix that can't be followed."""

    def __init__(self, nexus: NexusFake, repository: str) -> None:
        super().__init__()
        self._nexus, self._repository = nexus, repository

    def answer(self, asked: Asked) -> Reply:
        """The registry protocol of the one repository."""
        inner = f"/repository/{self._repository}/v2/"
        if asked.path == "/v2/_catalog":
            asked = replace(asked, path=f"{inner}_catalog")
        elif asked.path.startswith("/v2/") and asked.path != "/v2/":
            asked = replace(asked, path=f"/v2/{self._repository}/{asked.path.removeprefix('/v2/')}")
        elif asked.path != "/v2/":
            return Reply(400, headers={"Server": SERVER})
        reply = self._nexus.handle(asked)
        link = reply.headers.get("Link", "").replace(f"/v2/{self._repository}/", inner)
        moved = reply.headers.get("Location", "").replace(f"/v2/{self._repository}/", "/v2/")
        extra = {**({"Link": link} if link else {}), **({"Location": moved} if moved else {})}
        return replace(reply, headers=reply.headers | extra)
