"""Basic, the auth of adapters, and which realms get a credential at all."""

from __future__ import annotations

import asyncio
import base64
import threading
from typing import TYPE_CHECKING, Any

import pytest

from regtui.credentials.values import ANONYMOUS, Credential, Secret
from regtui.transport.auth import BasicAuth, BearerAuth, CredentialAuth, NoAuth, password_as_bearer
from regtui.transport.client import RegistryClient
from regtui.transport.errors import BadAnswer, CredentialRefused, RegistryError, Unauthorized
from regtui.transport.exchange import Request, Response
from regtui.transport.headers import Headers
from regtui.transport.options import HostOptions
from regtui.transport.place import Place
from regtui.transport.registry_auth import RegistryAuth
from regtui.transport.steps import NeedCredential
from tests.fakes.hostile import as_json
from tests.fakes.serve import Reply, Seen, Server
from tests.fakes.token_server import BasicRegistry, accept_everything, basic
from tests.transport.conftest import ALICE, PASSWORD, Source

if TYPE_CHECKING:
    from collections.abc import Generator

    from regtui.transport.patience import Patience
    from tests.transport.conftest import Connect

TAGS = "/v2/a/b/tags/list"


async def test_basic_is_sent_after_the_first_challenge_and_then_ahead(connect: Connect) -> None:
    async with BasicRegistry(accept_everything) as registry:
        client = connect(registry.host, ALICE)
        assert client.signed_in_as is None
        for _ in range(3):
            await client.request("GET", TAGS)
    assert [bool(seen.authorization) for seen in registry.seen] == [False, True, True, True]
    assert client.signed_in_as == "alice"


@pytest.mark.parametrize("challenge", ["basic realm=zot", "BASIC", 'Negotiate, Basic realm="a, b"'])
async def test_basic_challenges_in_other_forms(connect: Connect, challenge: str) -> None:
    async with BasicRegistry(accept_everything, challenge=challenge) as registry:
        assert (await connect(registry.host, ALICE).request("GET", TAGS)).status == 200


def greets_strangers(seen: Seen) -> Reply:
    """zot's way with anonymous users allowed: 200, and still a challenge."""
    if seen.path == "/v2/" and not seen.authorization:
        return Reply(200, (("WWW-Authenticate", "basic realm=zot"),), b"{}")
    return Reply(401) if seen.authorization not in (None, basic("alice", PASSWORD)) else Reply(200, (), b"{}")


async def test_a_greeting_with_a_challenge_signs_in_who_can(connect: Connect) -> None:
    async with Server(greets_strangers) as registry:
        client, stranger = connect(registry.host, ALICE), connect(registry.host)
        for path in ("/v2/", TAGS):
            await client.request("GET", path)
        assert [bool(seen.authorization) for seen in registry.seen] == [False, True, True]
        assert client.signed_in_as == "alice"
        await stranger.request("GET", "/v2/")
        assert len(registry.seen) == 4
        with pytest.raises(Unauthorized):
            await connect(registry.host, Credential("alice", Secret("wrong"))).request("GET", "/v2/")


async def test_a_wrong_password_is_sent_once(connect: Connect) -> None:
    source = Source(Credential("alice", Secret("wrong"), source="the test"))
    async with BasicRegistry(accept_everything) as registry:
        with pytest.raises(Unauthorized, match=r"credential of alice \(from the test\)"):
            await connect(registry.host, source=source).request("GET", TAGS)
    assert len(registry.seen) == 2
    assert source.forgotten == [registry.host]


async def test_sixteen_at_once_send_a_wrong_password_once(connect: Connect) -> None:
    async with BasicRegistry(accept_everything) as registry:
        client = connect(registry.host, Credential("alice", Secret("wrong")))
        results = await asyncio.gather(*(client.request("GET", TAGS) for _ in range(16)), return_exceptions=True)
    assert {type(result) for result in results} == {CredentialRefused}
    assert sum(bool(seen.authorization) for seen in registry.seen) == 1


