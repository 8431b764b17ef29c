"""What changed from one image to another: packages of their SBOMs, findings of their reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.ui.actions import Place
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.report import ReportScreen
from regtui.ui.trust.words import SEVERITY_TONES
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.words import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from regtui.session import Session
    from regtui.trust.findings import Finding, ReportDiff
    from regtui.trust.sbom import SbomDiff, SbomPackage

_TONES: Final[dict[str, Tone]] = {
    "new": "error",
    "gone": "success",
    "added": "",
    "removed": "dim",
    "changed": "warning",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One line: what happened, to what, and what it was before and is now. `severity` of a finding, else empty."""

    number: int
    change: str
    name: str
    about: str = ""
    before: str = ""
    after: str = ""
    severity: str = ""
    tone: Tone = ""


def package_changes(changes: SbomDiff) -> list[Change]:
    """Packages by what happened to them: changed ones first, which is what an update is about."""
    rows: list[tuple[str, SbomPackage | None, SbomPackage | None]] = []
    rows += [("changed", was, now) for was, now in changes.changed]
    rows += [("added", None, one) for one in changes.added]
    rows += [("removed", one, None) for one in changes.removed]
    made = []
    for number, (word, was, now) in enumerate(rows):
        one = was if now is None else now
        assert one is not None
        made.append(Change(number, word, one.name, one.type or "", _version(was), _version(now), "", _TONES[word]))
    return made


def _version(package: SbomPackage | None) -> str:
    return "" if package is None else package.version or UNKNOWN


def finding_changes(changes: ReportDiff) -> list[Change]:
    """Findings by what happened to them: new ones first."""
    rows: list[tuple[str, Finding | None, Finding | None]] = [("new", None, one) for one in changes.added]
    rows += [("changed", was, now) for was, now in changes.changed]
    rows += [("gone", one, None) for one in changes.removed]
    made = []
    for number, (word, was, now) in enumerate(rows):
        one = was if now is None else now
        assert one is not None
        tone = SEVERITY_TONES[one.severity]
        made.append(Change(number, word, one.id, one.package or "", _found(was), _found(now), one.severity.value, tone))
    return made


def _found(finding: Finding | None) -> str:
    if finding is None:
        return ""
    fix = f", fixed in {finding.fix_words}" if finding.fixed else ""
    return f"{finding.installed or UNKNOWN}{fix}"


class DifferencesScreen(ReportScreen):
    """A table of changes; `kept` counts what stayed the same."""

    PLACES = (Place.REPORT,)

    def __init__(self, session: Session, title: str, changes: Sequence[Change], kept: int) -> None:
        table = _table(bool(changes) and bool(changes[0].severity))
        super().__init__(session, {"changes": table}, "the differences")
        self._title, self._changes, self._kept = title, changes, kept

    def compose(self) -> ComposeResult:
        """What was compared, the table, the filter line, the footer."""
        yield self.summary
        yield self.tabs
        with self.switcher:
            yield from self.tables.values()
        yield self.filter
        yield KeyFooter()

    async def work_out(self) -> None:
        """All of it is known already."""
        self.table.reset(self._changes, Listing("complete"))
        nothing = "" if self._changes else ": nothing changed"
        self.say(f"{self._title} · {self._kept:,} stayed the same{nothing}")


def _table(with_severity: bool) -> RowTable[Change]:
    severity: list[Column[Change]] = [
        Column("severity", SafeText("severity"), lambda one: SafeText(one.severity), 10, tone=lambda one: one.tone)
    ]
    columns: list[Column[Change]] = [
        Column("change", SafeText("change"), lambda one: SafeText(one.change), 8, tone=lambda one: _TONES[one.change]),
        *(severity if with_severity else []),
        Column("name", SafeText("id" if with_severity else "package"), lambda one: safe(one.name), 19, flex=1,
               sort=lambda one: one.name),
        Column("about", SafeText("package" if with_severity else "type"), lambda one: safe(one.about), 12, flex=1,
               sort=lambda one: one.about, priority=1),
        Column("before", SafeText("before"), lambda one: safe(one.before or UNKNOWN), 16, flex=1, tone="dim"),
        Column("after", SafeText("now"), lambda one: safe(one.after or UNKNOWN), 16, flex=1),
    ]  # fmt: skip
    text = lambda one: f"{one.change} {one.severity} {one.name} {one.about} {one.before} {one.after}"  # noqa: E731
    return RowTable(columns, key=lambda one: one.number, text=text, id="changes")
