"""The journal: on the disk before it returns, whole after a crash, one writer per entry."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from regtui.storage.errors import StorageError
from regtui.storage.journal import SUFFIX, Journal

ROOT = Path(__file__).resolve().parents[2]
CRASH = """
import os, signal, sys
from pathlib import Path
from regtui.storage.journal import Journal
entry = Journal(Path(sys.argv[1])).begin()
for n in range(int(sys.argv[2])):
    entry.append({"n": n})
os.write(entry._handle, b'{"n": 99')
sys.stdout.write(entry.id)
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_is_written_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    with journal.begin() as entry:
        entry.append({"kind": "plan"}, {"kind": "ready"})
        entry.append({"kind": "done", "text": "ä\n"})
    assert list(journal.read(entry.id)) == [{"kind": "plan"}, {"kind": "ready"}, {"kind": "done", "text": "ä\n"}]
    assert [found.id for found in journal.entries()] == [entry.id]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_this_user_may_read_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    entry = journal.begin()
    path = journal.entries()[0].path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    entry.close()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_writer_leaves_whole_records_and_a_free_lock(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path), "5"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == -9, done.stderr
    journal = Journal(tmp_path)
    assert [r["n"] for r in journal.read(done.stdout)] == [0, 1, 2, 3, 4]
    with journal.resume(done.stdout) as entry:
        entry.append({"n": 5})
    assert [r["n"] for r in journal.read(done.stdout)] == [0, 1, 2, 3, 4, 5]


def test_an_entry_has_one_writer(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    entry = journal.begin()
    assert journal.is_running(entry.id)
    with pytest.raises(StorageError, match="Another regtui"):
        journal.resume(entry.id)
    entry.close()
    assert not journal.is_running(entry.id)
    journal.resume(entry.id).close()


def test_two_writers_have_an_entry_each(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    first, second = Journal(tmp_path).begin(now), Journal(tmp_path).begin(now)
    assert first.id != second.id
    first.close()
    second.close()


def test_old_entries_go_and_running_ones_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    old = datetime.now(UTC) - timedelta(days=31)
    journal.begin(old).close()
    running = journal.begin(old)
    fresh = journal.begin()
    assert journal.forget_older(30) == 1
    assert {e.id for e in journal.entries()} == {running.id, fresh.id}
    running.close()
    fresh.close()


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "20260101T000000-..", "x"])
def test_no_other_file_is_an_entry(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError):
        list(Journal(tmp_path).read(name))


def test_foreign_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / f"notes{SUFFIX}").write_text("x")
    assert Journal(tmp_path).entries() == ()


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Journal(tmp_path).begin()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space left"):
        entry.append({"n": 1})
    entry.close()
