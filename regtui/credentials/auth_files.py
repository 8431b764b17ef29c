"""Docker's and containers' files as a source: the helper that a file names is asked first, then the file itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from regtui.credentials.docker_config import containers_auth_paths, docker_config_path, read_auth_file
from regtui.credentials.errors import CredentialError, HelperFailed
from regtui.credentials.helpers import TIMEOUT, CredentialHelper
from regtui.credentials.values import ANONYMOUS, Credential
from regtui.oci.reference import normalise_host
from regtui.storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from regtui.credentials.docker_config import AuthFile

DOCKER: Final = "docker config"
CONTAINERS: Final = "containers auth file"


class AuthFileSource:
    """The first file of these that exists, read once; each helper is asked once per host until it is forgotten."""

    def __init__(
        self,
        paths: Sequence[Path],
        source: str,
        *,
        timeout: float = TIMEOUT,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._paths = paths
        self._source = source
        self._timeout = timeout
        self._environ = environ
        self._file: AuthFile | None = None
        self._is_read = False
        self._answers: dict[str, asyncio.Task[Credential]] = {}

    @classmethod
    def docker(cls, environ: Mapping[str, str] | None = None) -> AuthFileSource:
        """Docker's config.json."""
        return cls(_paths(environ, docker=True), DOCKER, environ=environ)

    @classmethod
    def containers(cls, environ: Mapping[str, str] | None = None) -> AuthFileSource:
        """The auth.json of Podman, Skopeo and Buildah."""
        return cls(_paths(environ, docker=False), CONTAINERS, environ=environ)

    def scope(self, host: str, repository: str | None) -> str:
        """The namespace that the entry for this repository is for: what else it covers has the same credential."""
        try:
            file = self._read()
        except CredentialError:
            return ""
        entry = file.entry(normalise_host(host), repository) if file is not None else None
        return entry.namespace if entry is not None else ""

    async def find(self, host: str, repository: str | None = None) -> Credential:
        """What the helper says, else what the file says; ANONYMOUS for neither. Raises CredentialError."""
        file = self._read()
        if file is None:
            return ANONYMOUS
        name = normalise_host(host)
        entry = file.entry(name, repository)
        if entry is not None and entry.namespace and not entry.is_marker:
            return file.find(name, repository)
        broken: HelperFailed | None = None
        try:
            found = await self._ask_helper(file, name)
        except HelperFailed as error:
            broken, found = error, ANONYMOUS
        if found.is_anonymous:
            found = file.find(name, repository)
        if broken is not None and found.is_anonymous:
            raise broken
        return found

    def forget(self, host: str) -> None:
        """Read the file anew, and ask the helper again."""
        self._is_read = False
        self._answers.pop(normalise_host(host), None)

    def hosts(self) -> dict[str, str]:
        """Host → source in words. Raises AuthFileBroken."""
        file = self._read()
        return {} if file is None else dict.fromkeys(file.hosts(), self._source)

    def _read(self) -> AuthFile | None:
        if not self._is_read:
            self._file = None
            for path in self._paths:
                self._file = read_auth_file(path, self._source)
                if self._file is not None:
                    break
            self._is_read = True
        return self._file

    async def _ask_helper(self, file: AuthFile, host: str) -> Credential:
        named = file.helper(host)
        if named is None:
            return ANONYMOUS
        running = self._answers.get(host)
        if running is None or not can_wait_for(running):
            program, server = named
            helper = CredentialHelper(program, timeout=self._timeout, environ=self._environ)
            running = asyncio.ensure_future(helper.get(server))
            self._answers[host] = running
        return await asyncio.shield(running)


def can_wait_for(task: asyncio.Task[Credential]) -> bool:
    """Whether the task has an answer, or will have one in this loop: it may come from a loop that has ended."""
    if task.done():
        return not task.cancelled()
    return task.get_loop() is asyncio.get_running_loop()


def _paths(environ: Mapping[str, str] | None, *, docker: bool) -> tuple[Path, ...]:
    try:
        return (docker_config_path(environ),) if docker else containers_auth_paths(environ)
    except StorageError:
        return ()
