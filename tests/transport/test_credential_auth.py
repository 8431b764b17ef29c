"""The credential that goes along unasked, to a vendor's own API: which fields, when it is looked up, and errors."""

from __future__ import annotations

import pytest

from regtui.credentials.values import ANONYMOUS, Credential, Secret
from regtui.transport.auth import CredentialAuth
from regtui.transport.client import RegistryClient
from regtui.transport.errors import Unauthorized
from regtui.transport.options import HostOptions
from tests.fakes.serve import Reply, Server
from tests.fakes.token_server import basic


class Source:
    """Gives what it holds, and counts how often it was asked."""

    def __init__(self, credential):
        self.credential, self.asked = credential, 0

    async def find(self, host):
        self.asked += 1
        return self.credential

    def forget(self, host):
        return


@pytest.fixture
async def api():
    async with Server(lambda seen: Reply(200 if seen.authorization == basic("alice", "right") else 401)) as server:
        yield server


def client_of(server, source, **options):
    return RegistryClient(HostOptions(server.host, plain_http=True), source, auth=CredentialAuth(**options))


async def test_it_goes_along_from_the_first_request_on(api):
    source = Source(Credential("alice", Secret("right")))
    client = client_of(api, source)
    for _ in range(2):
        assert (await client.request("GET", "/")).status == 200
    assert (len(api.seen), source.asked, client.signed_in_as) == (2, 1, "alice")
    await client.close()


async def test_a_refused_one_is_looked_up_anew_and_named_in_the_error(api):
    source = Source(Credential("alice", Secret("wrong"), source="keyring"))
    client = client_of(api, source)
    with pytest.raises(Unauthorized, match=r"to alice \(from keyring\)"):
        await client.request("GET", "/")
    assert client.signed_in_as is None
    source.credential = Credential("alice", Secret("right"))
    assert (await client.request("GET", "/")).status == 200
    assert (len(api.seen), source.asked) == (2, 2)
    await client.close()


async def test_without_one_nothing_goes_along(api):
    client = client_of(api, Source(ANONYMOUS))
    with pytest.raises(Unauthorized, match="anonymous"):
        await client.request("GET", "/")
    assert api.seen[0].authorization is None
    await client.close()


async def test_a_ready_token_and_fields_of_an_apis_own(api):
    client = client_of(api, Source(Credential(registry_token=Secret("abc"))))
    with pytest.raises(Unauthorized):
        await client.request("GET", "/")
    other = client_of(
        api, Source(Credential("x", Secret("tok"))), sign=lambda found: {"private_token": found.password.reveal()}
    )
    with pytest.raises(Unauthorized):
        await other.request("GET", "/")
    assert api.seen[0].authorization == "Bearer abc"
    assert (api.seen[1].authorization, api.seen[1].headers["private-token"]) == (None, "tok")
    await client.close()
    await other.close()
