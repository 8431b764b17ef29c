"""Amazon ECR against a fake that botocore's model and signer keep honest: the contract, and what is ECR's own."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import pytest

from regtui.credentials.values import Credential, Secret
from regtui.oci import Digest
from regtui.registries import aws
from regtui.registries.aws import read_host
from regtui.registries.contract import Capability
from regtui.registries.ecr import EcrRegistry
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import (
    BadAnswer,
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    ServerFault,
    Unauthorized,
    Unsupported,
)
from regtui.trust.reports import read_scan_report
from tests.fakes.ecr import HOST, KEY, SECRET, START, AwsError, FakeEcr
from tests.registries.clouds import be_aws_user, client_of
from tests.registries.contract import ARM, IMAGE, INDEX, TAGS, Place, WritingContract, collect, parse, tag_names
from tests.registries.proofs import SIGN_IN, Level, Proof, proves
from tests.servers import content

proof = Proof(
    "Amazon ECR",
    "ecr",
    Level.FAKE,
    lacks=frozenset({Capability.SEARCH, Capability.SOFT_DELETE}),
    source=(
        "AWS's documentation; every call and answer checked against botocore's model, every signature by botocore; "
        "third party is moto's server, for the JSON API"
    ),
)


@pytest.fixture(autouse=True)
def aws_user(monkeypatch, tmp_path):
    """An AWS user by environment, and nothing else of this machine."""
    be_aws_user(monkeypatch, tmp_path, KEY, SECRET)


@pytest.fixture
def fake():
    with FakeEcr() as server:
        yield server
    assert server.faults == []


@pytest.fixture
async def ecr(fake):
    registry = made(fake)
    yield registry
    await registry.close()


def made(fake: FakeEcr, **client) -> EcrRegistry:
    registry = EcrRegistry(client_of(HOST, fake.host, **client), settings=RegistrySettings(HOST, api=fake.host))
    registry.api.pause = no_pause
    return registry


async def no_pause(_: float) -> None:
    return


class TestContract(WritingContract):
    proof = proof

    @pytest.fixture(params=[1000, 2])
    async def place(self, request, fake):
        fake.most = request.param
        for tag, what in TAGS.items():
            fake.put("shop/cart", what, tag)
        fake.create("shop/new")
        registry = made(fake)
        yield Place(
            registry, "shop/cart", "shop/new", deletes_tags=True, deletes_manifests=True, has_referrers_api=True
        )
        await registry.close()


async def test_a_thousand_images_cost_one_question(fake, ecr):
    for number in range(1000):
        fake.put("shop/cart", content.Content(content.OCI_MANIFEST, manifest(number), is_manifest=True), f"v{number}")
    rows = await collect(ecr.tags("shop/cart"))
    assert len(rows) == 1000
    assert [name for name, _ in fake.calls] == ["DescribeImages"]
    assert all(row.digest and row.size is not None and row.pushed for row in rows)
    fake.most = 300
    assert len(await collect(ecr.tags("shop/cart"))) == 1000
    assert len(fake.calls_of("DescribeImages")) == 1 + 4


def manifest(number: int) -> bytes:
    config = {"mediaType": content.OCI_CONFIG, "digest": Digest.of(str(number).encode()), "size": number}
    return content.dumps({"schemaVersion": 2, "mediaType": content.OCI_MANIFEST, "config": config, "layers": []})


@proves(Capability.IMMUTABLE_TAGS)
async def test_rows_tell_what_the_listing_tells(fake, ecr):
    about = fake.create("shop/cart", mutability="IMMUTABLE_WITH_EXCLUSION", excepted=("dev*",))
    for tag in ("v1", "dev-1"):
        fake.put("shop/cart", IMAGE, tag)
    fake.put("shop/cart", INDEX, "multi")
    fake.put("shop/cart", content.artifact("text/note", b"hidden", subject=INDEX))
    fake.put("shop/cart", content.artifact("text/note", b"lost", subject=content.image({"gone": b"1"})))
    about.pulled[IMAGE.digest] = START + 100
    about.summaries[ARM.digest] = {"LOW": 3}
    about.summaries[IMAGE.digest] = {"HIGH": 2, "LOW": 1}
    await collect(ecr.repositories())
    rows = {row.name: row for row in await collect(ecr.tags("shop/cart"))}
    v1 = rows["v1"]
    assert v1.size == sum(len(need.raw) for need in IMAGE.needs)
    assert v1.pushed == datetime.fromtimestamp(about.pushed[IMAGE.digest], UTC)
    assert v1.pulled == datetime.fromtimestamp(START + 100, UTC)
    assert v1.vulnerabilities == {"HIGH": 2, "LOW": 1}
    assert (v1.immutable, rows["dev-1"].immutable) == (True, False)
    assert rows["multi"].size is None, "ECR tells the largest image of an index only"
    # The other image of the index, and what refers to an image that is gone; both come last.
    assert [row.is_untagged for row in rows.values()] == [False] * 3 + [True] * 2


async def test_the_last_tag_of_an_image_is_kept(fake, ecr):
    fake.put("shop/cart", IMAGE, "only")
    with pytest.raises(Unsupported, match="last tag"):
        await ecr.delete_tag("shop/cart", "only")
    assert fake.calls_of("BatchDeleteImage") == []
    assert (await ecr.manifest("shop/cart", "only")).digest == IMAGE.digest


async def test_an_image_of_an_index_goes_after_the_index(fake, ecr):
    fake.put("shop/cart", INDEX, "multi")
    with pytest.raises(Conflict, match="an index holds it"):
        await ecr.delete_manifest("shop/cart", Digest.parse(IMAGE.digest))
    await ecr.delete_manifest("shop/cart", Digest.parse(INDEX.digest))
    await ecr.delete_manifest("shop/cart", Digest.parse(IMAGE.digest))
    with pytest.raises(NotFound):
        await ecr.delete_manifest("shop/cart", Digest.parse(IMAGE.digest))


async def test_a_repository_goes_with_all_that_is_in_it(fake, ecr):
    fake.put("shop/cart", INDEX, "multi")
    await ecr.delete_repository("shop/cart")
    assert "shop/cart" not in fake.repositories
    with pytest.raises(NotFound):
        await ecr.delete_repository("shop/cart")


async def test_immutable_tags_are_told_apart_from_other_refusals(fake, ecr):
    fake.create("shop/cart", mutability="IMMUTABLE")
    other = content.image({"etc/other": b"x"})
    fake.put("shop/cart", IMAGE, "v1")
    fake.put("shop/cart", other)
    with pytest.raises(Conflict, match="immutable"):
        await ecr.put_manifest("shop/cart", "v1", parse(other.raw, other.media_type))
    await ecr.put_manifest("shop/cart", "v1", parse(IMAGE.raw, IMAGE.media_type))  # it points there already


async def test_a_repository_has_to_be_made_first(fake, ecr):
    descriptor = (await image_in(fake, ecr)).config
    with pytest.raises(NotFound) as caught:
        await ecr.put_blob("shop/none", descriptor, pieces(b""))
    assert "aws ecr create-repository --repository-name shop/none" in (caught.value.hint or "")


async def image_in(fake, ecr):
    fake.put("shop/cart", IMAGE, "v1")
    return await ecr.manifest("shop/cart", "v1")


async def pieces(raw: bytes):
    yield raw


@proves(Capability.SCAN_REPORT, Capability.TRIGGER_SCAN)
async def test_scan_reports_of_all_pages(fake, ecr):
    about = fake.create("shop/cart")
    fake.put("shop/cart", IMAGE, "v1")
    digest = Digest.parse(IMAGE.digest)
    assert (await ecr.scan_report("shop/cart", digest)).state == "none"
    await ecr.trigger_scan("shop/cart", digest)
    assert (await ecr.scan_report("shop/cart", digest)).state == "running"
    with pytest.raises(RateLimited, match="once already today"):
        await ecr.trigger_scan("shop/cart", digest)
    findings = [{"name": f"CVE-2026-{n:04}", "severity": "HIGH", "attributes": []} for n in range(5)]
    about.scans[IMAGE.digest] = {
        "imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed successfully."},
        "imageScanFindings": {
            "imageScanCompletedAt": START,
            "findings": findings,
            "findingSeverityCounts": {"HIGH": 5},
        },
    }
    fake.most = 2
    found = await ecr.scan_report("shop/cart", digest)
    assert (found.state, found.source, found.scanner) == ("complete", "Amazon ECR", "ECR basic scanning")
    assert [one.id for one in read_scan_report(found).findings] == [one["name"] for one in findings]
    fake.put("shop/cart", INDEX, "multi")
    with pytest.raises(Unsupported, match="can't scan"):
        await ecr.trigger_scan("shop/cart", Digest.parse(INDEX.digest))


@proves(Capability.RETENTION)
async def test_the_lifecycle_policy_in_words(fake, ecr):
    about = fake.create("shop/cart")
    assert await ecr.retention("shop/cart") is None
    rules = [
        rule(2, {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 100}),
        rule(1, {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}),
        rule(
            3,
            {"tagStatus": "tagged", "tagPatternList": ["dev*"], "countType": "sinceImagePulled", "countNumber": 7},
            {"type": "transition", "targetStorageClass": "archive"},
        ),
    ]
    about.lifecycle = json.dumps({"rules": rules})
    found = await ecr.retention("shop/cart")
    assert found is not None
    assert (found.format, found.enabled, found.body["rules"]) == ("ecr", True, rules)
    assert found.sentences == (
        "Untagged images expire 14 days after their push (rule 1).",
        "Images expire beyond the newest 100 (rule 2).",
        "Images tagged dev* are archived 7 days after their last pull (rule 3).",
    )
    about.lifecycle = "x" * 100
    with pytest.raises(BadAnswer):
        await ecr.retention("shop/cart")


def rule(priority: int, selection: dict, action: dict | None = None) -> dict:
    named = {"rulePriority": priority, "description": f"rule {priority}"}
    return named | {"selection": selection, "action": action or {"type": "expire"}}


@proves(SIGN_IN)
async def test_tokens_are_fetched_once_and_renewed_before_they_end(fake, monkeypatch):
    fake.put("shop/cart", IMAGE, "v1")
    now = [fake.clock]
    monkeypatch.setattr("time.time", lambda: now[0])
    registry = made(fake)
    for _ in range(3):
        await registry.manifest("shop/cart", "v1")
    assert len(fake.calls_of("GetAuthorizationToken")) == 1
    fake.clock = now[0] = now[0] + 12 * 3600 - 60
    await registry.manifest("shop/cart", "v1")
    assert len(fake.calls_of("GetAuthorizationToken")) == 2
    assert registry.identity().name == "AWS (env)"
    await registry.close()


async def test_a_token_that_ended_before_it_came_is_not_asked_for_in_a_loop(fake, ecr, monkeypatch):
    fake.put("shop/cart", IMAGE, "v1")
    monkeypatch.setattr("time.time", lambda: fake.clock + 10 * 365 * 86400)  # this machine's clock is wrong
    for _ in range(3):
        await ecr.manifest("shop/cart", "v1")
    assert len(fake.calls_of("GetAuthorizationToken")) == 1


async def test_passwords_of_any_length_are_taken_whole(fake, ecr):
    fake.put("shop/cart", IMAGE, "v1")
    fake.padding = "x" * 6000
    assert (await ecr.manifest("shop/cart", "v1")).digest == IMAGE.digest
    fake.new_token = lambda: {"authorizationToken": "bm9uc2Vuc2U=", "expiresAt": fake.clock}
    ecr.client.forget_credential()
    with pytest.raises(BadAnswer, match="can't be read"):
        await ecr.manifest("shop/cart", "v1")


async def test_what_docker_keeps_for_the_host_comes_first(fake):
    fake.put("shop/cart", IMAGE, "v1")
    fake.passwords["from-docker"] = fake.clock + 60
    registry = made(fake, credential=Credential("AWS", Secret("from-docker"), source="docker config"))
    assert (await registry.manifest("shop/cart", "v1")).digest == IMAGE.digest
    assert fake.calls_of("GetAuthorizationToken") == []
    await registry.close()


async def plain(fake):
    """A registry whose user has docker's credential and nothing of AWS."""
    for tag, what in TAGS.items():
        fake.put("shop/cart", what, tag)
    fake.passwords["from-docker"] = fake.clock + 60
    return made(fake, credential=Credential("AWS", Secret("from-docker"), source="docker config"))


