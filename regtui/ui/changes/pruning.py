"""A retention rule, and a repair, as proposals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from regtui.operations.deleting import Selection, plan_delete
from regtui.operations.doctor import examine, missing_subjects, plan_repair
from regtui.operations.retention import select, with_signatures
from regtui.ui.changes.proposals import InOnePlace
from regtui.ui.safe_text import SafeText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from regtui.operations.doctor import Problem
    from regtui.operations.plan import Place, Plan
    from regtui.operations.retention import Rules
    from regtui.registries.contract import TagSummary
    from regtui.session import Session


class PruneProposal(InOnePlace):
    """What a rule takes of one repository."""

    title = SafeText("Retention plan")

    def __init__(
        self, session: Session, place: Place, rules: Rules, tags: Sequence[TagSummary], *, untagged: bool
    ) -> None:
        super().__init__(session, place)
        self.tags = tags
        self.rule = rules
        self.untagged = untagged
        self.options = {"manifests": True, "force": False}

    async def read(self, tell: Callable[[str], object]) -> None:
        """The whole repository: what a rule takes may be part of what it does not."""
        await self.read_place(tell)

    def plan(self) -> Plan:
        """The rule's tags, and untagged manifests that nothing needs."""
        graph = self.graph
        # Listings seldom tell whether a tag is signed; the graph does.
        tags = with_signatures(self.tags, graph) if self.rule.unsigned else self.tags
        chosen = () if self.rule.takes_nothing else select(self.rule, tags, datetime.now(UTC))
        return plan_delete(
            graph,
            Selection(chosen, graph.orphans() if self.untagged else ()),
            manifests=self.is_on("manifests"),
            protection=self.protection,
            force_protected=self.is_on("force"),
            kind="prune",
        )


class RepairProposal(InOnePlace):
    """Take away what is broken or left over."""

    title = SafeText("Repair plan")

    def __init__(self, session: Session, place: Place, problems: Sequence[Problem]) -> None:
        super().__init__(session, place)
        self.wanted = frozenset((problem.kind, problem.digest, problem.tags) for problem in problems)
        self._problems: tuple[Problem, ...] = ()

    async def read(self, tell: Callable[[str], object]) -> None:
        """Look again: only what is still wrong is repaired."""
        graph = await self.read_place(tell)
        registry = await self.session.registry(self.place.host)
        found = examine(graph, await missing_subjects(registry, graph))
        self._problems = tuple(p for p in found if (p.kind, p.digest, p.tags) in self.wanted)

    def plan(self) -> Plan:
        """What removes them."""
        return plan_repair(self.graph, self._problems, protection=self.protection)
