"""The test servers themselves: they come up, take what is pushed, and refuse what they were told to refuse."""

from __future__ import annotations

import pytest

from tests.servers import content
from tests.servers.starting import PASSWORD, USER, start_distribution
from tests.servers.storage_tree import big_registry
from tests.servers.upload import Uploader

pytestmark = pytest.mark.real


@pytest.mark.parametrize("server", ["docker_registry", "registry_v3", "crane_registry"])
def test_what_is_pushed_is_there(server: str, namespace: str, request: pytest.FixtureRequest) -> None:
    uploader = Uploader(request.getfixturevalue(server))
    both = content.index(content.image(), content.image(platform="linux/arm64"))
    digest = uploader.push(f"{namespace}/app", both, "one", "two")
    assert uploader.tags(f"{namespace}/app") == ["one", "two"]
    assert uploader.digest_at(f"{namespace}/app", "one") == digest == both.digest


@pytest.mark.parametrize("program", ["docker-registry", "registry-v3"])
def test_delete_can_be_off_and_a_password_asked(program: str, tmp_path) -> None:
    with start_distribution(tmp_path, program=program, delete=False, htpasswd=True) as server:
        assert Uploader(server.host).request("GET", "/v2/_catalog")[0] == 401
        uploader = Uploader(server.host, USER, PASSWORD)
        digest = uploader.push("app", content.image(), "one")
        assert uploader.request("DELETE", f"/v2/app/manifests/{digest}")[0] == 405
    with pytest.raises(OSError, match="refused"):
        uploader.request("GET", "/v2/")


@pytest.mark.parametrize("program", ["docker-registry", "registry-v3"])
def test_a_written_storage_tree_is_served(program: str, tmp_path) -> None:
    image = content.image()
    made = big_registry(tmp_path / "tree", image, repositories=5, tags=40)
    with start_distribution(tmp_path, program=program, storage=tmp_path / "tree") as server:
        uploader = Uploader(server.host)
        for repository, tags in made.items():
            assert uploader.tags(repository) == sorted(tags)
            assert all(uploader.digest_at(repository, tag) == image.digest for tag in tags)
