"""Google's registries against a fake held against the discovery documents; google-auth against a fake of OAuth2."""

from __future__ import annotations

import base64
import json
import stat
import sys
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from regtui.credentials.values import Credential, Secret
from regtui.oci import Digest
from regtui.registries import google_identity
from regtui.registries.contract import Capability
from regtui.registries.google import GoogleRegistry
from regtui.registries.google_names import GoogleHost, Image, image_of, read_host, split_project
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import (
    BadAnswer,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    ServerFault,
    Unauthorized,
    Unsupported,
)
from regtui.trust.reports import read_scan_report
from tests.fakes.google import GCR, PKG, UPLOADED, FakeGoogle, discovered, put_all, vulnerability
from tests.registries.clouds import client_of
from tests.registries.contract import IMAGE, INDEX, TAGS, Place, WritingContract, collect, parse, tag_names
from tests.registries.proofs import SIGN_IN, Level, Proof, proves
from tests.servers.oci11 import json_reply

proof = Proof(
    "Google Artifact Registry, gcr.io",
    "google",
    Level.FAKE,
    lacks=frozenset({Capability.SEARCH, Capability.TRIGGER_SCAN, Capability.SOFT_DELETE}),
    source=(
        "Google's documentation and its own clients' sources; calls and answers of the REST APIs checked against their "
        "discovery documents; service accounts are signed in by google-auth itself"
    ),
)
TOKEN = Credential("oauth2accesstoken", Secret("ya29.token"), source="docker-credential-gcloud")


