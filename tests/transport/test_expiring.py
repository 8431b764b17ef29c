"""Credentials that end by the clock, and sources that are put around the user's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from regtui.credentials.values import Credential, Secret
from regtui.transport.exchange import Response
from regtui.transport.headers import Headers
from regtui.transport.jwt import claims, ends
from regtui.transport.tokens import read_token
from tests.fakes.acr import jwt
from tests.fakes.token_server import BasicRegistry, accept_everything, basic

if TYPE_CHECKING:
    from regtui.credentials.values import CredentialSource
    from tests.transport.conftest import Connect


class Renewing:
    """A cloud: a new password at each call, good for 100 seconds, for who has none."""

    def __init__(self, known: CredentialSource, now: list[float]) -> None:
        self.known, self.now, self.given, self.forgotten = known, now, 0, 0

    async def find(self, host: str) -> Credential:
        kept = await self.known.find(host)
        if not kept.is_anonymous:
            return kept
        self.given += 1
        return Credential("AWS", Secret(f"password-{self.given}"), source="cloud", good_until=self.now[0] + 100)

    def forget(self, host: str) -> None:
        self.forgotten += 1


async def test_a_credential_is_renewed_before_the_registry_refuses_it(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])

    async with BasicRegistry(accept_everything, user="AWS", password="password-1") as registry:
        client = connect(registry.host)
        client.sign_in_through(lambda known: Renewing(known, now))
        for _ in range(3):
            await client.request("GET", "/v2/")
        registry.password = "password-2"
        now[0] += 100
        await client.request("GET", "/v2/")
        statuses = [seen.authorization for seen in registry.seen]
    assert statuses == [None, *[basic("AWS", "password-1")] * 3, basic("AWS", "password-2")]


async def test_a_refusal_reaches_the_source_that_was_put_around(connect: Connect) -> None:
    sources: list[Renewing] = []

    def wrap(known: CredentialSource) -> CredentialSource:
        sources.append(Renewing(known, [0.0]))
        return sources[0]

    async with BasicRegistry(accept_everything, user="AWS", password="password-1") as registry:
        client = connect(registry.host)
        client.sign_in_through(wrap)
        await client.request("GET", "/v2/")
        client.forget_credential()
    assert sources[0].forgotten == 1


def test_what_has_no_end_is_never_over() -> None:
    assert not Credential("a", Secret("b")).is_over(1e12)
    assert Credential("a", Secret("b"), good_until=5.0).is_over(5.0)


@pytest.mark.parametrize(
    ("body", "life"),
    [
        ({"access_token": jwt(iat=1000, exp=5500)}, 3600),
        ({"access_token": jwt(nbf=1000, exp=5500)}, 3600),
        ({"access_token": jwt(iat=1000, exp=5500), "expires_in": 100}, 80),
        ({"access_token": jwt(exp=5500)}, 48),
        ({"access_token": "opaque"}, 48),
        ({"access_token": "a.!.c"}, 48),
        ({"access_token": jwt(iat="x", exp=True)}, 48),
    ],
)
def test_a_token_without_a_stated_life_says_it_itself(body: dict[str, object], life: float) -> None:
    answer = Response(200, Headers(), json.dumps(body).encode(), "https://r.test/token")
    assert read_token(answer, "r.test", 0.0).renew == life


def test_what_is_no_web_token_claims_nothing() -> None:
    for text in ("", "a.b", "a.b.c", "a.W10.c", "a." + "WzFd" * 30000 + ".c", "a..c"):
        assert claims(text) == {}
        assert ends(text) is None
