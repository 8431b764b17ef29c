"""The keyring: secrets in it, everything else beside it, and a clear word when there is none."""

from __future__ import annotations

import asyncio
import stat
import sys
import threading
from typing import TYPE_CHECKING, Any

import keyring
import pytest

from regtui.credentials.errors import CredentialError, KeyringUnavailable
from regtui.credentials.keyring_store import KeyringStore
from regtui.credentials.values import ANONYMOUS, Credential, Secret
from regtui.storage.errors import StorageError
from regtui.storage.paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from keyring.backend import KeyringBackend

BOB = Credential("bob", Secret("hunter2"), source="login")


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def chosen() -> Iterator[None]:
    """Puts the chosen keyring back."""
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


async def test_store_find_delete(memory_keyring: Any) -> None:
    store = KeyringStore()
    assert not store.holds("ghcr.io")
    assert await store.find("ghcr.io") is ANONYMOUS
    await store.store("GHCR.io", BOB)
    assert memory_keyring.kept == {("regtui", "bob@ghcr.io"): "hunter2"}
    assert await KeyringStore().find("ghcr.io") == Credential("bob", Secret("hunter2"), source="keyring")
    assert store.hosts() == {"ghcr.io": "keyring"}
    assert await store.delete("ghcr.io")
    assert not await store.delete("ghcr.io")
    assert memory_keyring.kept == {}
    assert store.hosts() == {}


async def test_no_secret_beside_the_keyring_and_for_this_user_alone(memory_keyring: Any, home: Path) -> None:
    await KeyringStore().store("localhost:5000", BOB)
    files = files_below(home)
    assert len(files) == 1
    assert files[0].parent == state_folder() / "keyring"
    assert b"hunter2" not in files[0].read_bytes()
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700


async def test_tokens_come_back_as_what_they_were(memory_keyring: Any) -> None:
    store = KeyringStore()
    await store.store("a.example", Credential("u", identity_token=Secret("t1")))
    await store.store("b.example", Credential(registry_token=Secret("t2")))
    assert (await store.find("a.example")).identity_token == Secret("t1")
    assert (await store.find("b.example")).registry_token == Secret("t2")
    assert (await store.find("b.example")).password is None


async def test_another_user_takes_the_place_of_the_first(memory_keyring: Any) -> None:
    store = KeyringStore()
    await store.store("ghcr.io", BOB)
    await store.store("ghcr.io", Credential("eve", Secret("pw")))
    assert memory_keyring.kept == {("regtui", "eve@ghcr.io"): "pw"}
    await store.store("ghcr.io", Credential("eve", Secret("pw2")))
    assert (await store.find("ghcr.io")).password == Secret("pw2")


async def test_a_secret_that_somebody_removed(memory_keyring: Any) -> None:
    store = KeyringStore()
    await store.store("ghcr.io", BOB)
    memory_keyring.kept.clear()
    assert await store.find("ghcr.io") is ANONYMOUS
    assert await store.delete("ghcr.io")


@pytest.mark.parametrize("credential", [ANONYMOUS, Credential("bob")])
async def test_nothing_is_not_kept(memory_keyring: Any, credential: Credential) -> None:
    with pytest.raises(CredentialError, match="nothing to keep"):
        await KeyringStore().store("ghcr.io", credential)


async def test_no_host_no_file(memory_keyring: Any, home: Path) -> None:
    with pytest.raises(CredentialError):
        await KeyringStore().store("../../evil", BOB)
    assert not KeyringStore().holds("../../evil")
    assert await KeyringStore().find("/abs/path") is ANONYMOUS
    assert files_below(home) == []


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'{"host":"x"}', b'{"host":"ghcr.io","username":"a","kind":"__class__"}', b"\xff"]
)
async def test_a_garbled_record_is_no_record(memory_keyring: Any, raw: bytes) -> None:
    folder = state_folder() / "keyring"
    folder.mkdir(parents=True)
    (folder / "ghcr.io.json").write_bytes(raw)
    assert await KeyringStore().find("ghcr.io") is ANONYMOUS
    assert KeyringStore().hosts() == {}
    await KeyringStore().store("ghcr.io", BOB)
    assert (await KeyringStore().find("ghcr.io")).username == "bob"


