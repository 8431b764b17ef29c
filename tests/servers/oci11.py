"""A small registry of the tests' own: OCI distribution 1.1 with the referrers API, in memory, on loopback.

No real registry with that API is packaged everywhere. Fakes of vendors derive from it: override `answer`, and
hand on what the vendor does like everybody else.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.servers.content import OCI_INDEX, Content, dumps


@dataclass(frozen=True)
class Asked:
    """A request as it came, `path` and `target` still encoded.

    Header names are in lower case; `query` keeps the last value of each name.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    target: str = ""


@dataclass(frozen=True)
class Reply:
    """What to answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def error(status: int, code: str, message: str = "no") -> Reply:
    """An error as the specification has it."""
    return json_reply({"errors": [{"code": code, "message": message}]}, status)


def json_reply(body: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON body; `_` in a header's name stands for `-`."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, dumps(body), {"Content-Type": "application/json", **extra})


@dataclass
class Stored:
    """One repository."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


class FakeRegistry:
    """Serves until it is left: `with FakeRegistry() as registry: registry.host`."""

    def __init__(self, *, page: int = 1000, referrers: bool = True, delete: bool = True, mount: bool = True) -> None:
        self.page, self.has_referrers, self.can_delete, self.can_mount = page, referrers, delete, mount
        self.repositories: dict[str, Stored] = {}
        self.asked: list[Asked] = []
        self._lock = threading.RLock()
        self._uploads = 0
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def put(self, repository: str, content: Content, *tags: str) -> str:
        """Store content with all that it needs, without a request."""
        stored = self.repositories.setdefault(repository, Stored())
        for need in content.needs:
            if need.is_manifest:
                self.put(repository, need)
            else:
                stored.blobs[need.digest] = need.raw
        stored.manifests[content.digest] = (content.media_type, content.raw)
        stored.tags.update(dict.fromkeys(tags, content.digest))
        return content.digest

    def handle(self, asked: Asked) -> Reply:
        """Note the request and answer it, one at a time."""
        with self._lock:
            self.asked.append(asked)
            return self.answer(asked)

    def answer(self, asked: Asked) -> Reply:
        """The answer of a registry that keeps to the specification."""
        if asked.path == "/v2/":
            return json_reply({}, Docker_Distribution_Api_Version="registry/2.0")
        if asked.path == "/v2/_catalog":
            return self.names(asked, "repositories", list(self.repositories))
        match = re.fullmatch(r"/v2/(.+?)/(tags|manifests|blobs|referrers)/(.+)", asked.path)
        if match is None:
            return Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"})
        repository, kind, rest = match.groups()
        if asked.method in {"PUT", "POST"}:
            stored = self.repositories.setdefault(repository, Stored())
        elif repository in self.repositories:
            stored = self.repositories[repository]
        else:
            return error(404, "NAME_UNKNOWN")
        routes = {"tags": self.tags, "manifests": self.manifests, "blobs": self.blobs, "referrers": self.referrers}
        return routes[kind](asked, repository, stored, rest)

    def names(self, asked: Asked, member: str, names: list[str]) -> Reply:
        """One page of names, with a Link to the next."""
        size = min(int(asked.query.get("n", self.page)), self.page)
        left = sorted(name for name in names if name > asked.query.get("last", ""))
        page = left[:size]
        reply = json_reply({member: page})
        if len(left) > size:
            reply.headers["Link"] = f'<{asked.path}?n={size}&last={page[-1]}>; rel="next"'
        return reply

    def tags(self, asked: Asked, repository: str, stored: Stored, rest: str) -> Reply:
        """tags/list."""
        return self.names(asked, "tags", list(stored.tags))

    def manifests(self, asked: Asked, repository: str, stored: Stored, locator: str) -> Reply:
        """Manifests by tag and digest."""
        if asked.method == "PUT":
            return self._put_manifest(asked, repository, stored, locator)
        digest = stored.tags.get(locator, locator)
        if asked.method == "DELETE":
            return self._delete_manifest(stored, locator)
        if digest not in stored.manifests:
            return error(404, "MANIFEST_UNKNOWN")
        media_type, raw = stored.manifests[digest]
        return Reply(200, raw, {"Content-Type": media_type, "Docker-Content-Digest": digest})

    def blobs(self, asked: Asked, repository: str, stored: Stored, rest: str) -> Reply:
        """Blobs and uploads."""
        if rest.startswith("uploads/"):
            return self._upload(asked, repository, stored)
        if rest not in stored.blobs:
            return error(404, "BLOB_UNKNOWN")
        raw = stored.blobs[rest]
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": rest}
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("range", ""))
        if part is None:
            return Reply(200, raw, headers)
        start, end = int(part[1]), min(int(part[2] or len(raw)), len(raw) - 1)
        if start >= len(raw):
            return Reply(416)
        return Reply(206, raw[start : end + 1], headers | {"Content-Range": f"bytes {start}-{end}/{len(raw)}"})

    def referrers(self, asked: Asked, repository: str, stored: Stored, subject: str) -> Reply:
        """The referrers API, paged by `page`, filtered when asked."""
        if not self.has_referrers:
            return Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"})
        wanted = asked.query.get("artifactType")
        found = []
        for digest, (media_type, raw) in sorted(stored.manifests.items()):
            body = json.loads(raw)
            kind = body.get("artifactType") or body.get("config", {}).get("mediaType")
            if (body.get("subject") or {}).get("digest") == subject and wanted in {None, kind}:
                entry = {"mediaType": media_type, "digest": digest, "size": len(raw), "artifactType": kind}
                found.append(entry | {"annotations": body.get("annotations", {})})
        left = [entry for entry in found if entry["digest"] > asked.query.get("after", "")]
        reply = json_reply({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": left[: self.page]})
        reply.headers["Content-Type"] = OCI_INDEX
        if wanted:
            reply.headers["OCI-Filters-Applied"] = "artifactType"
        if len(left) > self.page:
            reply.headers["Link"] = f'<{asked.path}?after={left[self.page - 1]["digest"]}>; rel="next"'
        return reply

    def _put_manifest(self, asked: Asked, repository: str, stored: Stored, locator: str) -> Reply:
        digest = _digest_of(asked.body)
        if ":" in locator and locator != digest:
            return error(400, "DIGEST_INVALID")
        body = json.loads(asked.body)
        needed = [d["digest"] for d in [*body.get("layers", []), *filter(None, [body.get("config")])]]
        children = [d["digest"] for d in body.get("manifests", []) if not self._is_referrers_tag(locator)]
        if any(d not in stored.blobs for d in needed) or any(d not in stored.manifests for d in children):
            return error(400, "MANIFEST_BLOB_UNKNOWN")
        stored.manifests[digest] = (asked.headers["content-type"], asked.body)
        if ":" not in locator:
            stored.tags[locator] = digest
        headers = {"Location": f"/v2/{repository}/manifests/{digest}", "Docker-Content-Digest": digest}
        if self.has_referrers and body.get("subject"):
            headers["OCI-Subject"] = body["subject"]["digest"]
        return Reply(201, headers=headers)

    def _is_referrers_tag(self, locator: str) -> bool:
        return re.fullmatch(r"sha256-[0-9a-f]{64}", locator) is not None

    def _delete_manifest(self, stored: Stored, locator: str) -> Reply:
        if not self.can_delete:
            return error(405, "UNSUPPORTED")
        if locator in stored.tags:
            del stored.tags[locator]
        elif locator in stored.manifests:
            del stored.manifests[locator]
            stored.tags = {tag: digest for tag, digest in stored.tags.items() if digest != locator}
        else:
            return error(404, "MANIFEST_UNKNOWN")
        return Reply(202)

    def _upload(self, asked: Asked, repository: str, stored: Stored) -> Reply:
        if asked.method == "POST":
            source = self.repositories.get(asked.query.get("from", ""))
            mounted = asked.query.get("mount", "")
            if self.can_mount and source is not None and mounted in source.blobs:
                stored.blobs[mounted] = source.blobs[mounted]
                return Reply(201, headers={"Location": f"/v2/{repository}/blobs/{mounted}"})
            self._uploads += 1
            return Reply(202, headers={"Location": f"/v2/{repository}/blobs/uploads/{self._uploads}?state=s%2F1"})
        if asked.method == "DELETE":
            return Reply(204)
        digest = _digest_of(asked.body)
        if asked.query.get("digest") != digest or asked.query.get("state") != "s/1":
            return error(400, "DIGEST_INVALID")
        stored.blobs[digest] = asked.body
        return Reply(201, headers={"Location": f"/v2/{repository}/blobs/{digest}"})


def _digest_of(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves early is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _handler_of(registry: FakeRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        wbufsize = -1  # one write per answer
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gave it
            return

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, parts.path, query, headers, self._body(), self.path)
            reply = registry.handle(asked)
            self.send_response_only(reply.status)  # without a Server header: some products are told by theirs
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)
            self.wfile.flush()

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve

    return Handler
