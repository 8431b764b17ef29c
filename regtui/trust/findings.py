"""Findings: the one model of what any scanner says is wrong with an image; grouped, merged, compared, weighed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from regtui.trust.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from regtui.trust.cvss import Cvss

Kind = Literal["vulnerability", "misconfiguration", "secret", "licence", "other"]

_CVE: Final = re.compile(r"CVE-\d{4}-\d{3,}", re.ASCII | re.IGNORECASE)
_STATUS_WORDS: Final = {
    "will_not_fix": "won't be fixed",
    "wont-fix": "won't be fixed",
    "wontfix": "won't be fixed",
    "fix_deferred": "fix deferred",
    "scheduled": "fix planned",
    "end_of_life": "end of life",
    "affected": "no fix yet",
    "not-fixed": "no fix yet",
    "nofixavailable": "no fix yet",
    "under_investigation": "under investigation",
    "not_affected": "not affected",
}


@dataclass(frozen=True, slots=True)
class VexMark:
    """What a VEX document says about a finding: it marks the finding, it never hides it."""

    status: str
    justification: str | None
    statement: str | None
    author: str | None
    moment: datetime | None

    @property
    def settles(self) -> bool:
        """Whether the author says that there is nothing left to do here."""
        return self.status in ("not_affected", "fixed")


@dataclass(frozen=True, slots=True)
class Finding:
    """One vulnerability in one version of one package (or another fault). None and empty: the scanner did not say.

    `severity` is on our scale and `severity_word` the scanner's own. `fixed` are versions, the suggested one first.
    `layer_digest` is the stored layer, `layer_diff_id` the unpacked one. All text is untrusted.
    """

    id: str
    severity: Severity
    severity_word: str | None = None
    package: str | None = None
    installed: str | None = None
    fixed: tuple[str, ...] = ()
    status: str | None = None
    aliases: tuple[str, ...] = ()
    cvss: Cvss | None = None
    title: str | None = None
    description: str | None = None
    links: tuple[str, ...] = ()
    layer_digest: str | None = None
    layer_diff_id: str | None = None
    path: str | None = None
    purl: str | None = None
    package_type: str | None = None
    epss: float | None = None
    exploited: bool | None = None
    kind: Kind = "vulnerability"
    source: str | None = None
    vex: VexMark | None = None

    def __post_init__(self) -> None:
        others = tuple(dict.fromkeys(alias for alias in self.aliases if alias != self.id))
        if others != self.aliases:
            object.__setattr__(self, "aliases", others)

    @property
    def cve(self) -> str | None:
        """Its CVE among id and aliases."""
        return next((one.upper() for one in (self.id, *self.aliases) if _CVE.fullmatch(one)), None)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two scanners' findings the same one: CVE (or id), package, installed version."""
        return (self.cve or self.id, self.package or self.path or "", self.installed or "")

    @property
    def fix_words(self) -> str:
        """The versions that fix it, else why there are none, else nothing."""
        if self.fixed:
            return ", ".join(self.fixed)
        return _STATUS_WORDS.get((self.status or "").lower(), "")


@dataclass(frozen=True, slots=True)
class Report:
    """What one scanner said, and when. `database` is the age or version of its vulnerability data.

    `end_of_life` tells that the distribution gets no more data: what is missing here may still be there.
    """

    format: str
    scanner: str | None
    findings: tuple[Finding, ...]
    scanner_version: str | None = None
    scanned_at: datetime | None = None
    database: str | None = None
    target: str | None = None
    end_of_life: bool = False
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[Severity, int]:
        """Findings per step, as scanners' own tables count: per id, package and version."""
        return count(self.findings)

    @property
    def unique_ids(self) -> int:
        """How many different vulnerabilities there are, whatever the packages."""
        return len({finding.key[0] for finding in self.findings})


