"""A session: settings, credentials, cache and the registries that were opened, each wired once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from regtui.credentials.chain import CredentialChain
from regtui.credentials.errors import KeyringUnavailable
from regtui.credentials.keyring_store import CHOICES
from regtui.oci.reference import DOCKER_HUB
from regtui.session.details import TagDetail, tag_details
from regtui.session.images import Image, read_image
from regtui.session.reader import Reader
from regtui.storage.audit import AuditLog
from regtui.storage.cache import Cache, NullCache
from regtui.storage.settings import Settings
from regtui.transport.request_log import RequestLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from regtui.credentials.values import Credential
    from regtui.oci import Platform, Reference
    from regtui.registries.contract import Registry, TagSummary
    from regtui.session.contents import ContentsReader, ImageContents, LayerProgress
    from regtui.session.differences import ImageDifferences
    from regtui.session.image_files import ImageFiles
    from regtui.session.trust import TrustReader
    from regtui.session.usage import UsageReader
    from regtui.transport.client import RegistryClient
    from regtui.transport.options import HostOptions

WELL_KNOWN: Final = (DOCKER_HUB, "mcr.microsoft.com")


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What the command line says about this run; hosts are written as in references."""

    config: Path | None = None
    plain_http: frozenset[str] = frozenset()
    insecure: frozenset[str] = frozenset()
    ca_file: str | None = None
    write: bool = False
    read_only: bool = False
    """Nothing may be changed anywhere, whatever the settings and `write` say."""
    use_cache: bool = True
    credential: Credential | None = None
    trust: Mapping[str, Any] = field(default_factory=dict)
    """Trust tables for this run (trust/trust_settings.py); where the settings name the same pattern, they win."""
    host: str | None = None
    """The host that the command line names: alone for it count the credential above and the environment's."""


@dataclass(frozen=True, slots=True)
class KnownRegistry:
    """A registry worth listing: from the settings, an auth file, or well known."""

    host: str
    kind: str | None
    source: str
    writable: bool
    signs_in: str | None
    """Where a credential would come from, in words; None when none is known."""


@dataclass
class _Opening:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    registry: Registry | None = None


