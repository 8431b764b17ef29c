"""JsonPane in a tiny app."""

from __future__ import annotations

import json

from regtui.ui._textual import screen_text, settled
from regtui.ui.widgets import json_pane
from regtui.ui.widgets.json_pane import JsonPane
from tests.ui.stage import staged

DOCUMENT = json.dumps({"schemaVersion": 2, "config": {"size": 7}, "layers": [1, 2]}).encode()


async def test_keys_fold_and_unfold() -> None:
    pane = JsonPane(DOCUMENT, id="raw")
    async with staged(pane, size=(40, 14)) as (app, pilot):
        await pilot.press("f")
        assert screen_text(app).split("\n")[1:6] == [
            "│▌ {                                   │",
            '│    "schemaVersion": 2,               │',
            '│▸   "config": { … 1 … },              │',
            '│▸   "layers": [ … 2 … ]               │',
            "│  }                                   │",
        ]
        await pilot.press("j", "j", "l", "j", "h")
        assert len(pane.model) == 5
        await pilot.press("enter")
        assert len(pane.model) == 7
        await pilot.press("enter", "k", "enter")
        opened = app.told(JsonPane.Opened)
        assert [event.value for event in opened] == ['  "schemaVersion": 2,']
        await pilot.press("f", "f", "h", "h", "l")


async def test_filter_and_other_documents() -> None:
    pane = JsonPane()
    async with staged(pane, size=(40, 14)) as (app, pilot):
        pane.show(DOCUMENT)
        assert pane.set_filter("size") is None
        await settled(pilot)
        assert '"size": 7' in screen_text(app)
        assert "layers" not in screen_text(app)
        assert pane.set_filter("~(") is not None
        assert pane.filter_source == "size"
        pane.show(b"")
        await pilot.press("j", "h", "l", "f", "enter")
        assert app.told(JsonPane.Opened) == []


async def test_large_documents_are_laid_out_in_a_thread() -> None:
    pane = JsonPane()
    async with staged(pane) as (app, pilot):
        large = json.dumps(list(range(json_pane.AT_ONCE))).encode()
        pane.show(large)
        pane.show(DOCUMENT)
        pane.show(large)
        await settled(pilot, until=lambda: len(pane.model) == json_pane.AT_ONCE + 2)
        assert pane.document is large
        await pilot.press("G")
        assert screen_text(app).split("\n")[-2].startswith("│▌ ]")


async def test_nothing_raw_is_shown() -> None:
    pane = JsonPane(b'{"a": "\x1b]52;c;aGk=\x07 \xff", "b": "' + "\u202e".encode() + b'"}')
    async with staged(pane) as (app, _):
        assert all(line.isprintable() for line in screen_text(app).split("\n"))
        assert r"\x1b]52" in screen_text(app)