@pytest.fixture(autouse=True)
def no_google_user(monkeypatch, tmp_path):
    """Nobody is signed in, and no address of Google is asked whether somebody is."""
    for name in (
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_PROJECT",
        "GCLOUD_PROJECT",
        "GOOGLE_CLOUD_QUOTA_PROJECT",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.fixture(params=[PKG])
def fake(request):
    with FakeGoogle(request.param) as server:
        yield server
    server.check()


def made(fake: FakeGoogle, *, namespaces: tuple[str, ...] = ("shop",), **client) -> GoogleRegistry:
    settings = RegistrySettings(fake.name, api=fake.host, namespaces=namespaces)
    registry = GoogleRegistry(client_of(fake.name, fake.host, **client), settings=settings)
    registry.pause = registry.artifacts.pause = no_pause
    return registry


async def no_pause(_: float) -> None:
    return


@pytest.fixture
async def google(fake):
    registry = made(fake, credential=TOKEN)
    yield registry
    await registry.close()


class TestContract(WritingContract):
    proof = proof

    @pytest.fixture(params=["pkg.dev", "gcr.io", "gcr.io, pulling only", "small pages", "referrers"])
    async def place(self, request):
        name = GCR if request.param.startswith("gcr.io") else PKG
        with FakeGoogle(name, referrers=request.param == "referrers") as fake:
            fake.has_rest = request.param != "gcr.io, pulling only"
            fake.rows = 1 if request.param == "small pages" else 1000
            first, other = ("shop/web/cart", "shop/web/new") if name == PKG else ("shop/cart", "shop/new")
            put_all(fake, first, TAGS)
            if fake.has_referrers is False:
                tag_of_referrers(fake, first)
            registry = made(fake, credential=TOKEN)
            yield Place(
                registry,
                first,
                other,
                deletes_tags=True,
                deletes_manifests=True,
                has_referrers_api=fake.has_referrers,
            )
            await registry.close()
            fake.check()

    async def test_a_repository_goes_with_all_that_is_in_it(self, place):
        if place.registry.place.is_gcr and not await self.has_rest(place):
            await self.fill(place, "one")
            with pytest.raises(Forbidden):
                await place.registry.delete_repository(place.other)
        else:
            await super().test_a_repository_goes_with_all_that_is_in_it(place)

    async def has_rest(self, place) -> bool:
        try:
            await place.registry.retention(place.repository)
        except Forbidden:
            return False
        return True

    async def test_reports_and_rules_or_that_there_are_none(self, place):
        if await self.has_rest(place):
            await super().test_reports_and_rules_or_that_there_are_none(place)
        else:
            with pytest.raises(Forbidden):
                await place.registry.scan_report(place.repository, Digest.parse(IMAGE.digest))


def tag_of_referrers(fake: FakeGoogle, repository: str) -> None:
    """What clients keep by hand where there is no referrers API."""
    note = TAGS["note"]
    entry = note.descriptor | {"artifactType": "application/spdx+json"}
    body = {"schemaVersion": 2, "mediaType": INDEX.media_type, "manifests": [entry]}
    listed = type(INDEX)(INDEX.media_type, json.dumps(body).encode(), (), True)
    fake.put(repository, listed, INDEX.digest.replace(":", "-"))


async def test_a_thousand_tags_cost_one_question(fake, google):
    fake.put("shop/web/cart", IMAGE, *(f"v{number}" for number in range(1000)))
    await google.check()
    before = len(fake.asked)
    rows = await collect(google.tags("shop/web/cart"))
    asked = [f"{one.method} {one.path}" for one in fake.asked[before:] if one.path != "/v2/token"]
    assert len(rows) == 1000
    assert set(asked) == {"GET /v2/shop/web/cart/tags/list"}
    assert all(row.digest and row.size and row.pushed and row.created for row in rows)
    before = len(fake.asked)
    await collect(google.tags("shop/web/cart"))
    assert len(fake.asked) == before + 1


async def test_rows_tell_what_the_list_tells(fake, google):
    fake.put("shop/web/cart", IMAGE, "v1")
    fake.put("shop/web/cart", INDEX, "multi")
    rows = {row.name: row for row in await collect(google.tags("shop/web/cart"))}
    assert rows["v1"].pushed == datetime.fromtimestamp(UPLOADED / 1000, UTC)
    assert rows["v1"].created == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert rows["v1"].size == sum(len(need.raw) for need in IMAGE.needs)
    assert (rows["multi"].size, rows["multi"].created) == (None, None)
    assert rows["v1"].immutable is None, "no listing has told"
    assert [row.is_untagged for name, row in rows.items() if ":" in name] == [True]


@proves(Capability.IMMUTABLE_TAGS)
async def test_immutable_tags_are_a_setting_of_the_repository(fake, google):
    fake.put("shop/web/cart", IMAGE, "v1")
    fake.put("shop/dev/cart", IMAGE, "v1")
    fake.settings["web"] = {"dockerConfig": {"immutableTags": True}}
    assert [r.path for r in await collect(google.repositories())] == ["shop/dev/cart", "shop/web/cart"]
    for repository, expected in (("shop/web/cart", True), ("shop/dev/cart", False)):
        assert {row.immutable for row in await collect(google.tags(repository))} == {expected}


async def test_images_are_listed_by_project_and_repository(fake):
    for path in ("shop/web/cart", "shop/web/team/app", "shop/dev/cart", "other/web/x", "example.com/p/web/y"):
        fake.put(path, IMAGE, "v1")
    fake.rows = 1
    cases = {
        ("shop",): ["shop/dev/cart", "shop/web/cart", "shop/web/team/app"],
        ("shop/web",): ["shop/web/cart", "shop/web/team/app"],
        ("other", "example.com/p"): ["other/web/x", "example.com/p/web/y"],
    }
    for namespaces, expected in cases.items():
        registry = made(fake, credential=TOKEN, namespaces=namespaces)
        assert [r.path for r in await collect(registry.repositories())] == expected
        await registry.close()
    registry = made(fake, credential=TOKEN, namespaces=())
    assert [r.path for r in await collect(registry.repositories("shop/web/"))] == ["shop/web/cart", "shop/web/team/app"]
    with pytest.raises(Unsupported, match="images of a project, and none is known") as caught:
        await collect(registry.repositories())
    assert "namespaces" in (caught.value.hint or "")
    assert (await registry.capabilities())[Capability.LIST_REPOSITORIES].available is False
    await registry.close()


async def test_one_project_that_is_kept_back_does_not_hide_the_others(fake):
    fake.put("shop/web/cart", IMAGE, "v1")
    fake.denied = "other"
    registry = made(fake, credential=TOKEN, namespaces=("other", "shop"))
    pages = [page async for page in registry.repositories()]
    assert [one.path for page in pages for one in page.items] == ["shop/web/cart"]
    assert [page.stopped for page in pages if page.stopped] == [f"other: Google does not allow this to you at {PKG}."]
    await registry.close()


async def test_a_host_of_googles_without_artifact_registry_has_its_catalog_alone():
    with FakeGoogle("marketplace.gcr.io") as fake:
        fake.put("google/nginx", IMAGE, "v1")
        registry = made(fake, credential=TOKEN, namespaces=())
        capabilities = await registry.capabilities()
        assert capabilities[Capability.DELETE_REPOSITORY].available is False
        assert capabilities[Capability.LIST_REPOSITORIES].available
        assert [r.path for r in await collect(registry.repositories())] == ["google/nginx"]
        with pytest.raises(Unsupported):
            await registry.retention("google/nginx")
        await registry.close()


@pytest.mark.parametrize("fake", [GCR], indirect=True)
async def test_gcr_is_walked_where_artifact_registry_is_out_of_reach(fake):
    for path in ("shop/cart", "shop/team/app", "shop/team/app/sub", "other/x"):
        fake.put(path, IMAGE, "v1", "v2")
    fake.has_rest = False
    registry = made(fake, credential=TOKEN)
    found = await collect(registry.repositories())
    assert sorted((r.path, r.tags) for r in found) == [("shop/cart", 2), ("shop/team/app", 2), ("shop/team/app/sub", 2)]
    await registry.close()
    everything = made(fake, credential=TOKEN, namespaces=())
    assert sorted(r.path for r in await collect(everything.repositories())) == sorted(fake.repositories)
    await everything.close()


async def test_tags_go_before_their_manifest_and_google_notices_late(fake, google):
    fake.put("shop/web/cart", IMAGE, "v1", "v2")
    fake.notices_late = 2
    await google.delete_manifest("shop/web/cart", Digest.parse(IMAGE.digest))
    deleted = [call.rpartition("/")[2] for call in fake.calls("/v2/shop") if call.startswith("DELETE")]
    assert deleted == ["v1", "v2", IMAGE.digest, IMAGE.digest, IMAGE.digest]
    fake.put("shop/web/cart", IMAGE, "v1")
    fake.notices_late = 100
    with pytest.raises(BadRequest) as caught:
        await google.delete_manifest("shop/web/cart", Digest.parse(IMAGE.digest))
    assert caught.value.code == "GOOGLE_MANIFEST_DANGLING_TAG"


async def test_an_image_of_an_index_goes_after_the_index(fake, google):
    fake.put("shop/web/cart", INDEX, "multi")
    with pytest.raises(Conflict, match="an index holds it"):
        await google.delete_manifest("shop/web/cart", Digest.parse(IMAGE.digest))
    await google.delete_manifest("shop/web/cart", Digest.parse(INDEX.digest))
    await google.delete_manifest("shop/web/cart", Digest.parse(IMAGE.digest))


@proves(Capability.DELETE_REPOSITORY)
async def test_an_image_is_deleted_as_a_package_by_an_operation(fake, google):
    fake.put("shop/web/team/app", IMAGE, "v1")
    await google.delete_repository("shop/web/team/app")
    assert "shop/web/team/app" not in fake.repositories
    assert fake.calls("/v1/") == [
        "DELETE /v1/projects/shop/locations/europe-west3/repositories/web/packages/team%2Fapp",
        "GET /v1/projects/shop/locations/europe-west3/operations/0",
    ]
    with pytest.raises(Unsupported):
        await google.delete_repository("shop/web")


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([{"done": True, "error": {"code": 9, "message": "in use"}}], "did not delete"),
        ([{"name": "projects/shop/locations/l/operations/1", "done": False}], "still deleting"),
    ],
)
async def test_operations_that_fail_or_never_end_are_told(fake, google, monkeypatch, answers, words):
    async def ask(method, path, params):
        return answers[0]

    monkeypatch.setattr(google.artifacts, "_ask", ask)
    with pytest.raises(ServerFault, match=words):
        await google.delete_repository("shop/web/cart")


