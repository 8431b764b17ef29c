"""`regtui scan`: what is wrong with an image, by the registry, by what is attached, or by a scanner of this machine."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from regtui import __version__
from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, session_of
from regtui.cli.output import print_fields, print_json, print_table, say
from regtui.oci import Index, Platform
from regtui.oci.errors import InvalidReference, RegtuiError
from regtui.oci.times import format_time
from regtui.session import parse_image
from regtui.session.session import is_local
from regtui.transport.errors import NotFound, Unsupported
from regtui.trust.attestations import read_statement
from regtui.trust.errors import InvalidPolicy, ScannerFailed, TrustError
from regtui.trust.export import to_csv, to_sarif
from regtui.trust.findings import at_least, worst_first
from regtui.trust.local_scanners import ScanOptions, find_scanners, scan_image
from regtui.trust.referrers_tree import build_tree
from regtui.trust.reports import parse_report, read_report, read_scan_report
from regtui.trust.severity import Severity, parse_threshold
from regtui.trust.untrusted import LARGEST_DOCUMENT
from regtui.ui.words import UNKNOWN, age_text, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from regtui.oci import Digest
    from regtui.registries.contract import Registry
    from regtui.session import Image, Session
    from regtui.trust.findings import Finding, Report
    from regtui.trust.referrers_tree import Attached

MOST_ATTACHED: Final = 20
_REPORT_WORDS: Final = ("trivy", "grype", "sarif", "vuln", "scan", "security", "report")


@dataclass(frozen=True, slots=True)
class FoundReport:
    """A report with where it came from, and the digest that it hangs on."""

    report: Report
    source: str
    subject: Digest


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `scan`."""
    parser.add_argument("reference", metavar="REF", help="an image")
    parser.add_argument("--fail-on", type=_severity, metavar="SEVERITY", help="exit 3 when a finding is as bad")
    parser.add_argument("--scanner", metavar="NAME", help="run this local scanner: trivy, grype, osv-scanner, …")
    parser.add_argument("--platform", metavar="OS/ARCH[/VARIANT]", help="which platform of an index")
    parser.add_argument("--format", choices=("json", "csv", "sarif"), help="print the findings for another program")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


def _severity(text: str) -> Severity:
    try:
        return parse_threshold(text)
    except InvalidPolicy as error:
        raise argparse.ArgumentTypeError(str(error)) from error


async def run(arguments: argparse.Namespace) -> int:
    """Show findings; 3 when --fail-on says so. No report is an error, never a clean bill."""
    reference = parse_image(arguments.reference)
    session = session_of(arguments, reference.host)
    try:
        image = await session.image(reference, Platform.parse(arguments.platform) if arguments.platform else None)
        if arguments.scanner:
            found = await _run_scanner(session, image, arguments.scanner)
        else:
            found = await _find_report(session, image)
    finally:
        await session.close()
    _show(str(image.reference), found, arguments)
    bad = at_least(found.report.findings, arguments.fail_on) if arguments.fail_on else ()
    if bad:
        say(f"{len(bad):,} findings are {arguments.fail_on.value} or worse.")
    return exits.NEGATIVE if bad else exits.DONE


async def _find_report(session: Session, image: Image) -> FoundReport:
    """The registry's own report, else the newest attached one. Raises RegtuiError when there is none."""
    registry = await session.registry(image.reference.host)
    path, notes = image.reference.path, []
    digests = dict.fromkeys(one.digest for one in (image.manifest, image.top) if one is not None)
    for digest in digests:
        try:
            native = await registry.scan_report(path, digest)
        except (Unsupported, NotFound):
            continue
        if native.state == "complete" and native.body is not None:
            return FoundReport(await asyncio.to_thread(read_scan_report, native), native.source, digest)
        notes.append(f"{native.source}: {native.state}{f' ({native.message})' if native.message else ''}")
    attached = await _attached_reports(registry, path, image, notes)
    if attached:
        oldest = datetime.min.replace(tzinfo=UTC)
        return max(attached, key=lambda one: one.report.scanned_at or oldest)
    told = f" {'; '.join(notes)}." if notes else ""
    raise ScannerFailed(
        f"There is no scan report for {image.reference}: whether it has faults is not known.{told}",
        hint="--scanner NAME runs a scanner of this machine.",
    )


