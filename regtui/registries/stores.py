"""Products that keep many stores of images behind one address: the first part of a path is the store's key.

Nexus and Artifactory call a store a repository. An address may also be one store alone: a port or a subdomain of its
own, where a path is the image's name and nothing else. Which stores there are, the product's own REST API tells.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from regtui.oci.reference import is_repository_path
from regtui.registries.contract import Page, RepositorySummary
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.pages import Pager
from regtui.transport.errors import (
    BadAnswer,
    BadRequest,
    Forbidden,
    NotFound,
    RegistryError,
    Unauthorized,
    Unreachable,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_PAGE: Final = 1_000


class Store(Protocol):
    """One store."""

    @property
    def name(self) -> str:
        """Its key in paths."""

    @property
    def is_merged(self) -> bool:
        """Whether it only shows what is in others."""


Kept = TypeVar("Kept", bound=Store)


@dataclass(frozen=True, slots=True)
class Home(Generic[Kept]):
    """Every store that this user may see, by key, and the one that this address is, if it is one alone.

    `doubt` says what to set where it is not known whether it is: paths that start with a key are taken for what they
    seem, and all others are served as plain distribution.
    """

    stores: Mapping[str, Kept]
    alone: Kept | None
    doubt: str = ""


class StoresRegistry(DistributionRegistry, Generic[Kept]):
    """Such a product; plain distribution where its REST API tells nothing.

    Subclasses say `product`, and have `ask_stores`, `ask_catalog`, `is_at` and `is_stranger`.
    """

    product = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._home: Home[Kept] | None = None
        self._missing: str | None = None

    # for products to override --------------------------------------------------------------------------------

    @abstractmethod
    async def ask_stores(self) -> dict[str, Kept]:
        """The stores for images that this user may see, by key. Raises RegistryError."""

    @abstractmethod
    async def ask_catalog(self, store: Kept, query: Mapping[str, str]) -> tuple[tuple[str, ...], str | None]:
        """One page of the images in a store, and its Link. Raises RegistryError."""

    @abstractmethod
    def is_at(self, store: Kept) -> bool:
        """Whether this registry's address is known to be this store alone."""

    @property
    @abstractmethod
    def is_stranger(self) -> bool:
        """Whether nothing secret went along with the last request to the REST API."""

    # where things are ----------------------------------------------------------------------------------------

    @property
    def missing(self) -> str:
        """Why the REST API tells nothing, "" when it does or was not asked."""
        return self._missing or ""

    async def home(self) -> Home[Kept] | None:
        """What the REST API tells, asked once; None where it tells nothing, with the reason in `missing`."""
        if self._home is None and self._missing is None:
            try:
                found = await self.ask_stores()
            except (Unauthorized, Forbidden, NotFound, Unsupported, BadRequest, BadAnswer) as error:
                if isinstance(error, Unauthorized) and not self.is_stranger:
                    raise
                self._missing = self._no_rest(error)
            except Unreachable as error:
                if self.settings.api is None:
                    raise
                self._missing = self._no_rest(error)
            else:
                self._settle(found)
        return self._home

    async def place_of(self, repository: str) -> tuple[Kept, str] | None:
        """The store and the image in it that a path names; None where that is not known. Raises InvalidReference."""
        self.path(repository)  # refuses what is no repository
        home = await self.home()
        if home is None:
            return None
        if home.alone is not None:
            return home.alone, repository
        key, _, image = repository.partition("/")
        return (home.stores[key], image) if image and key in home.stores else None

    def path_of(self, home: Home[Kept], key: str, image: str) -> str | None:
        """The path that names an image in a store; None for what can't be named here."""
        path = f"{key}/{image}"
        if home.alone is not None:
            path = image if key == home.alone.name else ""
        return path if is_repository_path(path) else None

    # lists ---------------------------------------------------------------------------------------------------

    async def probe_catalog(self) -> None:
        """Where the REST API tells the stores, their catalogs can be asked for."""
        home = await self.home()
        if home is None or home.alone is not None or home.doubt:
            await super().probe_catalog()

    async def repository_pages(self, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        """The images of every store, named as they are pulled; `namespaces` in the settings choose among stores."""
        home = await self.home()
        if home is None or home.alone is not None or home.doubt:
            async for page in super().repository_pages(prefix):
                yield page
            return
        starts = {f"{key}/": store for key, store in sorted(home.stores.items())}
        wanted = [store for start, store in starts.items() if start.startswith(prefix) or prefix.startswith(start)]
        chosen = [store for store in wanted if store.name in (self.settings.namespaces or (store.name,))]
        if not chosen:
            yield Page(())
        for store in chosen:
            async for found in self._images(store):
                kept = (path for path in found.items if path.startswith(prefix) and is_repository_path(path))
                yield Page(tuple(map(RepositorySummary, kept)), stopped=found.stopped)

    async def _images(self, store: Kept) -> AsyncIterator[Page[str]]:
        """The images of one store as paths. One that can't be listed is said, and ends nothing."""
        pager = Pager({"n": str(_PAGE)})
        while (query := pager.query) is not None:
            try:
                listed, link = await self.ask_catalog(store, query)
            except RegistryError as error:
                yield Page((), stopped=f"{store.name} can't be listed: {error.sentence}")
                return
            new = pager.take(listed, link)
            is_cut = link is None and len(listed) == _PAGE and store.is_merged
            cut = f"{self.product} may have cut the list of {store.name} without saying so." if is_cut else None
            yield Page(tuple(f"{store.name}/{image}" for image in new), stopped=pager.stopped or cut)

    # the rest ------------------------------------------------------------------------------------------------

    def _settle(self, found: dict[str, Kept]) -> None:
        if not found:
            self._missing = f"{self.host} shows you none of its repositories for images."
            return
        alone = self._alone(found)
        doubt = ""
        if self.settings.api is not None and alone is None:
            names = ", ".join(sorted(found)[:10])
            doubt = (
                f"Which repository of {self.product} {self.host} is, is not known: name it in `namespaces` ({names})."
            )
        self._home = Home(found, alone, doubt)

    def _alone(self, found: dict[str, Kept]) -> Kept | None:
        """The store that this address is, when it is one alone: it shows, or `api` and one of `namespaces` say so."""
        known = [store for store in found.values() if self.is_at(store)]
        if len(known) == 1:
            return known[0]
        if self.settings.api is None:
            return None
        named = [found[key] for key in self.settings.namespaces if key in found]
        only = named or list(found.values())
        return only[0] if len(only) == 1 else None

    def _no_rest(self, error: RegistryError) -> str:
        where = self.settings.api or self.host
        if isinstance(error, Unauthorized | Forbidden):
            return f"{self.product}'s REST API at {where} tells you nothing of its repositories."
        return f"{self.product}'s REST API does not answer at {where}: set `api` to where it does."
