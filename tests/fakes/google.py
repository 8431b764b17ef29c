"""Google's registries: tokens, OCI with Google's `tags/list`, and the two REST APIs, on loopback.

Built from Google's documentation and its clients' sources; calls and answers of the REST APIs are held against the
discovery documents. Its quirks: numbers as texts, no catalog on pkg.dev, tagged manifests that can't be deleted,
deletes that notice late, `service=` without quotes, pages for people in the place of a referrers API, operations.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from tests.fakes.acr import jwt
from tests.fakes.discovery import ERRORS, google_api
from tests.fakes.validation import Exchange, Watch
from tests.servers.oci11 import Asked, FakeRegistry, Reply, Stored, error, json_reply

if TYPE_CHECKING:
    from tests.servers.content import Content

PKG = "europe-west3-docker.pkg.dev"
GCR = "eu.gcr.io"
LOCATIONS = {PKG: "europe-west3", GCR: "europe"}
UPLOADED = 1_790_000_000_000
INDEXES = {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}


class FakeGoogle(FakeRegistry):
    """One host (PKG or GCR) with the APIs beside it; `host` serves all of them."""

    def __init__(self, name: str = PKG, **options: Any) -> None:
        super().__init__(**options)
        self.name = name
        self.passwords = {"oauth2accesstoken": {"ya29.token"}}
        """Users of the token service with what they may come with."""
        self.rest_tokens = {"ya29.token"}
        self.public = False
        self.notices_late = 0
        """How many deletes of a manifest still see its tags."""
        self.settings: dict[str, dict[str, Any]] = {}
        """Short name of a repository → members of its resource."""
        self.occurrences: list[dict[str, Any]] = []
        self.disabled: str | None = None
        """The API that is switched off."""
        self.operations: dict[str, dict[str, Any]] = {}
        self.has_rest = True
        self.denied: str | None = None
        """A project that this user may not look into."""
        self.rows = 1000
        covers = "/v1/"
        artifacts, analysis = (google_api(f"google-{n}.v1.json") for n in ("artifactregistry", "containeranalysis"))
        self.watch = Watch(artifacts, covers=covers, undocumented=(r".*/occurrences",), more_statuses=ERRORS)
        self.analysis = Watch(analysis, covers=covers, undocumented=(r".*/locations/.*",), more_statuses=ERRORS)

    def handle(self, asked: Asked) -> Reply:
        """Answer, and hold both against the discovery documents."""
        reply = super().handle(asked)
        for watch in (self.watch, self.analysis):
            watch.saw(Exchange.of(asked, reply))
        return reply

    def check(self) -> None:
        """Raises AssertionError for what did not fit."""
        self.watch.check()
        self.analysis.check()

    def calls(self, prefix: str) -> list[str]:
        """Method and path of every call below a path."""
        return [f"{asked.method} {asked.path}" for asked in self.asked if asked.path.startswith(prefix)]

    def answer(self, asked: Asked) -> Reply:
        """Tokens, REST, or the registry."""
        if asked.path == "/v2/token":
            return self.token(asked)
        if asked.path == "/oauth/token":
            return self.grant(asked)
        if asked.path.startswith("/v1/"):
            return self.rest(asked)
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        is_known = kind == "Bearer" and (token in self.rest_tokens or token.startswith("registry-"))
        if not is_known and not (self.public and asked.method in {"GET", "HEAD"}):
            service = self.name if self.name == GCR else f'"{self.name}"'
            reply = error(401, "UNAUTHORIZED", "Unauthenticated request.")
            reply.headers["WWW-Authenticate"] = (
                f'Bearer realm="http://{asked.headers["host"]}/v2/token",service={service}'
            )
            return reply
        return self.registry(asked)

    # signing in ------------------------------------------------------------------------------------------------

    def token(self, asked: Asked) -> Reply:
        """A token for who comes with an access token or a key."""
        if parse_qs(asked.target.partition("?")[2]).get("service") != [self.name]:
            return error(400, "BADREQUEST", "the service is not this one")
        text = asked.headers.get("authorization", "").partition(" ")[2]
        user, _, password = base64.b64decode(text).decode().partition(":")
        if password not in self.passwords.get(user, set()):
            return error(401, "UNAUTHORIZED", "authentication failed")
        return json_reply({"token": f"registry-{len(self.asked)}", "expires_in": 3600})

    def grant(self, asked: Asked) -> Reply:
        """Google's OAuth2 service for service accounts: what google-auth asks with a signed assertion."""
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" or form["assertion"].count(".") != 2:
            return json_reply({"error": "invalid_grant", "error_description": "no"}, 400)
        token = f"ya29.{len(self.rest_tokens)}"
        self.rest_tokens.add(token)
        self.passwords.setdefault("oauth2accesstoken", set()).add(token)
        return json_reply({"access_token": token, "expires_in": 3600, "token_type": "Bearer", "id_token": jwt()})

    # the registry ----------------------------------------------------------------------------------------------

    def registry(self, asked: Asked) -> Reply:
        """OCI with Google's own list, and its own order of deleting."""
        if asked.path == "/v2/_catalog":
            listed = list(self.repositories) if self.name != PKG else []
            return self.names(asked, "repositories", listed)
        match = re.fullmatch(r"/v2/(.+)/tags/list", asked.path)
        if match is not None:
            return self.list(match[1])
        match = re.fullmatch(r"/v2/(.+)/manifests/(.+)", asked.path)
        if match is not None and asked.method == "DELETE":
            return self.remove(self.repositories.get(match[1], Stored()), match[2])
        if "/referrers/" in asked.path and not self.has_referrers:
            return Reply(200, b"<html>Sign in</html>", {"Content-Type": "text/html"})
        return super().answer(asked)

    def list(self, name: str) -> Reply:
        """Everything at once; a folder has children; what is unknown is empty."""
        stored = self.repositories.get(name, Stored())
        inside = [other.removeprefix(f"{name}/") for other in self.repositories if other.startswith(f"{name}/")]
        manifests = {
            digest: {
                "imageSizeBytes": str(self.size_of(stored, digest)),
                "layerId": "",
                "mediaType": media_type,
                "tag": [tag for tag, to in stored.tags.items() if to == digest],
                "timeCreatedMs": "0" if b"manifests" in raw else "1767323045000",
                "timeUploadedMs": str(UPLOADED),
            }
            for digest, (media_type, raw) in stored.manifests.items()
        }
        children = sorted({child.partition("/")[0] for child in inside})
        body: dict[str, Any] = {"name": name, "tags": sorted(stored.tags), "manifest": manifests, "child": children}
        return json_reply(body)

    def size_of(self, stored: Stored, digest: str) -> int:
        """Of an index its own size."""
        media_type, raw = stored.manifests[digest]
        if media_type in INDEXES:
            return len(raw)
        body = json.loads(raw)
        return sum(entry["size"] for entry in [body["config"], *body["layers"]])

    def remove(self, stored: Stored, locator: str) -> Reply:
        """A tag alone; a manifest when nothing points to it."""
        if locator in stored.tags:
            del stored.tags[locator]
            return Reply(202)
        if locator not in stored.manifests:
            return error(404, "MANIFEST_UNKNOWN", "Failed to compute blob liveness for manifest")
        if locator in stored.tags.values() or self.notices_late > 0:
            self.notices_late -= 1
            return error(400, "GOOGLE_MANIFEST_DANGLING_TAG", "Manifest is still referenced by tag")
        bodies = [json.loads(raw) for _, raw in stored.manifests.values()]
        if any(child["digest"] == locator for body in bodies for child in body.get("manifests", [])):
            return error(400, "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE", "Manifest is still referenced by a parent")
        del stored.manifests[locator]
        return Reply(202)

    # REST ------------------------------------------------------------------------------------------------------

    def rest(self, asked: Asked) -> Reply:
        """Both APIs, for who has an access token."""
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.rest_tokens:
            return _failed(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        api = "containeranalysis" if asked.path.endswith("/occurrences") else "artifactregistry"
        if self.disabled == api:
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}
            return _failed(403, "PERMISSION_DENIED", f"{api} has not been used or is disabled.", info)
        if not self.has_rest or f"/projects/{self.denied}/" in asked.path:
            return _failed(403, "PERMISSION_DENIED", "Permission denied.")
        if api == "containeranalysis":
            return self.list_occurrences(asked)
        return self.artifact_registry(asked)

    def artifact_registry(self, asked: Asked) -> Reply:
        """Repositories, packages and operations of Artifact Registry."""
        if asked.path.startswith("/v1/projects/") and "/operations/" in asked.path:
            return json_reply(self.operations[asked.path.removeprefix("/v1/")] | {"done": True})
        match = re.fullmatch(
            r"/v1/projects/([^/]+)/locations/([^/]+)/repositories(?:/([^/]+)(/packages(?:/([^/]+))?)?)?", asked.path
        )
        if match is None or match[2] != LOCATIONS[self.name]:
            return _failed(404, "NOT_FOUND", "Requested entity was not found.")
        project, _, repository, packages, package = match.groups()
        images = self.images(unquote(project))
        head = f"projects/{project}/locations/{match[2]}/repositories"
        if repository is None:
            listed = [self.repository(head, name) for name in sorted({name for name, _ in images})]
            return self.page_of(asked, "repositories", [*listed, self.repository(head, "java", "MAVEN")])
        if repository not in {name for name, _ in images}:
            return _failed(404, "NOT_FOUND", "Requested entity was not found.")
        if packages is None:
            return json_reply(self.repository(head, repository))
        if package is None:
            names = sorted(image for name, image in images if name == repository)
            return self.page_of(asked, "packages", [_package(f"{head}/{repository}", name) for name in names])
        path = images.get((repository, unquote(package)))
        if path is None:
            return _failed(404, "NOT_FOUND", "Requested entity was not found.")
        del self.repositories[path]
        operation = {"name": f"projects/{project}/locations/{match[2]}/operations/{len(self.operations)}"}
        self.operations[operation["name"]] = operation
        return json_reply(operation)

    def images(self, project: str) -> dict[tuple[str, str], str]:
        """(repository, package) → path of every image of a project."""
        found = {}
        written = project.replace(":", "/", 1) + "/"
        for path in self.repositories:
            if not path.startswith(written):
                continue
            rest = path.removeprefix(written)
            repository, _, package = (self.name, "", rest) if self.name == GCR else rest.partition("/")
            found[(repository, package)] = path
        return found

    def repository(self, head: str, name: str, kind: str = "DOCKER") -> dict[str, Any]:
        """One repository."""
        return {
            "name": f"{head}/{name}",
            "format": kind,
            "mode": "STANDARD_REPOSITORY",
            "sizeBytes": "12345",
            "createTime": "2026-01-01T00:00:00.123456Z",
            "updateTime": "2026-10-01T00:00:00.123456Z",
            **self.settings.get(name, {}),
        }

    def page_of(self, asked: Asked, member: str, items: list[Any]) -> Reply:
        """One page; small unless asked for more, never empty of its token when more is there."""
        start = int(asked.query.get("pageToken", "0"))
        size = min(int(asked.query.get("pageSize", "20")), self.rows)
        more = {"nextPageToken": str(start + size)} if start + size < len(items) else {}
        return json_reply({member: items[start : start + size], **more})

    def list_occurrences(self, asked: Asked) -> Reply:
        """Those that fit the filter, which has to be of the one form that is sure to work."""
        form = r'kind="(?P<kind>\w+)" AND resourceUrl="(?P<url>https://[^"@]+@sha256:[0-9a-f]{64})"'
        wanted = re.fullmatch(form, unquote(asked.query.get("filter", "")))
        if wanted is None:
            return _failed(400, "INVALID_ARGUMENT", "the filter can't be read")
        fitting = [o for o in self.occurrences if (o["kind"], o["resourceUri"]) == (wanted["kind"], wanted["url"])]
        return self.page_of(asked, "occurrences", fitting)


