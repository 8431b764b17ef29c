"""Trust and Scan as a person drives them, over the demo: who signed, what hangs there, what is wrong, what to do."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from regtui.session import Session, SessionOptions, parse_target
from regtui.ui._textual import screen_text, settled
from regtui.ui.app import RegtuiApp
from regtui.ui.trust.differences import DifferencesScreen
from regtui.ui.trust.document_screen import DocumentScreen
from regtui.ui.trust.finding_screen import FindingScreen

pytest.importorskip("cryptography", reason="the trust extra is not installed")

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

WIDE, NARROW = (120, 40), (80, 24)


async def press(pilot: Pilot[None], *keys: str) -> str:
    await pilot.press(*keys)
    await settled(pilot)
    return screen_text(pilot.app)


async def open_tab(pilot: Pilot[None], tab: str) -> str:
    await settled(pilot)
    pilot.app.screen.detail.switch(tab)
    pilot.app.screen.go("detail")
    await settled(pilot)
    return screen_text(pilot.app)


@pytest.fixture
def trusting(demo: Path, tmp_path: Path) -> Callable[[str], RegtuiApp]:
    """The app of somebody who trusts the demo's key for shop/*."""
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[trust."*/shop/*"]\nkeys = ["{demo}/demo-trust/cosign.pub"]\n')

    def make(inside: str) -> RegtuiApp:
        return RegtuiApp(
            Session.start(SessionOptions(config=settings, use_cache=False)), parse_target(f"{demo}{inside}")
        )

    return make


def no_scanners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")