async def test_sixteen_at_once_with_the_right_password(connect: Connect) -> None:
    async with BasicRegistry(accept_everything) as registry:
        client = connect(registry.host, ALICE)
        await asyncio.gather(*(client.request("GET", TAGS) for _ in range(16)))
    assert client.signed_in_as == "alice"


async def test_a_password_that_changed_is_looked_up_anew(connect: Connect) -> None:
    source = Source(ALICE)
    async with BasicRegistry(accept_everything) as registry:
        client = connect(registry.host, source=source)
        await client.request("GET", TAGS)
        registry.password = "looking glass"
        with pytest.raises(Unauthorized, match="tags of a/b to alice"):
            await client.request("GET", TAGS)
        source.credential = Credential("alice", Secret("looking glass"))
        await client.request("GET", TAGS)
    assert source.forgotten == [registry.host]


async def test_names_and_passwords_are_utf8(connect: Connect) -> None:
    async with BasicRegistry(accept_everything, user="zoë", password="pä:ss") as registry:
        await connect(registry.host, Credential("zoë", Secret("pä:ss"))).request("GET", TAGS)
    assert base64.b64decode(registry.seen[1].authorization.split()[1]).decode() == "zoë:pä:ss"  # type: ignore[union-attr]


async def test_anonymous_users_are_told_to_sign_in(connect: Connect) -> None:
    async with BasicRegistry(accept_everything) as registry:
        with pytest.raises(Unauthorized, match=f"regtui login {registry.host}"):
            await connect(registry.host).request("GET", TAGS)
    assert len(registry.seen) == 1


@pytest.mark.parametrize("fields", [(), (("WWW-Authenticate", ""),), (("WWW-Authenticate", "Negotiate"),)])
async def test_a_401_that_asks_for_nothing(connect: Connect, fields: tuple[tuple[str, str], ...]) -> None:
    async with Server(lambda _: Reply(401, fields)) as registry:
        with pytest.raises(Unauthorized):
            await connect(registry.host, ALICE).request("GET", TAGS)
    assert len(registry.seen) == 1


def answers(realm: str, options: HostOptions) -> Request | BaseException:
    """What RegistryAuth does after a challenge that names this realm: its next request, or its error."""
    place = Place(options)
    auth = RegistryAuth(place)
    flow: Generator[Any, Any, None] = auth.flow(Request("GET", place.url_for("/v2/")))
    next(flow)
    challenge = Response(401, Headers([("WWW-Authenticate", f'Bearer realm="{realm}"')]), b"", place.url_for("/v2/"))
    try:
        step = flow.send(challenge)
        if isinstance(step, NeedCredential):
            step = flow.send(ALICE)
    except RegistryError as error:
        return error
    finally:
        flow.close()
    assert isinstance(step, Request)
    return step


@pytest.mark.parametrize(
    ("realm", "options"),
    [
        ("http://auth.example/token", HostOptions("r.example")),
        ("http://127.0.0.1/token", HostOptions("r.example")),
        ("http://r.example/token", HostOptions("r.example")),
        ("file:///etc/passwd", HostOptions("r.example")),
        ("https://alice:x@auth.example/token", HostOptions("r.example")),
        ("https://[::1/", HostOptions("r.example")),
    ],
)
def test_realms_that_get_no_credential(realm: str, options: HostOptions) -> None:
    assert isinstance(answers(realm, options), BadAnswer)


@pytest.mark.parametrize(
    ("realm", "options"),
    [
        ("https://auth.example/token", HostOptions("r.example")),
        ("http://auth.example/token", HostOptions("r.example", plain_http=True)),
        ("http://auth.example/token", HostOptions("r.example", insecure=True)),
        ("/token", HostOptions("r.example")),
    ],
)
def test_realms_that_do(realm: str, options: HostOptions) -> None:
    request = answers(realm, options)
    assert isinstance(request, Request)
    assert request.headers["authorization"] == basic("alice", PASSWORD)
    assert PASSWORD not in repr(request)


def test_nothing_is_signed_for_another_origin() -> None:
    auth = RegistryAuth(Place(HostOptions("r.example")))
    request = Request("GET", "https://cdn.example/x")
    flow = auth.flow(request)
    assert next(flow) is request
    challenge = Headers([("WWW-Authenticate", 'Basic realm="x"')])
    with pytest.raises(StopIteration):
        flow.send(Response(401, challenge, b"", request.url))


