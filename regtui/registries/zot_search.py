"""zot's search extension: GraphQL queries that fit whatever version answers, and their rows as values.

Source: project-zot/zot, pkg/extensions/search/schema.graphql. Fields come and go with versions: what a server does
not know is left out of the query, and asked for no more.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Platform
from regtui.oci.reference import is_repository_path, is_tag
from regtui.registries import fields as read
from regtui.registries.contract import RepositorySummary, TagSummary
from regtui.transport.errors import BadAnswer, NotFound, Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.transport.client import RegistryClient

PATH: Final = "/v2/_zot/ext/search"
_SELECTED: Final[Mapping[str, tuple[str, ...]]] = {
    "PaginatedImagesResult": ("Page", "Results"),
    "ImageSummary": (
        *("Tag", "Digest", "MediaType", "Size", "LastUpdated", "PushTimestamp", "TaggedTimestamp"),
        *("LastPullTimestamp", "IsSigned", "Vulnerabilities", "Manifests"),
    ),
    "ManifestSummary": ("Platform",),
    "Platform": ("Os", "Arch"),
    "PageInfo": ("TotalCount", "ItemCount"),
    "ImageVulnerabilitySummary": (
        *("MaxSeverity", "Count", "UnknownCount", "LowCount", "MediumCount", "HighCount", "CriticalCount"),
    ),
    "PaginatedReposResult": ("Page", "Repositories"),
    "GlobalSearchResult": ("Page", "Repos"),
    "RepoSummary": ("Name", "LastUpdated", "Size"),
    "CVEResultForImage": ("Tag", "Page", "Summary", "CVEList"),
    "CVE": ("Id", "Title", "Description", "Severity", "Reference", "PackageList"),
    "PackageInfo": ("Name", "PackagePath", "InstalledVersion", "FixedVersion"),
}
"""Type → the fields that regtui reads."""
_TYPES: Final[Mapping[str, str]] = {
    "Page": "PageInfo",
    "Results": "ImageSummary",
    "Repositories": "RepoSummary",
    "Repos": "RepoSummary",
    "Manifests": "ManifestSummary",
    "Platform": "Platform",
    "Vulnerabilities": "ImageVulnerabilitySummary",
    "Summary": "ImageVulnerabilitySummary",
    "CVEList": "CVE",
    "PackageList": "PackageInfo",
}
"""Field → the type behind it, for those that are objects."""
_ALIASES: Final[Mapping[str, str]] = {"Repositories": "Repositories: Results"}
"""How a field is asked for where the same name stands for different types."""
_NO_FIELD: Final = re.compile(r"Cannot query field [\"'](\w+)[\"'] on type [\"'](\w+)[\"']")
_ANSWERED: Final = frozenset({200, 400, 422})
"""Errors of GraphQL come with 200, those of a query that does not fit the schema also with 422."""
_TRIES: Final = 4
_LARGEST: Final = 64 << 20
_COUNTS: Final = {
    "critical": "CriticalCount",
    "high": "HighCount",
    "medium": "MediumCount",
    "low": "LowCount",
    "unknown": "UnknownCount",
}


class ZotSearch:
    """Asks the search extension of one zot."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client
        self._unknown: set[tuple[str, str]] = set()

    async def ask(self, operation: str, arguments: Mapping[str, tuple[str, Any]], returned: str) -> dict[str, Any]:
        """The result of one operation. `arguments` are name → (GraphQL type, value), `returned` is the result's type.

        Raises NotFound, Unsupported when the server says that this part is switched off, BadAnswer otherwise.
        """
        for _ in range(_TRIES):
            query = self.query(operation, {name: kind for name, (kind, _) in arguments.items()}, returned)
            variables = json.dumps({name: value for name, (_, value) in arguments.items()})
            # By GET, though POST is the habit: it only reads, and may be repeated.
            answer = await self._client.request(
                "GET",
                PATH,
                params={"query": query, "variables": variables},
                headers={"Accept": "application/json"},
                expect=_ANSWERED,
                limit=_LARGEST,
            )
            found = read.fields(answer.json())
            messages = [read.text(error.get("message")) or "" for error in read.objects(found.get("errors"))]
            missing = {(kind, name) for message in messages for name, kind in _NO_FIELD.findall(message)}
            if missing - self._unknown:
                self._unknown |= missing
                continue
            result = read.fields(found.get("data")).get(operation)
            if isinstance(result, dict):
                return result
            raise self._error(operation, "; ".join(filter(None, messages)), answer.status)
        raise BadAnswer(f"{self._client.host} knows none of the queries for {operation}.", host=self._client.host)

    def query(self, operation: str, arguments: Mapping[str, str], returned: str) -> str:
        """The text of a query, without the fields that this server does not know."""
        declared = ", ".join(f"${name}: {kind}" for name, kind in arguments.items())
        passed = ", ".join(f"{name}: ${name}" for name in arguments)
        return f"query({declared}) {{ {operation}({passed}) {{ {self._selection(returned)} }} }}"

    def _selection(self, kind: str) -> str:
        parts = []
        for name in _SELECTED[kind]:
            if (kind, name) in self._unknown:
                continue
            asked, inner = _ALIASES.get(name, name), _TYPES.get(name)
            selection = self._selection(inner) if inner is not None else ""
            if inner is None or selection:
                parts.append(f"{asked} {{ {selection} }}" if inner is not None else asked)
        return " ".join(parts)

    def _error(self, operation: str, message: str, status: int) -> BadAnswer | NotFound | Unsupported:
        host, lowered = self._client.host, message.lower()
        if "disabled" in lowered or "not enabled" in lowered:
            hint = "Who runs zot can switch the search extension's CVE part on."
            return Unsupported(f"{host} has {operation} switched off.", hint=hint, host=host, detail=message)
        if "not found" in lowered or "not exist" in lowered:
            return NotFound(f"{host} does not know what {operation} was asked for.", host=host, detail=message)
        return BadAnswer(f"{host} could not answer {operation}.", host=host, status=status, detail=message or None)


