"""Azure Container Registry against a fake held against its description, and azure-identity against a fake endpoint."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest

from regtui.credentials.values import Credential, Secret
from regtui.oci import Digest, Platform
from regtui.registries import azure
from regtui.registries.acr import AcrRegistry
from regtui.registries.contract import Capability
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import BadAnswer, Conflict, Forbidden, NotFound, Unauthorized, Unsupported
from regtui.trust.reports import read_scan_report
from tests.fakes.acr import HOST, NOBODY, FakeAcr, jwt
from tests.fakes.azure import FakeAzure, finding
from tests.registries.clouds import client_of
from tests.registries.contract import IMAGE, INDEX, TAGS, Place, WritingContract, collect, parse, tag_names
from tests.registries.proofs import SIGN_IN, Level, Proof, proves
from tests.servers import content
from tests.servers.oci11 import json_reply

proof = Proof(
    "Azure Container Registry",
    "acr",
    Level.FAKE,
    lacks=frozenset({Capability.SEARCH, Capability.TRIGGER_SCAN}),
    source=(
        "Microsoft's documentation; calls and answers of its own API checked against its description (soft delete has "
        "none); Azure users are signed in by azure-identity itself"
    ),
)


@pytest.fixture(autouse=True)
def no_azure_user(monkeypatch):
    """Nobody is signed in, and no address of Azure is asked whether somebody is."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")


@pytest.fixture
def fake():
    with FakeAcr() as server:
        yield server
    server.check()


@pytest.fixture
def entra(fake, monkeypatch):
    """An Azure user whom the registry knows."""
    with FakeAzure() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        fake.entra = server.issued  # the same tokens, as they are issued
        yield server


def made(fake: FakeAcr, *, api: str | None = None, repositories: tuple[str, ...] = (), **client) -> AcrRegistry:
    settings = RegistrySettings(HOST, api=api, repositories=repositories)
    return AcrRegistry(client_of(HOST, fake.host, **client), settings=settings)


ADMIN = Credential("acme", Secret("password"), source="test")


@pytest.fixture
async def acr(fake):
    registry = made(fake, credential=ADMIN)
    yield registry
    await registry.close()


class TestContract(WritingContract):
    proof = proof

    @pytest.fixture(params=[1000, 2])
    async def place(self, request, fake, entra):
        fake.page = request.param
        for tag, what in TAGS.items():
            fake.put("shop/cart", what, tag)
        entra.policies = {"retentionPolicy": {"days": 7, "status": "enabled"}}
        registry = made(fake, api=entra.host)
        yield Place(
            registry, "shop/cart", "shop/new", deletes_tags=True, deletes_manifests=True, has_referrers_api=True
        )
        await registry.close()


async def test_a_thousand_tags_cost_two_questions(fake, acr):
    for number in range(1000):
        config = {"mediaType": content.OCI_CONFIG, "digest": Digest.of(str(number).encode()), "size": number}
        body = {"schemaVersion": 2, "mediaType": content.OCI_MANIFEST, "config": config, "layers": []}
        fake.put(
            "shop/cart", content.Content(content.OCI_MANIFEST, content.dumps(body), is_manifest=True), f"v{number}"
        )
    rows = await collect(acr.tags("shop/cart"))
    assert len(rows) == 1000
    assert all(row.digest and row.size and row.pushed for row in rows)
    # One more, of the first, was the challenge.
    tags, manifests = (f"GET /acr/v1/shop/cart/{what}" for what in ("_tags", "_manifests"))
    assert fake.calls("/acr/v1/") == [tags, tags, manifests]


async def test_rows_tell_what_the_lists_tell(fake, acr):
    for tag in ("v1", "also"):
        fake.put("shop/cart", IMAGE, tag)
    fake.put("shop/cart", INDEX, "multi")
    about = fake.about["shop/cart"]
    about.locks["v1"] = {"writeEnabled": False}
    rows = {row.name: row for row in await collect(acr.tags("shop/cart"))}
    v1, multi = rows["v1"], rows["multi"]
    assert (v1.digest, v1.media_type) == (IMAGE.digest, IMAGE.media_type)
    assert v1.size == 5000 + sum(len(layer.raw) for layer in IMAGE.needs[1:])
    assert v1.pushed == datetime(2026, 10, 1, 10, 0, 0, 123456, UTC)
    assert v1.platforms == (Platform("linux", "amd64"),)
    assert (v1.immutable, rows["also"].immutable) == (True, False)
    assert multi.size is None, "ACR does not tell what all images of an index take"
    assert multi.platforms == (Platform("linux", "amd64"), Platform("linux", "arm64"))
    assert [name for name in rows if ":" in name] == [], "the images of an index are found from there"
    lonely = content.image({"etc/lonely": b"x"})
    fake.put("shop/cart", lonely)
    about.sizes[IMAGE.digest] = 525
    rows = {row.name: row for row in await collect(acr.tags("shop/cart"))}
    assert [(name, row.is_untagged) for name, row in rows.items() if ":" in name] == [(lonely.digest, True)]
    assert rows["v1"].size is None, "of imported images it is the manifest's own size"


