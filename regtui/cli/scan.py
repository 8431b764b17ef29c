"""`regtui scan`: what is wrong with an image, by the registry, by what is attached, or by a scanner of this machine."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from regtui import __version__
from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, session_of
from regtui.cli.output import print_fields, print_json, print_table, say, says_yes
from regtui.oci import Platform
from regtui.oci.errors import InvalidReference
from regtui.oci.times import format_time
from regtui.operations.errors import Refused
from regtui.session import parse_image
from regtui.session.scanning import prepare_scan, start_scan
from regtui.session.trust import chosen_scanner
from regtui.trust.errors import InvalidPolicy, ScannerFailed
from regtui.trust.export import to_csv, to_sarif
from regtui.trust.findings import at_least, diff, worst_first
from regtui.trust.image_reports import marked
from regtui.trust.severity import Severity, parse_threshold
from regtui.ui.words import UNKNOWN, age_text, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from regtui.oci import Reference
    from regtui.session import Image, Session
    from regtui.trust.findings import Finding, Report, ReportDiff
    from regtui.trust.image_reports import FoundReport


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `scan`."""
    parser.add_argument("reference", metavar="REF", help="an image")
    parser.add_argument("--fail-on", type=_severity, metavar="SEVERITY", help="exit 3 when a finding is as bad")
    parser.add_argument(
        "--respect-vex",
        action="store_true",
        help="findings that an attached VEX statement settles do not count for --fail-on",
    )
    parser.add_argument(
        "--against",
        metavar="TAG|REF",
        help="what is new and what is gone against this image; --fail-on counts new ones",
    )
    parser.add_argument("--scanner", metavar="NAME", help="run this local scanner: trivy, grype, osv-scanner, …")
    parser.add_argument("--start", action="store_true", help="ask the registry to scan it, and leave")
    parser.add_argument("--yes", action="store_true", help="with --start: do not ask before")
    parser.add_argument("--write", action="store_true", help="with --start: allow it where the settings do not")
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
    if arguments.against and arguments.format in {"csv", "sarif"}:
        raise InvalidReference("Differences are printed as a table or as JSON.", hint="Leave out --format.")
    if arguments.start:
        return await _start(arguments, reference)
    session = session_of(arguments, reference.host)
    try:
        image = await session.image(reference, Platform.parse(arguments.platform) if arguments.platform else None)
        found = await _report_of(session, image, arguments.scanner)
        if arguments.against:
            other = await session.trust.beside(image.reference, arguments.against, image.platform)
            before = await _report_of(session, other, arguments.scanner)
    finally:
        await session.close()
    findings, respect = found.report.findings, arguments.respect_vex
    if arguments.against:
        changes = diff(before.report.findings, findings)
        findings = changes.added
        _show_changes((str(other.reference), before), (str(image.reference), found), changes, as_json=arguments.json)
    else:
        _show(str(image.reference), found, arguments)
    bad = at_least(findings, arguments.fail_on, respect_vex=respect) if arguments.fail_on else ()
    if bad:
        new, some = "new " if arguments.against else "", "finding is" if len(bad) == 1 else "findings are"
        say(f"{len(bad):,} {new}{some} {arguments.fail_on.value} or worse.")
    return exits.NEGATIVE if bad else exits.DONE


async def _start(arguments: argparse.Namespace, reference: Reference) -> int:
    """Have the registry scan, after a yes. Raises RegistryError."""
    session = session_of(arguments, reference.host)
    try:
        request = await prepare_scan(session, reference)
        if not arguments.yes and not await asyncio.to_thread(says_yes, request.question):
            say("regtui: Nothing was asked of the registry. Confirm with y, or with --yes.")
            return exits.REFUSED
        await start_scan(session, request)
    except Refused as error:
        say(f"regtui: {error}")
        return exits.REFUSED
    finally:
        await session.close()
    if arguments.json:
        print_json({"reference": str(reference), "digest": request.digest, "started": True})
    else:
        say(f"{reference.host} was asked to scan it. `regtui scan {reference}` shows the report when it is there.")
    return exits.DONE


async def _report_of(session: Session, image: Image, scanner: str | None) -> FoundReport:
    """A report about the image, by this scanner of this machine or from where one is. Raises RegtuiError."""
    return await (_run_scanner(session, image, scanner) if scanner else _find_report(session, image))


async def _find_report(session: Session, image: Image) -> FoundReport:
    """The registry's own report, else the newest attached one. Raises ScannerFailed when there is none."""
    found = await session.trust.reports(image)
    if found.best is not None:
        return found.best
    told = f" {'; '.join(found.notes)}." if found.notes else ""
    raise ScannerFailed(
        f"There is no scan report for {image.reference}: whether it has faults is not known.{told}",
        hint="--scanner NAME runs a scanner of this machine.",
    )


async def _run_scanner(session: Session, image: Image, name: str) -> FoundReport:
    """Run a scanner of this machine, and apply the VEX documents that are attached. Raises RegtuiError."""
    scanner = await chosen_scanner(name)
    found = await session.trust.scan(image, scanner, say if sys.stderr.isatty() else None)
    return marked(found, (await session.trust.reports(image)).vex)


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


def _show_changes(
    before: tuple[str, FoundReport], now: tuple[str, FoundReport], changes: ReportDiff, *, as_json: bool
) -> None:
    """What is new and what is gone, with both reports' sources and ages."""
    if as_json:
        print_json(
            {
                "reference": now[0],
                "against": before[0],
                "added": [_finding(one) for one in changes.added],
                "removed": [_finding(one) for one in changes.removed],
                "changed": [{"before": _finding(was), "after": _finding(one)} for was, one in changes.changed],
                "kept": changes.kept,
            }
        )
        return
    fields: list[tuple[str, str | None]] = []
    for name, (reference, found) in (("before", before), ("now", now)):
        fields += [(name, reference), ("source", found.source), ("scanned", _age(found.report))]
    print_fields([*fields, ("the same", f"{changes.kept:,}")])
    rows = [["new", *_words(one)] for one in changes.added]
    rows += [["changed", *_words(one)] for _, one in changes.changed]
    rows += [["gone", *_words(one)] for one in changes.removed]
    if rows:
        sys.stdout.write("\n")
        print_table(("change", "severity", "id", "package", "installed", "fixed in", "vex"), rows)


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
        "vex": one.vex and {"status": one.vex.status, "justification": one.vex.justification, "author": one.vex.author},
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
        rows = [_words(one) for one in worst_first(report.findings)]
        print_table(("severity", "id", "package", "installed", "fixed in", "vex"), rows)


def _words(one: Finding) -> list[str]:
    """A finding as a row of a table."""
    vex = one.vex.status.replace("_", " ") if one.vex else UNKNOWN
    return [
        one.severity.value,
        one.id,
        one.package or UNKNOWN,
        one.installed or UNKNOWN,
        one.fix_words or UNKNOWN,
        vex,
    ]


def _summary(counts: Iterable[tuple[Severity, int]]) -> str:
    return ", ".join(f"{number:,} {severity.value}" for severity, number in counts if number) or "none in this report"
