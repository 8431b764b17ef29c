"""From a host to its registry: the kind by settings, host name or one anonymous look; then the kind's own class.

A new kind of ours is a file beside this one and a line in BUILT_IN; one of others is an entry point in the group
`regtui.registries` with the kind's name, called as `factory(client, settings=…)` and giving a Registry.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from regtui.credentials.values import ANONYMOUS
from regtui.registries.contract import Registry
from regtui.registries.recognise import DISTRIBUTION, HOSTS, SIGNS, kind_of_answer, kind_of_host
from regtui.transport.auth import NoAuth
from regtui.transport.client import RegistryClient
from regtui.transport.errors import RegistryError, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.credentials.values import Credential
    from regtui.storage.settings import RegistrySettings

GROUP: Final = "regtui.registries"
BUILT_IN: Final[dict[str, str]] = {
    DISTRIBUTION: "regtui.registries.distribution:DistributionRegistry",
    "dockerhub": "regtui.registries.dockerhub:DockerHub",
    "gitlab": "regtui.registries.gitlab:GitLabRegistry",
    "harbor": "regtui.registries.harbor:HarborRegistry",
    "quay": "regtui.registries.quay:QuayRegistry",
    "ghcr": "regtui.registries.ghcr:GhcrRegistry",
    "mcr": "regtui.registries.mcr:McrRegistry",
    "gitea": "regtui.registries.gitea:GiteaRegistry",
    "artifactory": "regtui.registries.artifactory:ArtifactoryRegistry",
    "nexus": "regtui.registries.nexus:NexusRegistry",
    "zot": "regtui.registries.zot:ZotRegistry",
    "google": "regtui.registries.google:GoogleRegistry",
    "acr": "regtui.registries.acr:AcrRegistry",
    "ecr": "regtui.registries.ecr:EcrRegistry",
    "ecr-public": "regtui.registries.ecr_public:EcrPublicRegistry",
}
"""Kind → its class; loaded when the first registry of that kind is opened."""
RECOGNISED: Final = frozenset({kind for _, kind in HOSTS} | {kind for kind, _ in SIGNS} | {DISTRIBUTION})
"""Kinds that regtui tells apart; one without a class of its own is served as plain distribution."""
_TELLING: Final = frozenset(range(200, 500)) - {301, 302, 303, 307, 308, 429}
"""Statuses of an answer that tells something; faults and limits are raised."""
# What the code of others may raise while it is loaded or called; it must cost one sentence, not the program.
_BROKEN: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    RegistryError,
)


class _NoCredentials:
    """Proves nothing to anybody."""

    async def find(self, host: str) -> Credential:
        return ANONYMOUS

    def forget(self, host: str) -> None:
        return


async def open_registry(client: RegistryClient, settings: RegistrySettings | None = None) -> Registry:
    """The registry behind a client. A kind in the settings wins over detection.

    Raises Unreachable and its like when nothing answers, Unsupported for a kind that nobody offers.
    """
    chosen = settings.kind if settings is not None else None
    return make_registry(chosen or await detect(client), client, settings=settings)


async def detect(client: RegistryClient) -> str:
    """The kind of the registry behind a client; `distribution` when nothing special shows. Sends no credentials."""
    known = kind_of_host(client.host)
    if known is not None:
        return known
    if client.greeting is not None:
        return kind_of_answer(*client.greeting)
    stranger = RegistryClient(client.options, _NoCredentials(), log=client.log, auth=NoAuth())
    try:
        answer = await stranger.request("GET", "/v2/", expect=_TELLING)
    finally:
        await stranger.close()
    return kind_of_answer(answer.status, answer.headers)


def knows_kind(host: str, settings: RegistrySettings | None = None) -> bool:
    """Whether the kind is known without asking: by the settings or by the host's name."""
    return bool(settings is not None and settings.kind) or kind_of_host(host) is not None


def make_registry(kind: str, client: RegistryClient, *, settings: RegistrySettings | None = None) -> Registry:
    """A registry of this kind. Raises Unsupported for an unknown kind, and when the code behind it is broken."""
    place = BUILT_IN.get(kind)
    if place is None and kind not in RECOGNISED:
        return _from_plug_in(kind, client, settings)
    module, _, name = (place or BUILT_IN[DISTRIBUTION]).partition(":")
    made = getattr(import_module(module), name)(client, settings=settings)
    assert isinstance(made, Registry)
    made.kind = kind
    return made


def _from_plug_in(kind: str, client: RegistryClient, settings: RegistrySettings | None) -> Registry:
    found = next(iter(entry_points(group=GROUP, name=kind)), None)
    if found is None:
        raise Unsupported(
            f"There is no kind of registry called {kind[:60]!a}.",
            hint=f"The kinds are {', '.join(sorted(RECOGNISED))}; leave the kind out to have it found out.",
        )
    try:
        factory: Callable[..., Any] = found.load()
        made = factory(client, settings=settings)
    except _BROKEN as error:
        raise Unsupported(
            f"The plug-in for {kind[:60]!a} registries ({found.value[:120]}) is broken: {type(error).__name__}.",
            hint="Update or remove it, or set the kind to distribution.",
        ) from error
    if not isinstance(made, Registry):
        raise Unsupported(
            f"The plug-in for {kind[:60]!a} registries ({found.value[:120]}) does not give a registry.",
            hint="Update or remove it, or set the kind to distribution.",
        )
    return made