@proves(Capability.SCAN_REPORT)
async def test_findings_of_artifact_analysis(fake, google):
    fake.put("shop/web/cart", IMAGE, "v1")
    url, digest = f"https://{PKG}/shop/web/cart@{IMAGE.digest}", Digest.parse(IMAGE.digest)
    assert (await google.scan_report("shop/web/cart", digest)).state == "none"
    fake.occurrences = [discovered(url, "SCANNING")]
    assert (await google.scan_report("shop/web/cart", digest)).state == "running"
    fake.occurrences = [discovered(url, "FINISHED_SUCCESS", continuousAnalysis="INACTIVE")]
    clean = await google.scan_report("shop/web/cart", digest)
    assert (clean.state, read_scan_report(clean).findings) == ("complete", ())
    assert "newer findings are missing" in (clean.message or "")
    fake.rows = 2
    fake.occurrences += [vulnerability(number, url) for number in range(5)]
    found = await google.scan_report("shop/web/cart", digest)
    assert (found.state, found.scanned_at) == ("complete", datetime(2026, 10, 2, tzinfo=UTC))
    assert [one.id for one in read_scan_report(found).findings] == [f"CVE-2026-000{n}" for n in range(5)]
    fake.disabled = "containeranalysis"
    with pytest.raises(Unsupported, match="switched off in the project"):
        await google.scan_report("shop/web/cart", digest)