def count(findings: Iterable[Finding]) -> Mapping[Severity, int]:
    """Findings per step, every step named, the worst first."""
    counted = Counter(finding.severity for finding in findings)
    return {severity: counted[severity] for severity in Severity}


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By severity, then score, then package and id."""

    def rank(finding: Finding) -> tuple[int, float, str, str]:
        score = finding.cvss.score if finding.cvss and finding.cvss.score is not None else -1.0
        return (finding.severity.rank, -score, finding.package or "", finding.id)

    return tuple(sorted(findings, key=rank))


def at_least(findings: Iterable[Finding], threshold: Severity, *, respect_vex: bool = False) -> tuple[Finding, ...]:
    """The findings as bad as the threshold or worse: `--fail-on` fails when there is one.

    With `respect_vex`, those that a VEX statement settles are left out; that is the user's choice to make.
    """
    return tuple(
        finding
        for finding in findings
        if finding.severity.is_at_least(threshold) and not (respect_vex and finding.vex and finding.vex.settles)
    )


def group(findings: Iterable[Finding], by: Callable[[Finding], str]) -> Mapping[str, tuple[Finding, ...]]:
    """Findings by a name, groups with the worst findings first, and so inside of each."""
    made: dict[str, list[Finding]] = {}
    for finding in worst_first(findings):
        made.setdefault(by(finding), []).append(finding)
    return {name: tuple(some) for name, some in made.items()}


def by_package(findings: Iterable[Finding]) -> Mapping[str, tuple[Finding, ...]]:
    """Grouped by package."""
    return group(findings, lambda finding: finding.package or finding.path or "—")


def by_severity(findings: Iterable[Finding]) -> Mapping[str, tuple[Finding, ...]]:
    """Grouped by step."""
    return group(findings, lambda finding: finding.severity.value)


def by_layer(findings: Iterable[Finding]) -> Mapping[str, tuple[Finding, ...]]:
    """Grouped by the layer that brought the package, by its diff ID where it is known."""
    return group(findings, lambda finding: finding.layer_diff_id or finding.layer_digest or "—")


def merge(reports: Iterable[Report]) -> tuple[Finding, ...]:
    """The findings of several scanners, each once. The worse severity counts; sources and gaps are filled up."""
    merged: dict[tuple[str, str, str], Finding] = {}
    for report in reports:
        for finding in report.findings:
            named = finding if finding.source else replace(finding, source=report.scanner)
            known = merged.get(finding.key)
            merged[finding.key] = named if known is None else _joined(known, named)
    return worst_first(merged.values())


def _joined(one: Finding, other: Finding) -> Finding:
    worse = one if one.severity.rank <= other.severity.rank else other
    sources = dict.fromkeys(name for f in (one, other) for name in (f.source or "").split(", ") if name)
    return replace(
        one,
        severity=worse.severity,
        severity_word=worse.severity_word,
        fixed=one.fixed or other.fixed,
        status=one.status or other.status,
        aliases=tuple(dict.fromkeys((*one.aliases, *other.aliases, other.id))),
        cvss=one.cvss or other.cvss,
        title=one.title or other.title,
        links=one.links or other.links,
        layer_digest=one.layer_digest or other.layer_digest,
        layer_diff_id=one.layer_diff_id or other.layer_diff_id,
        purl=one.purl or other.purl,
        path=one.path or other.path,
        source=", ".join(sources) or None,
    )


@dataclass(frozen=True, slots=True)
class ReportDiff:
    """What changed from one report to the next. `changed` are (before, after) of another severity or fix."""

    added: tuple[Finding, ...]
    removed: tuple[Finding, ...]
    changed: tuple[tuple[Finding, Finding], ...]
    kept: int


def diff(before: Iterable[Finding], after: Iterable[Finding]) -> ReportDiff:
    """Compare two images' findings.

    A vulnerability that stays while its package only changes version is not news: it is matched without the
    version where the exact one is gone, and told as changed.
    """
    old, new = {f.key: f for f in before}, {f.key: f for f in after}
    gone = {key: f for key, f in old.items() if key not in new}
    come = {key: f for key, f in new.items() if key not in old}
    waiting: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for key in gone:
        waiting.setdefault(key[:2], []).append(key)
    moved = [(waiting[key[:2]].pop(), key) for key in come if waiting.get(key[:2])]
    changed = [(gone.pop(was), come.pop(now)) for was, now in moved]
    both = [(old[key], new[key]) for key in old.keys() & new.keys()]
    changed += [(a, b) for a, b in both if (a.severity, a.fixed) != (b.severity, b.fixed)]
    kept = sum((a.severity, a.fixed) == (b.severity, b.fixed) for a, b in both)
    ordered = sorted(changed, key=lambda pair: (pair[1].severity.rank, pair[1].key))
    return ReportDiff(worst_first(come.values()), worst_first(gone.values()), tuple(ordered), kept)
