"""Retag, move and copy as proposals: the same bytes under another tag, in another repository or registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.operations.combining import combined, followed_by
from regtui.operations.deleting import Selection, plan_delete
from regtui.operations.errors import OperationError
from regtui.operations.tagging import Target, plan_copy, plan_retag
from regtui.transport.errors import NotFound
from regtui.ui.changes.proposals import InOnePlace, Proposal
from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from regtui.oci import Digest
    from regtui.operations.graph import Graph
    from regtui.operations.plan import Place, Plan
    from regtui.session import Session


class RetagProposal(InOnePlace):
    """Give an image of a repository one more tag; or another one, and then the old one goes."""

    title = SafeText("Retag plan")

    def __init__(self, session: Session, place: Place, locator: str, tag: str) -> None:
        super().__init__(session, place)
        self.locator = locator
        self.tag = tag
        self.options = {"overwrite": False, "force": False}
        if ":" not in locator:
            self.options = {"overwrite": False, "move": False, "force": False}

    @property
    def where(self) -> SafeText:
        """Registry, repository, old and new tag."""
        return safe(f"{self.place.host} · {self.place.repository} · {self.locator} → {self.tag}")

    async def read(self, tell: Callable[[str], object]) -> None:
        """The repository: what the new tag points to now, and what is on it."""
        await self.read_place(tell, of=(self.locator, self.tag))

    def plan(self) -> Plan:
        """One step, or two for a move. Raises Refused when the tag exists and may not change."""
        graph, protection, force = self.graph, self.protection, self.is_on("force")
        put = plan_retag(
            graph, _digest_of(graph, self.locator), self.tag,
            overwrite=self.is_on("overwrite"), protection=protection, force_protected=force,
        )  # fmt: skip
        if not self.is_on("move") or self.locator == self.tag:
            return put
        remove = plan_delete(graph, Selection((self.locator,)), protection=protection, force_protected=force)
        return followed_by(put, remove, "move")


class CopyProposal(Proposal):
    """Copy images to another repository or registry, each under its own tag, or one under a tag of its own."""

    title = SafeText("Copy plan")

    def __init__(
        self, session: Session, source: Place, locators: Sequence[str], target: Place, tag: str | None
    ) -> None:
        super().__init__(session)
        self.source = source
        self.target = target
        self._pairs = [(locator, tag or (locator if ":" not in locator else "latest")) for locator in locators]
        self._held: Graph | None = None
        self.options = {"referrers": True, "overwrite": False, "move": False, "force": False}
        if any(":" in locator for locator in locators):
            del self.options["move"]

    @property
    def where(self) -> SafeText:
        """From where to where."""
        one = f":{self._pairs[0][1]}" if len(self._pairs) == 1 else f" ({len(self._pairs)} tags)"
        return safe(f"{self.source} → {self.target}{one}")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The target's registry; the source's, too, when tags are removed there."""
        hosts = (self.target.host, self.source.host) if self.is_on("move") else (self.target.host,)
        return tuple(dict.fromkeys(hosts))

    async def read(self, tell: Callable[[str], object]) -> None:
        """Both repositories; the target may not exist yet."""
        if self.source == self.target and any(locator == tag for locator, tag in self._pairs):
            raise OperationError(f"That is where it is already: {self.target}.", hint="Name another repository or tag.")
        source, target = self.source, self.target
        await self.read_graph(source.host, source.repository, tell, of=[locator for locator, _ in self._pairs])
        try:
            tags = [tag for _, tag in self._pairs]
            self._held = await self.read_graph(target.host, target.repository, tell, of=tags)
        except NotFound:
            self._held = None

    def plan(self) -> Plan:
        """Children first, then the tag, then what hangs on it. Raises Refused when a tag exists and may not change."""
        return combined([self._one(locator, tag) for locator, tag in self._pairs])

    def _one(self, locator: str, tag: str) -> Plan:
        graph = self.graphs[self.source]
        now = self._held.tags.get(tag) if self._held is not None else None
        held = self._held.below([now]) if self._held is not None and now is not None else ()
        protected = self.session.settings.registry(self.target.host).protection(tag)
        return plan_copy(
            graph,
            _digest_of(graph, locator),
            Target(self.target, tag, now, protected, held),
            referrers=self.is_on("referrers"),
            overwrite=self.is_on("overwrite"),
            force_protected=self.is_on("force"),
            move=locator if self.is_on("move") else None,
        )


def _digest_of(graph: Graph, locator: str) -> Digest:
    """What a tag or digest is in the graph. Raises OperationError when it is gone."""
    found = graph.tags.get(locator) if ":" not in locator else next((d for d in graph.nodes if d == locator), None)
    if found is None or found not in graph.nodes:
        raise OperationError(
            f"{graph.host}/{graph.repository} has no {locator} that could be read.",
            hint="Refresh with r, then try again.",
        )
    return found
