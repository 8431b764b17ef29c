"""From a host to its registry: what is asked, what is never sent, and plug-ins of others, good and broken."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from regtui.registries import detect as detecting
from regtui.registries.detect import RECOGNISED, detect, make_registry, open_registry
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.distribution_read import DistributionReader
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import RegistryError, ServerFault, Unsupported
from tests.servers.oci11 import FakeRegistry, Reply
from tests.servers.starting import start_distribution


class Answering(FakeRegistry):
    """Answers everything in one way."""

    def __init__(self, reply):
        super().__init__()
        self._reply = reply

    def answer(self, asked):
        return self._reply


HARBOR = 'Bearer realm="http://127.0.0.1:1/service/token",service="harbor-registry"'


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, b"{}"), "distribution"),
        (Reply(401, b"", {"WWW-Authenticate": HARBOR}), "harbor"),
        (Reply(401, b"", {"WWW-Authenticate": "basic realm=z"}), "zot"),
        (Reply(404, b"", {"Server": "Nexus/3.94.0-12 (PRO)"}), "nexus"),
        (Reply(403, b""), "distribution"),
    ],
)
async def test_one_anonymous_look_tells_the_kind(connect, reply, kind):
    with Answering(reply) as fake:
        client = connect(fake.host, user="alice", password="secret")
        assert await detect(client) == kind
        (asked,) = fake.asked
        assert (asked.method, asked.path) == ("GET", "/v2/")
        assert "authorization" not in asked.headers
        assert (await open_registry(client)).kind == kind


async def test_a_known_host_is_not_asked(connect):
    assert await detect(connect("ghcr.io")) == "ghcr"


async def test_the_settings_win(connect):
    with Answering(Reply(401, b"", {"WWW-Authenticate": HARBOR})) as fake:
        registry = await open_registry(connect(fake.host), RegistrySettings(fake.host, "distribution"))
        assert (registry.kind, registry.host) == ("distribution", fake.host)
        assert fake.asked == []
        assert (await open_registry(connect(fake.host), RegistrySettings(fake.host))).kind == "harbor"


async def test_a_host_that_fails_is_an_error_not_a_kind(connect):
    with Answering(Reply(500)) as fake, pytest.raises(ServerFault):
        await detect(connect(fake.host))


@pytest.mark.real
@pytest.mark.parametrize("server", ["docker_registry", "registry_v3", "crane_registry"])
async def test_real_registries_are_plain(server, request, connect):
    assert await detect(connect(request.getfixturevalue(server))) == "distribution"


@pytest.mark.real
async def test_a_password_is_not_sent_to_find_out(connect, tmp_path):
    with start_distribution(tmp_path, htpasswd=True) as server:
        assert await detect(connect(server.host)) == "distribution"


@pytest.mark.parametrize("kind", sorted(RECOGNISED))
def test_every_kind_that_is_told_apart_can_be_opened(kind, connect):
    registry = make_registry(kind, connect("registry.test"))
    assert isinstance(registry, DistributionReader)
    assert registry.kind == kind
    assert registry.host == "registry.test"


class Foreign(DistributionRegistry):
    """What somebody else might bring along."""

    kind = "foreign"


def factory_that_fails(client, *, settings):
    raise ZeroDivisionError


def factory_of_nothing(client, *, settings):
    return None


@pytest.fixture
def plug_ins(monkeypatch):
    """Installs entry points of the kind's group: {kind: value}."""

    def install(**values):
        found = EntryPoints(EntryPoint(name, value, detecting.GROUP) for name, value in values.items())
        monkeypatch.setattr(detecting, "entry_points", lambda **wanted: found.select(**wanted))

    install()
    return install


def test_a_plug_in_serves_its_kind(connect, plug_ins):
    plug_ins(foreign=f"{__name__}:Foreign")
    registry = make_registry("foreign", connect("registry.test"))
    assert isinstance(registry, Foreign)


def test_a_plug_in_does_not_replace_a_kind_of_ours(connect, plug_ins):
    plug_ins(harbor=f"{__name__}:factory_that_fails")
    assert make_registry("harbor", connect("registry.test")).kind == "harbor"


def test_an_unknown_kind_says_which_there_are(connect, plug_ins):
    with pytest.raises(Unsupported, match="no kind of registry called") as raised:
        make_registry("horbor", connect("registry.test"))
    assert "harbor" in raised.value.hint


@pytest.mark.parametrize(
    "value",
    ["no.such.module:X", f"{__name__}:missing", f"{__name__}:factory_that_fails", f"{__name__}:factory_of_nothing"],
)
def test_a_broken_plug_in_is_one_sentence(connect, plug_ins, value):
    plug_ins(foreign=value)
    with pytest.raises(RegistryError, match="plug-in for 'foreign'") as raised:
        make_registry("foreign", connect("registry.test"))
    assert "distribution" in raised.value.hint
