"""The column of signatures over a registry: those in view by themselves, all of them when asked, stopped at once."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from regtui.session import Session, SessionOptions, parse_target
from regtui.ui._textual import screen_text, settled
from regtui.ui.app import RegtuiApp
from tests.servers.content import artifact, image
from tests.servers.oci11 import Asked, FakeRegistry, Reply, error

pytest.importorskip("cryptography", reason="the trust extra is not installed")

from tests.trust.makers import dsse_bundle, make_key, pem_of, statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
TAGS = 260
"""More than fill themselves in without scrolling."""


class Stumbling(FakeRegistry):
    """Fails to list what hangs on some images, or keeps silent after some listings until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()
        self.silent_after = 10 * TAGS
        self.may_go_on = threading.Event()

    def answer(self, asked: Asked) -> Reply:
        if "/referrers/" in asked.path:
            if listings(self) > self.silent_after:
                assert self.may_go_on.wait(60)
            if asked.path.rpartition("/")[2] in self.broken:
                return error(403, "DENIED", "not for you")
        return super().answer(asked)


@pytest.fixture
def key() -> Any:
    return make_key("p256")


@pytest.fixture
def registry(key: Any) -> Iterator[Stumbling]:
    """Every third tag is signed."""
    with Stumbling() as made:
        for number in range(TAGS):
            one = image({"n": str(number).encode()})
            made.put("app", one, f"v{number:03}")
            if number % 3 == 0:
                bundle = json.dumps(dsse_bundle(key, statement(one.digest))).encode()
                made.put("app", artifact(BUNDLE, bundle, subject=one, data_type=BUNDLE))
        yield made


def explore(registry: FakeRegistry, settings: Path | None = None) -> RegtuiApp:
    plain = frozenset({registry.host})
    options = SessionOptions(config=settings, plain_http=plain, use_cache=False, host=registry.host)
    return RegtuiApp(Session.start(options), parse_target(f"{registry.host}/app"))


def listings(registry: FakeRegistry) -> int:
    return sum("/referrers/" in asked.path for asked in registry.asked)


async def test_nothing_is_asked_where_nobody_is_trusted_until_the_key_is_pressed(registry: Stumbling) -> None:
    async with explore(registry).run_test(size=(160, 40)) as pilot:
        await settled(pilot)
        screen: Any = pilot.app.screen
        assert listings(registry) == 0
        assert {row.signature for row in screen.tags.model.rows} == {None}
        await pilot.press("V")
        await settled(pilot)
        assert listings(registry) == TAGS
        words = {row.name: row.signature.value for row in screen.tags.model.rows}
        assert {word for name, word in words.items() if int(name[1:]) % 3 == 0} == {"unverified"}
        assert {word for name, word in words.items() if int(name[1:]) % 3} == {"unsigned"}
        await pilot.press("V")
        await settled(pilot)
        assert listings(registry) == TAGS


async def test_those_in_view_come_by_themselves_where_somebody_is_trusted(
    registry: Stumbling, key: Any, tmp_path: Path
) -> None:
    (tmp_path / "acme.pub").write_bytes(pem_of(key))
    settings = tmp_path / "settings.toml"
    settings.write_text('[trust."*/app"]\nkeys = ["acme.pub"]\n')
    async with explore(registry, settings).run_test(size=(160, 40)) as pilot:
        await settled(pilot)
        screen: Any = pilot.app.screen
        assert 0 < listings(registry) < TAGS // 2
        first = [screen.tags.model.at(position) for position in range(screen.tags.page_size)]
        assert all(row.signature is not None for row in first)
        assert screen.tags.model.at(TAGS - 1).signature is None
        registry.broken = {screen.tags.model.rows[TAGS - 1].tag.digest or image({"n": b"259"}).digest}
        await pilot.press("slash", *"signed:verified", "enter")
        await settled(pilot)
        shown = [row.name for row in screen.tags.model.visible_rows()]
        assert shown == [f"v{number:03}" for number in range(0, TAGS, 3)]
        # What the registry refused to tell is not known: neither signed nor unsigned.
        assert screen.tags.model.find("v259").signature is None
        assert "1 tags are not known" in screen.tags.note


