"""A zot in memory: OCI 1.1 with zot's own refusals, and its search extension executed by graphql-core.

The schema is the vendor's own where that file is on the machine, else the excerpt below: every query of ours and
every answer of the fake is checked by it while it runs. `without` takes fields away, as older versions lack them.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from graphql import build_schema, graphql_sync

from tests.fakes.validation import Exchange, Watch, described_in, specification
from tests.servers.content import OCI_INDEX
from tests.servers.oci11 import Asked, FakeRegistry, Reply, Stored, error, json_reply

SEARCH = "/v2/_zot/ext/search"
NEVER = "0001-01-01T00:00:00Z"
EXCERPT = """
scalar Time
enum SortCriteria { RELEVANCE UPDATE_TIME ALPHABETIC_ASC ALPHABETIC_DSC SEVERITY STARS DOWNLOADS }
input PageInput { limit: Int  offset: Int  sortBy: SortCriteria }
type PageInfo { TotalCount: Int!  ItemCount: Int! }
type Platform { Os: String  Arch: String }
type ImageVulnerabilitySummary {
  MaxSeverity: String  Count: Int
  UnknownCount: Int
  LowCount: Int  MediumCount: Int  HighCount: Int  CriticalCount: Int
}
type ManifestSummary { Digest: String  Size: String  Platform: Platform }
type ImageSummary {
  RepoName: String  Tag: String  Digest: String  MediaType: String  Size: String
  LastUpdated: Time
  PushTimestamp: Time
  TaggedTimestamp: Time
  LastPullTimestamp: Time
  IsSigned: Boolean
  Vulnerabilities: ImageVulnerabilitySummary
  Manifests: [ManifestSummary]
}
type RepoSummary { Name: String  LastUpdated: Time  Size: String }
type PaginatedImagesResult { Page: PageInfo  Results: [ImageSummary!]! }
type PaginatedReposResult { Page: PageInfo  Results: [RepoSummary!]! }
type GlobalSearchResult { Page: PageInfo  Repos: [RepoSummary] }
type PackageInfo { Name: String  PackagePath: String  InstalledVersion: String  FixedVersion: String }
type CVE {
  Id: String  Title: String  Description: String  Reference: String  Severity: String  PackageList: [PackageInfo]
}
type CVEResultForImage { Tag: String  CVEList: [CVE]  Summary: ImageVulnerabilitySummary  Page: PageInfo }
type Query {
  CVEListForImage(
    image: String!, requestedPage: PageInput, searchedCVE: String, excludedCVE: String, severity: String
  ): CVEResultForImage!
  GlobalSearch(query: String!, requestedPage: PageInput): GlobalSearchResult!
  RepoListWithNewestImage(requestedPage: PageInput): PaginatedReposResult!
  ImageList(repo: String!, requestedPage: PageInput): PaginatedImagesResult!
}
"""


def cve(number: int, severity: str = "HIGH") -> dict[str, Any]:
    """A CVE as zot tells it."""
    package = {
        "Name": "openssl",
        "PackagePath": "Not Specified",
        "InstalledVersion": "3.0.1",
        "FixedVersion": "3.0.2" if number % 2 else "Not Specified",
    }
    return {
        "Id": f"CVE-2026-{number:04}",
        "Title": "A fault",
        "Description": "It is one.",
        "Severity": severity,
        "Reference": "https://example.invalid/cve",
        "PackageList": [package],
    }


class ZotFake(FakeRegistry):
    """See the module. `user` is (name, API key); with `lets_strangers_in` anonymous users see `public` repositories."""

    def __init__(
        self,
        *,
        search: bool = True,
        cves: bool = True,
        without: tuple[str, ...] = (),
        user: tuple[str, str] | None = None,
        lets_strangers_in: bool = False,
        most_rows: int = 100_000,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.has_search, self.has_cves, self.most_rows = search, cves, most_rows
        self.user, self.lets_strangers_in = user, lets_strangers_in
        self.public: set[str] = set()
        self.found: dict[str, list[dict[str, Any]]] = {}
        """Digest → its CVEs; a digest that is not here was not scanned."""
        self.pulled: dict[tuple[str, str], str] = {}
        self.scanned_clean: set[str] = set()
        official = described_in("zot-search.schema.graphql")
        text = re.sub(r'""".*?"""', "", official.read_text() if official else EXCERPT, flags=re.DOTALL)
        for name in without:
            text = re.sub(rf"\n *{name}: \w+", "", text)
        self.schema = build_schema(text)
        self.watch = Watch(specification("zot.swagger.json", slashes=frozenset({"name"})), covers="/v2/_oci/")

    def handle(self, asked: Asked) -> Reply:
        """Answer, and hold both sides against the description."""
        reply = super().handle(asked)
        self.watch.saw(Exchange.of(asked, reply))
        return reply

    def answer(self, asked: Asked) -> Reply:
        """zot's own paths; the rest as OCI 1.1 has it, with zot's refusals."""
        refused = self._refusal(asked)
        if refused is not None:
            return refused
        if asked.path == "/v2/_oci/ext/discover":
            return self._extensions()
        if asked.path == SEARCH:
            return self._search(asked) if self.has_search else Reply(404)
        if asked.path == "/v2/_catalog":
            return self.names(asked, "repositories", self._visible(asked))
        return super().answer(asked)

    def tags(self, asked: Asked, repository: str, stored: Stored, rest: str) -> Reply:
        """An unknown `last` is 404 without a body."""
        last = asked.query.get("last")
        if last is not None and last not in stored.tags:
            return Reply(404)
        return super().tags(asked, repository, stored, rest)

    def manifests(self, asked: Asked, repository: str, stored: Stored, locator: str) -> Reply:
        """Docker's media types are refused, and deletes of what an index holds."""
        if asked.method == "PUT" and "docker" in asked.headers.get("content-type", ""):
            return error(415, "MANIFEST_INVALID", "manifest format is not supported")
        if asked.method == "DELETE" and any(
            locator in [child["digest"] for child in json.loads(raw).get("manifests", [])]
            for _, raw in stored.manifests.values()
        ):
            return error(405, "DENIED", "manifest is part of an index")
        return super().manifests(asked, repository, stored, locator)

    def _refusal(self, asked: Asked) -> Reply | None:
        repository = re.match(r"/v2/(.+?)/(manifests|blobs|tags|referrers)/", asked.path)
        if asked.method == "DELETE" and repository is not None and repository[1] not in self.repositories:
            return error(400, "NAME_UNKNOWN", "repository not known")
        if self.user is None or self._is_user(asked):
            return None
        challenge = {"WWW-Authenticate": "basic realm=zot"}
        if not self.lets_strangers_in or "authorization" in asked.headers:
            bare = json_reply({"code": "UNAUTHORIZED", "message": "authentication required", "detail": {}}, 401)
            return Reply(401, bare.body, bare.headers | challenge)
        if asked.path == "/v2/":
            return json_reply({}, WWW_Authenticate="basic realm=zot")
        if repository is not None and repository[1] not in self.public:
            return Reply(401, b"{}", challenge)
        return None

    def _is_user(self, asked: Asked) -> bool:
        assert self.user is not None
        wanted = base64.b64encode(":".join(self.user).encode()).decode()
        return asked.headers.get("authorization") == f"Basic {wanted}"

    def _visible(self, asked: Asked) -> list[str]:
        everything = self.user is None or self._is_user(asked)
        return [name for name in self.repositories if everything or name in self.public]

    def _extensions(self) -> Reply:
        if not self.has_search:
            return json_reply({"extensions": []})
        about = {"name": "_zot", "url": "https://example.invalid", "description": "zot extensions"}
        return json_reply({"extensions": [about | {"endpoints": [SEARCH, "/v2/_zot/ext/mgmt"]}]})

    # the search extension ------------------------------------------------------------------------------------

    def _search(self, asked: Asked) -> Reply:
        body = json.loads(asked.body) if asked.method == "POST" else asked.query
        variables = body.get("variables") or "{}"
        self._asking = asked
        root = {
            "ImageList": self._image_list,
            "RepoListWithNewestImage": self._repository_list,
            "GlobalSearch": self._global_search,
            "CVEListForImage": self._cve_list,
        }
        given = json.loads(variables) if isinstance(variables, str) else variables
        result = graphql_sync(self.schema, body["query"], root, variable_values=given)
        unfit = result.data is None and any(e.path is None for e in result.errors or ())
        return json_reply(json.loads(json.dumps(result.formatted).replace("'", '\\"')), 422 if unfit else 200)

    def _image_list(self, info: object, repo: str, requestedPage: dict[str, Any]) -> dict[str, Any]:
        stored = self.repositories.get(repo, Stored()) if repo in self._visible(self._asking) else Stored()
        rows = [self._image(repo, stored, tag) for tag in sorted(stored.tags)]
        return self._paged(rows, requestedPage, "Results")

    def _repository_list(self, info: object, requestedPage: dict[str, Any]) -> dict[str, Any]:
        return self._paged(self._repositories(""), requestedPage, "Results")

    def _global_search(self, info: object, query: str, requestedPage: dict[str, Any]) -> dict[str, Any]:
        return self._paged(self._repositories(query), requestedPage, "Repos")

    def _cve_list(
        self,
        info: object,
        image: str,
        requestedPage: dict[str, Any],
        **_: Any,
    ) -> dict[str, Any]:
        if not self.has_cves:
            raise ValueError("cve search is disabled")
        repository, _, digest = image.partition("@")
        if digest not in self.repositories.get(repository, Stored()).manifests:
            raise ValueError("manifest not found")
        made = self._paged(self.found.get(digest, []), requestedPage, "CVEList")
        return {"Tag": "", "Summary": self._summary(digest), **made}

    def _repositories(self, part: str) -> list[dict[str, Any]]:
        names = [name for name in self._visible(self._asking) if part in name]
        return [
            {
                "Name": name,
                "LastUpdated": "2026-03-01T00:00:00Z",
                "Size": str(sum(map(len, self.repositories[name].blobs.values()))),
            }
            for name in sorted(names)
        ]

    def _paged(self, rows: list[dict[str, Any]], page: dict[str, Any], member: str) -> dict[str, Any]:
        start, size = page.get("offset") or 0, min(page.get("limit") or len(rows), self.most_rows)
        part = rows[start : start + size]
        return {"Page": {"TotalCount": len(rows), "ItemCount": len(part)}, member: part}

    def _image(self, repository: str, stored: Stored, tag: str) -> dict[str, Any]:
        digest = stored.tags[tag]
        media_type, raw = stored.manifests[digest]
        body = json.loads(raw)
        children = [d["digest"] for d in body["manifests"]] if media_type == OCI_INDEX else [digest]
        manifests = [self._manifest(stored, child) for child in children]
        size = sum(int(one["Size"]) for one in manifests) + (len(raw) if media_type == OCI_INDEX else 0)
        return {
            "RepoName": repository,
            "Tag": tag,
            "Digest": digest,
            "MediaType": media_type,
            "Size": str(size),
            "LastUpdated": "2026-01-02T03:04:05Z",
            "PushTimestamp": "2026-02-01T00:00:00Z",
            "TaggedTimestamp": "2026-02-02T00:00:00.123456789Z",
            "LastPullTimestamp": self.pulled.get((repository, tag), NEVER),
            "IsSigned": False,
            "Vulnerabilities": self._summary(digest),
            "Manifests": manifests,
        }

    def _manifest(self, stored: Stored, digest: str) -> dict[str, Any]:
        raw = stored.manifests[digest][1]
        body = json.loads(raw)
        config = json.loads(stored.blobs[body["config"]["digest"]])
        size = len(raw) + sum(d["size"] for d in [body["config"], *body["layers"]])
        platform = {"Os": config.get("os", ""), "Arch": config.get("architecture", "")}
        return {"Digest": digest, "Size": str(size), "Platform": platform}

    def _summary(self, digest: str) -> dict[str, Any]:
        found = self.found.get(digest, [])
        counts = {
            f"{word.title()}Count": sum(one["Severity"] == word for one in found)
            for word in ("UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL")
        }
        none = "NONE" if digest in self.scanned_clean else ""
        return {"MaxSeverity": found[0]["Severity"] if found else none, "Count": len(found), **counts}
