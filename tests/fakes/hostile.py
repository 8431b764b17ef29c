"""A registry that means harm, or is merely broken: faults on demand, and repositories that are traps.

    async with HostileRegistry() as registry:
        registry.script("/v2/app/manifests/latest", rate_limited(2), Reply(200, body=...))

Scripted replies to a path come one after another, and the last one stays. Everything else comes from the traps:

| repository  | what it does |
|-------------|------------------------------------------------------------------------------------|
| `endless`   | its tag list always links on, with new tags |
| `stuck`     | its tag list always links on, with the same tags |
| `names`     | tags, annotations, labels and history full of escape sequences, bidi and markup |
| `huge`      | the manifest has 50 MB |
| `bomb`      | the tag list is 10 KB of gzip that inflate to 10 MB, and the manifest the same |
| `circle`    | everything redirects in circles |
| `flood`     | answers with thousands of header fields |
| `nonsense`  | answers with something that is not HTTP |
| `short`     | announces more bytes than it sends, then leaves |
| `long`      | blobs have more bytes than their descriptors say |
| `liar`      | blobs have other content than their digests say |
| `web`       | answers with a web page and status 200 |
| `broken`    | status 500 with a stack trace in HTML |
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass, field

from tests.fakes.serve import Reply, Seen, Server

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
HUGE = 50 << 20
BOMB = 10 << 20
PAGE = 100

HOSTILE_TEXTS = (
    "\x1b[31mred\x1b[0m",
    "\x1b]52;c;Y2xpcGJvYXJk\x07",
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "\x1b[2J\x1b[H",
    "\x9b31mC1",
    "user\u202egpj.exe",
    "zero\u200bwidth\ufeff",
    "[bold red]markup[/]",
    "[@click=app.quit]quit[/]",
    "a\r\nb\tc\x00d\x7f",
    "../../etc/passwd",
    "-rf",
    "x" * 5000,
    "e" + "\u0301" * 200,
)
"""Texts that must reach neither terminal nor file system as they are."""

TRAPS = (
    *("endless", "stuck", "names", "huge", "bomb", "circle", "flood"),
    *("nonsense", "short", "long", "liar", "web", "broken"),
)


def digest_of(content: bytes) -> str:
    """The sha256 digest of these bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def as_json(value: object, *headers: tuple[str, str], status: int = 200, media_type: str = "application/json") -> Reply:
    """A JSON answer."""
    return Reply(status, (("Content-Type", media_type), *headers), json.dumps(value).encode())


def oci_error(status: int, code: str, message: str = "", detail: object = None) -> Reply:
    """An error as the distribution spec writes it."""
    return as_json({"errors": [{"code": code, "message": message, "detail": detail}]}, status=status)


def rate_limited(after: int | str | None = None) -> Reply:
    """429, with a Retry-After when given."""
    error = oci_error(429, "TOOMANYREQUESTS", "slow down")
    return Reply(429, (*error.headers, *((("Retry-After", str(after)),) if after is not None else ())), error.body)


def redirect(to: str, status: int = 307) -> Reply:
    """Somewhere else."""
    return Reply(status, (("Location", to),))


def cut_off(body: bytes, at: int) -> Reply:
    """A body whose connection breaks."""
    return Reply(200, (("Content-Type", "application/octet-stream"),), body, cut=at)


def partial(seen: Seen, body: bytes, *, cut: int | None = None) -> Reply:
    """An honest answer to a Range request (or to one without), that may break after `cut` bytes."""
    asked = seen.headers.get("range", "")
    if not asked.startswith("bytes="):
        return Reply(200, (("Accept-Ranges", "bytes"),), body, cut=cut)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start, end = int(first), min(int(last) if last else len(body) - 1, len(body) - 1)
    if start >= len(body):
        return Reply(416, (("Content-Range", f"bytes */{len(body)}"),))
    return Reply(206, (("Content-Range", f"bytes {start}-{end}/{len(body)}"),), body[start : end + 1], cut=cut)


