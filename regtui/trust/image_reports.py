"""The scan reports of an image from wherever they are: the registry's own, attached ones, and those run here.

What VEX documents attached to the image say is applied to all of them: it marks findings and hides none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from regtui.oci import Index
from regtui.oci.errors import RegtuiError
from regtui.transport.errors import NotFound, RegistryError, Unsupported
from regtui.trust.attestations import read_statement
from regtui.trust.errors import Malformed, TrustError
from regtui.trust.reports import parse_report, read_report, read_scan_report
from regtui.trust.untrusted import LARGEST_DOCUMENT
from regtui.trust.vex import VexDocument, apply_vex, parse_vex, parse_vex_body

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from regtui.oci import Descriptor, Digest
    from regtui.registries.contract import Registry
    from regtui.trust.findings import Report
    from regtui.trust.place import Place
    from regtui.trust.referrers_tree import Attached, ReferrersTree

MOST_ATTACHED: Final = 20
_MOST_LAYERS: Final = 4
_REPORT_WORDS: Final = ("trivy", "grype", "sarif", "vuln", "scan", "security", "report")
_VEX_WORDS: Final = ("vex",)


class Origin(StrEnum):
    """Who was asked for a report."""

    REGISTRY = "registry"
    ATTACHED = "attached"
    LOCAL = "local scanner"


_ORDER: Final = (Origin.LOCAL, Origin.REGISTRY, Origin.ATTACHED)


@dataclass(frozen=True, slots=True)
class FoundReport:
    """A report, where it is from in words, and the digest that it is about."""

    report: Report
    source: str
    subject: Digest
    origin: Origin


@dataclass(frozen=True, slots=True)
class ImageReports:
    """Everything that was found. `notes` say what could not be looked at, and what a registry is still doing."""

    reports: tuple[FoundReport, ...] = ()
    vex: tuple[VexDocument, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> FoundReport | None:
        """The report to show first: what was run here, else the registry's own, else the newest attached one."""
        return next(iter(self.reports), None)

    def with_report(self, found: FoundReport) -> ImageReports:
        """These with one more, marked by the same VEX documents; an older one of the same source gives way."""
        kept = [one for one in self.reports if (one.source, one.subject) != (found.source, found.subject)]
        return replace(self, reports=_ordered([marked(found, self.vex), *kept]))


def marked(found: FoundReport, documents: Iterable[VexDocument]) -> FoundReport:
    """The report with what VEX documents that are attached to its image say about its findings."""
    findings = apply_vex(found.report.findings, documents, image=found.subject, subject=True)
    return replace(found, report=replace(found.report, findings=findings))


def _ordered(reports: Iterable[FoundReport]) -> tuple[FoundReport, ...]:
    oldest = datetime.min.replace(tzinfo=UTC)
    newest_first = sorted(reports, key=lambda one: one.report.scanned_at or oldest, reverse=True)
    return tuple(
        sorted(newest_first, key=lambda one: (Origin.LOCAL, Origin.REGISTRY, Origin.ATTACHED).index(one.origin))
    )


async def image_reports(
    registry: Registry, place: Place, repository: str, subjects: Iterable[Digest], tree: ReferrersTree
) -> ImageReports:
    """The reports about any of `subjects` (a platform's image first, then its index). Cancel it at any time.

    `registry` is asked for its own reports, `place` for what is attached, which `tree` lists.
    """
    wanted = tuple(dict.fromkeys(subjects))
    notes: list[str] = []
    own = [await _own_report(registry, repository, digest, notes) for digest in wanted]
    reports = [found for found in own if found is not None]
    documents: list[VexDocument] = []
    hanging = [pair for pair in _hanging(tree) if pair[0] in wanted]
    for subject, one in _bounded(hanging, _REPORT_WORDS, notes):
        source = f"attached: {one.title} {one.descriptor.digest.short}"
        for raw in await _layers(place, repository, one, _REPORT_WORDS, notes):
            try:
                report = await asyncio.to_thread(_report_of, raw)
            except TrustError as error:
                notes.append(f"{one.title} {one.descriptor.digest.short}: {error.sentence}")
            else:
                reports.append(FoundReport(report, source, subject, Origin.ATTACHED))
    for _, one in _bounded(hanging, _VEX_WORDS, notes):
        for raw in await _layers(place, repository, one, _VEX_WORDS, notes):
            try:
                documents.append(await asyncio.to_thread(_vex_of, raw))
            except TrustError as error:
                notes.append(f"{one.title} {one.descriptor.digest.short}: {error.sentence}")
    return ImageReports(_ordered(marked(one, documents) for one in reports), tuple(documents), tuple(notes))


