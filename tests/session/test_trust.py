"""The trust floor through a session: verdicts by digest and policy, and no more requests than the registry forces."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from regtui.credentials.values import Credential, Secret
from regtui.oci import Digest, Reference, RegtuiError
from regtui.registries.contract import TagSummary, closing
from regtui.session import Session, SessionOptions, parse_image
from regtui.session.cached_place import FRESH_FOR, CachedPlace
from regtui.trust.findings import Report
from regtui.trust.local_scanners import Scanner, ScanOptions
from regtui.trust.verdict import Status
from tests.servers.content import OCI_MANIFEST, Content, dumps
from tests.servers.oci11 import FakeRegistry

pytest.importorskip("cryptography", reason="the trust extra is not installed")

from tests.trust.makers import b64, dsse_bundle, make_key, pem_of, sign, simple_payload, statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
EMPTY = Content("application/vnd.oci.empty.v1+json", b"{}")


def manifest(layers: list[Content], annotations: list[dict[str, str]] | None = None, **more: Any) -> Content:
    notes = annotations or [{}] * len(layers)
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": EMPTY.descriptor,
        "layers": [{**one.descriptor, "annotations": note} for one, note in zip(layers, notes, strict=True)],
        **more,
    }
    return Content(OCI_MANIFEST, dumps(body), (EMPTY, *layers), is_manifest=True)


def image(number: int) -> Content:
    return manifest([Content("application/octet-stream", str(number).encode())])


def bundle_for(key: Any, subject: Content) -> Content:
    raw = json.dumps(dsse_bundle(key, statement(subject.digest))).encode()
    return manifest([Content(BUNDLE, raw)], artifactType=BUNDLE, subject=subject.descriptor)


def old_signature_for(key: Any, subject: Content) -> Content:
    payload = simple_payload(subject.digest)
    return manifest([Content(SIMPLE, payload)], [{"dev.cosignproject.cosign/signature": b64(sign(key, payload))}])


@pytest.fixture
def key() -> Any:
    return make_key("p256")


@pytest.fixture(params=[True, False], ids=["with the API", "without the API"])
def registry(request: pytest.FixtureRequest) -> Iterator[FakeRegistry]:
    with FakeRegistry(referrers=request.param) as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path, key: Any) -> Path:
    (tmp_path / "acme.pub").write_bytes(pem_of(key))
    file = tmp_path / "settings.toml"
    file.write_text('[trust."*/app"]\nkeys = ["acme.pub"]\n')
    return file


@pytest.fixture
async def open_session(session: Session) -> AsyncIterator[Callable[..., Session]]:
    """Opens sessions over a registry and closes them at the end. `session` gives them a home of their own."""
    opened: list[Session] = []

    def open_one(registry: FakeRegistry, settings: Path | None = None) -> Session:
        plain = frozenset({registry.host})
        options = SessionOptions(config=settings, plain_http=plain, use_cache=False, host=registry.host)
        opened.append(Session.start(options))
        return opened[-1]

    yield open_one
    for one in opened:
        await one.close()


async def test_a_thousand_tags_cost_one_listing_each_or_nothing_where_there_is_no_api(
    registry: FakeRegistry, settings: Path, key: Any, open_session: Callable[..., Session]
) -> None:
    images = [image(number) for number in range(1000)]
    for number, one in enumerate(images):
        registry.put("app", one, f"v{number}")
    for one in images[:10]:
        registry.put("app", old_signature_for(key, one), one.digest.replace(":", "-") + ".sig")
    tags = frozenset(registry.repositories["app"].tags)
    ours = open_session(registry, settings)
    listed = [TagSummary(f"v{number}", Digest.parse(one.digest)) for number, one in enumerate(images)]
    await ours.trust.learn_tags(registry.host, "app", tags)
    for tag in listed:  # the list of tags has read these for its own columns
        await ours.reader.manifest(Reference(registry.host, "app", None, tag.digest))
    before = len(registry.asked)
    found = {tag.name: trust async for tag, trust in ours.trust.statuses(registry.host, "app", listed)}
    asked = registry.asked[before:]
    listings = [one for one in asked if "/referrers/" in one.path]
    # One per image where there is an API; where there is none, the first answer says so.
    assert len(listings) == (1000 if registry.has_referrers else 1)
    # A manifest and a payload for each signature, and one look for the referrers tag before it is known to be all.
    assert len(asked) - len(listings) <= 2 * 10 + 1
    assert [found[f"v{number}"].verdict.status for number in range(10)] == [Status.VERIFIED] * 10
    assert {found[f"v{number}"].verdict.status for number in range(10, 1000)} == {Status.UNSIGNED}
    before = len(registry.asked)
    again = [tag.name async for tag, _ in ours.trust.statuses(registry.host, "app", listed)]
    assert sorted(again) == sorted(found)
    assert len(registry.asked) == before


async def test_those_asked_for_first_come_first_few_at_once_and_leaving_stops_the_rest(
    settings: Path, key: Any, open_session: Callable[..., Session]
) -> None:
    with FakeRegistry() as registry:
        for number in range(300):
            registry.put("app", image(number), f"v{number}")
        ours = open_session(registry, settings)
        wanted = [TagSummary(f"v{number}") for number in reversed(range(300))]
        got = []
        async with closing(ours.trust.statuses(registry.host, "app", wanted)) as statuses:
            async for tag, trust in statuses:
                assert not isinstance(trust, RegtuiError)
                assert tag.digest == Digest.parse(image(int(tag.name[1:])).digest)
                got.append(tag.name)
                if len(got) == 20:
                    break
        # Begun in the order given, a few under way: what came is among the first, and little beyond was asked for.
        first = [tag.name for tag in wanted[:24]]
        assert set(got) <= set(first)
        touched = [one.path for one in registry.asked if one.path.startswith("/v2/app/manifests/v")]
        assert {path.rpartition("/")[2] for path in touched} <= set(first)


async def test_tags_of_one_image_cost_as_much_as_one_and_a_missing_one_is_its_own_error(
    settings: Path, key: Any, open_session: Callable[..., Session]
) -> None:
    with FakeRegistry() as registry:
        one = image(1)
        registry.put("app", one, "v1", "latest", "stable")
        registry.put("app", bundle_for(key, one))
        ours = open_session(registry, settings)
        tags = [TagSummary(name) for name in ("v1", "latest", "gone", "stable")]
        found = {tag.name: trust async for tag, trust in ours.trust.statuses(registry.host, "app", tags)}
        assert isinstance(found.pop("gone"), RegtuiError)
        assert {trust.verdict.status for trust in found.values()} == {Status.VERIFIED}
        assert sum("/referrers/" in asked.path for asked in registry.asked) == 1


async def test_a_verdict_never_answers_for_another_policy(
    key: Any, tmp_path: Path, open_session: Callable[..., Session]
) -> None:
    with FakeRegistry() as registry:
        one = image(1)
        registry.put("app", one, "v1")
        registry.put("app", bundle_for(key, one))
        (tmp_path / "acme.pub").write_bytes(pem_of(key))
        (tmp_path / "other.pub").write_bytes(pem_of(make_key("p256")))
        file = tmp_path / "settings.toml"
        file.write_text('[trust."*/app"]\nkeys = ["acme.pub"]\n[trust."*/elsewhere"]\nkeys = ["other.pub"]\n')
        ours = open_session(registry, file)
        shown = await ours.image(parse_image(f"{registry.host}/app:v1"))
        first = await ours.trust.judge(shown)
        assert first.verdict.status is Status.VERIFIED
        other = await ours.trust.policy(Reference(registry.host, "elsewhere"))
        assert (await ours.trust.judge(shown, other)).verdict.status is Status.UNVERIFIED
        assert (await ours.trust.judge(shown)).verdict.status is Status.VERIFIED


async def test_a_refresh_looks_again(key: Any, settings: Path, open_session: Callable[..., Session]) -> None:
    with FakeRegistry() as registry:
        one = image(1)
        registry.put("app", one, "v1")
        ours = open_session(registry, settings)
        shown = await ours.image(parse_image(f"{registry.host}/app:v1"))
        assert (await ours.trust.judge(shown)).verdict.status is Status.UNSIGNED
        registry.put("app", bundle_for(key, one))
        assert (await ours.trust.judge(shown)).verdict.status is Status.UNSIGNED
        ours.refresh(registry.host, "app")
        assert (await ours.trust.judge(shown)).verdict.status is Status.VERIFIED


async def test_a_mistake_in_the_settings_trusts_nobody_and_is_told(
    tmp_path: Path, open_session: Callable[..., Session]
) -> None:
    with FakeRegistry() as registry:
        one = image(1)
        registry.put("app", one, "v1")
        registry.put("app", bundle_for(make_key("p256"), one))
        file = tmp_path / "settings.toml"
        file.write_text('[trust."*/app"]\nkeys = ["nowhere.pub"]\n')
        ours = open_session(registry, file)
        judged = await ours.trust.judge(await ours.image(parse_image(f"{registry.host}/app:v1")))
        assert judged.verdict.status is Status.UNVERIFIED
        assert "nowhere.pub" in ours.trust.problems[0]


async def test_the_demo_tells_its_story(session: Session, demo: Path) -> None:
    shown = await session.image(parse_image(f"{demo}/shop/cart:1.4.2"))
    tree = await session.trust.tree(shown)
    titles = {one.title for one in tree.attached}
    assert {"cosign signatures", "cosign attestations", "Notary Project signature"} <= titles
    assert [one.platform for one in tree.images] == ["linux/amd64", "linux/arm64"]
    reports = await session.trust.reports(shown)
    assert reports.best is not None
    assert any(one.vex is not None for one in reports.best.report.findings)
    kinds = set()
    for one in (*tree.attached, *tree.images[0].attached):
        kinds |= {
            document.kind.value for document in await session.trust.documents(shown.reference, one.descriptor.digest)
        }
    assert kinds == {"signature", "statement", "provenance", "SBOM", "VEX", "scan report"}


async def test_two_that_look_at_once_are_both_answered(session: Session, demo: Path) -> None:
    shown = await session.image(parse_image(f"{demo}/shop/cart:1.4.2"))
    one, two = await asyncio.gather(session.trust.judge(shown), session.trust.judge(shown))
    assert one.verdict == two.verdict
    assert isinstance(one.verdict.status, Status)
    assert one.of_platform is not None


async def test_all_tags_are_known_for_some_minutes_only(session: Session) -> None:
    with FakeRegistry() as registry:
        registry.put("app", image(1), "v1")
        host = frozenset({registry.host})
        ours = Session.start(SessionOptions(plain_http=host, use_cache=False, host=registry.host))
        now = [1000.0]
        place = CachedPlace(await ours.registry(registry.host), ours.reader, clock=lambda: now[0])
        place.learn_tags("app", frozenset({"v1"}))
        assert place.known_tags("app") == {"v1"}
        assert place.known_tags("other") is None
        now[0] += FRESH_FOR
        assert place.known_tags("app") is None
        place.learn_tags("app", frozenset({"v1"}))
        place.forget("app")
        assert place.known_tags("app") is None
        await ours.close()


async def test_a_credential_goes_to_a_scanner_for_its_own_host_alone(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    async def scan_image(scanner: Scanner, reference: Reference, how: ScanOptions, progress: Any) -> Report:
        given.append((reference.host, how.credential))
        return Report("x", scanner.name, ())

    monkeypatch.setattr("regtui.session.trust.scan_image", scan_image)
    with FakeRegistry() as named, FakeRegistry() as other:
        for registry in (named, other):
            registry.put("app", image(1), "v1")
        credential = Credential("me", Secret("secret"), source="command line")
        plain = frozenset({named.host, other.host})
        options = SessionOptions(plain_http=plain, use_cache=False, credential=credential, host=named.host)
        ours = Session.start(options)
        for registry in (named, other):
            shown = await ours.image(parse_image(f"{registry.host}/app:v1"))
            found = await ours.trust.scan(shown, Scanner("trivy", "/bin/true"))
            assert found.subject == shown.top.digest
        await ours.close()
        assert given == [(named.host, credential), (other.host, None)]


async def test_changed_settings_count_at_once(key: Any, tmp_path: Path, open_session: Callable[..., Session]) -> None:
    with FakeRegistry() as registry:
        one = image(1)
        registry.put("app", one, "v1")
        registry.put("app", bundle_for(key, one))
        (tmp_path / "acme.pub").write_bytes(pem_of(key))
        file = tmp_path / "settings.toml"
        file.write_text("")
        ours = open_session(registry, file)
        shown = await ours.image(parse_image(f"{registry.host}/app:v1"))
        assert (await ours.trust.judge(shown)).verdict.status is Status.UNVERIFIED
        file.write_text('[trust."*/app"]\nkeys = ["acme.pub"]\n')
        await ours.settings_changed(registry.host)
        assert (await ours.trust.judge(shown)).verdict.status is Status.VERIFIED


async def test_tables_of_this_run_give_way_to_the_settings(key: Any, tmp_path: Path, session: Session) -> None:
    (tmp_path / "acme.pub").write_bytes(pem_of(key))
    mine = {"*/app": {"keys": [str(tmp_path / "acme.pub")]}, "*/other": {"keys": [str(tmp_path / "acme.pub")]}}
    file = tmp_path / "settings.toml"
    file.write_text('[trust."*/app"]\n')
    ours = Session.start(SessionOptions(config=file, trust=mine))
    assert not (await ours.trust.policy(Reference("r.example", "app"))).trusts_anyone
    assert (await ours.trust.policy(Reference("r.example", "other"))).trusts_anyone
    await ours.close()
