"""Which product answers: by the host's name, else by one anonymous `GET /v2/`. Pure functions and two tables.

A kind that is recognised wrongly costs comfort, never safety: every kind speaks plain distribution, and what is
special about it shows an error of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from regtui.transport.challenge import read_challenges

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from regtui.transport.challenge import Challenge

DISTRIBUTION: Final = "distribution"
_LONGEST_HEADER: Final = 8_192
_ZOT: Final = re.compile(r'(?:^|,\s*)basic realm=[^"\s]')
"""zot's own way to write Basic: in lower case, without quotation marks."""

HOSTS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.ASCII | re.IGNORECASE), kind)
    for pattern, kind in (
        (r"docker\.io|index\.docker\.io|registry-1\.docker\.io", "dockerhub"),
        (r"ghcr\.io|containers\.[\w.-]+\.ghe\.com", "ghcr"),
        (r"public\.ecr\.aws|ecr-public\.aws\.com", "ecr-public"),
        (r"\d{12}\.dkr\.ecr(-fips)?\.[\w-]+\.(amazonaws\.(com(\.cn)?|eu)|sc2s\.sgov\.gov|c2s\.ic\.gov)", "ecr"),
        (r"\d{12}\.dkr\.ecr(-fips)?\.[\w-]+\.(cloud\.adc-e\.uk|csp\.hci\.ic\.gov)", "ecr"),
        (r"\d{12}\.dkr-ecr(-fips)?\.[\w-]+\.on\.(aws|amazonwebservices\.com\.cn)", "ecr"),
        (r"([\w-]+\.)?gcr\.io|[\w-]+-docker\.pkg\.dev|docker\.[\w-]+\.rep\.pkg\.dev", "google"),
        (r"[\w-]+(\.[\w-]+\.geo)?\.azurecr\.(io|cn|us)", "acr"),
        (r"mcr\.microsoft\.com|mcr\.azure\.cn", "mcr"),
        (r"quay\.io", "quay"),
        (r"registry\.gitlab\.com", "gitlab"),
        (r"codeberg\.org", "gitea"),
        (r"[\w-]+\.jfrog\.io", "artifactory"),
    )
)
"""Hosts whose name alone tells, without the port."""


@dataclass(frozen=True, slots=True)
class Look:
    """What an anonymous `GET /v2/` showed. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    challenges: tuple[Challenge, ...]

    @property
    def realm_paths(self) -> tuple[str, ...]:
        """The paths of the Bearer realms' addresses."""
        realms = [c.parameters.get("realm", "") for c in self.challenges if c.scheme == "bearer"]
        return tuple(_path(realm) for realm in realms)

    def bearer(self, ending: str) -> bool:
        """Whether a Bearer realm's path ends like this."""
        return any(path.rstrip("/").endswith(ending) for path in self.realm_paths)

    def says(self, parameter: str, value: str) -> bool:
        """Whether a challenge has this parameter with this value."""
        return any(c.parameters.get(parameter) == value for c in self.challenges)


def _is_artifactory(look: Look) -> bool:
    if "x-jfrog-version" in look.headers or "x-artifactory-id" in look.headers:
        return True
    return any("/artifactory/" in path or "/api/docker/" in path for path in look.realm_paths)


def _is_nexus(look: Look) -> bool:
    if look.headers.get("server", "").lower().startswith("nexus/"):
        return True
    return look.says("realm", "Sonatype Nexus Repository Manager")


def _is_gitlab(look: Look) -> bool:
    return "gitlab-container-registry-version" in look.headers or look.bearer("/jwt/auth")


def _is_harbor(look: Look) -> bool:
    return look.says("service", "harbor-registry") or look.bearer("/service/token")


def _is_gitea(look: Look) -> bool:
    return len(look.challenges) == 2 and look.bearer("/v2/token")


def _is_zot(look: Look) -> bool:
    bare = _ZOT.search(look.headers.get("www-authenticate", "")[:_LONGEST_HEADER]) is not None
    return bare or (look.status == 200 and bool(look.challenges))


SIGNS: Final[tuple[tuple[str, Callable[[Look], bool]], ...]] = (
    ("artifactory", _is_artifactory),
    ("nexus", _is_nexus),
    ("gitlab", _is_gitlab),
    ("harbor", _is_harbor),
    ("quay", lambda look: look.bearer("/v2/auth")),
    ("gitea", _is_gitea),
    ("zot", _is_zot),
)
"""What tells products apart, looked at in this order; what fits none is plain distribution."""


def kind_of_host(host: str) -> str | None:
    """The kind that a host's name tells, or None."""
    name = host if host.startswith("[") else host.partition(":")[0]
    return next((kind for pattern, kind in HOSTS if pattern.fullmatch(name)), None)


def kind_of_answer(status: int, headers: Mapping[str, str]) -> str:
    """The kind that an anonymous `GET /v2/` tells; `distribution` when nothing special shows."""
    lowered = {name.lower(): value for name, value in headers.items()}
    look = Look(status, lowered, read_challenges([lowered.get("www-authenticate", "")]))
    return next((kind for kind, fits in SIGNS if fits(look)), DISTRIBUTION)


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""
