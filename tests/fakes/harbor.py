"""A Harbor 2.15 in memory: the registry, its token service and the REST API on one origin, with their quirks.

Written from Harbor's documentation and source as the vendor page has them. Every request to the REST API and every
answer of it is held against the official swagger file where that is on the machine.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.pushes import Pushes
from tests.fakes.validation import Exchange, Watch, specification
from tests.servers.oci11 import Asked, FakeRegistry, Reply, Stored, json_reply
from tests.servers.oci11 import error as refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.content import Content

API = "/api/v2.0"
ADMIN = ("admin", "Harbor12345")
ROBOT = ("robot$shop+ci", "robot-secret")
OIDC = ("olga", "cli-secret")
REPORT = "application/vnd.security.vulnerability.report; version=1.1"
NEVER = "0001-01-01T00:00:00.000Z"
RELAXED = {
    "#/definitions/ExtraAttrs": {"type": "object"},
    "#/definitions/Platform/properties": {
        "architecture": {"type": "string"},
        "os": {"type": "string"},
        "os.version": {"type": "string"},
        "os.features": {"type": "array", "items": {"type": "string"}},
        "variant": {"type": "string"},
    },
    "#/definitions/RetentionRule/properties/params": {"type": "object"},
}
"""Where the file is wrong: values that are strings or numbers, and names with quotation marks in them."""
SILENT = frozenset({401, 409, 412, 429})
"""Answers that the file leaves out of some operations: closed lists, scans under way, immutable tags, limits."""
# What the CLI secret of an OIDC user opens, beside /v2.
OIDC_OPENS = re.compile(r"/systeminfo|/projects|/projects/[^/]+/repositories(/[^/]+/artifacts)?")


@dataclass
class Project:
    """A project: who may see it, what its rules are."""

    number: int
    public: bool = True
    immutable: str = ""
    """A pattern of tags that must not change."""
    quota_is_full: bool = False
    keeps_back: set[str] = field(default_factory=set)
    """Digests that a policy does not give out."""
    policy: dict[str, Any] | None = None
    is_cache: bool = False


class FakeHarbor(FakeRegistry):
    """Serves until it is left; then `watch.check()` says whether both sides kept to the swagger file."""

    def __init__(self, *, old: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.users = dict([ADMIN, ROBOT, OIDC])
        self.projects = {"shop": Project(1), "42": Project(2, public=False)}
        self.is_old, self.read_only = old, False
        self.scans: dict[str, str] = {}
        """Digest → the state of its scan."""
        self.reports: dict[str, dict[str, Any]] = {}
        self.times = Pushes()
        self.pulled: dict[tuple[str, str], str] = {}
        self.scanner = "Trivy"
        self._tokens: dict[str, tuple[str, set[str]]] = {}
        described = specification("harbor-2.15.2.swagger.yaml", nulls_are_absent=True, replace=RELAXED)
        self.watch = Watch(described, covers=f"{API}/", more_statuses=SILENT)

    def handle(self, asked: Asked) -> Reply:
        reply = super().handle(asked)
        if not self.is_old:
            self.watch.saw(Exchange.of(asked, reply))
        reply.headers.setdefault("X-Request-Id", "0123")
        return reply

    def put(self, repository: str, content: Content, *tags: str) -> str:
        digest = super().put(repository, content, *tags)
        self.times.stamp(repository, digest, *tags)
        return digest

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/service/token":
            return self._token(asked)
        if asked.path.startswith(f"{API}/"):
            return Reply(404) if self.is_old else self._rest(asked)
        return self._registry(asked)

    # the registry ------------------------------------------------------------------------------------------------

    def _registry(self, asked: Asked) -> Reply:
        authorization = asked.headers.get("authorization", "")
        user, actions = self._bearer(authorization)
        if user is None and authorization.startswith("Basic "):
            user, actions = self._user(authorization), None
        if user is None:
            return self._challenge(asked, bool(authorization))
        match = re.fullmatch(r"/v2/([^/]+)/(.+?)/(tags|manifests|blobs|referrers)/(.+)", asked.path)
        if match is None:
            return super().answer(asked)
        project, repository = self.projects.get(match[1]), f"{match[1]}/{match[2]}"
        needed = (
            "push" if asked.method in {"PUT", "POST", "PATCH"} else "delete" if asked.method == "DELETE" else "pull"
        )
        if project is None:
            if actions is None:
                return refused(404, "NOT_FOUND", f"project {match[1]} not found")
            return Reply(401, b"", {"WWW-Authenticate": ""})
        if actions is not None and f"{repository}:{needed}" not in actions:
            return self._challenge(asked, True)
        return self._content(asked, project, repository, match[3], match[4], needed)

    def _content(self, asked: Asked, project: Project, repository: str, kind: str, rest: str, needed: str) -> Reply:
        stored = self.repositories.get(repository, Stored())
        digest = stored.tags.get(rest, rest)
        if needed != "pull":
            if self.read_only:
                return refused(403, "DENIED", "The system is in read only mode. Any modification is prohibited.")
            if project.is_cache:
                return refused(405, "METHOD_NOT_ALLOWED", f"{asked.method} is not allowed in proxy cache project")
        if needed == "push" and project.quota_is_full:
            return refused(403, "DENIED", "adding 1 KiB of storage resource, which when updated will exceed the quota")
        if kind == "manifests":
            if needed == "pull" and digest in project.keeps_back:
                return refused(412, "PROJECTPOLICYVIOLATION", "current image with 3 vulnerabilities cannot be pulled")
            if needed == "push" and self._is_immutable(project, rest) and digest != rest:
                words = f"Failed to process request due to '{repository}:{rest}' configured as immutable."
                return refused(412, "PRECONDITION", words)
            if needed == "delete":
                if ":" not in rest:
                    return refused(400, "UNSUPPORTED", "the tag is not supported to be deleted")
                reply = self._delete_artifact(project, repository, rest)
                return Reply(202) if reply.status == 200 else reply
        reply = super().answer(asked)
        if kind == "manifests" and needed == "push" and reply.status == 201:
            self.times.stamp(repository, reply.headers["Docker-Content-Digest"], *([rest] if ":" not in rest else []))
        return reply

    def _challenge(self, asked: Asked, had_authorization: bool) -> Reply:
        if had_authorization or asked.path == "/v2/_catalog":
            value = 'Basic realm="harbor"'
        else:
            scope = re.fullmatch(r"/v2/(.+?)/(tags|manifests|blobs|referrers)/.+", asked.path)
            wanted = f',scope="repository:{scope[1]}:pull"' if scope else ""
            value = f'Bearer realm="http://{self.host}/service/token",service="harbor-registry"{wanted}'
        reply = refused(401, "UNAUTHORIZED", "unauthorized: unauthorized")
        reply.headers["WWW-Authenticate"] = value
        return reply

    def _token(self, asked: Asked) -> Reply:
        if asked.method != "GET":
            return Reply(405)
        query = parse_qs(urlsplit(asked.target).query)
        authorization = asked.headers.get("authorization")
        user = self._user(authorization) if authorization else ""
        if user is None or (not user and "scope" not in query):
            return refused(401, "UNAUTHORIZED", "unauthorized")
        granted = set()
        for scope in query.get("scope", []):
            _, repository, actions = [*scope.split(":"), "", ""][:3]
            project = self.projects.get(repository.partition("/")[0])
            if project is not None and (user or project.public):
                granted |= {f"{repository}:{a}" for a in actions.split(",") if user or a == "pull"}
        token = f"harbor-{len(self._tokens)}"
        self._tokens[token] = (user, granted)
        return json_reply({"token": token, "access_token": "", "expires_in": 1800, "issued_at": "2026-01-01T00:00:00Z"})

    def _bearer(self, authorization: str) -> tuple[str | None, set[str] | None]:
        found = self._tokens.get(authorization.removeprefix("Bearer "))
        return (None, None) if found is None else found

    def _user(self, authorization: str) -> str | None:
        name, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return name if self.users.get(name) == password else None

    # the REST API --------------------------------------------------------------------------------------------------

    def _rest(self, asked: Asked) -> Reply:
        authorization = asked.headers.get("authorization")
        # Who has a wrong password is a stranger here, and not refused.
        user = (self._user(authorization) or "") if authorization else ""
        path = asked.path.removeprefix(API)
        if user == OIDC[0] and not (asked.method == "GET" and OIDC_OPENS.fullmatch(path)):
            return refused(401, "UNAUTHORIZED", "unauthorized")
        if asked.headers.get("cookie"):
            return refused(403, "FORBIDDEN", "CSRF token not found in request")
        if not 1 <= int(asked.query.get("page_size", "10")) <= 100:
            return refused(422, "UNPROCESSABLE_ENTITY", "validation failure list:\npage_size in query")
        if asked.method != "GET" and self.read_only:
            return refused(403, "DENIED", "The system is in read only mode. Any modification is prohibited.")
        for pattern, answer in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match is not None:
                return answer(self, asked, user, *match.groups())
        return refused(404, "NOT_FOUND", "path was not found")

    def system_info(self, asked: Asked, user: str) -> Reply:
        """More for who is signed in."""
        body: dict[str, Any] = {"auth_mode": "db_auth", "self_registration": False, "banner_message": ""}
        if user:
            body |= {"harbor_version": "v2.15.2-0123abc", "read_only": self.read_only, "external_url": "https://h.test"}
        return json_reply(body)

    def list_projects(self, asked: Asked, user: str) -> Reply:
        """Those that the user may see."""
        return self._page(asked, [self._project(n, p) for n, p in self.projects.items() if user or p.public])

    def get_project(self, asked: Asked, user: str, name: str) -> Reply:
        """By name; one of digits only is a number unless the header says otherwise."""
        if name.isdecimal() and asked.headers.get("x-is-resource-name") != "true":
            name = next((n for n, p in self.projects.items() if p.number == int(name)), "")
        project = self._visible(name, user)
        return project if isinstance(project, Reply) else json_reply(self._project(name, project))

    def list_repositories(self, asked: Asked, user: str, project: str = "") -> Reply:
        """Over all projects, or those of one; `q=name=~text` filters."""
        if project:
            found = self._visible(project, user)
            if isinstance(found, Reply):
                return found
        wanted = asked.query.get("q", "").removeprefix("name=~")
        rows = []
        for number, name in enumerate(sorted(self.repositories), 1):
            own = self.projects[name.partition("/")[0]]
            if (user or own.public) and name.startswith(f"{project}/" if project else "") and wanted in name:
                rows.append(
                    {
                        "id": number,
                        "project_id": own.number,
                        "name": name,
                        "description": f"About {name}" if number == 1 else None,
                        "artifact_count": len(self.repositories[name].manifests),
                        "pull_count": 3,
                        "creation_time": "2026-01-01T00:00:00.000Z",
                        "update_time": "2026-02-02T02:02:02.222Z",
                    }
                )
        return self._page(asked, rows)

    def delete_repository(self, asked: Asked, user: str, project: str, name: str) -> Reply:
        """With all that is in it, unless a tag is immutable."""
        found = self._repository(project, name, user)
        if isinstance(found, Reply):
            return found
        repository, stored = found
        if any(self._is_immutable(self.projects[project], tag) for tag in stored.tags):
            return refused(412, "PRECONDITION", f"{repository} has immutable tags")
        del self.repositories[repository]
        return Reply(200)

    def list_artifacts(self, asked: Asked, user: str, project: str, name: str) -> Reply:
        """One entry per digest; an unknown repository looks empty."""
        found = self._visible(project, user)
        if isinstance(found, Reply):
            return found
        repository = f"{project}/{_decoded(name)}"
        stored = self.repositories.get(repository, Stored())
        hidden = _hidden(stored)
        shown = [digest for digest in stored.manifests if digest not in hidden]
        shown.sort(key=lambda digest: self.times.get((repository, digest), ""), reverse=True)
        return self._page(asked, shown, lambda digest: self._artifact(asked, repository, digest))

    def artifact(self, asked: Asked, user: str, project: str, name: str, locator: str) -> Reply:
        """One by tag or digest; DELETE takes its tags, children and signatures along."""
        found = self._repository(project, name, user)
        if isinstance(found, Reply):
            return found
        repository, stored = found
        digest = stored.tags.get(locator, locator)
        if digest not in stored.manifests:
            return refused(404, "NOT_FOUND", f"artifact {repository}@{digest} not found")
        if asked.method == "DELETE":
            return self._delete_artifact(self.projects[project], repository, digest)
        return json_reply(self._artifact(asked, repository, digest))

    def delete_tag(self, asked: Asked, user: str, project: str, name: str, locator: str, tag: str) -> Reply:
        """The tag alone, and only from the artifact that has it."""
        found = self._repository(project, name, user)
        if isinstance(found, Reply):
            return found
        _, stored = found
        if stored.tags.get(tag) != stored.tags.get(locator, locator):
            return refused(404, "NOT_FOUND", f"tag {tag} attached to artifact {locator} not found")
        if self._is_immutable(self.projects[project], tag):
            return refused(412, "PRECONDITION", f"the tag {tag} configured as immutable, cannot be deleted")
        del stored.tags[tag]
        return Reply(200)

    def vulnerabilities(self, asked: Asked, user: str, project: str, name: str, locator: str) -> Reply:
        """The report, keyed by the media type that was accepted; empty when there is none."""
        found = self._repository(project, name, user)
        if isinstance(found, Reply):
            return found
        _, stored = found
        if locator not in stored.manifests:
            return refused(404, "NOT_FOUND", f"artifact {locator} not found")
        if self._kind(stored, locator) != "IMAGE":
            return refused(400, "BAD_REQUEST", "addition vulnerabilities isn't supported for UNKNOWN")
        report = self.reports.get(locator)
        accepted = REPORT in asked.headers.get("x-accept-vulnerabilities", "")
        return json_reply({REPORT: report} if report is not None and accepted else {})

    def scan(self, asked: Asked, user: str, project: str, name: str, locator: str) -> Reply:
        """Starts a scan, once at a time."""
        found = self._repository(project, name, user)
        if isinstance(found, Reply):
            return found
        _, stored = found
        if not self.scanner:
            return refused(412, "PRECONDITION", "no available scanner for project")
        if self._kind(stored, locator) != "IMAGE":
            return refused(400, "BAD_REQUEST", "the configured scanner does not support scanning artifact")
        if self.scans.get(locator) == "Running":
            return refused(409, "CONFLICT", "a previous scan process is Running")
        self.scans[locator] = "Running"
        return Reply(202)

    def get_retention(self, asked: Asked, user: str, number: str) -> Reply:
        """A policy by its number, which is that of its project here."""
        found = next((p.policy for p in self.projects.values() if p.number == int(number) and p.policy), None)
        return refused(404, "NOT_FOUND", "no such policy") if found is None else json_reply(found)

    # values ----------------------------------------------------------------------------------------------------------

    def _visible(self, name: str, user: str) -> Project | Reply:
        project = self.projects.get(name)
        if project is None:
            return refused(404, "NOT_FOUND", f"project {name} not found") if user else refused(401, "UNAUTHORIZED")
        return project if user or project.public else refused(401, "UNAUTHORIZED", "unauthorized")

    def _repository(self, project: str, name: str, user: str) -> tuple[str, Stored] | Reply:
        found = self._visible(project, user)
        if isinstance(found, Reply):
            return found
        repository = f"{project}/{_decoded(name)}"
        if repository not in self.repositories:
            return refused(404, "NOT_FOUND", f"repository {repository} not found")
        return repository, self.repositories[repository]

    def _page(self, asked: Asked, rows: list[Any], made: Callable[[Any], Any] = lambda row: row) -> Reply:
        number, size = int(asked.query.get("page", "1")), int(asked.query.get("page_size", "10"))
        reply = json_reply([made(row) for row in rows[(number - 1) * size : number * size]])
        reply.headers["X-Total-Count"] = str(len(rows))
        if number * size < len(rows):
            # As the product does: the query is not escaped properly, so nobody can follow it.
            reply.headers["Link"] = f'<{asked.path}?page={number + 1}&page_size={size}&q=name=~x y>; rel="next"'
        return reply

    def _project(self, name: str, project: Project) -> dict[str, Any]:
        metadata = {"public": str(project.public).lower(), "auto_scan": "true"}
        if project.policy is not None:
            metadata["retention_id"] = str(project.number)
        return {"project_id": project.number, "name": name, "owner_name": "admin", "metadata": metadata}

    def _artifact(self, asked: Asked, repository: str, digest: str) -> dict[str, Any]:
        stored = self.repositories[repository]
        body = json.loads(stored.manifests[digest][1])
        tags = sorted(tag for tag, target in stored.tags.items() if target == digest)
        made: dict[str, Any] = {
            "id": 1,
            "type": self._kind(stored, digest),
            "digest": digest,
            "size": _size(stored, digest),
            "manifest_media_type": stored.manifests[digest][0],
            "media_type": body.get("config", {}).get("mediaType", stored.manifests[digest][0]),
            "repository_name": repository,
            "push_time": self.times[repository, digest],
            "pull_time": self.pulled.get((repository, digest), NEVER),
            "extra_attrs": _extra(stored, body),
            "references": [_child(entry) for entry in body.get("manifests", [])] or None,
            "annotations": body.get("annotations"),
            "labels": None,
            "tags": None,
        }
        if asked.query.get("with_tag", "true") == "true":
            shows_rule = asked.query.get("with_immutable_status") == "true"
            made["tags"] = [self._tag(repository, tag, digest, shows_rule) for tag in tags] or None
        if asked.query.get("with_accessory") == "true":
            made["accessories"] = [
                {"id": n, "artifact_id": n, "digest": d, "size": 1, "type": kind}
                for n, (d, kind) in enumerate(_accessories(stored, digest), 1)
            ] or None
        if asked.query.get("with_scan_overview") == "true" and digest in self.scans:
            made["scan_overview"] = {REPORT: self._overview(digest)}
        return made

    def _tag(self, repository: str, tag: str, digest: str, shows_rule: bool) -> dict[str, Any]:
        made: dict[str, Any] = {
            "id": 1,
            "name": tag,
            "push_time": self.times[repository, tag],
            "pull_time": self.pulled.get((repository, tag), NEVER),
            "immutable": False,
        }
        if shows_rule:
            made["immutable"] = self._is_immutable(self.projects[repository.partition("/")[0]], tag)
        return made

    def _overview(self, digest: str) -> dict[str, Any]:
        found = [one["severity"] for one in self.reports.get(digest, {}).get("vulnerabilities", [])]
        counts = {word: found.count(word) for word in dict.fromkeys(found)}
        return {
            "report_id": "5f62c830",
            "scan_status": self.scans[digest],
            "severity": found[0] if found else "None",
            "duration": 3,
            "summary": {"total": len(found), "fixable": 0, "summary": counts},
            "complete_percent": 100 if self.scans[digest] == "Success" else 40,
            "scanner": {"name": "Trivy", "vendor": "Aqua Security", "version": "v0.70.0"},
            "start_time": "2026-03-03T03:03:03.000Z",
            "end_time": "2026-03-03T03:03:06.000Z",
        }

    def _delete_artifact(self, project: Project, repository: str, digest: str) -> Reply:
        stored = self.repositories[repository]
        if digest not in stored.manifests:
            return refused(404, "NOT_FOUND", f"artifact {digest} not found")
        if any(digest in _children(stored, other) for other in stored.manifests):
            return refused(412, "VIOLATE_FOREIGN_KEY_CONSTRAINT", "the deleting artifact is referenced by others")
        tags = [tag for tag, target in stored.tags.items() if target == digest]
        if any(self._is_immutable(project, tag) for tag in tags):
            return refused(412, "PRECONDITION", f"the tag {tags[0]} configured as immutable, cannot be deleted")
        children = _children(stored, digest) - set(stored.tags.values())
        gone = {digest, *children, *(d for d, _ in _accessories(stored, digest))}
        stored.manifests = {d: entry for d, entry in stored.manifests.items() if d not in gone}
        stored.tags = {tag: target for tag, target in stored.tags.items() if target not in gone}
        return Reply(200)

    def _is_immutable(self, project: Project, tag: str) -> bool:
        return bool(project.immutable) and re.fullmatch(project.immutable, tag) is not None

    def _kind(self, stored: Stored, digest: str) -> str:
        config = json.loads(stored.manifests[digest][1]).get("config", {}).get("mediaType", "image.config")
        return "IMAGE" if "image.config" in config else "UNKNOWN"


def _decoded(name: str) -> str:
    """A name as the server reads it: the proxy has undone one encoding, the router undoes the other."""
    once = unquote(name)
    return "no/such/path" if "/" in once else unquote(once)


def _children(stored: Stored, digest: str) -> set[str]:
    return {entry["digest"] for entry in json.loads(stored.manifests[digest][1]).get("manifests", [])}


def _accessories(stored: Stored, digest: str) -> list[tuple[str, str]]:
    named = stored.tags.get(f"{digest.replace(':', '-')}.sig")
    found = [(named, "signature.cosign")] if named else []
    for other, (_, raw) in stored.manifests.items():
        if b'"subject"' in raw and json.loads(raw)["subject"]["digest"] == digest:
            found.append((other, "subject.accessory"))
    return found


def _hidden(stored: Stored) -> set[str]:
    """What the list leaves out: untagged children, and what hangs on another artifact."""
    bodies = {digest: json.loads(raw) for digest, (_, raw) in stored.manifests.items()}
    children = {entry["digest"] for body in bodies.values() for entry in body.get("manifests", [])}
    cosign = {d for tag, d in stored.tags.items() if re.fullmatch(r"sha256-[0-9a-f]{64}\.sig", tag)}
    return children - set(stored.tags.values()) | {d for d, body in bodies.items() if "subject" in body} | cosign


def _size(stored: Stored, digest: str) -> int:
    body = json.loads(stored.manifests[digest][1])
    parts = [*body.get("layers", []), *filter(None, [body.get("config")])]
    own = len(stored.manifests[digest][1]) + sum(part["size"] for part in parts)
    return own + sum(_size(stored, child) for child in _children(stored, digest))


def _extra(stored: Stored, body: dict[str, Any]) -> dict[str, Any] | None:
    config = body.get("config")
    if config is None or "image.config" not in config["mediaType"]:
        return None
    found = json.loads(stored.blobs[config["digest"]])
    return {key: found.get(key) for key in ("architecture", "os", "created", "config")} | {"author": ""}


def _child(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "parent_id": 1,
        "child_id": 2,
        "child_digest": entry["digest"],
        "platform": {"os.version": None, "variant": "", **entry.get("platform", {})},
        "annotations": None,
        "urls": None,
    }


_ROUTES: list[tuple[str, Any]] = [
    ("/systeminfo", FakeHarbor.system_info),
    ("/projects", FakeHarbor.list_projects),
    ("/projects/([^/]+)", FakeHarbor.get_project),
    ("/repositories", FakeHarbor.list_repositories),
    ("/projects/([^/]+)/repositories", FakeHarbor.list_repositories),
    ("/projects/([^/]+)/repositories/([^/]+)", FakeHarbor.delete_repository),
    ("/projects/([^/]+)/repositories/([^/]+)/artifacts", FakeHarbor.list_artifacts),
    ("/projects/([^/]+)/repositories/([^/]+)/artifacts/([^/]+)", FakeHarbor.artifact),
    ("/projects/([^/]+)/repositories/([^/]+)/artifacts/([^/]+)/tags/([^/]+)", FakeHarbor.delete_tag),
    ("/projects/([^/]+)/repositories/([^/]+)/artifacts/([^/]+)/additions/vulnerabilities", FakeHarbor.vulnerabilities),
    ("/projects/([^/]+)/repositories/([^/]+)/artifacts/([^/]+)/scan", FakeHarbor.scan),
    (r"/retentions/(\d+)", FakeHarbor.get_retention),
]
