"""Findings as the list wants them: flat or grouped, from a severity on, in an order; with the layer of each package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.trust.findings import Finding, by_package, by_severity, group, worst_first
from regtui.trust.severity import Severity
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.trust.words import SEVERITY_TONES
from regtui.ui.widgets.columns import Column
from regtui.ui.words import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from regtui.ui.widgets.columns import Tone

GROUPINGS: Final = ("", "package", "severity", "layer")
"""By what findings are grouped, in the order of the key; empty for one flat list."""
THRESHOLDS: Final = (None, Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
ORDERS: Final = ("worst first", "package", "id")
MOST_SHOWN: Final = 20_000
"""Lines of a list of findings; a report of more is exported whole."""
LayerOf = Callable[[Finding], int | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the findings is wanted: grouped by what, how bad at least, in which order, or those of one kind only."""

    grouping: str = ""
    threshold: Severity | None = None
    order: str = ORDERS[0]

    def passes(self, finding: Finding) -> bool:
        """Whether a finding is bad enough."""
        return self.threshold is None or finding.severity.is_at_least(self.threshold)


@dataclass(frozen=True, slots=True)
class FindingNode:
    """A finding, or a group of them (`finding` None)."""

    key: Hashable
    title: str
    finding: Finding | None
    members: tuple[FindingNode, ...] = ()
    layer: int | None = None

    @property
    def severity(self) -> Severity:
        """Its own, or the worst of the group."""
        if self.finding is not None:
            return self.finding.severity
        return min((one.severity for one in self.members), key=lambda one: one.rank, default=Severity.UNKNOWN)


class FindingSource:
    """A TreeSource over the findings of a report."""

    def __init__(
        self, findings: Iterable[Finding] = (), wanted: Wanted = Wanted(), layer_of: LayerOf | None = None
    ) -> None:
        self._layer_of = layer_of
        passed = [one for one in findings if wanted.passes(one)]
        self.passed = len(passed)
        """How many are wanted; of more than MOST_SHOWN only the worst have a line."""
        self.shown = _ordered(passed, wanted.order)
        self._roots = self._grouped(wanted.grouping)

    def _grouped(self, grouping: str) -> tuple[FindingNode, ...]:
        if not grouping:
            return self._nodes(self.shown, "")
        groups = self._groups(grouping)
        return tuple(
            FindingNode((grouping, name), f"{name} ({len(some):,})", None, self._nodes(some, name))
            for name, some in groups.items()
        )

    def _groups(self, grouping: str) -> Mapping[str, Sequence[Finding]]:
        if grouping == "package":
            return by_package(self.shown)
        if grouping == "severity":
            return by_severity(self.shown)
        return group(self.shown, self._layer_name)

    def _layer_name(self, finding: Finding) -> str:
        number = self._layer_of(finding) if self._layer_of is not None else None
        return "layer unknown" if number is None else f"layer {number + 1}"

    def _nodes(self, findings: Iterable[Finding], above: str) -> tuple[FindingNode, ...]:
        layer_of = self._layer_of or _unknown
        return tuple(
            FindingNode((above, number, one.key), one.id, one, layer=layer_of(one))
            for number, one in enumerate(findings)
        )

    def roots(self) -> Sequence[FindingNode]:
        """Groups, or all findings."""
        return self._roots

    def children(self, node: FindingNode) -> Sequence[FindingNode]:
        """The findings of a group."""
        return node.members

    def has_children(self, node: FindingNode) -> bool:
        """Whether it is a group."""
        return bool(node.members)

    def key(self, node: FindingNode) -> Hashable:
        """Its place."""
        return node.key

    def text(self, node: FindingNode) -> str:
        """What the filter looks in."""
        one = node.finding
        if one is None:
            return ""
        parts = (one.severity.value, one.id, *one.aliases, one.package, one.installed, one.title, one.fix_words)
        return " ".join(part for part in parts if part)


def _unknown(finding: Finding) -> int | None:
    del finding
    return None


def _ordered(findings: list[Finding], order: str) -> tuple[Finding, ...]:
    ranked = worst_first(findings)[:MOST_SHOWN]
    if order == "package":
        return tuple(sorted(ranked, key=lambda one: one.package or ""))
    return tuple(sorted(ranked, key=lambda one: one.id)) if order == "id" else ranked


def finding_columns() -> tuple[list[Column[FindingNode]], list[Column[FindingNode]]]:
    """(columns before the ids, columns behind them)."""
    before = [Column("severity", SafeText("severity"), lambda node: SafeText(node.severity.value), 10, tone=_tone)]
    behind: list[Column[FindingNode]] = [
        Column("package", SafeText("package"), lambda node: _told(node, _package), 14, flex=1),
        Column("installed", SafeText("installed"), lambda node: _told(node, _installed), 12, flex=1, priority=2),
        Column("fixed", SafeText("fixed in"), lambda node: _told(node, _fixed), 12, flex=1, tone="dim", priority=1),
        Column("score", SafeText("cvss"), lambda node: _told(node, _score), 4, align="right", priority=5),
        Column("layer", SafeText("layer"), _layer, 5, align="right", tone="dim", priority=4),
        Column("vex", SafeText("vex"), lambda node: _told(node, _vex), 14, tone="dim", priority=3),
    ]
    return before, behind


def _tone(node: FindingNode) -> Tone:
    finding = node.finding
    if finding is not None and finding.vex is not None and finding.vex.settles:
        return "dim"
    return SEVERITY_TONES[node.severity]


def _told(node: FindingNode, tell: Callable[[Finding], str | None]) -> SafeText:
    if node.finding is None:
        return SafeText("")
    return safe(tell(node.finding) or UNKNOWN)


def _package(finding: Finding) -> str | None:
    return finding.package or finding.path


def _installed(finding: Finding) -> str | None:
    return finding.installed


def _fixed(finding: Finding) -> str | None:
    return finding.fix_words


def _score(finding: Finding) -> str | None:
    score = finding.cvss.score if finding.cvss is not None else None
    return None if score is None else f"{score:.1f}"


def _vex(finding: Finding) -> str | None:
    return None if finding.vex is None else finding.vex.status.replace("_", " ")


def _layer(node: FindingNode) -> SafeText:
    if node.finding is None:
        return SafeText("")
    return SafeText(UNKNOWN if node.layer is None else str(node.layer + 1))
