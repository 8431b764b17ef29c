"""Credentials that `regtui login` keeps: the secret in the system's keyring, and beside it who it is for.

A keyring can't be listed, so each host has a small file (host, user name, kind; nothing secret) in the state folder.
Without that file the keyring is not even loaded: its backends take 80 ms and may ask for a password.
"""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import quote

from regtui.credentials.errors import CredentialError, KeyringUnavailable
from regtui.credentials.values import ANONYMOUS, Credential, clean_secret
from regtui.oci.reference import is_host, normalise_host
from regtui.storage.errors import StorageError
from regtui.storage.files import read_bounded, reason_of, write_private
from regtui.storage.paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SERVICE: Final = "regtui"
SOURCE: Final = "keyring"
CHOICES: Final = (
    "Install one (Secret Service or KWallet on Linux), let docker login keep it with a credential helper, "
    "set REGTUI_USERNAME and REGTUI_PASSWORD, or give it with --password-stdin each time."
)

# A keyring may ask the user to unlock it, in a window of its own.
_PATIENCE: Final = 120.0
_LARGEST_RECORD: Final = 65_536
_KINDS: Final = ("password", "identity_token", "registry_token")
# Backends that keep nothing, and those that keep secrets in plain files or ask on the terminal.
_NOT_REAL: Final = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Record:
    """What is known of a host beside its secret."""

    host: str
    username: str
    kind: str

    @property
    def account(self) -> str:
        """The name of the secret in the keyring: two hosts may have the same user."""
        return f"{self.username}@{self.host}"


class KeyringStore:
    """Keeps one credential per host. `folder` is for the records, this user's own when None."""

    def __init__(self, folder: Path | None = None, *, patience: float = _PATIENCE) -> None:
        self._given_folder = folder
        self._patience = patience

    def holds(self, host: str) -> bool:
        """Whether a credential was stored for this host, by the records alone."""
        return self._record(host) is not None

    def hosts(self) -> dict[str, str]:
        """Host → source in words, by the records alone."""
        try:
            names = sorted(self._folder().glob("*.json"))
        except (OSError, StorageError):
            return {}
        records = [_read_record(name) for name in names]
        return {record.host: SOURCE for record in records if record is not None}

    async def find(self, host: str, repository: str | None = None) -> Credential:
        """The credential kept for this host, ANONYMOUS when none is. Raises KeyringUnavailable."""
        record = self._record(host)
        if record is None:
            return ANONYMOUS
        found = clean_secret(await self._ask(lambda: _get(record.account)))
        if found is None:
            return ANONYMOUS
        secret: dict[str, Any] = {record.kind: found}
        return Credential(record.username, **secret, source=SOURCE)

    def forget(self, host: str) -> None:
        """The keyring is asked at every call."""

    async def store(self, host: str, credential: Credential) -> None:
        """Keep this credential, in the place of an earlier one. Raises KeyringUnavailable, StorageError."""
        name = normalise_host(host)
        kind = next((kind for kind in _KINDS if getattr(credential, kind)), None)
        if kind is None or not is_host(name):
            raise CredentialError("There is nothing to keep.", hint="Give a host, a user name and a password or token.")
        record = _Record(name, credential.username, kind)
        earlier = self._record(name)
        secret = getattr(credential, kind)
        await self._ask(lambda: _set(record.account, secret))
        try:
            content = {"host": name, "username": record.username, "kind": kind}
            write_private(self._file(name), json.dumps(content).encode())
        except OSError as error:
            # A secret without a record could never be found or removed again.
            await self._ask(lambda: _delete(record.account))
            raise StorageError(f"The credential can't be kept: {reason_of(error)}.") from error
        if earlier is not None and earlier.account != record.account:
            await self._ask(lambda: _delete(earlier.account))

    async def delete(self, host: str) -> bool:
        """Remove the credential of this host; whether there was one. Raises KeyringUnavailable, StorageError."""
        record = self._record(host)
        if record is None:
            return False
        await self._ask(lambda: _delete(record.account))
        try:
            self._file(record.host).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"The record of {record.host} can't be removed: {reason_of(error)}.") from error
        return True

    async def unavailable(self) -> str | None:
        """Why nothing can be kept, in one sentence (CHOICES says what to do then); None when it can."""
        try:
            await self._ask(_backends)
        except KeyringUnavailable as error:
            return error.sentence
        return None

    async def _ask(self, call: Callable[[], Answer]) -> Answer:
        """Call a keyring off the event loop. Raises KeyringUnavailable for whatever it raises."""
        outcome = _in_thread(call)
        done, _ = await asyncio.wait([outcome], timeout=self._patience)
        if not done:
            raise KeyringUnavailable(
                f"The system's keyring did not answer within {self._patience:g} seconds.",
                hint=f"Unlock it, or: {CHOICES}",
            )
        answer, failure = outcome.result()
        if failure is None:
            return cast("Answer", answer)
        if isinstance(failure, KeyringUnavailable):
            raise failure
        # Backends are foreign code without errors in common; their texts stay out, as they may quote the secret.
        raise KeyringUnavailable(
            f"The system's keyring failed ({type(failure).__name__}).", hint=f"Unlock it, or: {CHOICES}"
        )

    def _folder(self) -> Path:
        return self._given_folder or state_folder() / "keyring"

    def _file(self, host: str) -> Path:
        return self._folder() / f"{quote(host, safe='')}.json"

    def _record(self, host: str) -> _Record | None:
        name = normalise_host(host)
        if not is_host(name):
            return None
        try:
            record = _read_record(self._file(name))
        except StorageError:
            return None
        return record if record is not None and record.host == name else None


