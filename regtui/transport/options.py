"""How one registry's host is to be reached: scheme, certificate checks, limits."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from regtui.oci.reference import DOCKER_HUB

_API_HOSTS: Final = {DOCKER_HUB: "registry-1.docker.io"}


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What the user says about a host. Nothing here weakens any other host.

    `plain_http` talks plain HTTP from the first byte on. A loopback name is tried with TLS first; only when nothing
    there speaks TLS does the client turn to plain HTTP, before anything was sent and for loopback names alone.
    Times are in seconds; there is no limit on a whole request, only on connecting and on silence.
    """

    host: str
    """As references write it: "docker.io", "localhost:5000", "[::1]:5000"."""
    api_host: str | None = None
    """Where its API answers when that differs; None means the host itself (Docker Hub's is known)."""
    plain_http: bool = False
    insecure: bool = False
    """Do not check this host's certificate."""
    ca_file: str | None = None
    """A PEM file of certificate authorities that are trusted besides the system's."""
    max_connections: int = 16
    connect_timeout: float = 10.0
    read_timeout: float = 30.0

    @property
    def netloc(self) -> str:
        """Where the API answers: `name` or `name:port`, in lower case."""
        return (self.api_host or _API_HOSTS.get(self.host, self.host)).lower()

    @property
    def is_loopback(self) -> bool:
        """Whether the API is on this machine."""
        return is_loopback(host_name(self.netloc))


def host_name(netloc: str) -> str:
    """The name without port and brackets."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0]
    return netloc.partition(":")[0]


def is_loopback(name: str) -> bool:
    """Whether this name can only be this machine: `localhost` and what is below it, 127.0.0.0/8, ::1."""
    name = name.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