def vulnerability(number: int, url: str) -> dict[str, Any]:
    """One finding."""
    return {
        "name": f"projects/shop/occurrences/{number}",
        "resourceUri": url,
        "noteName": f"projects/goog-vulnz/notes/CVE-2026-{number:04}",
        "kind": "VULNERABILITY",
        "updateTime": "2026-10-01T00:00:00Z",
        "vulnerability": {
            "severity": "HIGH",
            "effectiveSeverity": "HIGH",
            "packageIssue": [
                {
                    "affectedPackage": "openssl",
                    "affectedVersion": {"fullName": "3.0.0", "kind": "NORMAL"},
                    "fixedVersion": {"kind": "MAXIMUM"},
                }
            ],
        },
    }


def discovered(url: str, status: str, **more: Any) -> dict[str, Any]:
    """Whether an image was scanned."""
    about = {"analysisStatus": status, "lastScanTime": "2026-10-02T00:00:00Z", "continuousAnalysis": "ACTIVE", **more}
    head = {"name": "projects/shop/occurrences/d", "noteName": "projects/goog-analysis/notes/PACKAGE_VULNERABILITY"}
    return head | {"resourceUri": url, "kind": "DISCOVERY", "discovery": about}


def _package(parent: str, name: str) -> dict[str, Any]:
    escaped = name.replace("/", "%2F")
    return {
        "name": f"{parent}/packages/{escaped}",
        "createTime": "2026-01-01T00:00:00Z",
        "updateTime": "2026-10-01T00:00:00Z",
    }


def _failed(status: int, code: str, message: str, *details: dict[str, Any]) -> Reply:
    return json_reply({"error": {"code": status, "message": message, "status": code, "details": list(details)}}, status)


def put_all(fake: FakeGoogle, repository: str, tags: dict[str, Content]) -> None:
    """Fill a repository."""
    for tag, made in tags.items():
        fake.put(repository, made, tag)