@pytest.mark.parametrize("missing", ["credentials", "library"])
async def test_without_aws_it_is_a_plain_registry_and_says_why(fake, monkeypatch, missing):
    registry = await plain(fake)
    if missing == "library":
        for name in [name for name in sys.modules if name.partition(".")[0] == "botocore"]:
            monkeypatch.setitem(sys.modules, name, None)
    else:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    reason = {"credentials": aws.NO_CREDENTIALS, "library": aws.NO_LIBRARY}[missing]
    assert [r.path for r in await collect(registry.repositories())] == ["shop/cart"]
    assert await tag_names(registry, "shop/cart") == sorted(TAGS)
    capabilities = await registry.capabilities()
    for capability in (Capability.TAG_DETAILS, Capability.DELETE_TAG, Capability.SCAN_REPORT, Capability.RETENTION):
        assert (capabilities[capability].available, capabilities[capability].reason) == (False, reason)
    for refused in (
        registry.delete_tag("shop/cart", "v1"),
        registry.delete_manifest("shop/cart", Digest.parse(IMAGE.digest)),
        registry.scan_report("shop/cart", Digest.parse(IMAGE.digest)),
        registry.delete_repository("shop/cart"),
        registry.retention("shop/cart"),
    ):
        with pytest.raises(Unsupported) as caught:
            await refused
        assert reason in str(caught.value)
    await registry.put_manifest("shop/cart", "again", parse(IMAGE.raw, IMAGE.media_type))
    assert (await registry.manifest("shop/cart", "again")).digest == IMAGE.digest
    assert fake.calls == []
    await registry.close()


