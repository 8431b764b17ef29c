"""Credentials given for one run go to the one host that they are for."""

from __future__ import annotations

import pytest

from regtui.credentials.environment import EnvironmentSource, GivenSource
from regtui.credentials.errors import CredentialError
from regtui.credentials.values import ANONYMOUS, Credential, Secret

PAIR = {"REGTUI_USERNAME": "bob", "REGTUI_PASSWORD": "pw"}


def source(environ: dict[str, str], only_host: str | None = None, **usernames: str) -> EnvironmentSource:
    return EnvironmentSource(only_host=only_host, usernames=usernames, environ=environ)


async def test_only_the_host_of_the_command_line() -> None:
    given = source(PAIR, "Ghcr.io")
    assert await given.find("ghcr.io") == Credential("bob", Secret("pw"), source="environment")
    assert await given.find("docker.io") is ANONYMOUS
    assert given.hosts() == {"ghcr.io": "environment"}
    assert given.problem is None


async def test_the_variable_decides_over_the_command_line() -> None:
    given = source({**PAIR, "REGTUI_REGISTRY": "index.docker.io"}, "ghcr.io")
    assert await given.find("ghcr.io") is ANONYMOUS
    assert (await given.find("docker.io")).username == "bob"


async def test_without_a_host_it_goes_nowhere_and_says_so() -> None:
    given = source(PAIR)
    assert await given.find("docker.io") is ANONYMOUS
    assert given.hosts() == {}
    assert given.problem is not None
    assert "REGTUI_REGISTRY" in given.problem
    assert source({}).problem is None


async def test_a_token() -> None:
    found = await source({**PAIR, "REGTUI_TOKEN": " abc\n"}, "ghcr.io").find("ghcr.io")
    assert found == Credential(registry_token=Secret("abc"), source="environment")


async def test_the_user_name_may_come_from_the_settings() -> None:
    given = EnvironmentSource(only_host="ghcr.io", usernames={"ghcr.io": "me"}, environ={"REGTUI_PASSWORD": "pw"})
    assert (await given.find("ghcr.io")).username == "me"


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"REGTUI_USERNAME": "bob"}, "REGTUI_PASSWORD"),
        ({"REGTUI_PASSWORD": "hunter2"}, "REGTUI_USERNAME"),
        ({"REGTUI_USERNAME": "bob", "REGTUI_PASSWORD": "hunter2\n"}, "REGTUI_PASSWORD"),
    ],
)
async def test_half_a_pair_is_said(environ: dict[str, str], missing: str) -> None:
    with pytest.raises(CredentialError, match=f"{missing} is missing") as caught:
        await source(environ, "ghcr.io").find("ghcr.io")
    assert "hunter2" not in str(caught.value)
    assert await source(environ, "ghcr.io").find("docker.io") is ANONYMOUS


async def test_nothing_set_is_nothing() -> None:
    assert await source({}, "ghcr.io").find("ghcr.io") is ANONYMOUS
    assert source({}, "ghcr.io").hosts() == {}


async def test_what_is_given_by_hand() -> None:
    given = GivenSource({"index.docker.io": Credential("bob", Secret("pw"), source="command line")})
    assert (await given.find("docker.io")).username == "bob"
    assert await given.find("ghcr.io") is ANONYMOUS
    given.forget("docker.io")
    assert given.hosts() == {"docker.io": "command line"}
    assert given.take_back("docker.io")
    assert not given.take_back("docker.io")
    assert await given.find("docker.io") is ANONYMOUS