@dataclass
class HostileRegistry(Server):
    """See the module. `blobs` are honest content by digest, in every repository that is no trap."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    scripts: dict[str, list[Reply]] = field(default_factory=dict)

    def script(self, path: str, *replies: Reply) -> None:
        """What a path answers: one reply after another, then the last for ever."""
        self.scripts[path] = list(replies)

    def add_blob(self, content: bytes) -> str:
        """Keep a blob; its digest."""
        digest = digest_of(content)
        self.blobs[digest] = content
        return digest

    async def answer(self, seen: Seen) -> Reply:
        scripted = self.scripts.get(seen.path)
        if scripted:
            return scripted.pop(0) if len(scripted) > 1 else scripted[0]
        if seen.path == "/v2/":
            return as_json({})
        if seen.path == "/v2/_catalog":
            return as_json({"repositories": [*TRAPS, *HOSTILE_TEXTS]})
        repository, _, rest = seen.path.removeprefix("/v2/").partition("/")
        trap = getattr(self, f"_{repository}", None) if repository in TRAPS else None
        if trap is not None:
            reply: Reply = trap(seen, rest)
            return reply
        blob = self.blobs.get(seen.path.rpartition("/blobs/")[2])
        return partial(seen, blob) if blob is not None else oci_error(404, "NAME_UNKNOWN", "repository not known")

    def _endless(self, seen: Seen, rest: str) -> Reply:
        if rest != "tags/list":
            return oci_error(404, "MANIFEST_UNKNOWN")
        start = int(seen.query.get("last", ["t-1"])[0].removeprefix("t")) + 1
        tags = [f"t{number}" for number in range(start, start + PAGE)]
        link = f'</v2/endless/tags/list?last={tags[-1]}&n={PAGE}>; rel="next"'
        return as_json({"name": "endless", "tags": tags}, ("Link", link))

    def _stuck(self, seen: Seen, rest: str) -> Reply:
        if rest != "tags/list":
            return oci_error(404, "MANIFEST_UNKNOWN")
        link = '</v2/stuck/tags/list?last=c&n=3>; rel="next"'
        return as_json({"name": "stuck", "tags": ["a", "b", "c"]}, ("Link", link))

    def _names(self, seen: Seen, rest: str) -> Reply:
        if rest == "tags/list":
            return as_json({"name": "names", "tags": ["latest", *HOSTILE_TEXTS]})
        config, manifest = hostile_image()
        if rest == f"blobs/{digest_of(config)}":
            return partial(seen, config)
        if rest.startswith("manifests/"):
            headers = (("Content-Type", MANIFEST), ("Docker-Content-Digest", digest_of(manifest)))
            return Reply(200, headers, manifest)
        return as_json({"schemaVersion": 2, "manifests": []}) if rest.startswith("referrers/") else Reply(404)

    def _huge(self, seen: Seen, rest: str) -> Reply:
        return Reply(200, (("Content-Type", MANIFEST),), b" " * (HUGE - 2) + b"{}")

    def _bomb(self, seen: Seen, rest: str) -> Reply:
        content = gzip.compress(b'{"tags":["' + b"a" * BOMB + b'"]}', mtime=0)
        kind = MANIFEST if rest.startswith("manifests/") else "application/json"
        return Reply(200, (("Content-Type", kind), ("Content-Encoding", "gzip")), content)

    def _circle(self, seen: Seen, rest: str) -> Reply:
        return redirect(f"/v2/circle/{'b' if rest == 'a' else 'a'}")

    def _flood(self, seen: Seen, rest: str) -> Reply:
        fields = "".join(f"X-Flood-{number}: {'y' * 100}\r\n" for number in range(5000))
        return Reply(raw=f"HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\n{{}}".encode())

    def _nonsense(self, seen: Seen, rest: str) -> Reply:
        return Reply(raw=b"SSH-2.0-OpenSSH_9.6\r\nhello\r\n\r\n")

    def _short(self, seen: Seen, rest: str) -> Reply:
        return Reply(200, (("Content-Type", "application/json"),), b'{"tags":[', announce=4000, cut=9)

    def _long(self, seen: Seen, rest: str) -> Reply:
        return Reply(200, (), b"much longer than anyone was told" * 1000)

    def _liar(self, seen: Seen, rest: str) -> Reply:
        return Reply(200, (("Docker-Content-Digest", rest.rpartition("/")[2]),), b"something else")

    def _web(self, seen: Seen, rest: str) -> Reply:
        page = b"<!doctype html><title>Sign in</title><script>alert(1)</script>"
        return Reply(200, (("Content-Type", "text/html"),), page)

    def _broken(self, seen: Seen, rest: str) -> Reply:
        page = b"<html><head><title>500 Internal Server Error</title></head><body>\x1b[31mat line 3</body></html>"
        return Reply(500, (("Content-Type", "text/html"),), page)


def hostile_image() -> tuple[bytes, bytes]:
    """Config and manifest of an image whose every text is hostile."""
    labels = {f"label-{number}": text for number, text in enumerate(HOSTILE_TEXTS)}
    config = json.dumps(
        {
            "architecture": HOSTILE_TEXTS[0],
            "os": "linux",
            "author": HOSTILE_TEXTS[1],
            "created": "not a time \x1b[31m",
            "config": {"Labels": {**labels, **dict.fromkeys(HOSTILE_TEXTS, "key")}, "Env": list(HOSTILE_TEXTS)},
            "rootfs": {"type": "layers", "diff_ids": []},
            "history": [{"created_by": text, "empty_layer": True} for text in HOSTILE_TEXTS],
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [],
        "annotations": {**labels, **dict.fromkeys(HOSTILE_TEXTS, "key")},
    }
    return config, json.dumps(manifest).encode()
