"""`regtui diff` over two real registries, platforms, and the sample layout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.servers import content
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program

BASE = {"etc/os": b"base" * 400}


@pytest.mark.real
def test_images_of_two_registries(program: Program, docker_registry: str, crane_registry: str, namespace: str) -> None:
    Uploader(docker_registry).push(f"{namespace}/app", content.image([BASE, {"run": b"1", "old": b"x"}]), "1")
    Uploader(crane_registry).push(f"{namespace}/app", content.image([BASE, {"run": b"22"}], labels={"v": "2"}), "2")
    one, two = f"{docker_registry}/{namespace}/app:1", f"{crane_registry}/{namespace}/app:2"
    done = program.run("diff", one, two, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["unread_layers"] == 1
    assert "not read" in done.stderr
    assert [layer["change"] for layer in found["layers"]] == ["equal", "added", "removed"]
    assert {(f["path"], f["change"], f["bytes"]) for f in found["files"]} == {
        ("/run", "changed", 1),
        ("/old", "written", -1),
    }
    assert found["config"] == [{"name": "Label v", "before": None, "after": "2"}]
    full = program.run("diff", one, two, "--full", "--json", "--exit-code")
    assert full.returncode == 3
    assert {(f["path"], f["change"]) for f in json.loads(full.stdout)["files"]} == {
        ("/run", "changed"),
        ("/old", "removed"),
    }
    assert program.run("diff", one, one, "--exit-code").returncode == 0


@pytest.mark.real
def test_two_platforms_of_one_index(program: Program, docker_registry: str, namespace: str) -> None:
    amd, arm = (
        content.image([BASE, {"bin": name}], platform=f"linux/{name.decode()}") for name in (b"amd64", b"arm64")
    )
    Uploader(docker_registry).push(f"{namespace}/app", content.index(amd, arm), "1")
    image = f"{docker_registry}/{namespace}/app:1"
    done = program.run("diff", image, image, "--platform", "linux/amd64", "--to-platform", "linux/arm64", "--hash")
    assert done.returncode == 0, done.stderr
    assert "linux/arm64" in done.stdout
    assert "~    0 B  /bin" in done.stdout
    absent = program.run("diff", image, image, "--to-platform", "linux/s390x")
    assert absent.returncode == 1
    assert "linux/s390x" in absent.stderr


def test_parts_of_the_sample(program: Program, demo: Path) -> None:
    images = f"{demo}/shop/reports:0.4.0", f"{demo}/shop/cart:1.4.2"
    done = program.run("diff", *images, "--only", "packages")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("   PACKAGE")
    assert "libssl3" in done.stdout
    whole = program.run("diff", *images).stdout
    for title in ("CONFIG", "   LAYER", "MODE, OWNER OR TIME ONLY", "   PACKAGE"):
        assert title in whole
    artifact = program.run("diff", images[0], f"{demo}/charts/cart:1.0.0")
    assert artifact.returncode == 1
    assert "is not an image" in artifact.stderr