async def test_the_description_is_really_looked_at(fake, google):
    fake.watch.require()
    fake.put("shop/web/cart", IMAGE, "v1")
    await collect(google.repositories())
    await google.scan_report("shop/web/cart", Digest.parse(IMAGE.digest))
    assert fake.watch.seen["artifactregistry.projects.locations.repositories.packages.list"] == 1
    assert fake.analysis.seen["containeranalysis.projects.occurrences.list"] == 1


async def test_who_may_not_look_learns_which_role_is_missing(fake, google):
    fake.put("shop/web/cart", IMAGE, "v1")
    fake.has_rest = False
    with pytest.raises(Forbidden) as caught:
        await google.scan_report("shop/web/cart", Digest.parse(IMAGE.digest))
    assert "roles/containeranalysis.occurrences.viewer" in (caught.value.hint or "")
    with pytest.raises(Unsupported):
        await collect(google.repositories())


@proves(Capability.RETENTION)
async def test_cleanup_policies_in_words(fake, google):
    fake.put("shop/web/cart", IMAGE, "v1")
    assert await google.retention("shop/web/cart") is None
    policies = {
        "old": {"id": "old", "action": "DELETE", "condition": {"tagState": "UNTAGGED", "olderThan": "2592000s"}},
        "keep": {
            "id": "keep",
            "action": "KEEP",
            "mostRecentVersions": {"keepCount": 5, "packageNamePrefixes": ["web"]},
        },
        "dev": {"id": "dev", "action": "DELETE", "condition": {"tagState": "TAGGED", "tagPrefixes": ["dev"]}},
    }
    fake.settings["web"] = {"cleanupPolicies": policies, "cleanupPolicyDryRun": True}
    found = await google.retention("shop/web/cart")
    assert found is not None
    assert (found.format, found.enabled, found.body["cleanupPolicies"]) == ("google", False, policies)
    assert found.sentences == (
        "dev deletes tagged versions whose tags start with dev.",
        "keep keeps the newest 5 versions of images that start with web.",
        "old deletes untagged versions older than 30 days.",
        "They are only tried: nothing is deleted yet.",
    )