@proves(Capability.IMMUTABLE_TAGS)
async def test_locks_are_told_apart_from_other_refusals(fake, acr):
    other = content.image({"etc/other": b"x"})
    fake.put("shop/cart", IMAGE, "v1", "free")
    fake.put("shop/cart", other)
    about = fake.about["shop/cart"]
    about.locks["v1"] = {"writeEnabled": False, "deleteEnabled": False}
    about.locks[IMAGE.digest] = {"deleteEnabled": False}
    for refused in (
        acr.put_manifest("shop/cart", "v1", parse(other.raw, other.media_type)),
        acr.delete_tag("shop/cart", "v1"),
        acr.delete_manifest("shop/cart", Digest.parse(IMAGE.digest)),
        acr.delete_repository("shop/cart"),
    ):
        with pytest.raises(Conflict, match="is locked") as caught:
            await refused
        assert "az acr repository update" in (caught.value.hint or "")
    await acr.delete_tag("shop/cart", "free")
    assert await tag_names(acr, "shop/cart") == ["v1"]


async def test_what_refers_to_a_manifest_goes_with_it(fake, acr):
    fake.put("shop/cart", INDEX, "multi")
    fake.put("shop/cart", TAGS["note"], "note")
    await acr.delete_manifest("shop/cart", Digest.parse(INDEX.digest))
    assert await tag_names(acr, "shop/cart") == []


@proves(Capability.SOFT_DELETE)
@pytest.mark.parametrize("page", [1000, 1])
async def test_what_was_deleted_comes_back_with_its_tags(fake, acr, page):
    fake.page = page
    fake.put("shop/cart", IMAGE, "v1", "also")
    await acr.delete_manifest("shop/cart", Digest.parse(IMAGE.digest))
    (gone,) = await collect(acr.deleted("shop/cart"))
    assert (gone.digest, gone.tags) == (IMAGE.digest, ("also", "v1"))
    assert gone.deleted == datetime(2026, 10, 5, 0, 0, 0, 123456, UTC)
    await acr.restore("shop/cart", gone)
    assert await tag_names(acr, "shop/cart") == ["also", "v1"]
    assert await collect(acr.deleted("shop/cart")) == []
    with pytest.raises(NotFound):
        await acr.restore("shop/cart", gone.__class__(Digest.of(b"other"), ("x",)))
    assert (await acr.capabilities())[Capability.SOFT_DELETE].available is True


async def test_without_the_policy_nothing_is_kept(fake, acr):
    fake.soft_delete = False
    fake.put("shop/cart", IMAGE, "v1")
    with pytest.raises(Unsupported, match="soft delete policy"):
        await collect(acr.deleted("shop/cart"))
    assert (await acr.capabilities())[Capability.SOFT_DELETE].available is False


@proves(SIGN_IN)
async def test_an_azure_user_is_signed_in_by_exchange(fake, entra):
    fake.put("shop/cart", IMAGE, "v1")
    registry = made(fake)
    for _ in range(2):
        await collect(registry.tags("shop/cart"))
    assert fake.calls("/oauth2/") == ["POST /oauth2/exchange", "POST /oauth2/token"]
    assert list(entra.issued.values()) == ["https://containerregistry.azure.net"]
    identity = registry.identity()
    assert (identity.name, identity.source) == ("alice@example.com", "Azure")
    await registry.close()


@proves(SIGN_IN)
async def test_passwords_are_sent_to_the_token_service_alone(fake, acr):
    fake.put("shop/cart", IMAGE, "v1")
    await collect(acr.tags("shop/cart"))
    assert fake.calls("/oauth2/") == ["GET /oauth2/token"]
    assert acr.identity().name == "acme"


@proves(SIGN_IN)
async def test_what_az_acr_login_keeps_is_a_refresh_token(fake):
    fake.put("shop/cart", IMAGE, "v1")
    registry = made(fake, credential=Credential(NOBODY, Secret("refresh-of-docker"), source="docker config"))
    await collect(registry.tags("shop/cart"))
    assert fake.calls("/oauth2/") == ["POST /oauth2/token"]
    assert registry.identity().name == "az acr login"
    await registry.close()


async def test_a_kept_token_that_has_ended_is_no_use(fake, entra):
    fake.put("shop/cart", IMAGE, "v1")
    ended = jwt(exp=1_000_000)
    registry = made(fake, credential=Credential(NOBODY, Secret(ended), source="docker config"))
    await collect(registry.tags("shop/cart"))
    assert fake.calls("/oauth2/") == ["POST /oauth2/exchange", "POST /oauth2/token"]
    await registry.close()


