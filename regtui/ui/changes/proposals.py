"""What a person wants to change: what has to be read for it, which switches it has, and the plan that comes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from regtui.operations.combining import combined
from regtui.operations.deleting import Selection, plan_delete, plan_trash
from regtui.operations.gather import gather
from regtui.operations.plan import Place, Plan
from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from regtui.oci import Digest, ImageManifest, Index
    from regtui.operations.confirming import Confirmed
    from regtui.operations.executor import Executor, Run
    from regtui.operations.graph import Graph
    from regtui.session import Session


@dataclass(frozen=True, slots=True)
class Option:
    """A switch of a proposal: `name` is also the last part of its action's id."""

    name: str
    label: SafeText


OPTIONS: Final[Mapping[str, Option]] = {
    option.name: option
    for option in (
        Option("manifests", SafeText("whole manifests, not only the tags")),
        Option("trash", SafeText("recycle bin: keep each as trash-…")),
        Option("referrers", SafeText("with signatures and attestations")),
        Option("overwrite", SafeText("move the tag when it exists")),
        Option("move", SafeText("remove the old tag")),
        Option("force", SafeText("protected tags, too")),
    )
}


class Proposal(ABC):
    """One thing to change. `read` asks the registries, by GET and HEAD only; `plan` is pure and quick."""

    title: SafeText = SafeText("Plan")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.options: dict[str, bool] = {}
        """The switches, by name, and whether each is on."""
        self.graphs: dict[Place, Graph] = {}
        self.manifests: dict[Digest, ImageManifest | Index] = {}
        """Bytes that only the journal still has."""
        self.platforms: tuple[SafeText, ...] = ()
        """The platforms to choose from, where only some can be taken."""

    @property
    @abstractmethod
    def where(self) -> SafeText:
        """What is to be changed: registry and repository."""

    @property
    @abstractmethod
    def hosts(self) -> tuple[str, ...]:
        """The registries that would be changed."""

    @abstractmethod
    async def read(self, tell: Callable[[str], object]) -> None:
        """Read what the plan needs; `tell` gets words about how far that is. Raises RegtuiError."""

    @abstractmethod
    def plan(self) -> Plan:
        """The plan as the switches stand. Raises Refused, OperationError with what to do about it."""

    async def run(self, executor: Executor, confirmed: Confirmed) -> Run:
        """Carry out a confirmed plan. Raises RegtuiError before the first request, StorageError."""
        return await executor.run(confirmed, manifests=dict(self.manifests))

    def switch(self, name: str) -> None:
        """Turn a switch; two that exclude each other are never both on."""
        self.options[name] = not self.options[name]
        if self.options.get("trash") and self.options.get("manifests"):
            self.options["trash" if name == "manifests" else "manifests"] = False

    def notes(self, plan: Plan) -> tuple[tuple[str, str], ...]:
        """(verb, sentence) that the plan alone does not tell."""
        del plan
        return ()

    def choose_platform(self, number: int) -> None:
        """Take only one of `platforms`, by its number."""
        raise NotImplementedError

    def is_on(self, name: str) -> bool:
        """Whether a switch is on."""
        return self.options.get(name, False)

    def rules(self) -> list[SafeText]:
        """What is protected where, in words."""
        found = []
        for host in self.hosts:
            settings = self.session.settings.registry(host)
            patterns = ", ".join(settings.protected) or "nothing"
            found.append(safe(f"{host}: {patterns}", 1000))
        return found

    async def read_graph(
        self, host: str, path: str, tell: Callable[[str], object], *, of: Sequence[str] | None = None
    ) -> Graph:
        """The graph of a repository, kept for the plan. Raises RegtuiError."""
        registry = await self.session.registry(host)
        graph = await gather(
            registry,
            self.session.reader,
            path,
            of=of,
            progress=lambda done, known: tell(f"reading {path}: {done:,} of {known:,}"),
        )
        self.graphs[Place(host, path)] = graph
        return graph


class InOnePlace(Proposal):
    """Something about one repository."""

    def __init__(self, session: Session, place: Place) -> None:
        super().__init__(session)
        self.place = place

    @property
    def where(self) -> SafeText:
        """Registry and repository."""
        return safe(f"{self.place.host} · {self.place.repository}")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registry."""
        return (self.place.host,)

    @property
    def graph(self) -> Graph:
        """The repository as it was read."""
        return self.graphs[self.place]

    @property
    def protection(self) -> Callable[[str], str | None]:
        """Which of its tags are protected, and by what."""
        return self.session.settings.registry(self.place.host).protection

    async def read_place(self, tell: Callable[[str], object], *, of: Sequence[str] | None = None) -> Graph:
        """The repository as a whole. Raises RegtuiError."""
        return await self.read_graph(self.place.host, self.place.repository, tell, of=of)


class DeleteProposal(InOnePlace):
    """Remove tags and manifests of one repository: the marked ones, or the one under the cursor."""

    title = SafeText("Delete plan")

    def __init__(self, session: Session, place: Place, locators: Sequence[str]) -> None:
        super().__init__(session, place)
        self.selection = Selection.of(locators)
        trash = session.settings.registry(place.host).trash
        self.options = {"manifests": False, "trash": trash, "force": False}

    async def read(self, tell: Callable[[str], object]) -> None:
        """The whole repository: co-tags and parents may be anywhere in it."""
        await self.read_place(tell, of=(*self.selection.tags, *self.selection.digests))

    def plan(self) -> Plan:
        """Untag, or delete, or move to the recycle bin."""
        force = self.is_on("force")
        if self.is_on("trash"):
            day = datetime.now(UTC).strftime("%Y%m%d")
            return plan_trash(self.graph, self.selection, day, protection=self.protection, force_protected=force)
        return plan_delete(
            self.graph,
            self.selection,
            manifests=self.is_on("manifests"),
            protection=self.protection,
            force_protected=force,
        )


class EmptyProposal(Proposal):
    """Remove everything that is in some repositories."""

    title = SafeText("Delete plan")

    def __init__(self, session: Session, places: Sequence[Place]) -> None:
        super().__init__(session)
        self.places = tuple(places)
        self.options = {"force": False}

    @property
    def where(self) -> SafeText:
        """Registry and repositories."""
        if len(self.places) == 1:
            return safe(f"{self.places[0].host} · everything in {self.places[0].repository}")
        return safe(f"{self.places[0].host} · everything in {len(self.places)} repositories")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries."""
        return tuple(dict.fromkeys(place.host for place in self.places))

    async def read(self, tell: Callable[[str], object]) -> None:
        """Every repository as a whole."""
        for place in self.places:
            await self.read_graph(place.host, place.repository, tell)

    def plan(self) -> Plan:
        """Every tag and every manifest, but for what is protected and what that needs."""
        plans = []
        for place in self.places:
            graph = self.graphs[place]
            protection = self.session.settings.registry(place.host).protection
            everything = Selection(tuple(graph.tags), graph.orphans())
            force = self.is_on("force")
            plans.append(plan_delete(graph, everything, manifests=True, protection=protection, force_protected=force))
        return combined(plans)