def key_of(fake: FakeGoogle) -> dict[str, str]:
    """A service account's key file whose token service is the fake."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "shop",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "robot@shop.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": f"http://{fake.host}/oauth/token",
    }


@proves(SIGN_IN)
async def test_application_default_credentials_sign_in_and_name_the_project(fake, monkeypatch, tmp_path):
    fake.put("shop/web/cart", IMAGE, "v1")
    key = tmp_path / "key.json"
    key.write_text(json.dumps(key_of(fake)))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "billing")
    registry = made(fake, namespaces=())
    assert [r.path for r in await collect(registry.repositories())] == ["shop/web/cart"]
    assert await tag_names(registry, "shop/web/cart") == ["v1"]
    assert {one.headers.get("x-goog-user-project") for one in fake.asked if one.path.startswith("/v1/")} == {"billing"}
    assert {one.headers.get("x-goog-user-project") for one in fake.asked if one.path.startswith("/v2/")} == {None}
    identity = registry.identity()
    assert (identity.name, identity.source) == ("robot@shop.iam.gserviceaccount.com", "Google")
    await registry.close()


@proves(SIGN_IN)
@pytest.mark.parametrize("user", ["_json_key", "_json_key_base64"])
async def test_a_key_is_a_password_for_the_registry_and_a_token_for_the_apis(fake, user):
    fake.put("shop/web/cart", IMAGE, "v1")
    text = json.dumps(key_of(fake))
    password = text if user == "_json_key" else base64.b64encode(text.encode()).decode()
    fake.passwords[user] = {password}
    registry = made(fake, credential=Credential(user, Secret(password), source="test"))
    assert await tag_names(registry, "shop/web/cart") == ["v1"]
    for _ in range(2):
        assert [r.path for r in await collect(registry.repositories())] == ["shop/web/cart"]
    assert fake.calls("/oauth/") == ["POST /oauth/token"]
    fake.rest_tokens.clear()
    assert [r.path for r in await collect(registry.repositories())] == ["shop/web/cart"]
    assert len(fake.calls("/oauth/")) == 2
    await registry.close()


@proves(SIGN_IN)
async def test_what_googles_helpers_give_is_good_for_both(fake):
    fake.put("shop/web/cart", IMAGE, "v1")
    fake.passwords["_dcgcr_2_1_5_token"] = {"ya29.token"}
    registry = made(fake, credential=Credential("_dcgcr_2_1_5_token", Secret("ya29.token"), source="helper"))
    assert await tag_names(registry, "shop/web/cart") == ["v1"]
    assert [r.path for r in await collect(registry.repositories())] == ["shop/web/cart"]
    await registry.close()


@proves(SIGN_IN)
async def test_gcloud_is_asked_where_it_is_installed(fake, monkeypatch, tmp_path):
    fake.put("shop/web/cart", IMAGE, "v1")
    program = tmp_path / "bin" / "gcloud"
    program.parent.mkdir()
    told = {
        "credential": {"access_token": "ya29.token", "token_expiry": "2999-01-01T00:00:00Z"},
        "configuration": {"properties": {"core": {"account": "alice@example.com", "project": "shop"}}},
    }
    program.write_text(f"#!{sys.executable}\nprint({json.dumps(told)!r})\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    registry = made(fake, namespaces=())
    assert [r.path for r in await collect(registry.repositories())] == ["shop/web/cart"]
    assert await tag_names(registry, "shop/web/cart") == ["v1"]
    assert registry.identity().name == "alice@example.com"
    await registry.close()


@proves(SIGN_IN)
async def test_everybody_reads_what_is_public(fake):
    fake.public = True
    fake.put("shop/web/cart", IMAGE, "v1")
    registry = made(fake)
    assert await tag_names(registry, "shop/web/cart") == ["v1"]
    assert (await registry.manifest("shop/web/cart", "v1")).digest == IMAGE.digest
    with pytest.raises(Unauthorized):
        await registry.put_manifest("shop/web/cart", "v2", parse(IMAGE.raw, IMAGE.media_type))
    await registry.close()


@pytest.mark.parametrize("missing", ["user", "library"])
async def test_without_a_google_user_it_says_what_to_do(fake, monkeypatch, missing):
    if missing == "library":
        for name in [name for name in sys.modules if name.partition(".")[0] == "google"]:
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, "google.auth", None)
    fake.put("shop/web/cart", IMAGE, "v1")
    reason = {"user": google_identity.NOBODY, "library": google_identity.NO_LIBRARY}[missing]
    registry = made(fake)
    with pytest.raises(Unsupported) as caught:
        await collect(registry.repositories())
    assert reason in (caught.value.hint or "")
    with pytest.raises(Unauthorized) as refused:
        await registry.scan_report("shop/web/cart", Digest.parse(IMAGE.digest))
    assert refused.value.sentence == reason
    await registry.close()


async def test_a_page_for_people_is_no_referrers_api(fake, google):
    fake.has_referrers = False
    fake.put("shop/web/cart", IMAGE, "v1")
    found = await google.referrers("shop/web/cart", Digest.parse(IMAGE.digest))
    assert found.source == "none"
    assert (await google.capabilities())[Capability.REFERRERS].available is False


async def test_a_folder_is_not_an_unknown_image(fake, google):
    fake.put("shop/web/team/app", IMAGE, "v1")
    assert await collect(google.tags("shop/web/team")) == []
    with pytest.raises(NotFound):
        await collect(google.tags("shop/web/none"))


async def test_a_list_that_goes_in_a_circle_ends(fake, google):
    fake.put("shop/web/cart", IMAGE, "v1")
    fake.page_of = lambda asked, member, items: circle(member)
    with pytest.raises((BadAnswer, Unsupported)):
        await collect(google.repositories())


def circle(member):
    return json_reply({member: [], "nextPageToken": "again"})


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("us-west4-docker.pkg.dev", GoogleHost("us-west4", None)),
        ("europe-docker.pkg.dev:443", GoogleHost("europe", None)),
        (
            "docker.us-central1.rep.pkg.dev",
            GoogleHost("us-central1", None, "artifactregistry.us-central1.rep.googleapis.com"),
        ),
        ("gcr.io", GoogleHost("us", "gcr.io")),
        ("asia.gcr.io", GoogleHost("asia", "asia.gcr.io")),
        ("marketplace.gcr.io", GoogleHost(None, "marketplace.gcr.io")),
    ],
)
def test_hosts(host, expected):
    assert read_host(host) == expected


def test_paths():
    pkg, gcr = read_host(PKG), read_host("gcr.io")
    assert image_of(pkg, "p/r/a/b") == Image("p", "europe-west3", "r", "a/b")
    assert image_of(pkg, "example.com/p/r/a") == Image("example.com:p", "europe-west3", "r", "a")
    assert image_of(gcr, "p/a/b") == Image("p", "us", "gcr.io", "a/b")
    for host, path in ((pkg, "p/r"), (pkg, "p"), (gcr, "p"), (read_host("k8s.gcr.io"), "p/a")):
        assert image_of(host, path) is None
    assert split_project("example.com/p/a") == ("example.com:p", "a")
    assert image_of(pkg, "p/r/a/b").package_name == "projects/p/locations/europe-west3/repositories/r/packages/a%2Fb"