async def _own_report(registry: Registry, repository: str, digest: Digest, notes: list[str]) -> FoundReport | None:
    try:
        native = await registry.scan_report(repository, digest)
        if native.state == "complete" and native.body is not None:
            report = await asyncio.to_thread(read_scan_report, native)
            return FoundReport(report, native.source, digest, Origin.REGISTRY)
    except (Unsupported, NotFound):
        return None
    except (RegistryError, TrustError) as error:
        notes.append(f"The registry's own report: {error.sentence}")
        return None
    if native.state == "none":
        notes += [f"{native.source}: {native.message}"] if native.message else []
    else:
        notes.append(f"{native.source}: {native.state}{f' ({native.message})' if native.message else ''}")
    return None


def _hanging(tree: ReferrersTree) -> Iterator[tuple[Digest, Attached]]:
    yield from ((tree.subject, one) for one in tree.attached)
    for image in tree.images:
        yield from ((image.subject, one) for one in image.attached)


def _bounded(
    hanging: list[tuple[Digest, Attached]], words: tuple[str, ...], notes: list[str]
) -> list[tuple[Digest, Attached]]:
    wanted = [(subject, one) for subject, one in hanging if _may_hold(one, words)]
    if len(wanted) > MOST_ATTACHED:
        notes.append(f"only {MOST_ATTACHED} of {len(wanted):,} attached documents were looked at")
    return wanted[:MOST_ATTACHED]


def _may_hold(one: Attached, words: tuple[str, ...]) -> bool:
    """Whether it is worth a request: by its type; cosign's attestations tag and BuildKit's manifests hold anything."""
    told = f"{one.descriptor.artifact_type or ''} {one.predicate_type or ''}".lower()
    return any(word in told for word in words) or (one.tag or "").endswith(".att")


async def _layers(
    place: Place, repository: str, one: Attached, words: tuple[str, ...], notes: list[str]
) -> list[bytes]:
    """The blobs of one attached manifest; where a layer names its predicate, only the ones that may be meant."""
    try:
        manifest = await place.manifest(repository, one.descriptor.digest)
        layers = () if isinstance(manifest, Index) else manifest.layers
        chosen = [layer for layer in layers if _is_meant(layer, words)][:_MOST_LAYERS]
        return [await place.small_blob(repository, layer, LARGEST_DOCUMENT) for layer in chosen]
    except RegtuiError as error:
        notes.append(f"{one.title} {one.descriptor.digest.short}: {error.sentence}")
        return []


def _is_meant(layer: Descriptor, words: tuple[str, ...]) -> bool:
    predicate = layer.annotations.get("predicateType") or layer.annotations.get("in-toto.io/predicate-type")
    return predicate is None or any(word in predicate.lower() for word in words)


def _report_of(raw: bytes) -> Report:
    """A report as it is, or inside of a statement. Raises Malformed."""
    try:
        statement, _ = read_statement(raw)
    except Malformed:
        return read_report(raw)
    return parse_report({"predicateType": statement.predicate_type, "predicate": statement.predicate})


def _vex_of(raw: bytes) -> VexDocument:
    """A VEX document as it is, or inside of a statement. Raises Malformed."""
    try:
        statement, _ = read_statement(raw)
    except Malformed:
        return parse_vex(raw)
    return parse_vex_body(statement.predicate)
