"""Tables as files."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from regtui.ui.models.export import Exported, as_text, cell_of, free_name

if TYPE_CHECKING:
    from pathlib import Path

TABLE = Exported(
    ("path", "size", "pushed", "note"),
    ("Path", "Size", "Pushed", "Note"),
    (
        (
            cell_of("/a|b", "/a|b"),
            cell_of("1.2 kB", 1234),
            cell_of("2 h", datetime(2026, 1, 2, tzinfo=UTC)),
            cell_of("—", None),
        ),
        (cell_of("=1+1", None), cell_of("—", None), cell_of("—", None), cell_of("", None)),
    ),
)


def test_json_has_values_and_null_for_unknown() -> None:
    assert json.loads(as_text(TABLE, ".json")) == [
        {"path": "/a|b", "size": 1234, "pushed": "2026-01-02T00:00:00+00:00", "note": None},
        {"path": "=1+1", "size": None, "pushed": None, "note": None},
    ]


def test_csv_has_values_and_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(as_text(TABLE, ".csv"))))
    assert rows[0] == ["path", "size", "pushed", "note"]
    assert rows[1] == ["/a|b", "1234", "2026-01-02T00:00:00+00:00", ""]
    assert rows[2] == ["'=1+1", "", "", ""]


def test_markdown_shows_what_the_screen_shows() -> None:
    assert as_text(TABLE, ".MD").splitlines() == [
        "| Path | Size | Pushed | Note |",
        "| --- | --- | --- | --- |",
        "| /a\\|b | 1.2 kB | 2 h | — |",
        "| =1+1 | — | — |  |",
    ]


def test_a_name_that_is_free(tmp_path: Path) -> None:
    assert free_name(tmp_path, "tags", ".csv") == "tags.csv"
    (tmp_path / "tags.csv").touch()
    (tmp_path / "tags-2.csv").touch()
    assert free_name(tmp_path, "tags", ".csv") == "tags-3.csv"
