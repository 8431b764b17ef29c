"""Which failures are tried again, how often, and after how long."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from regtui.transport.errors import BadAnswer, RateLimited, ServerFault, TimedOut, TlsFailure, Unreachable
from regtui.transport.exchange import Request, Response
from regtui.transport.headers import Headers
from regtui.transport.patience import Patience, patiently, retry_after
from regtui.transport.steps import Pause, Send
from tests.fakes.hostile import HostileRegistry, as_json, oci_error, rate_limited
from tests.fakes.serve import Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    from regtui.transport.errors import RegistryError
    from tests.transport.conftest import Connect, Naps

PATH = "/v2/a/tags/list"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REFUSED = Unreachable("refused", sent=False, refused=True)
BROKEN = Unreachable("broken", sent=True)
SILENT = TimedOut("silent")


def play(method: str, *outcomes: int | Unreachable, after: str = "") -> tuple[int, list[float], int | RegistryError]:
    """Sends, pauses and the end of a request that meets these outcomes, the last one for ever."""
    patience = Patience(chance=lambda: 0.5, clock=NOW.timestamp)
    steps = patiently(Request(method, "https://r.example/"), patience)
    pauses: list[float] = []
    sends, left = 0, list(outcomes)
    step = next(steps)
    try:
        while True:
            if isinstance(step, Pause):
                pauses.append(step.seconds)
                step = steps.send(None)
                continue
            assert isinstance(step, Send)
            assert step.retries == sends
            sends += 1
            outcome = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(outcome, Unreachable):
                step = steps.throw(outcome)
            else:
                headers = Headers([("retry-after", after)] if after else [])
                step = steps.send(Response(outcome, headers, b"", "https://r.example/"))
    except StopIteration as end:
        return sends, pauses, end.value.status
    except Unreachable as error:
        return sends, pauses, error


@pytest.mark.parametrize(
    ("method", "outcome", "sends"),
    [
        ("GET", 200, 1),
        ("GET", 404, 1),
        ("GET", 500, 1),
        *(("GET", status, 4) for status in (429, 502, 503, 504)),
        *(("HEAD", outcome, 4) for outcome in (503, REFUSED, BROKEN)),
        ("GET", SILENT, 2),
        ("GET", TlsFailure("certificate"), 1),
        *((method, 503, 1) for method in ("PUT", "POST", "DELETE", "PATCH")),
        *((method, BROKEN, 1) for method in ("PUT", "POST", "DELETE", "PATCH")),
        *((method, REFUSED, 4) for method in ("PUT", "DELETE")),
        ("POST", REFUSED, 1),
    ],
)
def test_what_is_tried_again(method: str, outcome: int | Unreachable, sends: int) -> None:
    assert play(method, outcome)[0] == sends
    assert play(method, outcome)[2] == outcome


def test_it_ends_with_the_first_success() -> None:
    sends, pauses, end = play("GET", BROKEN, 503, 200)
    assert (sends, end) == (3, 200)
    assert pauses == pytest.approx([0.2, 0.6])


def test_pauses_grow_and_scatter() -> None:
    assert play("GET", 503)[1] == pytest.approx([0.2, 0.6, 1.8])
    low, high = Patience(chance=lambda: 0.0), Patience(chance=lambda: 1.0)
    assert (low.pause(1), high.pause(1)) == pytest.approx((0.1, 0.3))


def test_what_can_not_be_repeated_is_not() -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b""

    request = Request("PUT", "https://r.example/", content=content())
    assert not Patience().allows(request, REFUSED, 1)


def test_a_wait_that_is_asked_for_is_kept_when_it_is_short() -> None:
    assert play("GET", 429, 200, after="7") == (2, [7.0], 200)
    assert play("GET", 429, 200, after=format_datetime(NOW.replace(second=9))) == (2, [9.0], 200)
    assert play("GET", 429, 200, after="31") == (1, [], 429)
    assert play("GET", 503, 200, after="soon")[1] == pytest.approx([0.2])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("-1", None),
        ("", None),
        ("x", None),
        ("9" * 30, None),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after(Headers([("Retry-After", text)]), NOW.timestamp()) == seconds


async def test_a_registry_that_comes_back(connect: Connect, naps: Naps) -> None:
    async with HostileRegistry() as registry:
        registry.script(
            PATH, Reply(503), Reply(200, (), b"x", cut=0, announce=5), rate_limited(3), as_json({"tags": []})
        )
        client = connect(registry.host)
        assert (await client.request("GET", PATH)).json() == {"tags": []}
    assert naps.seconds == [0.0, 0.0, 3.0]
    assert [record.retries for record in client.log.records] == [0, 1, 2, 3]
    assert [record.error is None for record in client.log.records] == [True, False, True, True]


async def test_a_registry_that_asks_for_an_hour(connect: Connect, naps: Naps) -> None:
    async with HostileRegistry() as registry:
        registry.script(PATH, rate_limited(3600))
        with pytest.raises(RateLimited, match="3600 s") as caught:
            await connect(registry.host).request("GET", PATH)
    assert (caught.value.retry_after, caught.value.code, naps.seconds) == (3600.0, "TOOMANYREQUESTS", [])


async def test_writes_are_sent_once(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        registry.script(PATH, Reply(503))
        client = connect(registry.host)
        for method in ("PUT", "POST", "DELETE"):
            with pytest.raises(ServerFault):
                await client.request(method, PATH, content=b"x")
    assert len(registry.seen) == 3


async def test_a_registry_that_stays_down(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        registry.script(PATH, oci_error(503, "UNAVAILABLE", "down for repairs"))
        with pytest.raises(ServerFault, match="503") as caught:
            await connect(registry.host).request("GET", PATH)
    assert (len(registry.seen), caught.value.detail) == (4, "down for repairs")


async def test_silence(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        registry.script(PATH, Reply(200, (), b"[1,2]", cut=2, stall=True))
        with pytest.raises(TimedOut, match="silent in the middle"):
            await connect(registry.host, read_timeout=0.05).request("GET", PATH)
    assert len(registry.seen) == 2


async def test_a_connection_that_ends_before_the_answer(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        registry.script(PATH, Reply(raw=b""))
        with pytest.raises(Unreachable) as caught:
            await connect(registry.host).request("GET", PATH)
        assert not isinstance(caught.value, TimedOut)
        assert len(registry.seen) == 4
        with pytest.raises(Unreachable):
            await connect(registry.host).request("DELETE", PATH)
    assert len(registry.seen) == 5


async def test_a_connection_that_went_stale_is_no_failure(connect: Connect) -> None:
    async with HostileRegistry() as registry:
        client = connect(registry.host)
        await client.request("GET", "/v2/")
        registry.hang_up()
        assert (await client.request("GET", "/v2/")).status == 200


async def test_answers_with_an_auth_flow_that_gives_up(connect: Connect) -> None:
    class Idle:
        def flow(self, request: Request) -> Generator[Request, Response, None]:
            yield from ()

    async with HostileRegistry() as registry:
        with pytest.raises(BadAnswer):
            await connect(registry.host, auth=Idle()).request("GET", "/v2/")
    assert registry.seen == []