@proves(SIGN_IN)
async def test_everybody_reads_what_is_open(fake):
    fake.anonymous = True
    fake.put("shop/cart", IMAGE, "v1")
    registry = made(fake)
    assert await tag_names(registry, "shop/cart") == ["v1"]
    with pytest.raises(Unauthorized):
        await registry.delete_tag("shop/cart", "v1")
    await registry.close()


async def test_a_user_of_another_tenant_still_reads_what_is_open(fake, entra):
    fake.anonymous = True
    fake.entra = set()
    fake.put("shop/cart", IMAGE, "v1")
    registry = made(fake)
    assert await tag_names(registry, "shop/cart") == ["v1"]
    with pytest.raises(Unsupported) as caught:
        await collect(registry.repositories())
    assert f"{HOST} does not know the Azure user alice@example.com" in (caught.value.hint or "")
    await registry.close()


@pytest.mark.parametrize("missing", ["user", "library"])
async def test_without_an_azure_user_it_says_what_to_do(fake, monkeypatch, missing):
    fake.put("shop/cart", IMAGE, "v1")
    if missing == "library":
        for name in [name for name in sys.modules if name.partition(".")[0] == "azure"]:
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, "azure.identity", None)
    reason = {"user": azure.NO_USER, "library": azure.NO_LIBRARY}[missing]
    registry = made(fake)
    with pytest.raises(Unsupported) as caught:
        await collect(registry.repositories())
    assert f"`az login` ({reason})" in (caught.value.hint or "")
    for refused in (registry.scan_report("shop/cart", Digest.parse(IMAGE.digest)), registry.retention("shop/cart")):
        with pytest.raises(Unsupported) as caught:
            await refused
        assert reason in str(caught.value)
    await registry.close()


async def test_a_token_that_may_less_is_refused_with_a_sentence(fake, acr):
    fake.grants = {"pull"}
    fake.put("shop/cart", IMAGE, "v1")
    with pytest.raises(Unauthorized):
        await collect(acr.tags("shop/cart"))
    assert (await acr.manifest("shop/cart", "v1")).digest == IMAGE.digest


async def test_a_firewall_is_not_a_wrong_password(fake, acr):
    fake.firewall = True
    with pytest.raises(Forbidden) as caught:
        await acr.check()
    assert "not allowed access" in (caught.value.detail or "")


@proves(Capability.SCAN_REPORT)
async def test_defenders_findings(fake, entra):
    fake.put("shop/cart", IMAGE, "v1")
    registry = made(fake, api=entra.host)
    digest = Digest.parse(IMAGE.digest)
    nothing = await registry.scan_report("shop/cart", digest)
    assert nothing.state == "none"
    assert "does not tell whether" in (nothing.message or "")
    entra.rows = [finding(0), finding(1, "Critical"), finding(2, "Low")]
    found = await registry.scan_report("shop/cart", digest)
    assert (found.state, found.scanner) == ("complete", "Microsoft Defender")
    assert found.scanned_at == datetime(2026, 10, 3, tzinfo=UTC)
    assert [one.id for one in read_scan_report(found).findings] == [f"CVE-2026-000{n}" for n in range(3)]
    assert f"=~ '{HOST}'" in entra.queries[0]
    assert f"== '{IMAGE.digest}'" in entra.queries[0]
    entra.may_look = False
    with pytest.raises(Forbidden) as caught:
        await registry.scan_report("shop/cart", digest)
    assert "Security Reader" in (caught.value.hint or "")
    await registry.close()


@proves(Capability.RETENTION)
async def test_policies_in_words(fake, entra):
    registry = made(fake, api=entra.host)
    with pytest.raises(NotFound, match="in none of your subscriptions"):
        await registry.retention("shop/cart")
    entra.policies = {
        "retentionPolicy": {"days": 7, "status": "enabled"},
        "softDeletePolicy": {"retentionDays": 14, "status": "enabled"},
        "quarantinePolicy": {"status": "disabled"},
    }
    found = await registry.retention("shop/cart")
    assert found is not None
    assert (found.format, found.enabled) == ("acr", True)
    assert found.sentences == (
        "Untagged manifests of Docker's types are deleted 7 days later.",
        "What is deleted can be restored for 14 days.",
    )
    await registry.close()


async def test_an_exchange_for_nothing_is_told(fake, entra, monkeypatch):
    monkeypatch.setattr(fake, "exchange", lambda asked: json_reply({"refresh_token": ""}))
    registry = made(fake)
    with pytest.raises(BadAnswer, match="for nothing"):
        await registry.manifest("shop/cart", "v1")
    await registry.close()


@pytest.mark.parametrize(
    ("host", "management"),
    [
        ("acme.azurecr.io", "management.azure.com"),
        ("acme.azurecr.cn", "management.chinacloudapi.cn"),
        ("acme.azurecr.us:443", "management.usgovcloudapi.net"),
    ],
)
def test_each_cloud_is_managed_at_its_own_place(host, management):
    assert azure.cloud_of(host).management == management
