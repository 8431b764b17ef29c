"""SBOMs as one list of packages, whatever the format, to be searched and compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.errors import Malformed
from regtui.trust.purl import parse_purl
from regtui.trust.untrusted import LARGEST_DOCUMENT, as_object, read_document

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

MOST_PACKAGES: Final = 200_000


@dataclass(frozen=True, slots=True)
class SbomPackage:
    """One package. Empty and None: the document does not say. `layer` is a digest or diff ID. All text is untrusted."""

    name: str
    version: str | None = None
    licences: tuple[str, ...] = ()
    purl: str | None = None
    type: str | None = None
    supplier: str | None = None
    cpe: str | None = None
    layer: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What stays when the version changes: type and name."""
        parsed = parse_purl(self.purl)
        return (parsed.type, parsed.title) if parsed else (self.type or "", self.name)


@dataclass(frozen=True, slots=True)
class Sbom:
    """A document's packages, sorted by name. `files` is how many files it lists, None when it lists none."""

    format: str
    packages: tuple[SbomPackage, ...]
    name: str | None = None
    created: datetime | None = None
    tools: tuple[str, ...] = ()
    files: int | None = None
    notes: tuple[str, ...] = field(default=())

    def search(self, words: str) -> tuple[SbomPackage, ...]:
        """The packages that hold each of the words, in any case: in name, version, licence, purl or supplier."""
        wanted = words.lower().split()
        return tuple(p for p in self.packages if all(word in _text_of(p) for word in wanted))

    @property
    def licences(self) -> dict[str, int]:
        """Packages per licence, the most frequent first."""
        counted: dict[str, int] = {}
        for package in self.packages:
            for licence in package.licences or ("unknown",):
                counted[licence] = counted.get(licence, 0) + 1
        return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _text_of(package: SbomPackage) -> str:
    parts = (package.name, package.version, package.purl, package.supplier, package.type, *package.licences)
    return " ".join(part for part in parts if part).lower()


@dataclass(frozen=True, slots=True)
class SbomDiff:
    """What changed between two documents. `changed` are (before, after) of another version or licence."""

    added: tuple[SbomPackage, ...]
    removed: tuple[SbomPackage, ...]
    changed: tuple[tuple[SbomPackage, SbomPackage], ...]
    kept: int


def diff(before: Sbom, after: Sbom) -> SbomDiff:
    """Compare package by package; several versions of one name are paired in order, the rest added or removed."""
    old, new = _by_key(before.packages), _by_key(after.packages)
    added: list[SbomPackage] = []
    removed: list[SbomPackage] = []
    changed: list[tuple[SbomPackage, SbomPackage]] = []
    kept = 0
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key, []), new.get(key, [])
        same = {p.version for p in was} & {p.version for p in now}
        kept += len([p for p in was if p.version in same])
        was, now = [p for p in was if p.version not in same], [p for p in now if p.version not in same]
        pairs = min(len(was), len(now))
        changed += zip(was[:pairs], now[:pairs], strict=True)
        removed += was[pairs:]
        added += now[pairs:]
    return SbomDiff(tuple(added), tuple(removed), tuple(changed), kept)


def _by_key(packages: Iterable[SbomPackage]) -> dict[tuple[str, str], list[SbomPackage]]:
    made: dict[tuple[str, str], list[SbomPackage]] = {}
    for package in packages:
        made.setdefault(package.key, []).append(package)
    return made


def parse_sbom(raw: bytes) -> Sbom:
    """Read a document of any known format, also as the predicate of a bare statement. Raises Malformed."""
    from regtui.trust.sboms import cyclonedx, tag_value

    if len(raw) > LARGEST_DOCUMENT:
        raise Malformed(f"The SBOM has {len(raw):,} bytes; regtui reads at most {LARGEST_DOCUMENT:,}.")
    start = raw[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if tag_value.matches(start):
        return tag_value.parse(raw)
    if start.startswith(b"<"):
        return cyclonedx.parse_xml(raw)
    return parse_body(read_document(raw, "The SBOM"))


def parse_body(body: Any) -> Sbom:
    """The same, out of parsed JSON. Raises Malformed."""
    from regtui.trust.sboms import cyclonedx, snapshot, spdx, syft, trivy

    inside = as_object(body)
    if "predicateType" in inside:
        inside = as_object(inside.get("predicate"))
    for wrapper in ("Data", "sbom"):
        # cosign's old SPDX attestations, Harbor's addition and GitHub's API wrap the document once.
        if isinstance(inside.get(wrapper), dict):
            inside = inside[wrapper]
    for parser in (spdx, cyclonedx, syft, snapshot, trivy):
        if parser.matches(inside):
            found: Sbom = parser.parse(inside)
            return found
    raise Malformed("The SBOM is of a format that regtui does not know.", hint="SPDX, CycloneDX and Syft are read.")


def finish(packages: Iterable[SbomPackage], **about: Any) -> Sbom:
    """A document of these packages, bounded and sorted."""
    listed = sorted(packages, key=lambda p: (p.name.lower(), p.version or ""))
    notes = tuple(about.pop("notes", ()))
    if len(listed) > MOST_PACKAGES:
        notes = (*notes, f"{len(listed) - MOST_PACKAGES:,} more packages are not shown.")
    return Sbom(packages=tuple(listed[:MOST_PACKAGES]), notes=notes, **about)