def _read_record(path: Path) -> _Record | None:
    try:
        raw = read_bounded(path, _LARGEST_RECORD)
        content = json.loads(raw) if raw else None
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    host, username, kind = (content.get(name) for name in ("host", "username", "kind"))
    if isinstance(host, str) and is_host(host) and isinstance(username, str) and kind in _KINDS:
        return _Record(host, username, str(kind))
    return None


def _in_thread(call: Callable[[], Answer]) -> asyncio.Future[tuple[Answer | None, BaseException | None]]:
    """Run it in a thread that does not hold up the end of the program: a locked keyring may never answer."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[tuple[Answer | None, BaseException | None]] = loop.create_future()

    def settle(answer: Answer | None, failure: BaseException | None) -> None:
        if not outcome.done():
            outcome.set_result((answer, failure))

    def work() -> None:
        answer: Answer | None = None
        failure: BaseException | None = None
        try:
            answer = call()
        except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, answer, failure)

    threading.Thread(target=work, name="regtui-keyring", daemon=True).start()
    return outcome


def _backends() -> list[Any]:
    """The backends that really keep secrets, best first. Raises KeyringUnavailable when there is none."""
    import keyring

    chosen: Any = keyring.get_keyring()
    candidates = list(chosen.backends) if type(chosen).__module__ == "keyring.backends.chainer" else [chosen]
    real = [backend for backend in candidates if not type(backend).__module__.startswith(_NOT_REAL)]
    if real:
        return real
    what = "has no keyring" if not candidates or _is_none(candidates[0]) else "has no keyring that encrypts by itself"
    raise KeyringUnavailable(f"This system {what}, so no password is kept.", hint=CHOICES)


def _is_none(backend: object) -> bool:
    return type(backend).__module__.startswith(_NOT_REAL[:2])


def _get(account: str) -> str | None:
    for backend in _backends():
        found = backend.get_password(SERVICE, account)
        if found is not None:
            return str(found)
    return None


def _set(account: str, secret: Any) -> None:
    _backends()[0].set_password(SERVICE, account, secret.reveal())


def _delete(account: str) -> None:
    for backend in _backends():
        if backend.get_password(SERVICE, account) is not None:
            backend.delete_password(SERVICE, account)