async def test_with_nothing_at_all_it_says_how_to_sign_in(fake, ecr, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(Unauthorized) as caught:
        await ecr.manifest("shop/cart", "v1")
    assert aws.NO_CREDENTIALS in str(caught.value)
    assert f"regtui login {HOST} -u AWS --password-stdin" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (AwsError("AccessDeniedException", "User: x is not authorized to perform: y"), Forbidden, "ecr:DescribeImages"),
        (AwsError("ExpiredTokenException"), Unauthorized, "does not accept the AWS credentials"),
        (AwsError("InvalidParameterException", "bad"), Exception, "rejects ecr:DescribeImages"),
    ],
)
async def test_errors_are_sentences(fake, ecr, error, raised, words):
    fake.refuse.append(error)
    with pytest.raises(raised, match=words) as caught:
        await collect(ecr.tags("shop/cart"))
    assert caught.value.code == error.code
    assert caught.value.detail == error.message


async def test_questions_are_asked_again_when_aws_is_busy(fake, ecr):
    fake.put("shop/cart", IMAGE, "v1")
    fake.refuse += [AwsError("ThrottlingException"), AwsError("ServerException", status=500)]
    assert len(await collect(ecr.tags("shop/cart"))) == 1
    fake.refuse += [AwsError("ThrottlingException")] * 4
    with pytest.raises(RateLimited, match="takes no more requests"):
        await collect(ecr.tags("shop/cart"))
    fake.refuse.append(AwsError("ServerException", status=500))
    with pytest.raises(ServerFault):
        await ecr.delete_manifest("shop/cart", Digest.parse(IMAGE.digest))
    assert len(fake.calls_of("BatchDeleteImage")) == 1, "what changes something is sent once"


