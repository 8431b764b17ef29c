"""A secret is never to be seen: not in a repr, an error, a traceback, a log, a file, or another program."""

from __future__ import annotations

import base64
import copy
import dataclasses
import gc
import json
import logging
import pickle
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from regtui.credentials.auth_files import AuthFileSource
from regtui.credentials.chain import CredentialChain
from regtui.credentials.docker_config import parse_auth_file
from regtui.credentials.environment import EnvironmentSource, GivenSource
from regtui.credentials.helpers import CredentialHelper
from regtui.credentials.keyring_store import KeyringStore
from regtui.credentials.values import Credential, Secret, clean_secret, from_user_and_secret
from regtui.oci.errors import RegtuiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SECRET = "hunter2-Xq9"
PACKED = base64.b64encode(f"bob:{SECRET}".encode()).decode()
FULL = Credential("bob", Secret(SECRET), Secret(SECRET), Secret(SECRET), "test")


def assert_mute(text: str) -> None:
    assert SECRET not in text
    assert PACKED not in text


def shown(error: BaseException) -> str:
    """Everything that a program could print of an error, with all that it was raised from."""
    texts = ["".join(traceback.format_exception(error)), repr(error), str(error), repr(vars(error)), repr(error.args)]
    for inner in (error.__cause__, error.__context__):
        if inner is not None:
            texts.append(shown(inner))
            # A decoder's error carries the text that it failed on.
            texts += [repr(getattr(inner, name, "")) for name in ("doc", "object")]
    return "\n".join(texts)


def test_a_secret_shows_nothing() -> None:
    secret = Secret(SECRET)
    assert_mute(f"{secret} {secret!r} {secret!s} {[secret]} {FULL} {(FULL,)!r}")
    assert_mute("%s %r" % (secret, FULL))  # noqa: UP031 - the way that logging formats
    assert secret.reveal() == SECRET
    assert secret == Secret(SECRET) != Secret("other")
    assert not Secret("")
    assert secret != SECRET


def test_a_secret_is_neither_copied_into_a_file_nor_into_a_dict() -> None:
    for attempt in (pickle.dumps, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError) as caught:
            attempt(Secret(SECRET))
        assert_mute(shown(caught.value))
    with pytest.raises(TypeError):
        dataclasses.asdict(FULL)


def test_values_made_of_it_are_mute() -> None:
    file = parse_auth_file(json.dumps({"auths": {"r.example": {"auth": PACKED}}}).encode(), Path("/f"), "x")
    for value in (
        file,
        file.entries,
        file.find("r.example"),
        clean_secret(SECRET),
        from_user_and_secret("<token>", Secret(SECRET), "x"),
        GivenSource({"r.example": FULL}),
        EnvironmentSource(only_host="r.example", environ={"REGTUI_PASSWORD": SECRET}),
        CredentialChain([], given=GivenSource({"r.example": FULL})),
    ):
        assert_mute(repr(value) + str(value))


ENTRIES: list[Any] = [
    {"auth": PACKED[:-3] + "!!!"},
    {"auth": base64.b64encode(SECRET.encode()).decode()},
    {"auth": base64.b64encode(f"bob:{SECRET}\n".encode()).decode()},
    {"auth": base64.b64encode(b"bob:" + SECRET.encode() + b"\xff").decode()},
    {"registrytoken": f"{SECRET}\r\n"},
    {"password": [SECRET]},
]
DOCUMENTS: list[bytes] = [
    *(json.dumps({"auths": {"r.example": entry}}).encode() for entry in ENTRIES),
    f'{{"auths": {{"r.example": {{"auth": "{PACKED}", "password": "{SECRET}"'.encode(),
    f'["{SECRET}"]'.encode(),
    SECRET.encode() + b"\xff",
    json.dumps({"credsStore": "not-there", "auths": {"r.example": {"x": SECRET}}}).encode(),
]


async def errors_of(*calls: Callable[[], Awaitable[Any]]) -> list[RegtuiError]:
    found = []
    for call in calls:
        try:
            await call()
        except RegtuiError as error:
            found.append(error)
    return found


@pytest.mark.parametrize("raw", DOCUMENTS)
async def test_errors_of_files_are_mute(
    raw: bytes, docker_config: Callable[[Any], Path], caplog: pytest.LogCaptureFixture
) -> None:
    docker_config(raw)
    caplog.set_level(logging.DEBUG)
    source = AuthFileSource.docker()
    errors = await errors_of(lambda: source.find("r.example"))
    chain = CredentialChain.default()
    await chain.find("r.example")
    chain.known_hosts()
    assert errors
    for error in errors:
        assert_mute(shown(error))
    assert chain.problems
    assert_mute(repr(chain.problems) + caplog.text + repr(chain) + repr(source))


@pytest.mark.parametrize(
    "body",
    [
        f"echo {SECRET}; echo {SECRET} >&2; exit 1",
        f"""echo '{{"Username":"bob","Secret":"{SECRET}"'""",
        f"""printf '{{"Username":"bob","Secret":"{SECRET}\\\\u000a"}}'""",
        f"""echo '{{"Username":["x"],"Secret":"{SECRET}"}}'""",
        f"echo {SECRET}; exec sleep 600",
    ],
)
async def test_errors_of_helpers_are_mute(
    body: str, helper: Callable[[str, str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    helper("loud", body)
    errors = await errors_of(lambda: CredentialHelper("loud", timeout=1).get("r.example"))
    assert len(errors) == 1
    assert_mute(shown(errors[0]))
    assert_mute("".join(capfd.readouterr()))


async def test_errors_of_the_keyring_are_mute(memory_keyring: Any, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def loud(_service: str, _account: str, password: str) -> None:
        raise ValueError(f"cannot keep {password}")

    monkeypatch.setattr(memory_keyring, "set_password", loud)
    errors = await errors_of(lambda: KeyringStore().store("r.example", FULL))
    assert len(errors) == 1
    assert_mute(shown(errors[0]))
    gc.collect()


async def test_errors_of_the_environment_are_mute() -> None:
    environ = {"REGTUI_PASSWORD": f"{SECRET}\n", "REGTUI_USERNAME": "bob"}
    errors = await errors_of(lambda: EnvironmentSource(only_host="r.example", environ=environ).find("r.example"))
    assert len(errors) == 1
    assert_mute(shown(errors[0]))


async def test_nothing_on_disk_holds_it(memory_keyring: Any, home: Path) -> None:
    chain = CredentialChain.default(flags=FULL, flags_host="flag.example")
    await chain.store("r.example", FULL)
    chain.use("s.example", FULL)
    await chain.find("r.example")
    assert_files_mute(home)


def assert_files_mute(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert_mute(path.read_bytes().decode() + str(path))


def test_a_key_in_several_lines_becomes_one_and_nothing_else_does():
    key = {"type": "service_account", "private_key": "-----BEGIN\nX\n-----END\n"}
    made = clean_secret(json.dumps(key, indent=2) + "\n")
    assert made is not None
    assert "\n" not in made.reveal()
    assert json.loads(made.reveal()) == key
    for text in ("a\nb", "[\n1]", '"a"\n', "{\n", "a\r\nX-Header: 1", "1\n", "\0{}"):
        assert clean_secret(text) is None
