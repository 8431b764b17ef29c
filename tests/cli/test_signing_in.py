"""Every way to sign in, against htpasswd Basic of the real registry and a Bearer token server."""

from __future__ import annotations

import base64
import io
import json
import os
import stat
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from regtui.cli.common import read_secret
from tests.fakes.serve import Reply, Seen
from tests.fakes.token_server import BearerRegistry, TokenServer
from tests.servers import starting
from tests.servers.starting import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.cli.conftest import Program

FILE_KEYRING = """
import json, os
from keyring.backend import KeyringBackend
class Keyring(KeyringBackend):
    priority = 5
    path = os.path.join(os.environ["HOME"], "test-keyring.json")
    def _all(self):
        return json.load(open(self.path)) if os.path.exists(self.path) else {}
    def get_password(self, service, username):
        return self._all().get(service + "/" + username)
    def set_password(self, service, username, password):
        kept = self._all(); kept[service + "/" + username] = password
        with open(self.path, "w") as file: json.dump(kept, file)
    def delete_password(self, service, username):
        kept = self._all(); kept.pop(service + "/" + username, None)
        with open(self.path, "w") as file: json.dump(kept, file)
"""


def docker_config(program: Program, host: str, password: str = PASSWORD) -> None:
    folder = program.home / ".docker"
    folder.mkdir(exist_ok=True)
    secret = base64.b64encode(f"{USER}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": secret}}}))


