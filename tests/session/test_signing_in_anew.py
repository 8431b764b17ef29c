"""Who signs in while a registry is open sees it as the one they are from then on."""

from __future__ import annotations

from regtui.credentials.values import Credential, Secret
from regtui.registries.contract import Capability
from regtui.session.session import Session, SessionOptions
from tests.fakes.nexus import NexusFake
from tests.registries.contract import collect, fill_fake

CART = "docker-hosted/shop/cart"


async def test_a_stranger_becomes_a_user(monkeypatch, tmp_path):
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with NexusFake(user=("alice", "wonderland"), open_to_strangers=False) as fake:
        fill_fake(fake, CART, referrers_api=False)
        session = Session.start(SessionOptions(plain_http=frozenset({fake.host})))
        try:
            capabilities = await (await session.registry(fake.host)).capabilities()
            assert capabilities[Capability.TAG_DETAILS].available is False
            await session.sign_in(fake.host, Credential("alice", Secret("wonderland")))
            registry = await session.registry(fake.host)
            assert (await registry.capabilities())[Capability.TAG_DETAILS].available
            assert CART in [one.path for one in await collect(registry.repositories())]
        finally:
            await session.close()
