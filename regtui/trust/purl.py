"""Package URLs (ECMA-427, package-url/purl-spec): the one name of a package that all SBOM formats share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class PackageUrl:
    """The parts of `pkg:type/namespace/name@version?qualifiers#subpath`, decoded."""

    type: str
    namespace: str | None
    name: str
    version: str | None
    qualifiers: Mapping[str, str]

    @property
    def title(self) -> str:
        """Namespace and name as people write them; a distribution's packages go without the distribution."""
        if self.type in ("apk", "deb", "rpm", "alpm"):
            return self.name
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def covers(self, other: PackageUrl) -> bool:
        """Whether this one, which may lack a version or qualifiers, names the other too."""
        if (self.type, self.namespace, self.name) != (other.type, other.namespace, other.name):
            return False
        if self.version is not None and self.version != other.version:
            return False
        return all(other.qualifiers.get(key) == value for key, value in self.qualifiers.items())


def parse_purl(text: str | None) -> PackageUrl | None:
    """The parts of a package URL; None when it is none."""
    if not text or len(text) > _LONGEST or not text.lower().startswith("pkg:"):
        return None
    rest = text[4:].partition("#")[0].lstrip("/")
    rest, _, query = rest.partition("?")
    # The last @ behind the last slash: an npm scope starts with one (%40 when written properly), OCI digests hold none.
    head, slash, tail = rest.rpartition("/")
    tail, at, version = tail.partition("@")
    path = f"{head}{slash}{tail}"
    path = path.strip("/")
    kind, slash, path = path.partition("/")
    namespace, _, name = path.rpartition("/")
    if not kind or not slash or not name:
        return None
    qualifiers: dict[str, str] = {}
    for part in query.split("&")[:50] if query else ():
        key, equals, value = part.partition("=")
        if equals and value:
            qualifiers[key.lower()] = unquote(value)
    lowered = kind.lower()
    decoded = unquote(name)
    if lowered == "pypi":
        decoded = decoded.lower().replace("_", "-")
    return PackageUrl(lowered, unquote(namespace) or None, decoded, unquote(version) if at else None, qualifiers)
