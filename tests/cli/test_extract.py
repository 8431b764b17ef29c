"""`regtui extract`: what lands on the disk, what is left out, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.servers import content
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program


@pytest.mark.real
def test_files_and_folders_of_a_registry(
    program: Program, docker_registry: str, namespace: str, tmp_path: Path
) -> None:
    steps = [{"app/a": b"one" * 3000, "app/sub/b": b"2", "top": b"t"}, {"app/a": b"other", "app/.wh.sub": b""}]
    Uploader(docker_registry).push(f"{namespace}/app", content.image(steps), "1")
    image = f"{docker_registry}/{namespace}/app:1"
    done = program.run("extract", image, "/app", str(tmp_path / "out"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "destination": str(tmp_path / "out"), "files": 1, "folders": 1, "links": 0, "bytes": 5, "skipped": [],
    }  # fmt: skip
    assert (tmp_path / "out/a").read_bytes() == b"other"
    assert not (tmp_path / "out/sub").exists()
    earlier = program.run("extract", image, "/app", str(tmp_path / "earlier"), "--layer", "1")
    assert earlier.returncode == 0, earlier.stderr
    assert (tmp_path / "earlier/sub/b").read_bytes() == b"2"
    assert (tmp_path / "earlier/a").read_bytes() == b"one" * 3000
    into = program.run("extract", image, "top", str(tmp_path / "out"))
    assert into.returncode == 0, into.stderr
    assert (tmp_path / "out/top").read_bytes() == b"t"


def test_nothing_is_written_over(program: Program, demo: Path, tmp_path: Path) -> None:
    image = f"{demo}/shop/reports:0.4.0"
    place = tmp_path / "os-release"
    place.write_text("mine")
    done = program.run("extract", image, "/etc/os-release", str(place))
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert place.read_text() == "mine"
    assert "is not in this image" in program.run("extract", image, "/no/such", str(tmp_path / "x")).stderr


def test_links_that_lead_out_are_named(program: Program, demo: Path, tmp_path: Path) -> None:
    done = program.run("extract", f"{demo}/shop/reports:0.4.0", "/etc", str(tmp_path / "etc"))
    assert done.returncode == 0, done.stderr
    assert "/etc/localtime is left out: the link leads out" in done.stderr
    assert not (tmp_path / "etc/localtime").is_symlink()