async def _attached_reports(registry: Registry, path: str, image: Image, notes: list[str]) -> list[FoundReport]:
    tree = await build_tree(registry, path, image.top)
    notes.extend(tree.notes)
    hanging = [(tree.subject, one) for one in tree.attached]
    hanging += [
        (inner.subject, one)
        for inner in tree.images
        if image.manifest is not None and inner.subject == image.manifest.digest
        for one in inner.attached
    ]
    wanted = [(subject, one) for subject, one in hanging if _may_report(one)]
    if len(wanted) > MOST_ATTACHED:
        notes.append(f"only {MOST_ATTACHED} of {len(wanted):,} attached reports were looked at")
    found = []
    for subject, one in wanted[:MOST_ATTACHED]:
        try:
            manifest = await registry.manifest(path, one.descriptor.digest)
            layers = () if isinstance(manifest, Index) else manifest.layers[:4]
            for layer in layers:
                raw = await registry.small_blob(path, layer, LARGEST_DOCUMENT)
                report = await asyncio.to_thread(_read_attached, raw)
                found.append(FoundReport(report, f"attached: {one.title} {one.descriptor.digest.short}", subject))
        except RegtuiError as error:
            notes.append(f"{one.title} {one.descriptor.digest.short}: {error.sentence}")
    return found


def _may_report(one: Attached) -> bool:
    told = f"{one.descriptor.artifact_type or ''} {one.predicate_type or ''} {one.tag or ''}".lower()
    return any(word in told for word in _REPORT_WORDS) or told.strip().endswith(".att")


def _read_attached(raw: bytes) -> Report:
    """A report as it is, or inside of a statement. Raises Malformed."""
    try:
        statement, _ = read_statement(raw)
    except TrustError:
        return read_report(raw)
    return parse_report({"predicateType": statement.predicate_type, "predicate": statement.predicate})


async def _run_scanner(session: Session, image: Image, name: str) -> FoundReport:
    """Run a scanner of this machine. Raises ScannerFailed, and InvalidReference for one that is not there."""
    scanners = await find_scanners()
    scanner = next((one for one in scanners if one.name == name), None)
    if scanner is None:
        there = ", ".join(one.name for one in scanners) or "none"
        raise InvalidReference(f"There is no scanner {name[:60]!a} on PATH.", hint=f"There: {there}.")
    host = image.reference.host
    if is_local(host):
        raise ScannerFailed("Local scanners fetch the image from its registry; this one lies on the disk.")
    plain = session.settings.registry(host).plain_http or host in session.options.plain_http
    options = ScanOptions(platform=image.platform, plain_http=plain, credential=session.options.credential)
    report = await scan_image(scanner, image.reference, options, say if sys.stderr.isatty() else None)
    return FoundReport(report, "local scanner", image.top.digest)


def _show(reference: str, found: FoundReport, arguments: argparse.Namespace) -> None:
    if arguments.format == "csv":
        sys.stdout.write(to_csv(found.report.findings))
    elif arguments.format == "sarif":
        sys.stdout.write(to_sarif(found.report, version=__version__))
    elif arguments.json or arguments.format == "json":
        print_json(as_dict(reference, found))
        return
    else:
        _print(reference, found)
        return
    say(f"{found.source} · {found.report.scanner or 'unknown scanner'} · {_age(found.report)}")


def _age(report: Report) -> str:
    if report.scanned_at is None:
        return "age unknown"
    return f"{time_text(report.scanned_at)}, {age_text(report.scanned_at, datetime.now(UTC))} old"


def as_dict(reference: str, found: FoundReport) -> dict[str, Any]:
    """The JSON of a report (docs/cli.md)."""
    report = found.report
    return {
        "reference": reference,
        "digest": found.subject,
        "source": found.source,
        "scanner": report.scanner,
        "scanned_at": format_time(report.scanned_at),
        "database": report.database,
        "notes": list(report.notes),
        "summary": {severity.value: number for severity, number in report.counts.items()},
        "findings": [_finding(one) for one in worst_first(report.findings)],
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "id": one.id,
        "severity": one.severity.value,
        "package": one.package,
        "version": one.installed,
        "fixed_in": list(one.fixed),
        "layer": one.layer_diff_id or one.layer_digest,
        "title": one.title,
        "url": one.links[0] if one.links else None,
    }


def _print(reference: str, found: FoundReport) -> None:
    report = found.report
    print_fields(
        [
            ("reference", reference),
            ("source", found.source),
            ("scanner", report.scanner or UNKNOWN),
            ("scanned", _age(report)),
            ("about", found.subject),
            ("findings", _summary(report.counts.items())),
            *(("note", note) for note in report.notes),
        ]
    )
    if report.findings:
        sys.stdout.write("\n")
        rows = [
            [one.severity.value, one.id, one.package or UNKNOWN, one.installed or UNKNOWN, one.fix_words or UNKNOWN]
            for one in worst_first(report.findings)
        ]
        print_table(("severity", "id", "package", "installed", "fixed in"), rows)


def _summary(counts: Iterable[tuple[Severity, int]]) -> str:
    return ", ".join(f"{number:,} {severity.value}" for severity, number in counts if number) or "none in this report"
