"""The cache: what is kept comes back verified, whatever happens to the disk below it."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regtui.oci import Digest
from regtui.storage import cache as cache_module
from regtui.storage.cache import Cache, NullCache
from regtui.storage.paths import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO = b'{"schemaVersion":2}'
DIGEST = Digest.of(HELLO)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    """An empty cache."""
    made = Cache(tmp_path / "cache", 1 << 20)
    yield made
    made.close()


def file_of(cache: Cache, digest: Digest) -> Path:
    return cache.folder / "blobs" / digest.algorithm / digest.encoded[:2] / digest.encoded


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_what_is_put_comes_back(cache: Cache, algorithm: str) -> None:
    digest = Digest.of(HELLO, algorithm)
    assert cache.get(digest) is None
    cache.put(digest, HELLO)
    assert cache.get(digest) == HELLO
    assert file_of(cache, digest).read_bytes() == HELLO


@given(content=st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_bytes_come_back(cache: Cache, content: bytes) -> None:
    cache.put(Digest.of(content), content)
    cache.put_derived("index", str(len(content)), content)
    assert cache.get(Digest.of(content)) == content
    assert cache.get_derived("index", str(len(content))) == content


@pytest.mark.parametrize("change", [b"", HELLO[:-1], HELLO + b" ", HELLO.replace(b"2", b"3")])
def test_changed_bytes_are_a_miss_and_go(cache: Cache, change: bytes) -> None:
    cache.put(DIGEST, HELLO)
    file_of(cache, DIGEST).write_bytes(change)
    assert cache.get(DIGEST) is None
    assert not file_of(cache, DIGEST).exists()
    cache.put(DIGEST, HELLO)
    assert cache.get(DIGEST) == HELLO


def test_what_can_not_be_verified_is_not_kept(cache: Cache) -> None:
    for digest in ("blake3:" + "a" * 64, "sha256:../../../etc/passwd", "sha256:" + "A" * 64, "sha256:" + "a" * 63, ""):
        cache.put(Digest(digest), HELLO)
        assert cache.get(Digest(digest)) is None
    assert cache.stats().files == 0
    assert not cache.folder.exists()


def test_wrong_bytes_under_a_digest_are_never_given_out(cache: Cache) -> None:
    cache.put(DIGEST, b"something else")
    assert cache.get(DIGEST) is None


def test_derived_data_is_bound_to_its_key(cache: Cache) -> None:
    cache.put_derived("layer-index", "sha256:a", b"one")
    cache.put_derived("layer-index", "sha256:b", b"two")
    cache.put_derived("layer-index-2", "sha256:a", b"three")
    assert cache.get_derived("layer-index", "sha256:a") == b"one"
    assert cache.get_derived("layer-index-2", "sha256:a") == b"three"
    assert cache.get_derived("layer-index", "sha256:c") is None
    one, two = (
        next(p for p in cache.folder.rglob("*") if p.is_file() and p.read_bytes().endswith(end))
        for end in (b"one", b"two")
    )
    two.write_bytes(one.read_bytes())
    assert cache.get_derived("layer-index", "sha256:b") is None
    one.write_bytes(one.read_bytes()[:-1] + b"!")
    assert cache.get_derived("layer-index", "sha256:a") is None


def test_a_kind_is_never_a_path(cache: Cache) -> None:
    for kind in ("", "..", "a/b", "A", "a" * 65):
        with pytest.raises(ValueError, match="kind"):
            cache.put_derived(kind, "key", b"")


def test_everything_is_for_this_user_alone(cache: Cache) -> None:
    cache.put(DIGEST, HELLO)
    assert stat.S_IMODE(file_of(cache, DIGEST).stat().st_mode) == 0o600
    for folder in (cache.folder, *file_of(cache, DIGEST).parents[:3]):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (cache.folder / "CACHEDIR.TAG").read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55")


def test_a_planted_link_is_neither_read_nor_followed(cache: Cache, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(HELLO)
    cache.put(Digest.of(b"x"), b"x")
    file_of(cache, DIGEST).parent.mkdir(parents=True, exist_ok=True)
    file_of(cache, DIGEST).symlink_to(outside)
    (cache.folder / "blobs" / "more").symlink_to(tmp_path)
    assert cache.get(DIGEST) is None
    cache.clear()
    assert outside.read_bytes() == HELLO


def aged(cache: Cache, count: int, size: int) -> list[Digest]:
    """Blobs of `size` bytes, each used a day later than the one before."""
    digests = []
    for number in range(count):
        content = bytes([number]) * size
        digest = Digest.of(content)
        cache.put(digest, content)
        os.utime(file_of(cache, digest), (number * 86_400 + 1, number * 86_400 + 1))
        digests.append(digest)
    return digests


def test_a_sweep_takes_the_least_recently_used(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 10_000, clock=lambda: 1e9)
    cache.put(DIGEST, HELLO)  # the first write looks whether a sweep is due
    cache.close()
    cache.limit = 1 << 30
    digests = aged(cache, 20, 1000)
    assert cache.get(digests[0]) is not None  # read again just now
    cache.limit = 10_000
    assert cache.sweep() > 0
    assert cache.stats().size <= 8_000
    assert cache.get(digests[0]) is not None
    assert cache.get(digests[-1]) is not None
    assert cache.get(digests[1]) is None
    assert cache.sweep() == 0


def test_writing_much_sweeps_by_itself(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 64_000)
    for number in range(200):
        cache.put(Digest.of(b"%05d" % number * 200), b"%05d" % number * 200)
        cache.close()
    assert 0 < cache.stats().size <= 64_000 + 64_000 // 16


def test_a_short_process_sweeps_when_the_last_one_is_long_ago(tmp_path: Path) -> None:
    now = [1e9]
    cache = Cache(tmp_path / "cache", 1 << 20, clock=lambda: now[0])
    cache.put(DIGEST, HELLO)
    cache.close()
    marker = cache.folder / "swept"
    assert marker.stat().st_mtime == 1e9
    now[0] += 60
    second = Cache(cache.folder, 1 << 20, clock=lambda: now[0])
    second.put(DIGEST, HELLO)
    second.close()
    assert marker.stat().st_mtime == 1e9
    now[0] += 7200
    third = Cache(cache.folder, 1 << 20, clock=lambda: now[0])
    third.put(DIGEST, HELLO)
    third.close()
    assert marker.stat().st_mtime == now[0]


def test_drafts_left_by_a_crash_go(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 1 << 20)
    cache.put(DIGEST, HELLO)
    cache.close()
    old, young = (file_of(cache, DIGEST).with_name(name) for name in ("old.tmp", "young.tmp"))
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (1, 1))
    cache.sweep()
    assert (old.exists(), young.exists()) == (False, True)
    cache.clear()
    assert young.exists()
    assert cache.get(DIGEST) is None


def test_a_read_touches_at_most_once_an_hour(tmp_path: Path) -> None:
    now = [1e9]
    cache = Cache(tmp_path / "cache", 1 << 20, clock=lambda: now[0])
    cache.put(DIGEST, HELLO)
    for used, later, expected in ((1e9, 3599, 1e9), (1e9, 3601, 1e9 + 3601)):
        os.utime(file_of(cache, DIGEST), (used, used))
        now[0] = 1e9 + later
        cache.get(DIGEST)
        assert file_of(cache, DIGEST).stat().st_mtime == expected
    cache.close()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES, errno.EIO])
def test_a_disk_that_refuses_switches_it_off(cache: Cache, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    cache.put(DIGEST, HELLO)
    asked = []

    def refuse(*_: object) -> None:
        asked.append(1)
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(cache_module.os, "replace", refuse)
    other = b"other"
    cache.put(Digest.of(other), other)
    assert cache.off is not None
    assert os.strerror(code).lower() in cache.off
    cache.put(Digest.of(other), other)
    assert len(asked) == 1
    assert cache.get(Digest.of(other)) is None
    assert cache.get(DIGEST) == HELLO
    assert not list(cache.folder.rglob("*.tmp"))
    assert cache.stats().off == cache.off


def test_a_full_disk_in_the_middle_of_a_write(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache_module, "write_all", refuse)
    cache.put_derived("index", "k", b"content")
    assert cache.off is not None
    assert "no space left" in cache.off
    assert not [p for p in cache.folder.rglob("*") if p.is_file() and p.name != "CACHEDIR.TAG"]


def test_a_file_in_the_way_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "cache")
    cache.put(DIGEST, HELLO)
    assert cache.get(DIGEST) is None
    assert cache.off is not None
    assert cache.sweep() == 0
    assert cache.stats().files == 0


def test_a_folder_that_vanishes_is_made_again(cache: Cache) -> None:
    cache.put(DIGEST, HELLO)
    cache.close()
    assert cache.clear() == len(HELLO)
    for folder in sorted((p for p in cache.folder.rglob("*") if p.is_dir()), reverse=True):
        folder.rmdir()
    cache.put(DIGEST, HELLO)
    assert cache.get(DIGEST) == HELLO
    assert cache.off is None


def test_what_is_too_large_for_the_limit_is_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 4000)
    content = b"x" * 1001
    cache.put(Digest.of(content), content)
    assert cache.get(Digest.of(content)) is None
    assert cache.off is None


def test_open_is_for_this_user(home: Path) -> None:
    found = Cache.open(1 << 20)
    assert isinstance(found, Cache)
    assert found.folder == cache_folder()
    assert not found.folder.exists()


def test_open_mistrusts_a_folder_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(0o777)
    assert "others may write" in (Cache.open(1 << 20, folder).off or "")
    folder.chmod(0o700)
    assert isinstance(Cache.open(1 << 20, folder), Cache)
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert "another user" in (Cache.open(1 << 20, folder).off or "")


def test_open_without_a_place_or_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cache_size = 0" in (Cache.open(0).off or "")
    (tmp_path / "file").write_text("")
    assert "not a folder" in (Cache.open(1, tmp_path / "file").off or "")
    monkeypatch.delenv("HOME")

    def nowhere() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", nowhere)
    assert "Set HOME" in (Cache.open(1).off or "")


def test_the_null_cache_honours_the_same_calls() -> None:
    null = NullCache()
    null.put(DIGEST, HELLO)
    null.put_derived("a", "b", HELLO)
    assert null.get(DIGEST) is None
    assert null.get_derived("a", "b") is None
    assert (null.clear(), null.sweep(), null.stats().files) == (0, 0, 0)
    assert null.off
    public = {name for name in dir(Cache) if not name.startswith("_")} - {"open"}
    assert public <= set(dir(null))


_WORKER = """
import sys
from pathlib import Path
from regtui.oci import Digest
from regtui.storage.cache import Cache

cache = Cache(Path(sys.argv[1]), 200_000)
wrong = 0
for turn in range(300):
    content = b"%04d" % (turn % 60) * 500
    digest = Digest.of(content)
    found = cache.get(digest)
    wrong += found is not None and found != content
    cache.put(digest, content)
    cache.put_derived("index", str(turn % 7), content)
    derived = cache.get_derived("index", str(turn % 7))
    wrong += derived is not None and len(derived) != 2000
    if turn % 50 == 49:
        cache.sweep()
    if turn == 150:
        cache.clear()
cache.close()
print(wrong, cache.off)
"""


def test_processes_share_it_safely(tmp_path: Path) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(tmp_path / "cache")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        for _ in range(3)
    ]
    for worker in workers:
        out, err = worker.communicate(timeout=60)
        assert (out.split(), err) == (["0", "None"], "")
    cache = Cache(tmp_path / "cache", 200_000)
    assert not list(cache.folder.rglob("*.tmp"))
    assert cache.stats().files > 0


def test_threads_share_it_safely(cache: Cache) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def work(number: int) -> bool:
        content = b"%03d" % (number % 10)
        cache.put(Digest.of(content), content)
        return cache.get(Digest.of(content)) == content

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(400)))
    assert cache.off is None
