"""The commands that change registries, on real servers; other tools read what they left."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from regtui.cli import exits
from tests.operations.conftest import command, skopeo
from tests.servers import content, tools
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("own_folders")]


async def test_delete_dry_run_apply_and_undo(docker_registry: str, namespace: str, tmp_path: Path, capsys: Any) -> None:
    uploader, repository = Uploader(docker_registry), f"{namespace}/app"
    digest = uploader.push(repository, content.image(), "dev-1", "dev-2", "keep-1", "keep-2", "latest")
    place = f"{docker_registry}/{repository}"
    assert await command("delete", place, "--match", "dev-*", "--dry-run", "--json") == exits.DONE
    plan = tmp_path / "plan.json"
    plan.write_text(capsys.readouterr().out)
    assert [step["tag"] for step in json.loads(plan.read_text())["steps"]] == ["dev-1", "dev-2"]
    assert await command("apply", str(plan), "--yes") == exits.REFUSED, "read-only without --write"
    assert await command("apply", str(plan), "--write") == exits.REFUSED, "not confirmed"
    assert len(uploader.tags(repository)) == 5
    capsys.readouterr()
    assert await command("apply", str(plan), "--write", "--yes", "--json") == exits.DONE
    assert uploader.tags(repository) == ["keep-1", "keep-2", "latest"]
    told = json.loads(capsys.readouterr().out)
    assert [row["outcome"] for row in told["results"]] == ["done", "done"]
    assert await command("delete", f"{place}:latest", "--write", "--yes") == exits.REFUSED, "protected"
    assert await command("undo", told["journal"], "--write", "--yes") == exits.DONE
    assert uploader.tags(repository) == ["dev-1", "dev-2", "keep-1", "keep-2", "latest"]
    assert uploader.digest_at(repository, "dev-1") == digest


async def test_retag_and_copy_are_read_by_skopeo(docker_registry: str, registry_v3: str, namespace: str) -> None:
    uploader, repository = Uploader(docker_registry), f"{namespace}/app"
    index = content.index(content.image(), content.image(platform="linux/arm64"))
    uploader.push(repository, index, "v1")
    uploader.push(repository, content.artifact("x/sbom", b"[]"), index.digest.replace(":", "-") + ".sbom")
    place = f"{docker_registry}/{repository}"
    assert await command("retag", f"{place}:v1", "v1.0", "--write", "--yes") == exits.DONE
    goal = f"{registry_v3}/{namespace}/copied:v1"
    assert await command("copy", f"{place}:v1", goal, "--referrers", "--write", "--yes") == exits.DONE
    for copied in (f"{place}:v1.0", goal):
        assert skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{copied}").encode() == index.raw
    assert Uploader(registry_v3).tags(f"{namespace}/copied") == [index.digest.replace(":", "-") + ".sbom", "v1"]
    assert await command("copy", f"{place}:v1", f"{docker_registry}/{namespace}/mounted:v1", "--write", "--yes") == 0
    assert uploader.digest_at(f"{namespace}/mounted", "v1") == index.digest
    arm = f"{registry_v3}/{namespace}/arm:v1"
    assert await command("copy", f"{place}:v1", arm, "--platform", "linux/arm64", "--write", "--yes") == exits.DONE
    assert Uploader(registry_v3).digest_at(f"{namespace}/arm", "v1") == index.needs[1].digest
    uploader.push(repository, content.image({"n": b"new"}), "v1")
    assert await command("copy", f"{place}:v1", goal, "--write", "--yes") == exits.REFUSED, "it exists"


async def test_crane_and_regctl_read_what_was_copied_and_retagged(
    docker_registry: str, olareg: str, namespace: str
) -> None:
    crane, regctl = tools.require("crane"), tools.require("regctl")
    uploader, repository = Uploader(docker_registry), f"{namespace}/app"
    index = content.index(content.image(), content.image(platform="linux/arm64"))
    uploader.push(repository, index, "v1")
    place, goal = f"{docker_registry}/{repository}", f"{olareg}/{namespace}/copied:v1"
    assert await command("retag", f"{place}:v1", "again", "--write", "--yes") == exits.DONE
    assert await command("copy", f"{place}:again", goal, "--write", "--yes") == exits.DONE
    for copied in (f"{place}:again", goal):
        host = copied.partition("/")[0]
        await told(crane, "validate", "--insecure", "--remote", copied)
        assert await told(crane, "digest", "--insecure", copied) == index.digest
        assert await told(regctl, "--host", f"reg={host},tls=disabled", "manifest", "head", copied) == index.digest


async def told(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, words
    return said.decode().strip()


async def test_an_archive_of_skopeo_is_pushed_and_read_back(
    docker_registry: str, namespace: str, tmp_path: Path
) -> None:
    uploader = Uploader(docker_registry)
    uploader.push(f"{namespace}/from", content.image(), "v1")
    archive = tmp_path / "image.tar"
    skopeo(
        "copy", "--src-tls-verify=false", f"docker://{docker_registry}/{namespace}/from:v1",
        f"docker-archive:{archive}:app:v1",
    )  # fmt: skip
    goal = f"{docker_registry}/{namespace}/to:v1"
    assert await command("push", f"{archive}:v1", goal, "--write", "--yes") == exits.DONE
    told = json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{goal}"))
    assert told["Architecture"] == "amd64"
    assert len(told["Layers"]) == 1


async def test_the_doctor_finds_an_orphaned_signature(docker_registry: str, namespace: str, capsys: Any) -> None:
    uploader, repository = Uploader(docker_registry), f"{namespace}/app"
    uploader.push(repository, content.image(), "v1")
    untagged = uploader.push(repository, content.image({"u": b"untagged"}))
    uploader.push(repository, content.artifact("x/sig", b"[1]"), untagged.replace(":", "-") + ".sig")
    assert await command("doctor", f"{docker_registry}/{repository}", "--json") == exits.DONE
    uploader.push(repository, content.artifact("x/sig"), f"sha256-{'a' * 64}.sig")
    capsys.readouterr()
    assert await command("doctor", f"{docker_registry}/{repository}", "--json") == exits.NEGATIVE
    assert [p["kind"] for p in json.loads(capsys.readouterr().out)["problems"]] == ["orphaned attachment"]


async def test_prune_keeps_the_newest(docker_registry: str, namespace: str) -> None:
    uploader, repository = Uploader(docker_registry), f"{namespace}/app"
    for day in range(1, 6):
        uploader.push(repository, content.image(created=f"2026-01-0{day}T00:00:00Z"), f"dev-{day}")
    place = f"{docker_registry}/{repository}"
    assert await command("prune", place, "--keep-last", "2", "--match", "dev-*", "--write", "--yes") == exits.DONE
    assert uploader.tags(repository) == ["dev-4", "dev-5"]