async def test_a_wrong_secret_is_refused_and_read_anew(fake, ecr, monkeypatch):
    fake.put("shop/cart", IMAGE, "v1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(Unauthorized):
        await collect(ecr.tags("shop/cart"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    assert len(await collect(ecr.tags("shop/cart"))) == 1


@proves(SIGN_IN)
async def test_temporary_credentials_of_a_profile_come_with_their_session_token(fake, ecr, monkeypatch, tmp_path):
    fake.put("shop/cart", IMAGE, "v1")
    fake.session_token = "session-token"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    given = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "aws_session_token": "session-token"}
    lines = "\n".join(f"{name} = {value}" for name, value in given.items())
    (tmp_path / "credentials").write_text(f"[work]\n{lines}\n")
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert len(await collect(ecr.tags("shop/cart"))) == 1
    assert ecr.identity().name == "AWS profile work"
    shown = [value for record in ecr.client.log.records for _, value in record.request_headers]
    assert f"{ecr.target}.DescribeImages" in shown
    assert not any("session-token" in value or SECRET in value for value in shown)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    ecr.client.forget_credential()
    with pytest.raises(Unsupported, match="can't be read"):
        await ecr.retention("shop/cart")


async def test_who_may_not_list_sees_what_is_pinned(fake):
    fake.create("shop/cart")
    registry = EcrRegistry(
        client_of(HOST, fake.host), settings=RegistrySettings(HOST, api=fake.host, repositories=("shop/cart",))
    )
    fake.refuse.append(AwsError("AccessDeniedException"))
    assert [r.path for r in await collect(registry.repositories())] == ["shop/cart"]
    await registry.close()


async def test_pages_that_go_in_a_circle_end(fake, ecr):
    fake.put("shop/cart", IMAGE, "v1")
    fake.page_of = lambda items, body: (items, {"nextToken": "token-0"})
    with pytest.raises(BadAnswer, match="in a circle"):
        await collect(ecr.tags("shop/cart"))


@pytest.mark.parametrize(
    ("host", "region", "options"),
    [
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "eu-central-1", {}),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", {}),
        ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", {}),
        ("123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", {}),
        ("123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", {}),
        ("123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1", {}),
        ("123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1", {}),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1", {"use_fips_endpoint": True}),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", {"use_fips_endpoint": True}),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1", {"use_dualstack_endpoint": True}),
        (
            "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            "cn-north-1",
            {"use_dualstack_endpoint": True},
        ),
    ],
)
def test_the_api_is_where_botocore_finds_it(host, region, options):
    import botocore.session
    from botocore.config import Config

    client = botocore.session.Session().create_client("ecr", region_name=region, config=Config(**options))
    place = read_host(host)
    assert place is not None
    assert (place.account, place.region) == ("123456789012", region)
    assert f"https://{place.api_host}" == client.meta.endpoint_url


def test_other_hosts_are_none_of_ecrs():
    for host in ("public.ecr.aws", "12345.dkr.ecr.eu-west-1.amazonaws.com", "registry.example.com", ""):
        assert read_host(host) is None
