"""The test servers themselves: they come up, take what is pushed, and refuse what they were told to refuse."""

from __future__ import annotations

import json

import pytest
import trustme

from tests.servers import content, tools
from tests.servers.oci11 import FakeRegistry
from tests.servers.starting import PASSWORD, USER, TokenAuth, start_distribution
from tests.servers.storage_tree import big_registry
from tests.servers.upload import Uploader


@pytest.mark.real
@pytest.mark.parametrize("server", ["docker_registry", "registry_v3", "crane_registry", "olareg"])
def test_what_is_pushed_is_there(server: str, namespace: str, request: pytest.FixtureRequest) -> None:
    uploader = Uploader(request.getfixturevalue(server))
    both = content.index(content.image(), content.image(platform="linux/arm64"))
    digest = uploader.push(f"{namespace}/app", both, "one", "two")
    assert uploader.tags(f"{namespace}/app") == ["one", "two"]
    assert uploader.digest_at(f"{namespace}/app", "one") == digest == both.digest


@pytest.mark.real
def test_olareg_lists_referrers_and_deletes_one_tag(olareg: str, namespace: str) -> None:
    uploader = Uploader(olareg)
    image = content.image()
    note = content.artifact("text/note", subject=image)
    uploader.push(f"{namespace}/app", image, "one", "two")
    uploader.push(f"{namespace}/app", note)
    _, _, body = uploader.request("GET", f"/v2/{namespace}/app/referrers/{image.digest}")
    assert [d["digest"] for d in json.loads(body)["manifests"]] == [note.digest]
    assert uploader.request("DELETE", f"/v2/{namespace}/app/manifests/one")[0] == 202
    assert uploader.tags(f"{namespace}/app") == ["two"]
    assert uploader.digest_at(f"{namespace}/app", image.digest) == image.digest


@pytest.mark.real
@pytest.mark.parametrize("program", ["docker-registry", "registry-v3"])
def test_delete_can_be_off_and_a_password_asked(program: str, tmp_path) -> None:
    with start_distribution(tmp_path, program=program, delete=False, htpasswd=True) as server:
        assert Uploader(server.host).request("GET", "/v2/_catalog")[0] == 401
        uploader = Uploader(server.host, USER, PASSWORD)
        digest = uploader.push("app", content.image(), "one")
        assert uploader.request("DELETE", f"/v2/app/manifests/{digest}")[0] == 405
    with pytest.raises(OSError, match="refused"):
        uploader.request("GET", "/v2/")


@pytest.mark.real
@pytest.mark.parametrize("program", ["docker-registry", "registry-v3"])
def test_a_written_storage_tree_is_served(program: str, tmp_path) -> None:
    image = content.image()
    made = big_registry(tmp_path / "tree", image, repositories=5, tags=40)
    with start_distribution(tmp_path, program=program, storage=tmp_path / "tree") as server:
        uploader = Uploader(server.host)
        for repository, tags in made.items():
            assert uploader.tags(repository) == sorted(tags)
            assert all(uploader.digest_at(repository, tag) == image.digest for tag in tags)


@pytest.mark.real
@pytest.mark.parametrize("program", ["docker-registry", "registry-v3"])
def test_tokens_can_be_asked_for(program: str, tmp_path) -> None:
    certificate = tmp_path / "issuer.pem"
    trustme.CA().cert_pem.write_to_path(certificate)
    token = TokenAuth("http://127.0.0.1:1/token", certificate)
    with start_distribution(tmp_path, program=program, token=token) as server:
        status, headers, _ = Uploader(server.host).request("GET", "/v2/_catalog")
    assert status == 401
    assert headers["www-authenticate"] == (
        'Bearer realm="http://127.0.0.1:1/token",service="registry.test",scope="registry:catalog:*"'
    )


def test_a_missing_tool_is_a_skip_or_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGTUI_REQUIRE_SERVERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-tool is not on this machine"):
        tools.require("no-such-tool")
    monkeypatch.setenv("REGTUI_REQUIRE_SERVERS", "crane, no-such-tool")
    with pytest.raises(pytest.fail.Exception, match="no-such-tool is required"):
        tools.require("no-such-tool")


def test_the_own_fake_keeps_to_the_specification() -> None:
    note = content.artifact("text/note", subject=content.image())
    with FakeRegistry(page=1) as fake:
        uploader = Uploader(fake.host)
        both = content.index(content.image(), content.image(platform="linux/arm64"))
        assert uploader.push("app", both, "one", "two") == uploader.digest_at("app", "two") == both.digest
        uploader.push("app", note)
        status, headers, body = uploader.request("GET", f"/v2/app/referrers/{content.image().digest}")
        assert (status, headers["content-type"]) == (200, content.OCI_INDEX)
        assert [d["digest"] for d in json.loads(body)["manifests"]] == [note.digest]
        status, headers, body = uploader.request("GET", "/v2/app/tags/list")
        assert (json.loads(body), headers["link"]) == (
            {"tags": ["one"]},
            '</v2/app/tags/list?n=1&last=one>; rel="next"',
        )
        assert uploader.request("DELETE", f"/v2/app/manifests/{both.digest}")[0] == 202
        assert uploader.tags("app") == []
        missing = content.image(created="1999-01-01T00:00:00Z")
        put = uploader.request("PUT", "/v2/app/manifests/x", missing.raw, {"Content-Type": missing.media_type})
        assert put[0] == 400
