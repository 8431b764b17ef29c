"""Mark, D, read the plan, confirm, watch, undo: against distribution 2.8."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from regtui.ui.changes.journal_screen import JournalScreen
from regtui.ui.changes.plan_screen import PlanScreen
from tests.ui.changes.conftest import NARROW, WIDE, Driver, driven

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ui.changes.conftest import Shop

pytestmark = pytest.mark.real


async def marked(driver: Driver, *tags: str) -> None:
    """Mark these tags in the list."""
    driver.screen.go("tags")
    for tag in tags:
        assert driver.screen.tags.model.move_to_key(tag), tag
        driver.screen.tags.sync()
        await driver.pilot.press("space")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])
async def test_mark_plan_run_and_undo(filled: Shop, size: tuple[int, int]) -> None:
    before = filled.tags()
    async with driven(filled.app(), size) as driver:
        await marked(driver, "1.0", "0.8")
        text = await driver.press("D", until="nothing has been sent yet")
        assert f"{filled.host}/{filled.repository}" in text
        assert "also carries 1, stable" in " ".join(text.split())
        assert "[ Cancel ]" in text
        assert filled.tags() == before, "planning sends nothing that changes"
        await driver.press("right", until="[ Apply ]")
        text = await driver.press("enter", until="2 of 2 steps done")
        assert "[ Close ]" in text
        assert filled.tags() == {tag: at for tag, at in before.items() if tag not in {"1.0", "0.8"}}
        text = await driver.press("u", until="Undo plan")
        await driver.wait("[ Cancel ]")
        await driver.press("right", "enter", until="steps done")
        assert filled.tags() == before
        await driver.press("escape")
        await driver.press("escape", until=lambda: not isinstance(driver.screen, PlanScreen))
        await driver.wait(lambda: driver.screen.tags.model.known == len(before))
        assert not driver.screen.tags.model.marks


async def test_cancel_has_the_focus_and_sends_nothing(filled: Shop) -> None:
    before = filled.tags()
    async with driven(filled.app("")) as driver:
        await marked(driver, "0.9")
        await driver.press("delete", until="[ Cancel ]")
        await driver.press("space", "enter", until=lambda: not isinstance(driver.screen, PlanScreen))
        assert filled.tags() == before
        assert all(record.method in {"GET", "HEAD"} for record in driver.app.session.log.records)
        assert driver.screen.tags.model.marks == {"0.9"}, "the marks stay when nothing was done"


async def test_whole_manifests_go_with_what_only_they_need(filled: Shop) -> None:
    before = filled.tags()
    async with driven(filled.app()) as driver:
        await marked(driver, "0.8")
        await driver.press("D", until="nothing has been sent yet")
        text = await driver.press("m", until="[x] m whole manifests")
        assert "an index (2 platforms) goes" in text
        assert "part of an index" in text
        assert "once the registry collects its garbage" in " ".join(text.split())
        await driver.press("right", "enter", until="3 of 3 steps done")
        assert filled.uploader.digest_at(filled.repository, str(before["0.8"])) is None


async def test_a_shared_digest_is_not_deleted(filled: Shop) -> None:
    async with driven(filled.app()) as driver:
        await marked(driver, "1.0")
        await driver.press("D", until="nothing has been sent yet")
        text = await driver.press("m", until="[x] m whole manifests")
        assert "the tag 1 is on it" in " ".join(text.split())
        assert "DELETE ×1" in text


async def test_protected_tags_are_left_out_and_the_rule_is_shown(filled: Shop) -> None:
    before = filled.tags()
    async with driven(filled.app()) as driver:
        await marked(driver, "latest")
        text = await driver.press("D", until="There is nothing to do.")
        assert "protected" in text
        text = await driver.press("L", until="Protected tags")
        assert "prod*" in text
        await driver.press("escape", until="[ Cancel ]")
        text = await driver.press("F", until="[x] F protected tags, too")
        await driver.press("right", "enter", until=f"Type {filled.repository}")
        await driver.press(*"wrong", "enter", until="Nothing was changed")
        assert filled.tags() == before
        driver.screen.entry.value = ""
        await driver.press(*filled.repository, "enter", until="1 of 1 steps done")
        assert "latest" not in filled.tags()


async def test_read_only_shows_a_preview_with_the_reason(filled: Shop) -> None:
    before = filled.tags()
    async with driven(filled.app(write=False)) as driver:
        await marked(driver, "0.9")
        footer = driver.screen.footer
        assert ("delete", "D", "delete…", False) in footer._keys
        text = await driver.press("D", until="is read-only here")
        assert "--write" in text
        assert "[ Cancel ]" in text
        await driver.press("right", until="[ Save plan as JSON ]")
        await driver.press("right", until="[ Cancel ]")
        await driver.press("escape")
        text = await driver.press("question_mark", until="Keys in tags")
        await driver.press("G")
        assert "the plan is a preview" in driver.text
        assert filled.tags() == before


async def test_the_saved_plan_is_the_one_that_apply_takes(
    filled: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from regtui.operations.plan_json import parse_plan

    monkeypatch.chdir(tmp_path)
    async with driven(filled.app(write=False)) as driver:
        await marked(driver, "0.9")
        await driver.press("D", until="nothing has been sent yet")
        await driver.press("ctrl+s", until="Save the plan as JSON")
        await driver.press("enter", until="Saved to")
        saved = tmp_path / f"delete-{filled.repository.replace('/', '-')}.json"
        assert parse_plan(saved.read_bytes()) == driver.screen.plan
        assert json.loads(saved.read_text())["steps"][0]["tag"] == "0.9"


async def test_the_recycle_bin_keeps_the_digest(filled: Shop) -> None:
    before = filled.tags()
    async with driven(filled.app()) as driver:
        await marked(driver, "0.9")
        await driver.press("D", until="nothing has been sent yet")
        await driver.press("b", until="[x] b recycle bin")
        await driver.press("right", "enter", until="2 of 2 steps done")
        kept = [tag for tag, digest in filled.tags().items() if digest == before["0.9"]]
        assert len(kept) == 1
        assert kept[0].startswith("trash-")


async def test_a_tag_that_moved_meanwhile_is_left_alone(filled: Shop) -> None:
    async with driven(filled.app()) as driver:
        await marked(driver, "0.9")
        await driver.press("D", until="nothing has been sent yet")
        newer = filled.push("0.9", of="something newer")
        text = await driver.press("right", "enter", until="1 skipped")
        assert "since the plan was made" in " ".join(text.split())
        assert filled.tags()["0.9"] == newer


async def test_a_repository_as_a_whole_needs_its_name(filled: Shop) -> None:
    async with driven(filled.app()) as driver:
        driver.screen.go("repositories")
        await driver.wait(lambda: driver.screen.repositories.current is not None)
        driver.screen.reveal_repository(filled.repository)
        await driver.press("D", until="everything in")
        await driver.wait("nothing has been sent yet")
        await driver.press("right", "enter", until=f"Type {filled.repository}")
        await driver.press(*filled.repository, "enter", until="steps done")
        assert sorted(filled.tags()) == ["latest", "stable"], "protected tags stay"


async def test_the_journal_lists_and_restores(filled: Shop) -> None:
    before = filled.tags()
    async with driven(filled.app()) as driver:
        text = await driver.press("u", until="Nothing was changed yet")
        await driver.press("escape", until=lambda: not isinstance(driver.screen, JournalScreen))
        await marked(driver, "0.9", "1")
        await driver.press("D", until="nothing has been sent yet")
        await driver.press("right", "enter", until="2 of 2 steps done")
        await driver.press("escape", until=lambda: not isinstance(driver.screen, PlanScreen))
        text = await driver.press("u", until="yes, look")
        assert "delete" in text
        await driver.wait("removed")
        await driver.press("enter", until="Undo plan")
        await driver.wait("[ Cancel ]")
        await driver.press("right", "enter", until="steps done")
        await driver.press("escape", until="undone")
        assert filled.tags() == before
        await driver.press("escape", until=lambda: not isinstance(driver.screen, JournalScreen))
        await driver.wait(lambda: driver.screen.tags.model.known == len(before))


async def test_no_request_that_changes_is_sent_before_apply(filled: Shop) -> None:
    async with driven(filled.app()) as driver:
        await marked(driver, "0.9", "0.8")
        await driver.press("D", until="nothing has been sent yet")
        await driver.press("m", "b", "F", "L")
        await driver.press("escape", "escape")
        methods: set[Any] = {record.method for record in driver.app.session.log.records}
        assert methods <= {"GET", "HEAD"}


async def test_production_is_said_and_needs_the_name(filled: Shop, tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text(f'[registries."{filled.host}"]\nwritable = true\nproduction = true\n')
    async with driven(filled.app(write=False, settings=settings)) as driver:
        assert driver.app.session.settings.problems == ()
        await marked(driver, "0.9")
        await driver.press("D", until="PRODUCTION")
        await driver.press("right", "enter", until="is marked as production")
        await driver.press("escape", until="[ Cancel ]")
        assert "0.9" in filled.tags()
