"""Where the files go, on each system."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from regtui.storage.errors import StorageError
from regtui.storage.files import make_private_folder, read_bounded, write_private
from regtui.storage.paths import cache_folder, config_folder, settings_path, state_folder


def test_linux_follows_the_home_folder() -> None:
    environ = {"HOME": "/home/a"}
    assert config_folder(environ, "linux") == Path("/home/a/.config/regtui")
    assert cache_folder(environ, "linux") == Path("/home/a/.cache/regtui")
    assert state_folder(environ, "linux") == Path("/home/a/.local/state/regtui")
    assert settings_path(environ, "linux") == Path("/home/a/.config/regtui/settings.toml")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_xdg_counts_everywhere(platform: str) -> None:
    environ = {"HOME": "/home/a", "XDG_CACHE_HOME": "/big/cache", "LOCALAPPDATA": "/local"}
    assert cache_folder(environ, platform) == Path("/big/cache/regtui")


def test_a_relative_xdg_folder_is_ignored() -> None:
    assert state_folder({"HOME": "/home/a", "XDG_STATE_HOME": "here"}, "linux") == Path("/home/a/.local/state/regtui")


def test_mac_and_windows_keep_the_three_apart() -> None:
    mac = {"HOME": "/Users/a"}
    windows = {"HOME": "/Users/a", "APPDATA": "/roaming", "LOCALAPPDATA": "/local"}
    for environ, platform in ((mac, "darwin"), (windows, "win32")):
        folders = {f(environ, platform) for f in (config_folder, cache_folder, state_folder)}
        assert len(folders) == 3
        assert all("regtui" in folder.parts for folder in folders)


def test_the_variable_names_the_settings(home: Path) -> None:
    assert settings_path({"HOME": str(home), "REGTUI_CONFIG": "/etc/r.toml"}) == Path("/etc/r.toml")
    assert settings_path({"HOME": str(home), "REGTUI_CONFIG": "~/r.toml"}) == home / "r.toml"


def test_without_a_home_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(StorageError, match="Set HOME"):
        cache_folder({}, "linux")


def test_private_files_and_folders(tmp_path: Path) -> None:
    file = tmp_path / "one" / "two" / "file"
    write_private(file, b"1")
    write_private(file, b"22")
    assert file.read_bytes() == b"22"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    write_private(file, b"old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        write_private(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.glob("*file*")) == [file]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "settings.toml"
    write_private(real, b"old")
    link = tmp_path / "settings.toml"
    link.symlink_to(real)
    write_private(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_reading_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert read_bounded(file, 3) is None
    file.write_bytes(b"1234")
    assert read_bounded(file, 4) == b"1234"
    with pytest.raises(ValueError, match="more than 3"):
        read_bounded(file, 3)


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