def fake_trivy(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program of that name, alone on PATH."""
    trivy = folder / "bin" / "trivy"
    trivy.parent.mkdir()
    trivy.write_text(f"#!/bin/sh\n{script}\n")
    trivy.chmod(0o755)
    monkeypatch.setenv("PATH", str(trivy.parent))


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_trust_tells_signer_provenance_and_sbom(
    trusting: Callable[[str], RegtuiApp], size: tuple[int, int]
) -> None:
    async with trusting("/shop/cart:1.4.2").run_test(size=size) as pilot:
        text = await open_tab(pilot, "trust")
        assert "verified · by cosign.pub (ECDSA P-256" in text
        assert "under */shop/*" in pilot.app.screen.detail.trust.told
        nodes = {(node.title, node.status): node.note for node in pilot.app.screen.detail.trust.nodes}
        assert "trusted key cosign.pub" in nodes["Sigstore bundle: signature (cosign)", "verified"]
        assert nodes["provenance (SLSA)", ""].startswith("built by https://ci.demo.example/")
        assert "from https://" in nodes["provenance (SLSA)", ""]
        assert "88 packages · SPDX 2.3" in nodes["SBOM (SPDX)", ""]
        assert nodes["Sigstore bundle: provenance (SLSA)", "verified"].startswith("built by")


async def test_without_trust_settings_present_is_not_verified(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart:1.4.2").run_test(size=WIDE) as pilot:
        text = await open_tab(pilot, "trust")
        assert "present, not verified" in text
        assert "Nobody is trusted for this repository" in text
        assert " verified " not in text.replace("not verified", "")


@pytest.mark.parametrize(
    ("image", "words"),
    [("shop/cart:1.4.0", "INVALID"), ("shop/cart:1.3.9", "unsigned"), ("shop/web:2.1.0", "present, not verified")],
)
async def test_each_verdict_has_its_words(trusting: Callable[[str], RegtuiApp], image: str, words: str) -> None:
    async with trusting(f"/{image}").run_test(size=WIDE) as pilot:
        await open_tab(pilot, "trust")
        told = pilot.app.screen.detail.trust.told
        assert told.startswith(words)
        assert "cosign.pub" not in told.splitlines()[0]


async def test_what_hangs_there_opens_and_an_sbom_can_be_searched_and_compared(
    trusting: Callable[[str], RegtuiApp],
) -> None:
    async with trusting("/shop/cart:1.4.2").run_test(size=WIDE) as pilot:
        await open_tab(pilot, "trust")
        tree = pilot.app.screen.detail.trust.hanging
        key = next(node.key for node in pilot.app.screen.detail.trust.nodes if node.title == "SBOM (SPDX)")
        assert tree.model.move_to_key(key)
        text = await press(pilot, "enter")
        assert isinstance(pilot.app.screen, DocumentScreen)
        assert "[Packages]" in text
        assert "document 2 of 2" in text
        text = await press(pilot, "slash", *"openssl", "enter")
        shown = pilot.app.screen.current_list.model.visible_rows()
        assert shown
        assert all("ssl" in f"{one.name} {one.purl}".lower() for one in shown)
        assert "88 packages" not in text
        text = await press(pilot, "escape", "right_square_bracket")
        assert "[About]" in text
        assert "SPDX 2.3" in text
        text = await press(pilot, "y")
        assert '"predicateType"' in text
        text = await press(pilot, "n")
        assert "document 1 of 2" in text
        assert "builder" in text
        await press(pilot, "n")
        await press(pilot, "m", *"1.3.9", "enter")
        assert isinstance(pilot.app.screen, DifferencesScreen)
        changed = [row for row in pilot.app.screen.table.model.rows if row.change == "changed"]
        assert changed
        assert all(row.before != row.after for row in changed)
        await press(pilot, "escape", "q")
        assert pilot.app.screen.detail.tab == "trust"


async def test_scan_lists_findings_with_source_age_and_vex_and_filters_to_critical(
    explore: Callable[..., RegtuiApp],
) -> None:
    async with explore("/shop/reports:0.4.0").run_test(size=WIDE) as pilot:
        text = await open_tab(pilot, "scan")
        assert "attached: scan report (Trivy)" in text
        assert "old" in pilot.app.screen.detail.scan.told
        assert "settled by VEX" in text
        assert "not affected" in text
        known = len(pilot.app.screen.detail.scan.shown.report.findings)
        text = await press(pilot, "f")
        shown = pilot.app.screen.detail.scan.findings.model
        severities = [shown.at(position).finding.severity.value for position in range(len(shown))]
        assert severities == ["critical"] * len(severities)
        assert 0 < len(severities) < known
        assert "only critical" in text
        text = await press(pilot, "f")
        assert "only high and worse" in text
        await press(pilot, "f", "f", "f")
        text = await press(pilot, "b")
        assert "libc6 (" in text
        text = await press(pilot, "b")
        assert "critical (" in text
        await press(pilot, "b")
        groups = [node.title.partition(" (")[0] for node in pilot.app.screen.detail.scan.findings.model.source.roots()]
        assert "layer 1" in groups
        assert "layer unknown" not in groups
        await press(pilot, "b")
        text = await press(pilot, "slash", *"45853", "enter")
        shown = pilot.app.screen.detail.scan.findings.model
        assert len(shown) == 1
        assert shown.at(0).finding.id == "CVE-2023-45853"
        text = await press(pilot, "enter")
        assert isinstance(pilot.app.screen, FindingScreen)
        assert "https://" in text
        assert "not affected" in text
        assert "AV:N" in text
        await press(pilot, "escape")


async def test_findings_of_two_tags_are_compared_and_exported(
    explore: Callable[..., RegtuiApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with explore("/shop/reports:0.5.0").run_test(size=WIDE) as pilot:
        await open_tab(pilot, "scan")
        text = await press(pilot, "m", *"0.4.0", "enter")
        assert isinstance(pilot.app.screen, DifferencesScreen)
        assert "Findings · 0.4.0 → 0.5.0" in text
        assert "gone" in {row.change for row in pilot.app.screen.table.model.rows}
        await press(pilot, "escape")
        for name in ("f.json", "f.csv", "f.sarif"):
            await press(pilot, "e", *["backspace"] * 40, *name, "enter")
        assert len(json.loads((tmp_path / "f.json").read_text())["findings"]) > 0
        assert (tmp_path / "f.csv").read_text().startswith("id,severity")
        assert json.loads((tmp_path / "f.sarif").read_text())["version"] == "2.1.0"


async def test_without_a_report_the_tab_says_so_and_what_to_do(
    explore: Callable[..., RegtuiApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_scanners(monkeypatch)
    async with explore("/shop/cart:1.3.9").run_test(size=WIDE, notifications=True) as pilot:
        text = await open_tab(pilot, "scan")
        assert "whether it has faults is not known" in text
        assert "install trivy" in text
        text = await press(pilot, "x")
        assert "No scanner is on PATH" in text
        text = await press(pilot, "f", "b")
        assert "not known" in text


async def test_x_scans_in_the_background_and_the_report_is_shown(
    explore: Callable[..., RegtuiApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"VulnerabilityID": "CVE-2026-1", "PkgName": "zlib1g", "InstalledVersion": "1", "Severity": "CRITICAL"}
    body = {"SchemaVersion": 2, "ArtifactName": "sbom", "Results": [{"Target": "x", "Vulnerabilities": [row]}]}
    (tmp_path / "report.json").write_text(json.dumps(body))
    script = f'while [ "$1" != --output ]; do shift; done\n/bin/cat {tmp_path}/report.json > "$2"'
    fake_trivy(tmp_path, monkeypatch, script)
    async with explore("/shop/cart:1.3.9").run_test(size=WIDE, notifications=True) as pilot:
        text = await open_tab(pilot, "scan")
        assert "x scans it with trivy." in text
        text = await press(pilot, "x")
        assert "trivy on 1.3.9: 1 critical." in text
        assert "CVE-2026-1" in text
        assert "trivy over the attached SBOM" in text


async def test_a_scan_is_stopped_by_the_same_key(
    explore: Callable[..., RegtuiApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_trivy(tmp_path, monkeypatch, "echo downloading the database >&2\nexec /bin/sleep 60")
    async with explore("/shop/cart:1.3.9").run_test(size=WIDE, notifications=True) as pilot:
        await open_tab(pilot, "scan")
        screen: Any = pilot.app.screen
        await pilot.press("x")
        async with asyncio.timeout(60):
            while "downloading the database" not in screen_text(pilot.app):
                await pilot.pause(0.01)
        assert "trivy scans 1.3.9" in screen_text(pilot.app)
        assert "x stops it" in screen_text(pilot.app)
        text = await press(pilot, "x")
        assert "The scan was stopped." in text
        assert not [worker for worker in screen.workers if worker.group == "local scan" and worker.is_running]


async def test_the_tags_tell_their_signatures_and_filter_by_them(trusting: Callable[[str], RegtuiApp]) -> None:
    async with trusting("/shop/cart").run_test(size=(160, 40)) as pilot:
        await settled(pilot)
        screen: Any = pilot.app.screen
        words = {row.name: row.signature and row.signature.value for row in screen.tags.model.rows}
        assert words["1.4.2"] == words["latest"] == "verified"
        assert words["1.4.0"] == "invalid"
        assert words["1.3.9"] == "unsigned"
        assert "verified" in screen_text(pilot.app)
        await press(pilot, "slash", *"signed:verified", "enter")
        shown = {row.name for row in screen.tags.model.visible_rows()}
        assert shown == {name for name, word in words.items() if word == "verified"}
        await press(pilot, "escape", "slash", *"!signed:verified", "enter")
        assert {row.name for row in screen.tags.model.visible_rows()} == set(words) - shown
        await press(pilot, "escape")


async def test_mistakes_in_the_trust_settings_are_told(demo: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('[trust."*/shop/*"]\nkeys = ["nowhere.pub"]\n')
    app = RegtuiApp(
        Session.start(SessionOptions(config=settings, use_cache=False)), parse_target(f"{demo}/shop/cart:1.4.2")
    )
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        text = await open_tab(pilot, "trust")
        assert "nowhere.pub" in text
        assert "present, not verified" in text