async def test_a_record_of_another_host_does_not_count(memory_keyring: Any) -> None:
    store = KeyringStore()
    await store.store("ghcr.io", BOB)
    folder = state_folder() / "keyring"
    (folder / "ghcr.io.json").rename(folder / "evil.example.json")
    assert await store.find("evil.example") is ANONYMOUS


async def test_without_a_record_no_secret_stays(memory_keyring: Any, home: Path) -> None:
    state_folder().mkdir(parents=True)
    (state_folder() / "keyring").write_text("in the way")
    with pytest.raises(StorageError, match="can't be kept"):
        await KeyringStore().store("ghcr.io", BOB)
    assert memory_keyring.kept == {}


def fail() -> KeyringBackend:
    from keyring.backends import fail

    return fail.Keyring()


def null() -> KeyringBackend:
    from keyring.backends import null

    return null.Keyring()


def plain_text() -> KeyringBackend:
    from keyring.backends import null

    class PlaintextKeyring(null.Keyring):
        pass

    PlaintextKeyring.__module__ = "keyrings.alt.file"
    return PlaintextKeyring()


@pytest.mark.parametrize(("make", "word"), [(fail, "no keyring,"), (null, "no keyring,"), (plain_text, "encrypts")])
@pytest.mark.usefixtures("chosen")
async def test_a_keyring_that_keeps_nothing_safe_is_refused(make: Any, word: str, home: Path) -> None:
    keyring.set_keyring(make())
    with pytest.raises(KeyringUnavailable) as caught:
        await KeyringStore().store("ghcr.io", BOB)
    assert word in caught.value.sentence
    for choice in ("Install", "docker login", "REGTUI_PASSWORD", "--password-stdin"):
        assert choice in (caught.value.hint or "")
    assert await KeyringStore().unavailable() == caught.value.sentence
    assert files_below(home) == []


@pytest.mark.usefixtures("chosen")
async def test_a_chain_of_backends_counts_by_its_members(memory_keyring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.backends.chainer import ChainerBackend

    keyring.set_keyring(ChainerBackend())
    monkeypatch.setattr(ChainerBackend, "backends", [plain_text(), memory_keyring])
    await KeyringStore().store("ghcr.io", BOB)
    assert memory_keyring.kept
    assert await KeyringStore().unavailable() is None
    monkeypatch.setattr(ChainerBackend, "backends", [])
    assert "has no keyring" in (await KeyringStore().unavailable() or "")


@pytest.mark.parametrize(
    "error", [RuntimeError("hunter2"), keyring.errors.KeyringLocked("hunter2"), StopIteration(), KeyError("hunter2")]
)
async def test_a_backend_that_breaks(memory_keyring: Any, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    await KeyringStore().store("ghcr.io", BOB)

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(memory_keyring, "get_password", broken)
    with pytest.raises(KeyringUnavailable, match=type(error).__name__) as caught:
        await KeyringStore().find("ghcr.io")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_a_locked_keyring_does_not_hang(memory_keyring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await KeyringStore().store("ghcr.io", BOB)
    unlocked = threading.Event()

    def locked(*_: object) -> str:
        unlocked.wait(30)
        return "late"

    monkeypatch.setattr(memory_keyring, "get_password", locked)
    with pytest.raises(KeyringUnavailable, match="did not answer"):
        await KeyringStore(patience=0.05).find("ghcr.io")
    unlocked.set()
    await asyncio.sleep(0)


async def test_the_keyring_is_asked_off_the_loop(memory_keyring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await KeyringStore().store("ghcr.io", BOB)
    threads = []

    def seen(*_: object) -> str:
        threads.append(threading.current_thread())
        return "pw"

    monkeypatch.setattr(memory_keyring, "get_password", seen)
    await KeyringStore().find("ghcr.io")
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.usefixtures("no_keyring_import")
async def test_without_a_record_keyring_is_not_even_loaded() -> None:
    assert sys.modules["keyring"] is None
    assert await KeyringStore().find("ghcr.io") is ANONYMOUS
    assert not await KeyringStore().delete("ghcr.io")
    assert KeyringStore().hosts() == {}
