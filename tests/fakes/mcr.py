"""MCR in memory: an unpaged catalog, the portal's undocumented list of tags, blobs on another host, no users."""

from __future__ import annotations

import re
from typing import Any, Self

from tests.servers.oci11 import Asked, FakeRegistry, Reply, json_reply


class McrFake(FakeRegistry):
    """See the module. Without `portal` its API answers with a web page; `data` is the host of the blobs."""

    def __init__(self, *, portal: bool = True, wrong_portal: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.has_portal, self.wrong_portal = portal, wrong_portal
        self.data = FakeRegistry()

    def __enter__(self) -> Self:
        self.data.__enter__()
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.data.__exit__()

    def answer(self, asked: Asked) -> Reply:
        """The catalog, the portal, redirects to the blobs; nothing is taken."""
        assert "authorization" not in asked.headers, "nothing secret may come here"
        if asked.method not in {"GET", "HEAD"}:
            return Reply(404)
        if asked.path == "/v2/_catalog":
            return json_reply({"repositories": sorted(self.repositories)})
        portal = re.fullmatch(r"/api/v1/catalog/(.+)/tags", asked.path)
        if portal is not None:
            return self._portal(asked, portal[1])
        blob = re.fullmatch(r"/v2/(.+?)/blobs/(.+)", asked.path)
        if blob is not None and blob[2] in self.repositories[blob[1]].blobs:
            self.data.repositories = self.repositories
            return Reply(307, headers={"Location": f"http://{self.data.host}{asked.path}?signature=x"})
        return super().answer(asked)

    def _portal(self, asked: Asked, repository: str) -> Reply:
        assert asked.query == {"reg": "mar"}
        if not self.has_portal:
            return Reply(200, b"<html>moved</html>", {"Content-Type": "text/html"})
        if repository not in self.repositories:
            return Reply(404)
        wrong = f"sha256:{'0' * 64}"
        tags = self.repositories[repository].tags.items()
        digests = {tag: wrong if self.wrong_portal else digest for tag, digest in tags}
        about = {
            "architecture": "amd64",
            "operatingSystem": "linux",
            "createdDate": "2026-01-02T03:04:05.0000000Z",
            "lastModifiedDate": "2026-02-03T04:05:06.1234567Z",
        }
        return json_reply([{"name": tag, "digest": digest, **about} for tag, digest in digests.items()])
