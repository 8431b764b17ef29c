"""Retag, move and copy as proposals: the same bytes under another tag, in another repository or registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.oci import Index
from regtui.operations.combining import combined, followed_by
from regtui.operations.deleting import Selection, plan_delete
from regtui.operations.errors import OperationError
from regtui.operations.gather import gather_image
from regtui.operations.platforms import narrowed
from regtui.operations.tagging import Target, plan_copy, plan_retag
from regtui.transport.errors import NotFound
from regtui.ui.changes.proposals import InOnePlace, Proposal
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from regtui.oci import Digest, ImageManifest, Platform
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


@dataclass(frozen=True, slots=True)
class _Image:
    """An image to copy: what it is, and what stands where it goes."""

    locator: str
    top: ImageManifest | Index
    graph: Graph
    target: Target


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
        self._images: list[_Image] = []
        self._wanted: Platform | None = None
        self._offered: tuple[Platform, ...] = ()
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
        """The images with what hangs on them, and what stands where they go."""
        if self.source == self.target and any(locator == tag for locator, tag in self._pairs):
            raise OperationError(f"That is where it is already: {self.target}.", hint="Name another repository or tag.")
        self._images = [await self._look(locator, tag, tell) for locator, tag in self._pairs]
        if len(self._images) == 1 and isinstance(self._images[0].top, Index):
            platforms = (entry.platform for entry in self._images[0].top.platforms)
            self._offered = tuple(platform for platform in platforms if platform is not None)
            self.platforms = (SafeText("all platforms"), *(safe(str(platform)) for platform in self._offered))

    async def _look(self, locator: str, tag: str, tell: Callable[[str], object]) -> _Image:
        origin = await self.session.registry(self.source.host)
        path, reader = self.source.repository, self.session.reader
        top = await origin.manifest(path, locator)
        graph = await gather_image(
            origin, reader, path, top.digest,
            tags={locator: top.digest} if ":" not in locator else None,
            attached=True,
            progress=lambda done, known: tell(f"reading {locator}: {done:,} of {known:,}"),
        )  # fmt: skip
        return _Image(locator, top, graph, await self._target(tag))

    async def _target(self, tag: str) -> Target:
        """What stands there now with all below it; the repository need not be there yet."""
        goal = self.target
        there = await self.session.registry(goal.host)
        protected = self.session.settings.registry(goal.host).protection(tag)
        try:
            now = (await there.manifest(goal.repository, tag)).digest
            held = (await gather_image(there, self.session.reader, goal.repository, now)).below([now])
        except NotFound:
            return Target(goal, tag, None, protected)
        return Target(goal, tag, now, protected, held)

    def plan(self) -> Plan:
        """Children first, then the tag, then what hangs on it. Raises Refused when a tag exists and may not change."""
        return combined([self._one(image) for image in self._images])

    def notes(self, plan: Plan) -> tuple[tuple[str, str], ...]:
        """How much there is to send at most."""
        copied = {step.digest for step in plan.steps}
        nodes = (node for image in self._images for node in image.graph.nodes.values() if node.digest in copied)
        blobs = {digest: size for node in nodes for digest, size in node.blobs}
        total = f"{size_text(sum(blobs.values()))} in {len(blobs):,} blobs at most"
        return (("sends", f"{total}; what is there already, or can be mounted, is not sent"),)

    def choose_platform(self, number: int) -> None:
        """Copy only one platform, by its number in `platforms`; 0 is all of them."""
        self._wanted = self._offered[number - 1] if number else None

    def _one(self, image: _Image) -> Plan:
        chosen = narrowed(image.top, () if self._wanted is None else (self._wanted,))
        if self.is_on("move") and chosen != image.top.digest:
            raise OperationError("Only whole images are moved.", hint="Choose all platforms, or copy without moving.")
        return plan_copy(
            image.graph,
            image.top.digest if isinstance(chosen, Index) else chosen,
            image.target,
            referrers=self.is_on("referrers"),
            overwrite=self.is_on("overwrite"),
            force_protected=self.is_on("force"),
            move=image.locator if self.is_on("move") else None,
            made=chosen if isinstance(chosen, Index) else None,
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
