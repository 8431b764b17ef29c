"""The small values: redaction, the log, headers, rates, options, places, proxies, positions, bodies."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.oci.errors import InvalidReference
from regtui.transport.bodies import Body
from regtui.transport.errors import BadAnswer, TlsFailure, Unreachable
from regtui.transport.exchange import Answer, Request, Response, origin
from regtui.transport.headers import Headers
from regtui.transport.options import HostOptions, is_loopback
from regtui.transport.place import Place
from regtui.transport.proxies import proxy_for
from regtui.transport.rate import RateLimit, read_rate
from regtui.transport.redact import redact_headers, redact_url
from regtui.transport.request_log import RequestLog, RequestRecord, as_curl
from regtui.transport.resume import Position

SECRET = "hunter2"


def test_urls_keep_known_query_values_and_lose_all_others() -> None:
    url = f"https://user:{SECRET}@cdn.example/blob?n=5&last=a%2Fb&X-Amz-Signature={SECRET}&scope=repository:a/b:pull#x"
    shown = redact_url(url)
    assert SECRET not in shown
    assert "user" not in shown
    assert shown == "https://cdn.example/blob?n=5&last=a/b&X-Amz-Signature=…&scope=repository:a/b:pull"


@given(st.text(max_size=300))
def test_redaction_takes_any_text(text: str) -> None:
    redact_url(text)


def test_headers_lose_what_may_be_secret() -> None:
    shown = redact_headers([("authorization", f"Basic {SECRET}"), ("PRIVATE-TOKEN", SECRET), ("accept", "a/b")])
    assert shown == (("authorization", "Basic …"), ("PRIVATE-TOKEN", "…"), ("accept", "a/b"))


def test_the_log_keeps_the_last_and_counts_all() -> None:
    log = RequestLog(kept=2)
    told: list[RequestRecord] = []
    end = log.subscribe(told.append)
    opened = [log.begin("GET", f"https://r.example/{number}", {}.items()) for number in range(3)]
    assert log.in_flight == 3
    for one in opened:
        one.status = 200
        one.finish()
        one.finish("again")
    end()
    log.begin("GET", "https://r.example/3", {}.items()).finish("broke")
    assert (log.in_flight, log.total, len(told)) == (0, 4, 3)
    assert [(record.url[-1], record.status, record.error) for record in log.records] == [
        ("2", 200, None),
        ("3", None, "broke"),
    ]


def test_what_a_first_frame_needs_loads_no_http_library() -> None:
    names = ("request_log", "options", "errors", "rate", "auth", "exchange", "registry_auth", "conversation")
    code = f"import sys, {', '.join(f'regtui.transport.{name}' for name in names)}\n"
    code += "print([name for name in ('httpx', 'aiohttp', 'ssl', 'asyncio') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"


def test_curl_commands_are_quoted_and_mute() -> None:
    log = RequestLog()
    headers = {"authorization": f"Bearer {SECRET}", "accept": "a/b; q='x'", "user-agent": "regtui"}
    log.begin("PUT", f"https://r.example/v2/x?sig={SECRET}", headers.items()).finish()
    command = as_curl(log.records[0])
    assert SECRET not in command
    assert command.startswith("curl -sS -X PUT -H 'authorization: Bearer …' -H ")
    assert "regtui" not in command


def test_secrets_are_in_no_repr() -> None:
    url = f"https://r.example/v2/?token={SECRET}"
    request = Request("GET", url, {"authorization": f"Bearer {SECRET}"}, SECRET.encode())
    response = Response(200, Headers([("set-cookie", SECRET)]), SECRET.encode(), url)
    answer = Answer(200, response.headers, SECRET.encode(), url)
    assert SECRET not in repr((request, response, response.headers, answer))


def test_headers_are_joined_or_apart() -> None:
    headers = Headers([("Link", "a"), ("link", "b"), ("Content-Length", "12"), ("X", "-1")])
    assert headers["LINK"] == "a, b"
    assert headers.every("Link") == ("a", "b")
    assert (headers.number("content-length"), headers.number("x"), headers.number("y")) == (12, None, None)
    assert dict(headers) == {"link": "a, b", "content-length": "12", "x": "-1"}


@pytest.mark.parametrize(
    ("fields", "rate"),
    [
        ([("RateLimit-Limit", "100;w=21600"), ("RateLimit-Remaining", "98;w=21600")], RateLimit(100, 98, 21600)),
        ([("X-RateLimit-Limit", "5000"), ("X-RateLimit-Remaining", "0")], RateLimit(5000, 0)),
        ([("RateLimit-Remaining", "7")], RateLimit(None, 7)),
        ([("RateLimit-Limit", "many")], None),
        ([], None),
    ],
)
def test_rates(fields: list[tuple[str, str]], rate: RateLimit | None) -> None:
    assert read_rate(Headers(fields)) == rate


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_names(name: str) -> None:
    assert is_loopback(name)


@pytest.mark.parametrize(
    "name", ["localhost.example", "10.0.0.1", "0.0.0.0", "::", "128.0.0.1", "", "127.0.0.1.nip.io"]
)
def test_names_that_are_not_loopback(name: str) -> None:
    assert not is_loopback(name)


def test_where_the_api_answers() -> None:
    assert Place(HostOptions("docker.io")).base_url == "https://registry-1.docker.io"
    assert Place(HostOptions("r.example", api_host="API.example:8443")).base_url == "https://api.example:8443"
    assert Place(HostOptions("[::1]:5000", plain_http=True)).base_url == "http://[::1]:5000"


@pytest.mark.parametrize(
    "host", ["", "a/b", "user@r.example", "r.example:x", "r example", "r.example\r\nX: y", "é.example"]
)
def test_hosts_that_are_none(host: str) -> None:
    with pytest.raises(InvalidReference):
        Place(HostOptions(host))


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/v2/", "https://r.example/v2/"),
        ("/v2/a/blobs/sha256:x?n=1", "https://r.example/v2/a/blobs/sha256:x?n=1&k=v%20%26"),
        ("https://R.example:443/v2/a?_state=a%2Bb%3D", "https://r.example/v2/a?_state=a%2Bb%3D&k=v%20%26"),
        ("http://r.example/v2/a", "https://r.example/v2/a"),
        ("/v2/a b\x1b/c", "https://r.example/v2/a%20b%1B/c"),
    ],
)
def test_paths_become_urls_of_this_origin(path: str, url: str) -> None:
    params = {"k": "v &"} if "?" in path else None
    assert Place(HostOptions("r.example")).url_for(path, params) == url


@pytest.mark.parametrize(
    "path",
    [
        *(
            "https://evil.example/v2/",
            "https://r.example:444/",
            "//evil.example/x",
            "http://r.example:8080/",
            "ftp://r.example/",
        ),
        *("v2/", "", "https://r.example.evil/", "https://r.example@evil.example/", "https://[::1/", "javascript:x"),
    ],
)
def test_other_origins_are_refused(path: str) -> None:
    with pytest.raises(BadAnswer):
        Place(HostOptions("r.example")).url_for(path)


def test_only_loopback_falls_back_to_plain_http_and_only_before_it_spoke_tls() -> None:
    no_tls, broken = TlsFailure("no TLS", no_tls=True), TlsFailure("a bad certificate")
    away = Place(HostOptions("r.example"))
    assert away.fall_back(Request("GET", away.url_for("/v2/")), no_tls) is None
    here = Place(HostOptions("localhost:5000"))
    request = Request("GET", here.url_for("/v2/"))
    assert here.fall_back(request, broken) is None
    plain = here.fall_back(request, no_tls)
    assert plain is not None
    assert (plain.url, here.base_url) == ("http://localhost:5000/v2/", "http://localhost:5000")
    other = here.fall_back(request, no_tls)  # one that was under way at the same time
    assert other is not None
    settled = Place(HostOptions("localhost:5000"))
    settled.reached()
    assert settled.fall_back(Request("GET", settled.url_for("/v2/")), no_tls) is None
    refused = Unreachable("refused", refused=True, sent=False)
    assert Place(HostOptions("localhost:5000")).fall_back(request, refused) is None
    assert Place(HostOptions("localhost")).fall_back(Request("GET", "https://localhost/v2/"), refused) is not None


PROXIES = {"https_proxy": "http://proxy.example:3128", "HTTP_PROXY": "proxy.example:8080"}


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("https://r.example/", {}, None),
        ("https://r.example/", PROXIES, "http://proxy.example:3128"),
        ("http://r.example/", PROXIES, "http://proxy.example:8080"),
        ("http://r.example/", {**PROXIES, "REQUEST_METHOD": "GET"}, None),
        ("https://127.0.0.1:5000/", PROXIES, None),
        ("https://localhost/", PROXIES, None),
        ("https://[::1]/", PROXIES, None),
        ("https://r.example/", {"ALL_PROXY": "http://all.example"}, "http://all.example"),
        ("https://r.example/", {**PROXIES, "NO_PROXY": "*"}, None),
        ("https://r.example/", {**PROXIES, "NO_PROXY": "other, .example"}, None),
        ("https://r.example/", {**PROXIES, "NO_PROXY": "r.example:443"}, None),
        ("https://r.example/", {**PROXIES, "NO_PROXY": "r.example:5000"}, "http://proxy.example:3128"),
        ("https://xr.example/", {**PROXIES, "NO_PROXY": "r.example"}, "http://proxy.example:3128"),
        ("https://10.1.2.3/", {**PROXIES, "no_proxy": "10.0.0.0/8"}, None),
        ("https://10.1.2.3/", {**PROXIES, "no_proxy": "10.1.2.4"}, "http://proxy.example:3128"),
    ],
)
def test_proxies(url: str, environment: dict[str, str], proxy: str | None) -> None:
    assert proxy_for(url, environment) == proxy


def test_a_proxy_that_is_not_spoken_says_so() -> None:
    with pytest.raises(Unreachable, match="socks5 proxy") as caught:
        proxy_for("https://r.example/", {"ALL_PROXY": f"socks5://u:{SECRET}@proxy.example"})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "r.example", "file:///etc/passwd", "https://", "https://[::1", "https://h:99999999/"]
)
def test_addresses_without_an_origin(url: str) -> None:
    with pytest.raises(BadAnswer):
        origin(url)


def test_a_position_goes_on_where_it_stood() -> None:
    position = Position("r.example", 0)
    position.accept(200, Headers([("content-length", "10")]))
    assert position.take(b"abcd") == b"abcd"
    assert (position.range, position.is_complete) == ({"range": "bytes=4-"}, False)
    position.accept(206, Headers([("content-range", "bytes 4-9/10")]))
    assert position.take(b"ef") == b"ef"
    position.accept(200, Headers([("content-length", "10")]))  # ranges are no longer honoured
    assert position.take(b"abcdefg") == b"g"
    assert position.take(b"hij") == b"hij"
    assert position.is_complete


@pytest.mark.parametrize("value", ["", "bytes 5-9/10", "bytes 4-9", "items 4-9/10", "bytes */10"])
def test_another_part_than_asked_for_is_refused(value: str) -> None:
    with pytest.raises(BadAnswer):
        Position("r.example", 4).accept(206, Headers([("content-range", value)]))


@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "x-gzip", "deflate"])
@given(content=st.binary(max_size=5000), step=st.integers(1, 500))
def test_bodies_of_every_encoding(encoding: str, content: bytes, step: int) -> None:
    sent = content
    if encoding not in {"", "identity"}:
        sent = zlib.compress(content) if encoding == "deflate" else gzip.compress(content)
    body = Body(len(content), encoding, host="r.example")
    for at in range(0, len(sent), step):
        assert body.add(sent[at : at + step])
    assert body.finish() == content


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_bodies_end_at_their_limit(encoding: str) -> None:
    content = b"a" * 100_000
    sent = gzip.compress(content) if encoding else content
    with pytest.raises(BadAnswer, match="99999 bytes"):
        Body(99_999, encoding, host="r.example").add(sent)
    cut = Body(99_999, encoding, host="r.example", cut=True)
    assert not cut.add(sent)
    assert cut.finish() == content[:99_999]


def test_an_announced_length_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadAnswer):
        Body(10, "", host="r.example").expect(11)
    Body(10, "", host="r.example").expect(10)


@pytest.mark.parametrize("sent", [b"no gzip", gzip.compress(b"a" * 1000)[:-12]], ids=["no gzip", "cut"])
def test_damaged_compression_is_refused(sent: bytes) -> None:
    def read() -> bytes:
        body = Body(10_000, "gzip", host="r.example")
        body.add(sent)
        return body.finish()

    with pytest.raises(BadAnswer, match="damaged"):
        read()


def test_an_encoding_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(BadAnswer):
        Body(10, "br", host="r.example")