class Session:
    """Opens registries by name and reads images through the cache. One per run; close it at the end."""

    def __init__(
        self, settings: Settings, options: SessionOptions, *, credentials: CredentialChain, cache: Cache | NullCache
    ) -> None:
        self.settings = settings
        self.options = options
        self.credentials = credentials
        self.cache = cache
        self.log = RequestLog()
        self.reader = Reader(self._reading, cache)
        self._contents: ContentsReader | None = None
        self._trust: TrustReader | None = None
        self._clients: dict[str, RegistryClient] = {}
        self._opened: dict[str, _Opening] = {}
        self._extra: list[KnownRegistry] = []

    @classmethod
    def start(cls, options: SessionOptions | None = None) -> Session:
        """Read the settings and wire a session; nothing is asked of any registry. Raises StorageError."""
        options = options or SessionOptions()
        settings = Settings.load(options.config)
        cache = Cache.open(limit=settings.cache_size) if options.use_cache else NullCache()
        credentials = CredentialChain.default(
            flags=options.credential,
            flags_host=options.host,
            only_host=options.host,
            usernames=settings.usernames,
        )
        session = cls(settings, options, credentials=credentials, cache=cache)
        session.log.audit = AuditLog()
        return session

    async def registry(self, host: str) -> Registry:
        """The registry of this name, opened once. Raises RegistryError when it can't be reached or recognised."""
        opening = self._opened.setdefault(host, _Opening())
        async with opening.lock:
            if opening.registry is None:
                opening.registry = await self._open(host)
            return opening.registry

    def opened(self, host: str) -> Registry | None:
        """The registry of this name when it is open."""
        opening = self._opened.get(host)
        return opening.registry if opening is not None else None

    async def image(self, reference: Reference, platform: Platform | None = None) -> Image:
        """What stands at a reference, for this platform or this machine's. Raises RegistryError."""
        return await read_image(self.reader, reference, platform)

    @property
    def contents(self) -> ContentsReader:
        """Reads what is inside of images; loaded when it is first needed."""
        if self._contents is None:
            from regtui.session.contents import ContentsReader

            self._contents = ContentsReader(self.registry, self.cache)
        return self._contents

    @property
    def trusts_somebody(self) -> bool:
        """Whether the settings name anybody who may vouch for images; told without loading what judges them."""
        return bool(self.options.trust or self.settings.trust)

    @property
    def trust(self) -> TrustReader:
        """Who vouches for images, and what is wrong with them; loaded when it is first needed."""
        if self._trust is None:
            from regtui.session.trust import TrustReader

            self._trust = TrustReader(self)
        return self._trust

    async def differences(
        self,
        before: Image,
        after: Image,
        progress: Callable[[LayerProgress], object] | None = None,
        *,
        full: bool = False,
        hash_files: bool = False,
    ) -> ImageDifferences:
        """How two images differ, of any registries or platforms (see `image_differences`)."""
        from regtui.session.differences import image_differences

        return await image_differences(self.contents, before, after, progress, full=full, hash_files=hash_files)

    def image_files(self, contents: ImageContents) -> ImageFiles:
        """Reads and extracts single files and folders of an image whose layers are listed."""
        from regtui.session.image_files import ImageFiles

        return ImageFiles(contents, self.registry)

    @property
    def usage(self) -> UsageReader:
        """Counts what repositories and registries store; loaded when it is first needed."""
        from regtui.session.usage import UsageReader

        return UsageReader(self.registry, self.reader)

    def tag_details(self, host: str, path: str, tags: Iterable[TagSummary]) -> AsyncIterator[TagDetail]:
        """What the listing did not tell of these tags, as it arrives."""
        return tag_details(self.reader, host, path, tags)

    async def login(self, host: str, credential: Credential) -> None:
        """Check a credential against the registry, then keep it in the keyring.

        Raises Unauthorized when the registry refuses it, CredentialError when there is no keyring to keep it in.
        """
        missing = await self.credentials.keyring.unavailable()
        if missing is not None:
            raise KeyringUnavailable(missing, hint=CHOICES)
        await self._try(host, credential)
        await self.credentials.store(host, credential)

    async def sign_in(self, host: str, credential: Credential) -> str | None:
        """Check a credential, use it from now on, and keep it where that is possible; else why it holds for this run.

        Raises RegistryError when the registry does not take it.
        """
        await self._try(host, credential)
        why = await self.credentials.keyring.unavailable()
        if why is None:
            await self.credentials.store(host, credential)
        else:
            self.credentials.use(host, credential)
        client = self._clients.get(host)
        if client is not None:
            client.forget_credential()
        # What a registry learnt as somebody else holds no more; it is made anew over the same connections.
        self._opened.pop(host, None)
        return why

    async def settings_changed(self, host: str) -> None:
        """Read the settings anew, and open this registry anew when it is asked for next."""
        self.settings = await asyncio.to_thread(Settings.load, self.options.config)
        opening = self._opened.pop(host, None)
        if opening is not None and opening.registry is not None:
            await opening.registry.close()
        client = self._clients.pop(host, None)
        if client is not None:
            await client.close()
        self.reader.forget(host)
        # Whom to trust stands in the same file, and what trust asks goes through the registry that was closed.
        self._trust = None

    async def _try(self, host: str, credential: Credential) -> None:
        from regtui.credentials.environment import GivenSource
        from regtui.transport.client import RegistryClient

        client = RegistryClient(self._host_options(host), GivenSource({host: credential}), log=self.log)
        try:
            await client.request("GET", "/v2/")
        finally:
            await client.close()

    async def logout(self, host: str) -> bool:
        """Forget the credential that `login` kept; whether there was one. Raises CredentialError."""
        return await self.credentials.delete(host)

    def writable(self, host: str) -> bool:
        """Whether changes are allowed there: `writable = true` in the settings, or --write; never with --read-only."""
        if self.options.read_only:
            return False
        return self.options.write or self.settings.registry(host).writable

    def known_registries(self) -> tuple[KnownRegistry, ...]:
        """The settings' registries, then those of the auth files, then the well-known public ones; no host twice."""
        found = {known.host: known for known in self._extra}
        sources = self.credentials.known_hosts()
        for entry in self.settings.registries:
            found.setdefault(
                entry.host,
                KnownRegistry(entry.host, entry.kind, "settings", self.writable(entry.host), sources.get(entry.host)),
            )
        for host, source in sources.items():
            found.setdefault(host, KnownRegistry(host, None, source, self.writable(host), source))
        for host in WELL_KNOWN:
            found.setdefault(host, KnownRegistry(host, None, "well known", self.writable(host), None))
        return tuple(found.values())

    def remember(self, host: str, source: str = "opened") -> None:
        """List this host first from now on, in this run."""
        if all(known.host != host for known in self._extra):
            kind = self.settings.registry(host).kind
            self._extra.insert(0, KnownRegistry(host, kind, source, self.writable(host), None))

    def who(self, host: str) -> str | None:
        """Who regtui is at an open registry, for the status line."""
        registry = self.opened(host)
        return None if registry is None else registry.identity().name

    def rate(self, host: str) -> int | None:
        """Requests left there, when the registry tells."""
        registry = self.opened(host)
        return None if registry is None else registry.identity().rate_remaining

    def refresh(self, host: str, path: str | None = None) -> None:
        """Read tags anew next time."""
        self.reader.forget(host, path)
        if self._trust is not None:
            self._trust.forget(host, path)

    async def close(self) -> None:
        """Close every registry."""
        if self._contents is not None:
            self._contents.close()
        for opening in self._opened.values():
            if opening.registry is not None:
                await opening.registry.close()
        for client in self._clients.values():
            await client.close()
        self._opened.clear()
        self._clients.clear()
        self.cache.close()

    async def _reading(self, host: str) -> Registry:
        """A registry to read one image from. An unknown host is spoken to as plain distribution at first.

        Every kind reads manifests and blobs alike, and the first answer tells the kind: opening a reference straight
        away saves the request that would find it out.
        """
        if self.opened(host) is not None or is_local(host):
            return await self.registry(host)
        from regtui.registries.detect import knows_kind, make_registry

        settings = self.settings.registry(host)
        if knows_kind(host, settings):
            return await self.registry(host)
        client = self._client(host)
        if client.greeting is not None:
            return await self.registry(host)
        return make_registry("distribution", client, settings=settings)

    async def _open(self, host: str) -> Registry:
        if is_local(host):
            from regtui.registries.layout import LayoutRegistry

            return await asyncio.to_thread(LayoutRegistry.open, host)
        from regtui.registries.detect import open_registry

        return await open_registry(self._client(host), self.settings.registry(host))

    def _client(self, host: str) -> RegistryClient:
        client = self._clients.get(host)
        if client is None:
            from regtui.transport.client import RegistryClient

            client = RegistryClient(self._host_options(host), self.credentials, log=self.log)
            self._clients[host] = client
        return client

    def _host_options(self, host: str) -> HostOptions:
        from regtui.transport.options import HostOptions

        settings = self.settings.registry(host)
        return HostOptions(
            host,
            plain_http=settings.plain_http or host in self.options.plain_http,
            insecure=settings.insecure or host in self.options.insecure,
            ca_file=self.options.ca_file or settings.ca_file,
        )


def is_local(host: str) -> bool:
    """Whether this names a layout or archive on this disk: those are named by their absolute path."""
    return Path(host).is_absolute()
