"""What people type: hosts, repositories, references, folders, archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.oci import InvalidReference
from regtui.session.targets import Target, parse_image, parse_prefix, parse_repository, parse_target

if TYPE_CHECKING:
    from pathlib import Path

HEX = "cd" * 32


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("example.com", Target("example.com")),
        ("https://example.com/", Target("example.com")),
        ("localhost:5000", Target("localhost:5000")),
        ("http://build-box/", Target("build-box")),
        ("localhost", Target("localhost")),
        ("[::1]:5000", Target("[::1]:5000")),
        ("docker.io", Target("docker.io")),
        ("index.docker.io", Target("docker.io")),
        ("127.0.0.1:5000/", Target("127.0.0.1:5000")),
        ("ubuntu", Target("docker.io", "library/ubuntu")),
        ("ubuntu:22.04", Target("docker.io", "library/ubuntu", "22.04")),
        ("ghcr.io/a/b", Target("ghcr.io", "a/b")),
        ("ghcr.io/a/b:1", Target("ghcr.io", "a/b", "1")),
        ("docker://ghcr.io/a/b:1", Target("ghcr.io", "a/b", "1")),
        ("localhost:5000/x:latest", Target("localhost:5000", "x", "latest")),
    ],
)
def test_remote_places(text: str, target: Target) -> None:
    assert parse_target(text) == target


def test_local_places(tmp_path: Path) -> None:
    layout = tmp_path / "my demo"
    layout.mkdir()
    (layout / "oci-layout").write_text("{}")
    here = str(layout)
    assert parse_target(here) == Target(here, is_local=True)
    assert parse_target(f"{here}/shop/cart:1.4.2") == Target(here, "shop/cart", "1.4.2", is_local=True)
    assert parse_target(f"{here}/shop/cart") == Target(here, "shop/cart", is_local=True)
    assert parse_target(f"{here}:v1") == Target(here, "my-demo", "v1", is_local=True)
    assert parse_target(f"oci:{here}:v1") == Target(here, "my-demo", "v1", is_local=True)
    assert parse_target(f"{here}/a@sha256:{HEX}").digest == f"sha256:{HEX}"
    archive = tmp_path / "App.tar.gz"
    archive.write_bytes(b"")
    assert parse_target(f"docker-archive:{archive}") == Target(str(archive), is_local=True)
    assert parse_image(f"{archive}:v1").path == "app"
    assert str(parse_image(f"{here}/shop/cart")) == f"{here}/shop/cart:latest"


@pytest.mark.parametrize(
    "text", ["", "   ", "./nowhere", "oci:nowhere", "/", "Ä", "x y", "ghcr.io/A/b", "a:b:c", "@", ":"]
)
def test_refuses_with_a_hint(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_target(text)
    assert caught.value.hint


def test_a_repository_is_not_an_image() -> None:
    assert parse_repository("ghcr.io/a/b") == Target("ghcr.io", "a/b")
    with pytest.raises(InvalidReference):
        parse_repository("ghcr.io/a/b:1")
    with pytest.raises(InvalidReference):
        Target("ghcr.io").reference()
    assert str(parse_image("ubuntu")) == "docker.io/library/ubuntu:latest"


@given(st.text(max_size=80))
def test_any_text_is_a_place_or_a_sentence(text: str) -> None:
    try:
        target = parse_target(text)
    except InvalidReference:
        return
    assert target.host


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("docker.io/shop", "docker.io", "shop"),
        ("docker.io/shop/", "docker.io", "shop"),
        ("docker.io/library", "docker.io", "library"),
        ("docker.io/library/nginx", "docker.io", "library/nginx"),
        ("docker.io/shop/cart", "docker.io", "shop/cart"),
        ("docker.io", "docker.io", None),
        ("quay.io/shop", "quay.io", "shop"),
    ],
)
def test_one_word_on_docker_hub_is_a_namespace_where_repositories_are_listed(text, host, path):
    found = parse_prefix(text)
    assert (found.host, found.path) == (host, path)
