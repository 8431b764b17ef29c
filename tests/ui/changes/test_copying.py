"""Retag, move and copy: against distribution 2.8, and between two registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from regtui.session import Session, SessionOptions, parse_target
from regtui.ui.app import RegtuiApp
from regtui.ui.changes.plan_screen import PlanScreen
from tests.servers.content import artifact, image, index
from tests.servers.upload import Uploader
from tests.ui.changes.conftest import driven
from tests.ui.changes.test_deleting import marked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ui.changes.conftest import Driver, Shop

pytestmark = pytest.mark.real


async def ask(driver: Driver, key: str, question: str, answer: str) -> None:
    """Press a key that asks for a line, and answer."""
    await driver.press(key, until=question)
    driver.screen.query_one("Input").value = answer
    await driver.press("enter")


async def run(driver: Driver, until: str) -> str:
    """Apply what is shown."""
    await driver.wait("[ Cancel ]")
    await driver.wait(lambda: driver.screen.state == "shown")
    return await driver.press("right", "enter", until=until)


async def test_retag_and_undo(filled: Shop) -> None:
    before = filled.tags()
    async with driven(filled.app()) as driver:
        await marked(driver, "0.9")
        await ask(driver, "t", "New tag for", "1.1")
        text = await driver.wait("a new tag")
        assert "0.9 → 1.1" in text
        await run(driver, "1 of 1 steps done")
        assert filled.tags() == {**before, "1.1": before["0.9"]}
        await driver.press("u", until="Undo plan")
        await run(driver, "1 of 1 steps done")
        assert filled.tags() == before


async def test_retag_overwrites_only_when_told_and_shows_both_digests(filled: Shop) -> None:
    before = filled.tags()
    async with driven(filled.app()) as driver:
        await marked(driver, "0.9")
        await ask(driver, "t", "New tag for", "1.0")
        text = await driver.wait("exists and points to")
        assert "Press O" in text
        assert "[ Cancel ]" in text
        text = await driver.press("O", until="[x] O move the tag")
        old, new = str(before["1.0"])[7:19], str(before["0.9"])[7:19]
        assert f"moves from {old} to {new}" in " ".join(text.split())
        await run(driver, "1 of 1 steps done")
        assert filled.tags()["1.0"] == before["0.9"]
        assert filled.tags()["1"] == before["1"]


async def test_a_move_removes_the_old_tag_last(filled: Shop) -> None:
    before = filled.tags()
    async with driven(filled.app()) as driver:
        await marked(driver, "0.9")
        await ask(driver, "t", "New tag for", "0.9-old")
        await driver.wait("a new tag")
        await driver.press("M", until="[x] M remove the old tag")
        assert driver.screen.plan.steps[1].needs == (0,)
        await run(driver, "2 of 2 steps done")
        after = filled.tags()
        assert after.get("0.9") is None
        assert after["0.9-old"] == before["0.9"]


async def test_no_tag_is_asked_again_politely(filled: Shop) -> None:
    async with driven(filled.app()) as driver:
        await marked(driver, "0.9")
        await ask(driver, "t", "New tag for", "not a tag")
        await driver.wait("is no tag")
        assert not isinstance(driver.screen, PlanScreen)


async def test_copy_within_a_registry_mounts(filled: Shop) -> None:
    async with driven(filled.app()) as driver:
        await marked(driver, "0.8", "0.9")
        target = f"{filled.repository}-copy"
        await ask(driver, "T", "Copy 2 images", f"{filled.host}/{target}")
        await run(driver, "steps done")
        there = Uploader(filled.host)
        assert there.tags(target) == ["0.8", "0.9"]
        assert there.digest_at(target, "0.8") == filled.tags()["0.8"]
        assert "mounted" in driver.text


async def test_copy_to_another_registry_with_signatures(filled: Shop, registry_v3: str) -> None:
    subject = index(image({"s": b"1"}), image({"s": b"2"}, platform="linux/arm64"))
    filled.push("signed", content=subject)
    signature = artifact("application/vnd.dev.cosign.artifact.sig.v1+json", subject=subject)
    filled.push(f"sha256-{subject.digest[7:]}.sig", content=signature)
    options = SessionOptions(
        plain_http=frozenset({filled.host, registry_v3}), write=True, use_cache=False, host=filled.host
    )
    app = RegtuiApp(Session.start(options), parse_target(f"{filled.host}/{filled.repository}"))
    async with driven(app) as driver:
        await marked(driver, "signed")
        await ask(driver, "T", "Copy to", f"{registry_v3}/{filled.repository}:best")
        text = await driver.wait("[x] a with signatures")
        assert "part of the index" in text
        await run(driver, "4 of 4 steps done")
        there = Uploader(registry_v3)
        assert there.digest_at(filled.repository, "best") == subject.digest
        assert there.digest_at(filled.repository, f"sha256-{subject.digest[7:]}.sig") == signature.digest


async def test_copying_onto_itself_is_refused(filled: Shop) -> None:
    async with driven(filled.app()) as driver:
        await marked(driver, "0.9")
        await ask(driver, "T", "Copy to", f"{filled.host}/{filled.repository}:0.9")
        text = await driver.wait("That is where it is already")
        assert "[ Cancel ]" in text


async def test_copying_from_where_nothing_may_be_changed_to_where_it_may(
    filled: Shop, registry_v3: str, tmp_path: Path
) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text(f'[registries."{registry_v3}"]\nwritable = true\nplain_http = true\n')
    async with driven(filled.app(write=False, settings=settings)) as driver:
        await marked(driver, "0.9")
        footer = {name: enabled for name, _, _, enabled in driver.screen.footer._keys}
        assert footer["delete"] is False
        await ask(driver, "T", "Copy to", f"{registry_v3}/{filled.repository}:0.9")
        await run(driver, "1 of 1 steps done")
        assert Uploader(registry_v3).digest_at(filled.repository, "0.9") == filled.tags()["0.9"]
        await driver.press("escape", until=lambda: not isinstance(driver.screen, PlanScreen))
        await ask(driver, "T", "Copy to", f"{filled.host}/{filled.repository}:other")
        text = await driver.wait("is read-only here")
        assert "Save plan as JSON" in text
