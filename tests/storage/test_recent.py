"""The places opened last."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from regtui.storage.recent import Recent

if TYPE_CHECKING:
    from pathlib import Path


def test_the_newest_comes_first_and_once(tmp_path: Path) -> None:
    recent = Recent(tmp_path / "r.json")
    for place in ("ghcr.io", "ghcr.io/a/b:1", "localhost:5000", "ghcr.io"):
        recent.add(place)
    assert Recent(tmp_path / "r.json").places() == ("ghcr.io", "localhost:5000", "ghcr.io/a/b:1")
    assert stat.S_IMODE((tmp_path / "r.json").stat().st_mode) == 0o600
    recent.clear()
    assert recent.places() == ()


def test_it_is_bounded(tmp_path: Path) -> None:
    recent = Recent(tmp_path / "r.json")
    for number in range(60):
        recent.add(f"host{number}.example")
    assert len(recent.places()) == 50
    assert recent.places()[0] == "host59.example"


@pytest.mark.parametrize("place", ["https://user:hunter2@ghcr.io/x", "user:hunter2@ghcr.io", "a b", "", "x\n"])
def test_what_is_no_place_is_not_written(tmp_path: Path, place: str) -> None:
    Recent(tmp_path / "r.json").add(place)
    assert not (tmp_path / "r.json").exists()


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'{"places":3}', b'{"places":[1,null,"\\u001b[31m"]}', b"\xff", b"[" * 99999]
)
def test_garbage_is_as_good_as_nothing(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "r.json").write_bytes(raw)
    recent = Recent(tmp_path / "r.json")
    assert recent.places() == ()
    recent.add("ghcr.io")
    assert recent.places() == ("ghcr.io",)


def test_a_folder_that_can_not_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    recent = Recent(tmp_path / "file" / "r.json")
    recent.add("ghcr.io")
    assert recent.places() == ()
