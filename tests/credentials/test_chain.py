"""The chain: who is asked first, how often, and what happens when a source breaks."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regtui.credentials.chain import CredentialChain
from regtui.credentials.environment import GivenSource
from regtui.credentials.errors import CredentialError
from regtui.credentials.values import ANONYMOUS, Credential, CredentialSource, Secret

Make = Callable[[str, str], Path]
Write = Callable[[Any], Path]


def packed(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


def write_containers(home: Path, content: Any) -> None:
    path = home / ".config" / "containers" / "auth.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


class Counting:
    """A source that counts, answers when it is let, and can break."""

    def __init__(self, answer: Credential = ANONYMOUS, error: Exception | None = None) -> None:
        self.answer, self.error = answer, error
        self.asked: list[str] = []
        self.forgotten: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def find(self, host: str, repository: str | None = None) -> Credential:
        self.asked.append(host)
        await self.gate.wait()
        if self.error:
            raise self.error
        return self.answer

    def forget(self, host: str) -> None:
        self.forgotten.append(host)

    def hosts(self) -> dict[str, str]:
        if self.error:
            raise self.error
        return {"known.example": "counting"}


async def test_the_order(
    home: Path, docker_config: Write, memory_keyring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_containers(home, {"auths": {"ghcr.io": packed("containers:1")}})
    found = await CredentialChain.default().find("ghcr.io")
    assert (found.username, found.source) == ("containers", "containers auth file")

    docker_config({"auths": {"ghcr.io": packed("docker:1")}})
    found = await CredentialChain.default().find("ghcr.io")
    assert (found.username, found.source) == ("docker", "docker config")

    await CredentialChain.default().store("ghcr.io", Credential("ring", Secret("1")))
    found = await CredentialChain.default().find("ghcr.io")
    assert (found.username, found.source) == ("ring", "keyring")

    monkeypatch.setenv("REGTUI_USERNAME", "env")
    monkeypatch.setenv("REGTUI_PASSWORD", "1")
    found = await CredentialChain.default(only_host="ghcr.io").find("ghcr.io")
    assert (found.username, found.source) == ("env", "environment")
    assert (await CredentialChain.default(only_host="docker.io").find("ghcr.io")).username == "ring"

    flags = Credential("flag", Secret("1"))
    chain = CredentialChain.default(flags=flags, flags_host="ghcr.io")
    found = await chain.find("ghcr.io")
    assert (found.username, found.source) == ("flag", "command line")
    assert await chain.find("quay.io") is ANONYMOUS
    assert chain.problems == ()


async def test_flags_without_a_host_go_nowhere() -> None:
    chain = CredentialChain.default(flags=Credential("flag", Secret("1")))
    assert await chain.find("ghcr.io") is ANONYMOUS
    assert "not used" in chain.problems[0]


async def test_the_environment_without_a_host_is_a_problem() -> None:
    environ = {"HOME": "/nowhere", "REGTUI_PASSWORD": "hunter2"}
    chain = CredentialChain.default(environ=environ)
    assert "REGTUI_REGISTRY" in chain.problems[0]
    assert "hunter2" not in str(chain.problems)


async def test_a_helper_goes_before_the_file(docker_config: Write, helper: Make) -> None:
    log = helper("good", """echo '{"Username":"helped","Secret":"pw"}'""")
    docker_config({"auths": {"r.example": packed("filed:1")}, "credsStore": "good"})
    chain = CredentialChain.default()
    found = await asyncio.gather(*(chain.find("r.example") for _ in range(5)))
    assert {(one.username, one.source) for one in found} == {("helped", "docker-credential-good")}
    await chain.find("R.example", "team/app")
    assert log.read_text() == "get r.example\n"
    chain.forget("r.example")
    await chain.find("r.example")
    assert log.read_text() == "get r.example\n" * 2


async def test_a_helper_that_has_nothing_leaves_it_to_the_file(docker_config: Write, helper: Make) -> None:
    helper("empty", "echo 'credentials not found in native keychain'; exit 1")
    docker_config({"auths": {"r.example": packed("filed:1")}, "credsStore": "empty"})
    chain = CredentialChain.default()
    assert (await chain.find("r.example")).username == "filed"
    assert chain.problems == ()


async def test_a_broken_helper_is_noted_and_the_next_source_asked(home: Path, docker_config: Write) -> None:
    docker_config({"credHelpers": {"r.example": "not-there"}})
    write_containers(home, {"auths": {"r.example": packed("containers:1")}})
    chain = CredentialChain.default()
    assert (await chain.find("r.example")).username == "containers"
    assert await chain.find("ghcr.io") is ANONYMOUS
    assert len(chain.problems) == 1
    assert "docker-credential-not-there is not on PATH" in chain.problems[0]


async def test_a_broken_file_is_noted_once_and_the_next_source_asked(home: Path, docker_config: Write) -> None:
    path = docker_config(b'{"auths": {"r.example": {"auth": "hunter2"')
    write_containers(home, {"auths": {"r.example": packed("containers:1")}})
    chain = CredentialChain.default()
    assert chain.known_hosts() == {"r.example": "containers auth file"}
    assert (await chain.find("r.example")).username == "containers"
    assert len(chain.problems) == 1
    assert str(path) in chain.problems[0]
    assert "hunter2" not in chain.problems[0]


async def test_namespaces_are_told_apart(home: Path) -> None:
    write_containers(
        home, {"auths": {"quay.io/a": packed("a:1"), "quay.io/b": packed("b:1"), "quay.io": packed("q:1")}}
    )
    chain = CredentialChain.default()
    names = [(await chain.find("quay.io", repository)).username for repository in ("a/x", "b/x", None, "c/x", "a/y")]
    assert names == ["a", "b", "q", "q", "a"]


async def test_one_look_up_per_host() -> None:
    source = Counting(Credential("bob", Secret("pw")))
    source.gate.clear()
    chain = CredentialChain([source])
    waiting = [asyncio.ensure_future(chain.find(host)) for host in ("a.example", "A.example", "b.example")]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    source.gate.set()
    await asyncio.gather(*waiting)
    await chain.find("a.example")
    assert source.asked == ["a.example", "b.example"]
    chain.forget("a.example")
    await chain.find("a.example")
    await chain.find("b.example")
    assert source.asked == ["a.example", "b.example", "a.example"]
    assert source.forgotten == ["a.example"]


async def test_who_leaves_does_not_cancel_it_for_the_others() -> None:
    source = Counting(Credential("bob", Secret("pw")))
    source.gate.clear()
    chain = CredentialChain([source])
    leaves, stays = (asyncio.ensure_future(chain.find("a.example")) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    source.gate.set()
    assert (await stays).username == "bob"
    assert leaves.cancelled()
    assert source.asked == ["a.example"]


async def test_forgetting_while_it_is_looked_up() -> None:
    source = Counting(Credential("old", Secret("pw")))
    source.gate.clear()
    chain = CredentialChain([source])
    first = asyncio.ensure_future(chain.find("a.example"))
    await asyncio.sleep(0)
    chain.forget("a.example")
    source.gate.set()
    await first
    source.answer = Credential("new", Secret("pw"))
    assert (await chain.find("a.example")).username == "new"


def test_it_works_from_one_loop_after_another() -> None:
    source_of = Counting(Credential("bob", Secret("pw")))
    chain = CredentialChain([source_of])
    assert asyncio.run(chain.find("a.example")).username == "bob"
    assert asyncio.run(chain.find("a.example")).username == "bob"
    assert source_of.asked == ["a.example"]


def test_a_look_up_that_its_loop_cut_off_is_done_again(docker_config: Write, helper: Make, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    helper("gated", f"""[ -e '{gate}' ] || exec sleep 600; echo '{{"Username":"bob","Secret":"pw"}}'""")
    docker_config({"credsStore": "gated"})
    chain = CredentialChain.default()

    async def cut_off() -> None:
        waiting = asyncio.ensure_future(chain.find("a.example"))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(cut_off())
    gate.touch()
    assert asyncio.run(chain.find("a.example")).username == "bob"


async def test_a_broken_source_is_noted_and_the_next_asked() -> None:
    broken = Counting(error=CredentialError("It broke.", hint="Mend it."))
    good = Counting(Credential("bob", Secret("pw")))
    chain = CredentialChain([broken, good])
    assert (await chain.find("a.example")).username == "bob"
    assert chain.known_hosts() == {"known.example": "counting"}
    assert chain.problems == ("It broke. Mend it.",)


async def test_a_bug_is_not_hidden_and_not_remembered() -> None:
    source = Counting(error=ZeroDivisionError())
    chain = CredentialChain([source])
    with pytest.raises(ZeroDivisionError):
        await chain.find("a.example")
    source.error = None
    assert await chain.find("a.example") is ANONYMOUS


async def test_known_hosts_in_order_and_without_programs(
    home: Path, docker_config: Write, helper: Make, memory_keyring: Any
) -> None:
    log = helper("good", "echo '{}'")
    docker_config({"auths": {"https://index.docker.io/v1/": {}, "b.example": {}}, "credsStore": "good"})
    write_containers(home, {"auths": {"c.example/team": {}, "b.example": {}}})
    chain = CredentialChain.default(flags=Credential("x", Secret("y")), flags_host="a.example")
    await chain.keyring.store("k.example", Credential("x", Secret("y")))
    assert chain.known_hosts() == {
        "a.example": "command line",
        "k.example": "keyring",
        "docker.io": "docker config",
        "b.example": "docker config",
        "c.example": "containers auth file",
    }
    assert not log.exists()


async def test_asking_is_only_on_request_and_once() -> None:
    asked = []

    async def prompt(host: str, username: str | None) -> Credential | None:
        asked.append((host, username))
        await asyncio.sleep(0)
        return Credential(username or "", Secret("typed"))

    chain = CredentialChain([], usernames={"a.example": "me"}, prompt=prompt)
    assert await chain.find("a.example") is ANONYMOUS
    assert asked == []
    first, second = await asyncio.gather(chain.ask("a.example"), chain.ask("A.example"))
    assert first == second == Credential("me", Secret("typed"), source="typed in")
    assert asked == [("a.example", "me")]
    assert await chain.find("a.example") == first
    assert chain.known_hosts() == {"a.example": "typed in"}


async def test_nobody_to_ask_and_no_answer() -> None:
    async def declined(_host: str, _username: str | None) -> Credential | None:
        return None

    chain = CredentialChain([])
    assert await chain.ask("a.example") is ANONYMOUS
    chain.prompt = declined
    assert await chain.ask("a.example") is ANONYMOUS
    assert await chain.find("a.example") is ANONYMOUS


async def test_store_and_delete(memory_keyring: Any) -> None:
    chain = CredentialChain.default()
    assert await chain.find("a.example") is ANONYMOUS
    chain.use("a.example", Credential("session", Secret("pw"), source="typed in"))
    assert (await chain.find("a.example")).username == "session"
    await chain.store("a.example", Credential("kept", Secret("pw")))
    assert (await chain.find("a.example")).source == "keyring"
    assert await chain.delete("a.example")
    assert await chain.find("a.example") is ANONYMOUS
    assert not await chain.delete("a.example")


def test_the_chain_is_a_credential_source() -> None:
    sources: list[CredentialSource] = [CredentialChain([]), GivenSource()]
    assert sources


def test_a_look_up_loads_nothing_that_is_slow(home: Path, docker_config: Write) -> None:
    docker_config({"auths": {"a.example": packed("bob:1")}})
    code = """
import asyncio, sys
from regtui.credentials.chain import CredentialChain
chain = CredentialChain.default()
chain.known_hosts()
assert asyncio.run(chain.find("a.example")).username == "bob"
print([name for name in ("keyring", "tomlkit", "httpx", "aiohttp", "textual", "rich") if name in sys.modules])
"""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
