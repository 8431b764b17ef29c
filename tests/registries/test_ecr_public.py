"""Amazon ECR Public: the contract for whose alias it is, and what anybody can do."""

from __future__ import annotations

import pytest

from regtui.oci import Digest, InvalidReference
from regtui.registries import aws
from regtui.registries.contract import Capability
from regtui.registries.ecr_public import EcrPublicRegistry
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import NotFound, Unauthorized, Unsupported
from tests.fakes.ecr import KEY, SECRET, AwsError
from tests.fakes.ecr_public import HOST, FakeEcrPublic
from tests.registries.clouds import be_aws_user, client_of
from tests.registries.contract import IMAGE, TAGS, Place, WritingContract, collect, parse, tag_names
from tests.registries.proofs import SIGN_IN, Level, Proof, proves

proof = Proof(
    "Amazon ECR Public",
    "ecr-public",
    Level.FAKE,
    lacks=frozenset(
        {
            Capability.SEARCH,
            Capability.SCAN_REPORT,
            Capability.TRIGGER_SCAN,
            Capability.RETENTION,
            Capability.IMMUTABLE_TAGS,
            Capability.SOFT_DELETE,
        }
    ),
    source="AWS's documentation; every call and answer checked against botocore's model, every signature by botocore",
)


@pytest.fixture(autouse=True)
def aws_user(monkeypatch, tmp_path):
    be_aws_user(monkeypatch, tmp_path, KEY, SECRET)


@pytest.fixture
def fake():
    with FakeEcrPublic() as server:
        yield server
    assert server.faults == []


@pytest.fixture
async def public(fake):
    registry = EcrPublicRegistry(client_of(HOST, fake.host), settings=RegistrySettings(HOST, api=fake.host))
    yield registry
    await registry.close()


class TestContract(WritingContract):
    proof = proof

    @pytest.fixture
    async def place(self, fake, public):
        for tag, what in TAGS.items():
            fake.put("acme/cart", what, tag)
        fake.create("acme/new")
        return Place(public, "acme/cart", "acme/new", deletes_tags=True, deletes_manifests=True, has_referrers_api=True)


async def test_a_thousand_tags_of_ones_own_cost_one_question(fake, public):
    fake.put("acme/cart", IMAGE, *(f"v{number}" for number in range(1000)))
    rows = await collect(public.tags("acme/cart"))
    assert len(rows) == 1000
    assert [name for name, _ in fake.calls] == ["DescribeRegistries", "DescribeImages"]
    await collect(public.tags("acme/cart"))
    assert len(fake.calls_of("DescribeRegistries")) == 1
    public.client.forget_credential()
    await collect(public.tags("acme/cart"))
    assert len(fake.calls_of("DescribeRegistries")) == 2


async def test_other_peoples_repositories_are_read_as_plain_ones(fake, public):
    fake.put("others/app", IMAGE, "v1", "v2")
    assert await tag_names(public, "others/app") == ["v1", "v2"]
    assert (await public.manifest("others/app", "v1")).digest == IMAGE.digest
    with pytest.raises(Unsupported, match="others is not an alias of your account"):
        await public.delete_tag("others/app", "v1")
    with pytest.raises(NotFound):
        await collect(public.tags("others/none"))
    assert [r.path for r in await collect(public.repositories())] == []


@proves(SIGN_IN)
async def test_who_is_known_to_aws_writes_with_its_token(fake, public):
    fake.put("acme/cart", IMAGE, "v1")
    await public.manifest("acme/cart", "v1")
    assert fake.calls_of("GetAuthorizationToken") == [{}]
    assert any(asked.headers.get("authorization") == "Bearer bearer-password-0" for asked in fake.asked)


@pytest.mark.parametrize("why", ["no credentials", "no permission for a token", "no alias"])
async def test_everybody_reads_whatever_is_wrong_with_the_account(fake, public, monkeypatch, why):
    fake.put("acme/cart", IMAGE, "v1", "v2")
    if why == "no credentials":
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    elif why == "no alias":
        fake.has_alias = False
    else:
        fake.refuse += [AwsError("AccessDeniedException")] * 2
    assert await tag_names(public, "acme/cart") == ["v1", "v2"]
    assert (await public.manifest("acme/cart", "v1")).digest == IMAGE.digest
    capabilities = await public.capabilities()
    for capability in (Capability.LIST_REPOSITORIES, Capability.DELETE_TAG, Capability.TAG_DETAILS):
        assert capabilities[capability].available is False
        assert capabilities[capability].reason
    with pytest.raises(Unsupported):
        await collect(public.repositories())
    with pytest.raises(Unsupported) as caught:
        await public.delete_manifest("acme/cart", Digest.parse(IMAGE.digest))
    words = {"no credentials": aws.NO_CREDENTIALS, "no alias": "no registry", "no permission for a token": "not allow"}
    assert words[why] in str(caught.value)


async def test_nobody_writes_anonymously(fake, public, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    fake.put("acme/cart", IMAGE, "v1")
    with pytest.raises(Unauthorized):
        await public.put_manifest("acme/cart", "v2", parse(IMAGE.raw, IMAGE.media_type))


async def test_pinned_repositories_are_listed_where_nothing_else_is(fake, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    settings = RegistrySettings(HOST, api=fake.host, repositories=("others/app",))
    registry = EcrPublicRegistry(client_of(HOST, fake.host), settings=settings)
    assert [r.path for r in await collect(registry.repositories())] == ["others/app"]
    await registry.close()


async def test_a_path_needs_an_alias(public, fake):
    with pytest.raises((InvalidReference, Unsupported)):
        await public.delete_tag("cart", "v1")
    assert fake.calls_of("BatchDeleteImage") == []


def test_the_api_is_where_botocore_finds_it():
    import botocore.session

    client = botocore.session.Session().create_client("ecr-public", region_name="us-east-1")
    assert f"https://{EcrPublicRegistry.default_api}" == client.meta.endpoint_url