def helper(program: Program, host: str) -> str:
    """A credential helper on PATH that knows this host; the PATH to use."""
    folder = program.home / "bin"
    folder.mkdir()
    script = folder / "docker-credential-test"
    answer = json.dumps({"ServerURL": host, "Username": USER, "Secret": PASSWORD})
    script.write_text(f"#!/bin/sh\nread host\n[ \"$1 $host\" = 'get {host}' ] && echo '{answer}' && exit 0\nexit 1\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (program.home / ".docker").mkdir()
    (program.home / ".docker" / "config.json").write_text(json.dumps({"credHelpers": {host: "test"}}))
    return f"{folder}:{os.environ['PATH']}"


def keyring(program: Program) -> dict[str, str]:
    """Variables that give the program a keyring of the test's own."""
    folder = program.home / "modules"
    folder.mkdir(exist_ok=True)
    (folder / "filekeyring.py").write_text(FILE_KEYRING)
    path = f"{folder}:{program.environ()['PYTHONPATH']}"
    return {"PYTHON_KEYRING_BACKEND": "filekeyring.Keyring", "PYTHONPATH": path}


@pytest.fixture(scope="module")
def basic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real registry behind htpasswd."""
    with starting.start_docker_registry(tmp_path_factory.mktemp("basic"), htpasswd=True) as server:
        yield server.host


def serve_catalog(seen: Seen) -> Reply:
    body = b'{"repositories":["only/alice"]}' if seen.path == "/v2/_catalog" else b"{}"
    return Reply(200, (("Content-Type", "application/json"),), body)


@asynccontextmanager
async def bearer_registry() -> AsyncIterator[BearerRegistry]:
    async with TokenServer(grants={"": ()}) as tokens, BearerRegistry(serve_catalog, tokens=tokens) as registry:
        yield registry


@pytest.mark.real
@pytest.mark.parametrize("way", ["docker config", "helper", "keyring", "environment", "command line"])
def test_basic(program: Program, basic: str, way: str) -> None:
    more, arguments, stdin = prepare(program, basic, way)
    if way == "keyring":
        done = program.run("login", basic, "-u", USER, "--password-stdin", stdin=PASSWORD + "\n", **more)
        assert done.returncode == 0, done.stderr
    done = program.run("repos", basic, *arguments, stdin=stdin, **more)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("REPOSITORY")
    assert PASSWORD not in done.stderr


@pytest.mark.parametrize("way", ["docker config", "helper", "keyring", "environment", "command line"])
async def test_bearer(program: Program, way: str) -> None:
    async with bearer_registry() as registry:
        more, arguments, stdin = prepare(program, registry.host, way)
        if way == "keyring":
            login = ("login", registry.host, "-u", USER, "--password-stdin", "--plain-http", registry.host)
            done = await program.run_beside(*login, stdin=PASSWORD + "\n", **more)
            assert done.returncode == 0, done.stderr
        arguments = (*arguments, "--plain-http", registry.host)
        done = await program.run_beside("repos", registry.host, *arguments, stdin=stdin, **more)
        assert done.returncode == 0, done.stderr
        assert "only/alice" in done.stdout
        assert all(PASSWORD not in str(seen) for seen in registry.seen), "the password goes to the realm alone"


def prepare(program: Program, host: str, way: str) -> tuple[dict[str, str], tuple[str, ...], str]:
    """(variables, arguments, standard input) for one way of signing in."""
    if way == "docker config":
        docker_config(program, host)
    elif way == "helper":
        return {"PATH": helper(program, host)}, (), ""
    elif way == "keyring":
        return keyring(program), (), ""
    elif way == "environment":
        return {"REGTUI_USERNAME": USER, "REGTUI_PASSWORD": PASSWORD}, (), ""
    else:
        return {}, ("--username", USER, "--password-stdin"), PASSWORD + "\n"
    return {}, (), ""


@pytest.mark.real
@pytest.mark.parametrize("command", ["repos", "login"])
def test_a_wrong_password_gives_one_sentence(program: Program, basic: str, command: str) -> None:
    more = keyring(program)
    flag = "-u" if command == "login" else "--username"
    done = program.run(command, basic, flag, USER, "--password-stdin", stdin="not-it\n", **more)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert basic in done.stderr
    assert "not-it" not in done.stderr + done.stdout
    assert not (program.home / "test-keyring.json").exists(), "nothing is kept that was not checked"


async def test_a_wrong_password_at_a_token_server(program: Program) -> None:
    async with bearer_registry() as registry:
        docker_config(program, registry.host, "not-it")
        done = await program.run_beside("repos", registry.host, "--plain-http", registry.host)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "regtui login" in done.stderr


@pytest.mark.real
def test_without_a_keyring_login_says_what_the_choices_are(program: Program, basic: str) -> None:
    more = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    done = program.run("login", basic, "-u", USER, "--password-stdin", stdin=PASSWORD + "\n", **more)
    assert done.returncode == 1
    assert "REGTUI_USERNAME" in done.stderr
    assert PASSWORD not in done.stderr


@pytest.mark.real
def test_logout_forgets(program: Program, basic: str) -> None:
    more = keyring(program)
    assert program.run("login", basic, "-u", USER, "--password-stdin", stdin=PASSWORD, **more).returncode == 0
    assert program.run("repos", basic, **more).returncode == 0
    assert program.run("logout", basic, **more).returncode == 0
    assert program.run("repos", basic, **more).returncode == 1
    assert PASSWORD not in (program.home / "test-keyring.json").read_text()


@pytest.mark.real
def test_nothing_secret_is_on_the_disk_or_in_a_traceback(program: Program, basic: str, tmp_path: Path) -> None:
    more = keyring(program)
    program.run("login", basic, "-u", USER, "--password-stdin", stdin=PASSWORD, **more)
    done = program.run("tags", f"{basic}/no/such", "--debug", **more)
    assert done.returncode == 1
    assert "NotFound" in done.stderr
    encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    for text in (PASSWORD, encoded):
        assert text not in done.stderr
        for path in program.home.rglob("*"):
            if path.is_file() and path.name != "test-keyring.json":
                assert text.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("hunter2\n", "hunter2"),
        ("hunter2\r\nmore\n", "hunter2"),
        ('{\n "a": "x\\\\ny"\n}\n', '{"a": "x\\\\ny"}'),
        ("{\nnot a key\n", "{"),
        ("", ""),
    ],
)
def test_a_key_in_several_lines_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch, given: str, read: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    assert read_secret().reveal() == read
