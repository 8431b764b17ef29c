"""Lines about a document or a finding, for a table of two columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.oci.times import format_time
from regtui.ui.facts.overview import Fact
from regtui.ui.safe_text import SafeText, safe, safe_lines
from regtui.ui.words import time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from regtui.session import Image
    from regtui.trust.documents import Document
    from regtui.trust.findings import Finding
    from regtui.trust.provenance import Provenance
    from regtui.trust.sbom import Sbom
    from regtui.trust.verdict import SignatureResult

MOST_LINES: Final = 2_000
_LONGEST: Final = 4_000


def facts_of(pairs: Iterable[tuple[str, str | None]]) -> list[Fact]:
    """Facts out of names and values; those without a value are left out."""
    return [Fact(safe(name), safe(value, _LONGEST)) for name, value in pairs if value]


def document_facts(document: Document, result: SignatureResult | None) -> list[Fact]:
    """What a document says about itself, after what was found out about its signature."""
    facts = [Fact(SafeText("kind"), safe(document.title), "head")]
    if result is not None:
        facts += facts_of(_result_pairs(result))
    if document.problem is not None:
        facts.append(Fact(SafeText("not read"), safe(document.problem, _LONGEST), "error"))
    facts += facts_of(document.facts)
    if document.provenance is not None:
        facts += facts_of(_provenance_pairs(document.provenance))
        facts += _files(document.provenance)
    if document.sbom is not None:
        facts += facts_of(_sbom_pairs(document.sbom))
    if document.vex is not None:
        facts += facts_of([("author", document.vex.author), ("said", format_time(document.vex.moment))])
    if document.report is not None:
        report = document.report
        facts += facts_of(
            [
                ("scanner", " ".join(part for part in (report.scanner, report.scanner_version) if part)),
                ("scanned", time_text(report.scanned_at)),
                ("database", report.database),
                ("target", report.target),
                ("findings", f"{len(report.findings):,}"),
                *(("note", note) for note in report.notes),
            ]
        )
    facts += facts_of([("digest", document.digest), ("bytes", f"{len(document.raw):,}")])
    return facts


def _result_pairs(result: SignatureResult) -> Iterator[tuple[str, str | None]]:
    yield "signature", f"{result.status.value}: {result.reason}"
    yield "signer", result.signer
    yield "under", result.under
    yield "signed at", format_time(result.signed_at)
    for check in result.checks:
        yield "check", f"{check.name}: {check.outcome.value}{f' ({check.detail})' if check.detail else ''}"
    yield "to do", result.hint


def _provenance_pairs(one: Provenance) -> Iterator[tuple[str, str | None]]:
    yield "SLSA", one.version
    yield "builder", one.builder
    yield "build type", one.build_type
    yield "source", one.source
    yield "commit", one.commit
    yield "entry point", one.entry_point
    yield "platform", one.platform
    yield "started", format_time(one.started)
    yield "finished", format_time(one.finished)
    yield "invocation", one.invocation
    yield "hermetic", None if one.hermetic is None else "yes" if one.hermetic else "no"
    yield "reproducible", None if one.reproducible is None else "yes" if one.reproducible else "no"
    for name, value in one.parameters.items():
        yield "parameter", f"{name} = {value}"
    for material in one.materials[:MOST_LINES]:
        digests = " ".join(f"{algorithm}:{value}" for algorithm, value in material.digests.items())
        yield "material", f"{material.uri}  {digests}"


def _files(one: Provenance) -> list[Fact]:
    """The build file, usually the Dockerfile, line by line."""
    facts: list[Fact] = []
    for file in one.files:
        facts.append(Fact(SafeText("build file"), safe(file.name), "head"))
        facts += [Fact(SafeText(""), line) for line in safe_lines(file.text, most=MOST_LINES)]
    return facts


def _sbom_pairs(sbom: Sbom) -> Iterator[tuple[str, str | None]]:
    yield "format", sbom.format
    yield "about", sbom.name
    yield "created", time_text(sbom.created)
    yield "made by", ", ".join(sbom.tools)
    yield "packages", f"{len(sbom.packages):,}"
    yield "files", None if sbom.files is None else f"{sbom.files:,}"
    for note in sbom.notes:
        yield "note", note
    for licence, count in list(sbom.licences.items())[:100]:
        yield "licence", f"{licence}: {count:,}"


def finding_facts(finding: Finding, layer: int | None, image: Image | None) -> list[Fact]:
    """Everything that is known of a finding."""
    cvss, vex = finding.cvss, finding.vex
    word = finding.severity_word
    said = f" (the scanner says {word})" if word and word.lower() != finding.severity.value else ""
    facts = [Fact(SafeText("id"), safe(" ".join((finding.id, *finding.aliases)), _LONGEST), "head")]
    facts += facts_of(
        [
            ("title", finding.title),
            ("severity", f"{finding.severity.value}{said}"),
            ("CVSS", None if cvss is None else _words(cvss.score, cvss.vector, cvss.source)),
            ("EPSS", None if finding.epss is None else f"{finding.epss:.2%}"),
            ("exploited", None if finding.exploited is None else "yes, known" if finding.exploited else "not known"),
            ("package", finding.package),
            ("installed", finding.installed),
            ("fixed in", finding.fix_words),
            ("type", finding.package_type),
            ("purl", finding.purl),
            ("path", finding.path),
            ("layer", _layer_words(finding, layer, image)),
            ("found by", finding.source),
        ]
    )
    if vex is not None:
        said = " · ".join(part for part in (vex.justification, vex.statement) if part)
        facts += facts_of(
            [
                ("VEX", vex.status.replace("_", " ")),
                ("because", said),
                ("says", " ".join(part for part in (vex.author, format_time(vex.moment)) if part)),
            ]
        )
    facts += [Fact(SafeText("link"), safe(link, _LONGEST)) for link in finding.links[:50]]
    if finding.description:
        facts.append(Fact(SafeText("description"), SafeText(""), "head"))
        facts += [Fact(SafeText(""), line) for line in safe_lines(finding.description, most=MOST_LINES)]
    return facts


def _words(*parts: object) -> str:
    return " ".join(str(part) for part in parts if part)


def _layer_words(finding: Finding, layer: int | None, image: Image | None) -> str | None:
    if layer is None:
        return finding.layer_diff_id or finding.layer_digest
    steps = image.steps if image is not None else ()
    made = next((step.instruction for step in steps if step.number == layer + 1), None)
    return f"{layer + 1}: {made}" if made else str(layer + 1)
