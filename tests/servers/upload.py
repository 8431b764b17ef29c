"""Fills a registry over plain HTTP, with nothing of regtui's own: what it puts there is what the tests expect."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

from tests.servers.content import OCI_INDEX

if TYPE_CHECKING:
    from tests.servers.content import Content

ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)


class Uploader:
    """Pushes and looks at one registry on loopback."""

    def __init__(self, host: str, user: str | None = None, password: str | None = None) -> None:
        self._base = f"http://{host}"
        self._headers: dict[str, str] = {}
        if user is not None:
            pair = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {pair}"

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request; any status is an answer. Header names come back in lower case."""
        url = path if path.startswith("http://") else self._base + path
        asked = urllib.request.Request(url, data=body, method=method, headers={**self._headers, **(headers or {})})
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()

    def blob(self, repository: str, raw: bytes, digest: str) -> None:
        """Upload one blob unless it is there."""
        status, _, _ = self.request("HEAD", f"/v2/{repository}/blobs/{digest}")
        if status == 200:
            return
        status, headers, _ = self.request("POST", f"/v2/{repository}/blobs/uploads/", b"")
        assert status == 202, status
        location = urllib.parse.urljoin(self._base, headers["location"])
        location += ("&" if "?" in location else "?") + "digest=" + urllib.parse.quote(digest)
        status, _, said = self.request("PUT", location, raw, {"Content-Type": "application/octet-stream"})
        assert status == 201, (status, said)

    def push(self, repository: str, content: Content, *tags: str) -> str:
        """Push a manifest with all that it needs, by its digest or under each tag; its digest."""
        for need in content.needs:
            if need.is_manifest:
                self.push(repository, need)
            else:
                self.blob(repository, need.raw, need.digest)
        for locator in tags or (content.digest,):
            status, _, said = self.request(
                "PUT", f"/v2/{repository}/manifests/{locator}", content.raw, {"Content-Type": content.media_type}
            )
            assert status == 201, (status, said)
        return content.digest

    def push_referrers_tag(self, repository: str, subject: Content, *referrers: Content) -> None:
        """Write the referrers tag as clients do where the registry has no referrers API."""
        entries = []
        for made in referrers:
            body = json.loads(made.raw)
            kind = body.get("artifactType") or body["config"]["mediaType"]
            entries.append({**made.descriptor, "artifactType": kind, "annotations": body.get("annotations", {})})
        raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
        tag = subject.digest.replace(":", "-")
        status, _, said = self.request("PUT", f"/v2/{repository}/manifests/{tag}", raw, {"Content-Type": OCI_INDEX})
        assert status == 201, (status, said)

    def tags(self, repository: str) -> list[str]:
        """The repository's tags, sorted, from one request without paging."""
        status, _, body = self.request("GET", f"/v2/{repository}/tags/list")
        return sorted(json.loads(body)["tags"] or []) if status == 200 else []

    def digest_at(self, repository: str, locator: str) -> str | None:
        """The digest of the manifest there, None when there is none."""
        status, headers, _ = self.request("HEAD", f"/v2/{repository}/manifests/{locator}", headers={"Accept": ACCEPT})
        return headers["docker-content-digest"] if status == 200 else None

    def manifest(self, repository: str, locator: str) -> Any:
        """The parsed manifest there."""
        status, _, body = self.request("GET", f"/v2/{repository}/manifests/{locator}", headers={"Accept": ACCEPT})
        assert status == 200, (status, body)
        return json.loads(body)
