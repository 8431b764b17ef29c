"""Changing the settings file: only what was asked for changes."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from regtui.storage.errors import SettingsUnreadable, StorageError
from regtui.storage.settings import Settings
from regtui.storage.settings_file import SettingsFile, default_text

WRITTEN = """\
# mine
theme = "nord"   # the dark one
future = [1, 2]

[registries."b.example"]   # second first
writable = true
# a thought

[registries."A.example"]
kind = "zot"

[keymap]
refresh = "ctrl+r"
"""


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    """A file with comments, an order of its own and a key that is unknown."""
    path = tmp_path / "settings.toml"
    path.write_text(WRITTEN)
    return SettingsFile(path)


def test_a_change_leaves_all_else(file: SettingsFile) -> None:
    file.put_registry("a.example", writable=True)
    assert file.path.read_text() == WRITTEN.replace('kind = "zot"\n', 'kind = "zot"\nwritable = true\n')
    file.put_registry("a.example", writable=None)
    assert file.path.read_text() == WRITTEN


def test_add_and_remove_a_registry(file: SettingsFile) -> None:
    file.put_registry("localhost:5000", plain_http=True, repositories=["a", "b"])
    settings = Settings.load(file.path)
    assert settings.registry("localhost:5000").plain_http
    assert settings.registry("localhost:5000").repositories == ("a", "b")
    assert "# a thought" in file.path.read_text()
    assert file.remove_registry("localhost:5000")
    assert not file.remove_registry("localhost:5000")
    assert [known.host for known in Settings.load(file.path).registries] == ["b.example", "a.example"]


def test_the_theme(file: SettingsFile) -> None:
    file.set_theme("dracula")
    assert file.path.read_text() == WRITTEN.replace('"nord"', '"dracula"')
    file.set_theme(None)
    assert Settings.load(file.path).theme is None
    assert "# mine" in file.path.read_text()


def test_a_new_file_explains_itself(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "new" / "settings.toml")
    assert not file.remove_registry("x")
    assert not file.path.exists()
    file.set_theme("nord")
    text = file.path.read_text()
    assert text.startswith(default_text()[:60])
    assert Settings.load(file.path).theme == "nord"
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


def test_create_never_overwrites(tmp_path: Path, file: SettingsFile) -> None:
    assert not file.create()
    assert file.path.read_text() == WRITTEN
    fresh = SettingsFile(tmp_path / "fresh.toml")
    assert fresh.create()
    assert fresh.path.read_text() == default_text()


def test_a_broken_file_is_left_alone(file: SettingsFile) -> None:
    file.path.write_text("theme = \n")
    with pytest.raises(SettingsUnreadable, match="nothing was changed"):
        file.set_theme("nord")
    file.path.write_bytes(b"\xff")
    with pytest.raises(SettingsUnreadable, match="UTF-8"):
        file.set_theme("nord")
    assert file.path.read_bytes() == b"\xff"


@pytest.mark.parametrize(
    "text",
    [
        "registries = 3\n",
        "[[registries]]\nhost = 'x'\n",
        "registries = {x = {kind = 'zot'}}\n",
        "registries.x.kind = 'zot'\n",
        "[registries]\nx.kind = 'zot'\n",
        "[registries.x]\nkind = 'zot'\n[keymap]\na = 'b'\n[registries.y]\nkind = 'zot'\n",
    ],
)
def test_odd_files_are_changed_right_or_not_at_all(tmp_path: Path, text: str) -> None:
    file = SettingsFile(tmp_path / "settings.toml")
    file.path.write_text(text)
    before = Settings.load(file.path)
    try:
        file.put_registry("new.example", writable=True)
    except StorageError:
        assert file.path.read_text() == text
        return
    after = Settings.load(file.path)
    assert after.registry("new.example").writable
    assert [known for known in after.registries if known.host != "new.example"] == list(before.registries)
    assert after.keymap == before.keymap


def test_only_settings_that_exist_are_written(file: SettingsFile) -> None:
    for call in (
        lambda: file.put_registry("https://x", writable=True),
        lambda: file.put_registry("x", password="hunter2"),
        lambda: file.put_registry("x", writable="yes"),
        lambda: file.put("nonsense", 1),
        lambda: file.set_theme("two\nlines"),
    ):
        with pytest.raises(StorageError) as caught:
            call()
        assert "hunter2" not in str(caught.value)
    assert file.path.read_text() == WRITTEN


def test_a_place_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't be written"):
        SettingsFile(tmp_path / "file" / "settings.toml").set_theme("nord")


def test_reading_settings_needs_no_editor() -> None:
    """The library that edits is only loaded by an edit."""
    code = """
import sys
from regtui.storage import settings, settings_file
settings.Settings.load()
settings_file.default_text()
print([name for name in ("tomlkit", "keyring", "difflib", "asyncio", "httpx", "textual") if name in sys.modules])
"""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
