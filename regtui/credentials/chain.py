"""Asks the sources in order which credential a host gets: given by hand, environment, keyring, docker, containers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from regtui.credentials.auth_files import AuthFileSource, can_wait_for
from regtui.credentials.environment import EnvironmentSource, GivenSource
from regtui.credentials.keyring_store import KeyringStore
from regtui.credentials.values import ANONYMOUS, Credential
from regtui.oci.errors import RegtuiError
from regtui.oci.reference import normalise_host

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    # Asks the user: host, and the user name that is known for it; None when the user does not want to tell.
    Prompt = Callable[[str, str | None], Awaitable[Credential | None]]


GIVEN: Final = "command line"
"""The source of what flags gave."""


class Source(Protocol):
    """One place where credentials come from."""

    async def find(self, host: str, repository: str | None = None) -> Credential:
        """The credential for this host, ANONYMOUS when there is none. Raises RegtuiError when the source breaks."""
        ...

    def forget(self, host: str) -> None:
        """Look this host up anew next time."""
        ...

    def hosts(self) -> dict[str, str]:
        """The hosts known there, each with the source in words. Raises RegtuiError when the source breaks."""
        ...


class CredentialChain:
    """A CredentialSource over several others: the first that has something answers, once per host and session.

    A source that breaks is noted in `problems`, and the next one is asked. Nobody is ever prompted by a look-up:
    `ask` does that, after a registry refused.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        given: GivenSource | None = None,
        keyring: KeyringStore | None = None,
        usernames: Mapping[str, str] | None = None,
        prompt: Prompt | None = None,
    ) -> None:
        self.keyring = keyring or KeyringStore()
        self.prompt = prompt
        """Set by whoever can talk to the user."""
        self._given = given or GivenSource()
        self._sources: tuple[Source, ...] = (self._given, *sources)
        self._usernames = usernames or {}
        self._lookups: dict[tuple[str, str], asyncio.Task[Credential]] = {}
        self._questions: dict[str, asyncio.Task[Credential]] = {}
        self._problems: dict[str, None] = {}

    @classmethod
    def default(
        cls,
        *,
        flags: Credential | None = None,
        flags_host: str | None = None,
        usernames: Mapping[str, str] | None = None,
        only_host: str | None = None,
        environ: Mapping[str, str] | None = None,
        prompt: Prompt | None = None,
    ) -> CredentialChain:
        """The chain of this user.

        `flags` is what the command line gave for `flags_host`; `only_host` is the host that it names, for which
        alone the environment's credential counts unless REGTUI_REGISTRY says otherwise. `usernames` (host → account)
        come from the settings.
        """
        given = GivenSource()
        if flags is not None and flags_host:
            given.give(flags_host, replace(flags, source=flags.source or GIVEN))
        keyring = KeyringStore()
        environment = EnvironmentSource(only_host=only_host or flags_host, usernames=usernames, environ=environ)
        sources = (environment, keyring, AuthFileSource.docker(environ), AuthFileSource.containers(environ))
        chain = cls(sources, given=given, keyring=keyring, usernames=usernames, prompt=prompt)
        if flags is not None and not flags_host:
            chain.note("The credential on the command line is not used: it is not known which host it is for.")
        if environment.problem:
            chain.note(environment.problem)
        return chain

    @property
    def problems(self) -> tuple[str, ...]:
        """What was wrong with sources so far, each once, in sentences for the user."""
        return tuple(self._problems)

    def note(self, problem: str) -> None:
        """Add a sentence to the problems."""
        self._problems.setdefault(problem)

    async def find(self, host: str, repository: str | None = None) -> Credential:
        """The credential for this host (and repository, where a file tells them apart), ANONYMOUS for none."""
        name = normalise_host(host)
        key = (name, self._scope(name, repository))
        running = self._lookups.get(key)
        if running is None or not can_wait_for(running):
            running = asyncio.ensure_future(self._look_up(name, repository))
            self._lookups[key] = running
            running.add_done_callback(lambda task: self._drop_if_failed(key, task))
        # Whoever leaves must not cancel it for the others that wait for the same host.
        return await asyncio.shield(running)

    def forget(self, host: str) -> None:
        """Look this host up anew next time."""
        name = normalise_host(host)
        for key in [key for key in self._lookups if key[0] == name]:
            del self._lookups[key]
        for source in self._sources:
            source.forget(name)

    def use(self, host: str, credential: Credential) -> None:
        """Use this credential in this session, before all other sources; nothing is kept."""
        self._given.give(host, credential)
        self.forget(host)

    async def ask(self, host: str) -> Credential:
        """Have the user asked, and use the answer in this session; ANONYMOUS when nobody can or wants to answer."""
        name = normalise_host(host)
        if self.prompt is None:
            return ANONYMOUS
        running = self._questions.get(name)
        if running is None:
            running = asyncio.ensure_future(self._question(self.prompt, name))
            self._questions[name] = running
            running.add_done_callback(lambda _: self._questions.pop(name, None))
        return await asyncio.shield(running)

    async def store(self, host: str, credential: Credential) -> None:
        """Keep this credential in the keyring. Raises KeyringUnavailable, StorageError."""
        await self.keyring.store(host, credential)
        self._given.take_back(host)
        self.forget(host)

    async def delete(self, host: str) -> bool:
        """Forget what was kept or typed in for this host; whether there was any. Raises as `store` does."""
        had_given = self._given.take_back(host)
        had_kept = await self.keyring.delete(host)
        self.forget(host)
        return had_kept or had_given

    def known_hosts(self) -> dict[str, str]:
        """Every host for which a source knows something, with the source in words; no program is started."""
        found: dict[str, str] = {}
        for source in self._sources:
            try:
                hosts = source.hosts()
            except RegtuiError as error:
                self.note(str(error))
                continue
            for host, words in hosts.items():
                found.setdefault(host, words)
        return found

    async def _look_up(self, host: str, repository: str | None) -> Credential:
        for source in self._sources:
            try:
                found = await source.find(host, repository)
            except RegtuiError as error:
                self.note(str(error))
                continue
            if not found.is_anonymous:
                return found
        return ANONYMOUS

    async def _question(self, prompt: Prompt, host: str) -> Credential:
        answer = await prompt(host, self._usernames.get(host))
        if answer is None or answer.is_anonymous:
            return ANONYMOUS
        answer = replace(answer, source=answer.source or "typed in")
        self.use(host, answer)
        return answer

    def _scope(self, host: str, repository: str | None) -> str:
        scopes = [source.scope(host, repository) for source in self._sources if isinstance(source, AuthFileSource)]
        return "\n".join(scopes)

    def _drop_if_failed(self, key: tuple[str, str], task: asyncio.Task[Credential]) -> None:
        if (task.cancelled() or task.exception() is not None) and self._lookups.get(key) is task:
            del self._lookups[key]