async def test_a_check_of_all_tags_is_cancelled(registry: Stumbling) -> None:
    registry.silent_after = 8
    async with explore(registry).run_test(size=(160, 40)) as pilot:
        await settled(pilot)
        screen: Any = pilot.app.screen
        await pilot.press("V")
        async with asyncio.timeout(60):
            while listings(registry) <= 8:
                await pilot.pause(0.01)
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert not [worker for worker in screen.workers if worker.group == "signatures" and worker.is_running]
        registry.may_go_on.set()
        await settled(pilot)
        # Only what was under way when it was cancelled was still asked.
        assert listings(registry) <= 8 + 4
        known = [row for row in screen.tags.model.rows if row.signature is not None]
        assert 0 < len(known) <= 8


NASTY = "\x1b]0;pwned\x07[bold]\u202e\u200b"


async def test_hostile_documents_are_inert_and_break_nothing() -> None:
    rows = [{"VulnerabilityID": NASTY, "PkgName": NASTY, "InstalledVersion": NASTY, "Severity": NASTY, "Title": NASTY,
             "PrimaryURL": NASTY, "Description": NASTY * 1000}]  # fmt: skip
    report = {"SchemaVersion": 2, "ArtifactName": NASTY, "CreatedAt": NASTY, "Results": [{"Vulnerabilities": rows}]}
    part = {"type": "library", "name": NASTY, "version": NASTY, "purl": f"pkg:x/{NASTY}"}
    sbom = {"bomFormat": "CycloneDX", "components": [part] * 3, "metadata": {"component": {"name": NASTY}}}
    said = {"vulnerability": {"name": NASTY}, "products": [NASTY], "status": "affected", "justification": NASTY}
    vex = {"@context": "https://openvex.dev/ns/v0.2.0", "author": NASTY, "statements": [said]}
    with FakeRegistry() as registry:
        one = image({"a": b"b"}, labels={"x": NASTY})
        registry.put("app", one, "v1")
        for kind, body in (
            ("application/vnd.aquasec.trivy.report+json", report),
            ("application/vnd.cyclonedx+json", sbom),
            ("application/vnd.openvex+json", vex),
            (f"application/{NASTY}", {NASTY: NASTY}),
            (BUNDLE, {"mediaType": BUNDLE, "dsseEnvelope": NASTY}),
        ):
            notes = {"in-toto.io/predicate-type": NASTY, "dev.sigstore.bundle.predicateType": NASTY}
            raw = json.dumps(body).encode()
            registry.put("app", artifact(kind, raw, subject=one, annotations=notes))
        plain = frozenset({registry.host})
        options = SessionOptions(plain_http=plain, use_cache=False, host=registry.host)
        app = RegtuiApp(Session.start(options), parse_target(f"{registry.host}/app:v1"))
        async with app.run_test(size=(140, 40), notifications=True) as pilot:
            await settled(pilot)
            screen: Any = app.screen
            for tab in ("trust", "scan"):
                screen.detail.switch(tab)
                screen.go("detail")
                await settled(pilot)
                lines = len(screen.detail.current_list.line_model)
                assert lines > 0
                for position in range(lines):
                    screen.detail.current_list.place_cursor(position)
                    await pilot.press("enter")
                    await settled(pilot)
                    for _ in range(3):
                        seen = screen_text(app)
                        assert not [mark for mark in ("\x1b", "\x07", "\u202e", "\u200b") if mark in seen]
                        await pilot.press("right_square_bracket")
                        await settled(pilot)
                    while app.screen is not screen:
                        await pilot.press("escape")
                        await settled(pilot)
                    screen.detail.switch(tab)
                    screen.go("detail")
                    await settled(pilot)
            assert screen.faults == []