def page_of(offset: int, limit: int, order: str) -> tuple[str, dict[str, Any]]:
    """The argument that asks for a part of a list; `offset` counts entries."""
    return ("PageInput", {"offset": offset, "limit": limit, "sortBy": order})


def tag_of(row: Mapping[str, Any]) -> TagSummary | None:
    """A row of ImageList; None for what is no tag that a client could use.

    Its size is zot's own sum: manifests and configs with the layers, a layer of two platforms twice.
    """
    name = read.text(row.get("Tag"))
    if name is None or not is_tag(name):
        return None
    return TagSummary(
        name,
        digest=read.digest(row.get("Digest")),
        media_type=read.text(row.get("MediaType")),
        size=read.whole(row.get("Size")),
        pushed=read.moment(row.get("TaggedTimestamp")) or read.moment(row.get("PushTimestamp")),
        created=read.claim(row.get("LastUpdated")),
        pulled=read.moment(row.get("LastPullTimestamp")),
        platforms=_platforms(row),
        vulnerabilities=vulnerabilities(row.get("Vulnerabilities")),
        signed=read.flag(row.get("IsSigned")),
    )


def repository_of(row: Mapping[str, Any]) -> RepositorySummary | None:
    """A row of repositories; None for what is no path that a client could use."""
    path = read.text(row.get("Name"))
    if path is None or not is_repository_path(path):
        return None
    return RepositorySummary(path, size=read.whole(row.get("Size")), updated=read.moment(row.get("LastUpdated")))


def vulnerabilities(value: Any) -> dict[str, int] | None:
    """Counts by severity: empty when nothing was found (`NONE`), None when nothing was scanned (`""`)."""
    summary = read.fields(value)
    if not read.text(summary.get("MaxSeverity")):
        return None
    counts = {word: read.whole(summary.get(name)) or 0 for word, name in _COUNTS.items()}
    if any(summary.get(name) is not None for name in _COUNTS.values()):
        return {word: count for word, count in counts.items() if count}
    total = read.whole(summary.get("Count"))
    return {"unknown": total} if total else {} if total == 0 else None


def _platforms(row: Mapping[str, Any]) -> tuple[Platform, ...] | None:
    manifests = read.objects(row.get("Manifests"))
    if not manifests:
        return None
    named = (read.fields(manifest.get("Platform")) for manifest in manifests)
    pairs = ((read.text(one.get("Os")), read.text(one.get("Arch"))) for one in named)
    return tuple(dict.fromkeys(Platform(system, machine) for system, machine in pairs if system and machine))