def test_a_reader_thread_without_any_loop_finds_its_credential(patience: Patience) -> None:
    ready, done = threading.Event(), threading.Event()
    hosts: list[str] = []

    async def serve() -> None:
        async with BasicRegistry(accept_everything) as registry:
            hosts.append(registry.host)
            ready.set()
            await asyncio.to_thread(done.wait, 20)

    server = threading.Thread(target=asyncio.run, args=(serve(),))
    server.start()
    try:
        assert ready.wait(10)
        client = RegistryClient(HostOptions(hosts[0], plain_http=True), Source(ALICE), patience=patience)
        with client.open_blocking("/v2/a/b/blobs/x") as stream:
            assert stream.read() == b"{}"
        asyncio.run(client.close())
    finally:
        done.set()
        server.join(10)


async def test_auth_of_an_adapter(connect: Connect) -> None:
    class Login:
        """Logs in at the API itself, and again when its session has ended."""

        def __init__(self) -> None:
            self.session = ""

        def flow(self, request: Request) -> Generator[Request, Response, None]:
            response = yield request.with_headers(x_session=self.session)
            if response.status == 401:
                login = yield Request("POST", request.url.partition("/api")[0] + "/login", content=b"alice")
                self.session = login.body.decode()
                yield request.with_headers(x_session=self.session)

    def handler(seen: Seen) -> Reply:
        if seen.path == "/login":
            return Reply(200, (), b"s1")
        return as_json(seen.path) if seen.headers.get("x-session") == "s1" else Reply(401)

    async with Server(handler) as api:
        client = connect(api.host, auth=Login())
        assert (await client.request("GET", "/api/a")).json() == "/api/a"
        assert (await client.request("GET", "/api/b")).json() == "/api/b"
    assert api.paths() == ["/api/a", "/login", "/api/a", "/api/b"]


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        (NoAuth(), None),
        (BearerAuth(lambda: Secret("t")), "Bearer t"),
        (BearerAuth(lambda: None), None),
        (BasicAuth(ALICE), basic("alice", PASSWORD)),
        (BasicAuth(ANONYMOUS), None),
    ],
)
async def test_simple_kinds_of_auth(connect: Connect, auth: Any, sent: str | None) -> None:
    async with Server(accept_everything) as api:
        await connect(api.host, auth=auth).request("GET", "/api")
    assert api.seen[0].authorization == sent
    assert PASSWORD not in repr(auth)


async def test_a_credential_that_goes_ahead_and_is_not_sent_again_once_refused(connect: Connect) -> None:
    async with BasicRegistry(accept_everything) as registry:
        alice = connect(registry.host, ALICE)
        api = alice.beside(auth=CredentialAuth(host=registry.host))
        await api.request("GET", "/service/things")
        assert (len(registry.seen), api.signed_in_as) == (1, "alice")
        wrong = connect(registry.host, Credential("alice", Secret("wrong"), source="the test"))
        api = wrong.beside(auth=CredentialAuth(host=registry.host))
        for _ in range(3):
            with pytest.raises(Unauthorized, match=r"credential of alice \(from the test\)"):
                await api.request("GET", "/service/things")
        assert len(registry.seen) == 2
        wrong.forget_credential()
        with pytest.raises(Unauthorized):
            await api.request("GET", "/service/things")
        assert len(registry.seen) == 3


@pytest.mark.parametrize(
    ("credential", "sent"),
    [
        (Credential("bob", Secret("t0ken")), "Bearer t0ken"),
        (Credential(registry_token=Secret("ready")), "Bearer ready"),
        (ANONYMOUS, None),
    ],
)
async def test_a_password_that_is_a_token_goes_as_one(
    connect: Connect, credential: Credential, sent: str | None
) -> None:
    async with Server(accept_everything) as registry:
        api = connect(registry.host, credential).beside(auth=CredentialAuth(password_as_bearer))
        await api.request("GET", "/things")
    assert [seen.authorization for seen in registry.seen] == [sent]
