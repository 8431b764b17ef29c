"""`regtui usage` against a real registry: what it says would be freed is what a garbage collection frees."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.servers import content, starting, tools
from tests.servers.upload import ACCEPT, Uploader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program

BASE = {"base": b"b" * 9000}


def stored(folder: Path) -> int:
    """Bytes of all blobs of distribution's file system storage."""
    return sum(path.stat().st_size for path in (folder / "docker/registry/v2/blobs").rglob("data"))


@pytest.mark.real
def test_deleting_frees_what_was_said(program: Program, tmp_path: Path) -> None:
    registry = tools.require("docker-registry")
    images = [content.image([BASE, {f"own{n}": str(n).encode() * 500 * (n + 1)}]) for n in range(3)]
    storage = tmp_path / "storage"
    with starting.start_docker_registry(tmp_path, storage=storage) as server:
        up = Uploader(server.host)
        for number, image in enumerate(images):
            up.push("team/app", image, str(number))
        up.push("team/copy", images[0], "0")
        done = program.run("usage", server.host, "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["unique"] == stored(storage)
        assert told["unread"] == []
        assert [layer["used_by"] for layer in told["layers"]] == [4, 2, 1, 1]
        frees = {(row["repository"], row["tag"]): row["exclusive"] for row in told["tags"]}
        assert frees["team/app", "0"] == frees["team/copy", "0"] == 0
        status, _, _ = up.request("DELETE", f"/v2/team/app/manifests/{images[1].digest}", headers={"Accept": ACCEPT})
        assert status == 202
    before = stored(storage)
    subprocess.run(
        [registry, "garbage-collect", str(tmp_path / "config.yml")], check=True, capture_output=True, timeout=60
    )
    assert before - stored(storage) == frees["team/app", "1"]


@pytest.mark.real
def test_a_repository_in_a_table(program: Program, crane_registry: str, namespace: str) -> None:
    up = Uploader(crane_registry)
    for number in range(3):
        up.push(f"{namespace}/app", content.image([BASE, {f"own{number}": b"x" * 5000}]), f"v{number}")
    done = program.run("usage", f"{crane_registry}/{namespace}/app", "--limit", "2")
    assert done.returncode == 0, done.stderr
    assert "and 1 more (--limit)" in done.stdout
    told = json.loads(program.run("usage", f"{crane_registry}/{namespace}/app", "--json").stdout)
    assert "repositories" not in told
    assert told["logical"] > told["unique"] > told["shared"] > 0
    assert sum(row["exclusive"] for row in told["tags"]) == told["unique"] - told["shared"]
    gone = program.run("usage", f"{crane_registry}/{namespace}/none")
    assert gone.returncode == 1
    assert len(gone.stderr.splitlines()) == 1
