"""The guard before the explorer in a browser: what it lets through, and all that it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.web.guard import Guard, Refused, Welcome

PORT = 8765
HOST = f"127.0.0.1:{PORT}"


@pytest.fixture
def guard() -> Guard:
    return Guard(PORT)


def token_of(guard: Guard) -> str:
    return guard.address.partition("?")[2]


def entered(guard: Guard) -> str:
    """The cookie of whoever opened the address."""
    welcome = guard.judge("GET", f"/?{token_of(guard)}", {"host": HOST})
    assert isinstance(welcome, Welcome)
    assert "HttpOnly" in welcome.cookie
    assert "SameSite=Strict" in welcome.cookie
    assert f"Path={guard.prefix}/" in welcome.cookie
    return welcome.cookie.partition(";")[0]


def status(verdict: object) -> int:
    assert isinstance(verdict, Refused)
    return verdict.status


def test_the_address_works_once_and_its_cookie_goes_on(guard: Guard) -> None:
    target = f"/?{token_of(guard)}"
    cookie = entered(guard)
    assert status(guard.judge("GET", target, {"host": HOST})) == 403
    own = {"host": HOST, "cookie": cookie}
    assert guard.judge("GET", f"{guard.prefix}/", own) is None
    socket = own | {"upgrade": "websocket", "origin": guard.origin}
    assert guard.judge("GET", f"{guard.prefix}/ws?width=80", socket) is None
    with pytest.raises(ValueError, match="used"):
        guard.address  # noqa: B018 - that it can't be told again is what is tested


def test_who_has_no_token_no_cookie_or_another_page_is_refused(guard: Guard) -> None:
    cookie = entered(guard)
    inside = f"{guard.prefix}/"
    assert status(Guard(PORT).judge("GET", "/?token=guess", {"host": HOST})) == 403
    assert status(Guard(PORT).judge("GET", "/", {"host": HOST})) == 403
    assert status(guard.judge("GET", inside, {"host": HOST})) == 403
    assert status(guard.judge("GET", inside, {"host": HOST, "cookie": "regtui=guess"})) == 403
    assert status(guard.judge("GET", "/static/js/textual.js", {"host": HOST, "cookie": cookie})) == 404
    assert status(guard.judge("GET", inside, {"host": "evil.test", "cookie": cookie})) == 421
    assert status(guard.judge("GET", inside, {"host": "localhost:8765", "cookie": cookie})) == 421
    for origin in ("http://evil.test", "null", "http://127.0.0.1:1", f"https://{HOST}", ""):
        headers = {"host": HOST, "cookie": cookie, "origin": origin, "upgrade": "websocket"}
        assert status(guard.judge("GET", f"{inside}ws", headers)) == 403
    no_origin = {"host": HOST, "cookie": cookie, "upgrade": "WebSocket"}
    assert status(guard.judge("GET", f"{inside}ws", no_origin)) == 403
    assert status(guard.judge("POST", inside, {"host": HOST, "cookie": cookie})) == 405


def test_nothing_of_the_secrets_shows_in_a_repr(guard: Guard) -> None:
    assert token_of(guard).partition("=")[2] not in repr(guard)
    assert guard.prefix not in repr(guard)


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=40))
def test_nothing_that_is_guessed_gets_in(target: str, cookie: str, host: str) -> None:
    guard = Guard(PORT)
    for name in (HOST, host):
        assert isinstance(guard.judge("GET", target, {"host": name, "cookie": cookie}), Refused)
        assert isinstance(guard.judge("GET", f"/?token={target}", {"host": name}), Refused)
