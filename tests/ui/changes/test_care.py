"""Retention and doctor, against distribution 2.8."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from regtui.registries.contract import RetentionRules
from regtui.ui.changes.doctor_screen import DoctorScreen
from regtui.ui.changes.retention_screen import RetentionScreen
from tests.servers.content import artifact, image
from tests.ui.changes.conftest import NARROW, WIDE, driven

if TYPE_CHECKING:
    from tests.ui.changes.conftest import Driver, Shop

pytestmark = pytest.mark.real


def dated(day: int) -> object:
    return image({"d": str(day).encode()}, created=f"2026-01-{day:02d}T00:00:00Z")


async def typed(driver: Driver, field: str, text: str) -> None:
    """Fill in a field of the form."""
    driver.screen.query_one(f"#{field}").value = text
    await driver.pilot.pause()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])
async def test_a_rule_shows_its_effect_while_it_is_typed(shop: Shop, size: tuple[int, int]) -> None:
    for day in range(1, 7):
        shop.push(f"dev-{day}", content=dated(day))
    shop.push("prod", content=dated(1))
    async with driven(shop.app(), size) as driver:
        await driver.press("K", until="Fill in at least one field")
        await driver.wait(lambda: driver.screen.table.listing.state == "complete")
        await typed(driver, "keep_last", "2")
        text = await driver.wait("4 of 7 tags go")
        assert "protected (prod*)" in text
        await typed(driver, "match", "dev-*")
        await driver.wait("another name")
        await typed(driver, "older_than", "soon")
        await driver.wait("is no age")
        await typed(driver, "older_than", "")
        await driver.wait(lambda: "is no age" not in driver.text)
        driver.screen.query_one("#match").focus()
        await driver.press("enter", until="[ Cancel ]")
        await driver.press("right", "enter", until=f"{shop.host}/{shop.repository}")
        assert "Retention plan: 4 of 7 tags" in driver.text
        await driver.press("right", "enter", until=f"Type {shop.repository}")
        await driver.press(*shop.repository, "enter", until="4 of 4 steps done")
        assert sorted(shop.tags()) == ["dev-5", "dev-6", "prod"]
        await driver.press("escape", until=lambda: isinstance(driver.screen, RetentionScreen))
        await driver.wait("0 of 3 tags go")
        await driver.press("escape", until=lambda: not isinstance(driver.screen, RetentionScreen))
        await driver.wait(lambda: driver.screen.tags.model.known == 3)


async def test_a_rule_is_exported_or_says_why_not(filled: Shop) -> None:
    async with driven(filled.app(write=False)) as driver:
        await driver.press("K", until="Fill in at least one field")
        await typed(driver, "keep_last", "3")
        driver.screen.buttons.focus()
        await driver.press("right", "right", "enter", until="Export as")
        await driver.press("enter", until="imageCountMoreThan")
        await driver.press("escape", until=lambda: isinstance(driver.screen, RetentionScreen))
        await typed(driver, "keep", "0.*")
        await driver.wait("kept by name")
        await driver.press("enter", until="Export as")
        await driver.press("enter", until="can't choose tags by")


async def test_the_doctor_finds_and_removes_what_is_left_over(filled: Shop) -> None:
    lost = image({"lost": b"lost"})
    signature = artifact("application/vnd.dev.cosign.artifact.sig.v1+json", data=b'{"s":1}')
    filled.push(f"sha256-{lost.digest[7:]}.sig", content=signature)
    async with driven(filled.app()) as driver:
        await driver.press("H", until="orphaned attachment")
        text = driver.text
        assert "delete a tag" in text
        assert "only trying tells" in text.lower()
        await driver.press("enter", until="Repair plan")
        await driver.wait("nothing has been sent yet")
        await driver.press("right", "enter", until="1 of 1 steps done")
        await driver.press("escape", until="Nothing is broken or left over here.")
        assert not any(tag.startswith("sha256-") for tag in filled.tags())
        await driver.press("escape", until=lambda: not isinstance(driver.screen, DoctorScreen))


async def test_the_doctor_of_a_registry_tells_what_it_can_do(filled: Shop) -> None:
    async with driven(filled.app()) as driver:
        driver.screen.go("registries")
        text = await driver.press("H", until="What this registry can do for you")
        await driver.wait("list repositories")
        assert "Problems" not in text
        await driver.press("escape", until=lambda: not isinstance(driver.screen, DoctorScreen))


async def test_the_registrys_own_rules_are_shown_or_their_absence_is_said(
    filled: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with driven(filled.app(write=False)) as driver:
        await driver.press("K", until="Fill in at least one field")
        await driver.wait(lambda: driver.screen.table.listing.state == "complete")
        driver.screen.show_own()
        await driver.wait("has no retention rules")
        registry = await driver.app.session.registry(filled.host)
        rules = RetentionRules(
            "ecr", {"rules": [{"rulePriority": 1}]}, ("Expires untagged images after 14 days.",), True
        )

        async def own(repository: str) -> RetentionRules:
            return rules

        monkeypatch.setattr(registry, "retention", own)
        driver.screen.show_own()
        text = await driver.wait("Expires untagged images after 14 days.")
        assert "in force" in text
        assert "rulePriority" in text


async def test_only_unsigned_tags_once_signatures_are_read(filled: Shop) -> None:
    subject = image({"signed": b"yes"})
    filled.push("signed", content=subject)
    signature = artifact("application/vnd.dev.cosign.artifact.sig.v1+json", subject=subject)
    filled.push(f"sha256-{subject.digest[7:]}.sig", content=signature)
    async with driven(filled.app(write=False)) as driver:
        await driver.press("K", until="Fill in at least one field")
        await driver.wait(lambda: driver.screen.table.listing.state == "complete")
        driver.screen.query_one("#unsigned").value = True
        await driver.wait("signatures are read")
        await driver.wait("signed, or not known")
        found = {row.tag.name: row.goes for row in driver.screen.table.model.rows}
        assert found["signed"] is False
        assert found["0.9"] is True
