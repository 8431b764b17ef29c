"""Credential helpers: real programs, well-behaved and not."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from regtui.credentials.errors import HelperFailed
from regtui.credentials.helpers import CredentialHelper
from regtui.credentials.values import ANONYMOUS, Secret

Make = Callable[[str, str], Path]


async def test_a_password(helper: Make) -> None:
    log = helper("ok", """echo '{"ServerURL":"r.example","Username":"bob","Secret":"pw"}'""")
    found = await CredentialHelper("ok").get("r.example")
    assert (found.username, found.password, found.source) == ("bob", Secret("pw"), "docker-credential-ok")
    assert log.read_text() == "get r.example\n"


async def test_an_identity_token(helper: Make) -> None:
    helper("acr", """echo '{"Username":"<token>","Secret":"refresh"}'""")
    found = await CredentialHelper("acr").get("r.azurecr.io")
    assert (found.username, found.password, found.identity_token) == ("", None, Secret("refresh"))


@pytest.mark.parametrize(
    "body",
    [
        "echo 'credentials not found in native keychain'; exit 1",
        "echo 'Credentials not found'; exit 1",
        """echo '{"ServerURL":"","Username":"","Secret":""}'""",
        "echo '{}'",
    ],
)
async def test_not_found_is_no_error(helper: Make, body: str) -> None:
    helper("none", body)
    assert await CredentialHelper("none").get("r.example") is ANONYMOUS


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("echo hunter2; echo hunter2 >&2; exit 3", "status 3"),
        ("echo hunter2", "JSON object"),
        ("echo '[\"hunter2\"]'", "JSON object"),
        ("true", "JSON object"),
        ("""echo '{"Username":3,"Secret":"hunter2"}'""", "usable"),
        ("""printf '{"Username":"a","Secret":"hunter2\\\\n"}'""", "usable"),
        ("head -c 3000000 /dev/zero", "more than"),
        ("kill -9 $$", "status -9"),
    ],
)
async def test_a_bad_answer_is_a_clear_error_without_it(helper: Make, body: str, part: str) -> None:
    helper("bad", body)
    with pytest.raises(HelperFailed, match="docker-credential-bad") as caught:
        await CredentialHelper("bad").get("r.example")
    assert part in caught.value.sentence
    assert "hunter2" not in str(caught.value)
    assert caught.value.hint == "See why: echo r.example | docker-credential-bad get"


async def test_a_silent_helper_is_ended_with_its_children(helper: Make, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    helper("slow", f"sleep 600 & echo $$ $! > '{pids}'; wait")
    before = time.monotonic()
    with pytest.raises(HelperFailed, match=r"did not answer within 0\.5 seconds"):
        await CredentialHelper("slow", timeout=0.5).get("r.example")
    assert time.monotonic() - before < 5
    await gone([int(pid) for pid in pids.read_text().split()])


async def test_a_cancelled_look_up_ends_the_helper(helper: Make, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    helper("slow", f"echo $$ > '{pids}.new'; mv '{pids}.new' '{pids}'; exec sleep 600")
    task = asyncio.ensure_future(CredentialHelper("slow").get("r.example"))
    await until(pids.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone([int(pids.read_text())])


async def gone(pids: list[int]) -> None:
    """Wait until none of these processes runs (a zombie no longer does)."""

    def runs(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    await until(lambda: not any(runs(pid) for pid in pids))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition outside of this process, ten seconds at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing in this process could set an event
            await asyncio.sleep(0.01)


async def test_the_loop_stays_free(helper: Make, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    helper("gated", f"""while [ ! -e '{gate}' ]; do sleep 0.01; done; echo '{{"Username":"a","Secret":"b"}}'""")
    task = asyncio.ensure_future(CredentialHelper("gated").get("r.example"))
    await asyncio.sleep(0)
    assert not task.done()
    gate.touch()
    assert (await task).username == "a"


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "a b", "a;b", "-x", ".", "ä", "x" * 65, "a\n"])
async def test_a_name_is_never_a_path(name: str) -> None:
    with pytest.raises(HelperFailed, match="is no name"):
        await CredentialHelper(name).get("r.example")


async def test_a_missing_program() -> None:
    with pytest.raises(HelperFailed, match=r"docker-credential-not-there is not on PATH\. Install it"):
        await CredentialHelper("not-there").get("r.example")


async def test_a_program_in_the_current_folder_is_not_run(
    helper: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = helper("here", "echo '{}'")
    monkeypatch.chdir(tmp_path / "bin")
    monkeypatch.setenv("PATH", f".{os.pathsep}/usr/bin{os.pathsep}/bin")
    with pytest.raises(HelperFailed, match="not on PATH"):
        await CredentialHelper("here").get("r.example")
    assert not log.exists()


async def test_a_program_that_can_not_start(helper: Make, tmp_path: Path) -> None:
    helper("odd", "")
    (tmp_path / "bin" / "docker-credential-odd").write_text("#!/not/there\n")
    with pytest.raises(HelperFailed, match="can't be started: no such file"):
        await CredentialHelper("odd").get("r.example")


async def test_it_does_not_get_secrets_of_others(helper: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REGTUI_PASSWORD", "hunter2")
    monkeypatch.setenv("REGTUI_TOKEN", "hunter2")
    monkeypatch.setenv("AWS_PROFILE", "work")
    helper("env", f"env > '{tmp_path}/env'; echo '{{}}'")
    await CredentialHelper("env").get("r.example")
    seen = (tmp_path / "env").read_text()
    assert "AWS_PROFILE=work" in seen
    assert "hunter2" not in seen


async def test_list(helper: Make) -> None:
    helper("ok", """echo '{"https://index.docker.io/v1/":"bob","x":3}'""")
    assert await CredentialHelper("ok").list() == {"https://index.docker.io/v1/": "bob"}
    helper("bad", "echo no; exit 1")
    with pytest.raises(HelperFailed, match="did not list its servers"):
        await CredentialHelper("bad").list()
