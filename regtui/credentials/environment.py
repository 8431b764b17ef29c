"""Credentials given for this run: by flags, by typing them in, and by the environment's variables.

REGTUI_USERNAME with REGTUI_PASSWORD, or REGTUI_TOKEN (a ready Bearer token); for the host in REGTUI_REGISTRY,
or else only for the host that the command line names: a secret without a host is never sent around.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from regtui.credentials.errors import CredentialError
from regtui.credentials.values import ANONYMOUS, Credential, clean_secret
from regtui.oci.reference import normalise_host

if TYPE_CHECKING:
    from collections.abc import Mapping


SOURCE: Final = "environment"


class GivenSource:
    """What was given by hand, per host; it lasts as long as the session."""

    def __init__(self, given: Mapping[str, Credential] | None = None) -> None:
        self._given = {normalise_host(host): credential for host, credential in (given or {}).items()}

    def give(self, host: str, credential: Credential) -> None:
        """Use this credential at this host from now on."""
        self._given[normalise_host(host)] = credential

    def take_back(self, host: str) -> bool:
        """Use it no more; whether there was one."""
        return self._given.pop(normalise_host(host), None) is not None

    async def find(self, host: str, repository: str | None = None) -> Credential:
        """What was given for this host."""
        return self._given.get(normalise_host(host), ANONYMOUS)

    def forget(self, host: str) -> None:
        """What was given by hand can't be looked up anew."""

    def hosts(self) -> dict[str, str]:
        """Host → source in words."""
        return {host: credential.source for host, credential in self._given.items()}


class EnvironmentSource:
    """The environment's variables, read when asked."""

    def __init__(
        self,
        *,
        only_host: str | None = None,
        usernames: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._only_host = only_host
        self._usernames = usernames or {}
        self._environ = environ

    @property
    def host(self) -> str | None:
        """The one host that the variables are for, None when no host is known."""
        named = self._variables.get("REGTUI_REGISTRY", "").strip() or self._only_host
        return normalise_host(named) if named else None

    async def find(self, host: str, repository: str | None = None) -> Credential:
        """What the variables say, when they are for this host. Raises CredentialError when one of a pair is missing."""
        name = normalise_host(host)
        if self.host != name:
            return ANONYMOUS
        token = clean_secret(self._variables.get("REGTUI_TOKEN", "").strip())
        if token is not None:
            return Credential(registry_token=token, source=SOURCE)
        username = self._variables.get("REGTUI_USERNAME") or self._usernames.get(name, "")
        password = clean_secret(self._variables.get("REGTUI_PASSWORD"))
        if password is None and not self._variables.get("REGTUI_USERNAME"):
            return ANONYMOUS
        if password is None or not username:
            missing = "REGTUI_USERNAME" if password is not None else "REGTUI_PASSWORD"
            raise CredentialError(
                f"The environment's credential for {name} is not used: {missing} is missing or has a line break.",
                hint="Set REGTUI_USERNAME and REGTUI_PASSWORD, or REGTUI_TOKEN.",
            )
        return Credential(username, password, source=SOURCE)

    def forget(self, host: str) -> None:
        """The environment is read at every call."""

    def hosts(self) -> dict[str, str]:
        """Host → source in words."""
        given = any(self._variables.get(name) for name in ("REGTUI_PASSWORD", "REGTUI_TOKEN"))
        return {self.host: "environment"} if given and self.host else {}

    @property
    def problem(self) -> str | None:
        """Why variables that are set are used nowhere, None when they are used or not set."""
        given = any(self._variables.get(name) for name in ("REGTUI_PASSWORD", "REGTUI_TOKEN"))
        if not given or self.host is not None:
            return None
        return "The credential in the environment is not used: set REGTUI_REGISTRY to the host that it is for."

    @property
    def _variables(self) -> Mapping[str, str]:
        return os.environ if self._environ is None else self._environ
