"""Docker's and containers' files: whatever is in them gives a value or one clear error."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.credentials.docker_config import (
    DOCKER_HUB_KEY,
    AuthFile,
    containers_auth_paths,
    docker_config_path,
    parse_auth_file,
    read_auth_file,
)
from regtui.credentials.errors import AuthFileBroken
from regtui.credentials.values import ANONYMOUS, Credential, Secret

HERE = Path("/home/a/.docker/config.json")


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def parse(content: Any) -> AuthFile:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return parse_auth_file(raw, HERE, "docker config")


def password(username: str, text: str) -> Credential:
    return Credential(username, Secret(text), source="docker config")


@pytest.mark.parametrize(
    "key", [DOCKER_HUB_KEY, "https://index.docker.io/v1", "docker.io", "index.docker.io", "registry-1.docker.io"]
)
def test_docker_hub_has_many_names(key: str) -> None:
    file = parse({"auths": {key: {"auth": packed("bob:pw")}}})
    assert file.find("docker.io") == password("bob", "pw")
    assert file.find("index.docker.io") == password("bob", "pw")
    assert file.hosts() == ("docker.io",)


@pytest.mark.parametrize(
    "key", ["r.example:5000", "https://r.example:5000", "http://r.example:5000/v2/", "R.example:5000/v1/"]
)
def test_a_host_is_found_however_it_was_written(key: str) -> None:
    file = parse({"auths": {key: {"auth": packed("bob:p:w")}}})
    assert file.find("r.example:5000") == password("bob", "p:w")
    assert file.find("r.example") is ANONYMOUS
    assert file.find("evil-r.example:5000") is ANONYMOUS


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"auth": packed("bob:pä\0")}, Credential("bob", Secret("pä"))),
        ({"auth": packed("bob:pw").rstrip("=")}, Credential("bob", Secret("pw"))),
        ({"auth": packed("<token>:abc")}, Credential(identity_token=Secret("abc"))),
        (
            {"auth": packed("00000000-0:"), "identitytoken": "refresh"},
            Credential("00000000-0", identity_token=Secret("refresh")),
        ),
        ({"registrytoken": "ready"}, Credential(registry_token=Secret("ready"))),
        ({"username": "bob", "password": "pw"}, Credential("bob", Secret("pw"))),
    ],
)
def test_each_kind_of_entry(content: dict[str, str], expected: Credential) -> None:
    found = parse({"auths": {"r.example": content}}).find("r.example")
    assert (found.username, found.password) == (expected.username, expected.password)
    assert (found.identity_token, found.registry_token) == (expected.identity_token, expected.registry_token)
    assert found.source == "docker config"


@pytest.mark.parametrize("content", [{}, {"auth": ""}, {"email": "a@b"}, {"auth": None}])
def test_a_marker_holds_nothing(content: dict[str, Any]) -> None:
    file = parse({"auths": {"r.example": content}})
    assert file.find("r.example") is ANONYMOUS
    assert file.hosts() == ("r.example",)


@pytest.mark.parametrize(
    "content",
    [
        {"auth": "!!!"},
        {"auth": packed("no-colon")},
        {"auth": base64.b64encode(b"bob:\xff").decode()},
        {"auth": packed("bob:")},
        {"auth": packed("bob:hunter2\r\nX-Evil: 1")},
        {"auth": 3},
        {"registrytoken": "hunter2\n"},
    ],
)
def test_a_garbled_entry_is_an_error_of_its_host_alone(content: dict[str, Any]) -> None:
    file = parse({"auths": {"bad.example": content, "good.example": {"auth": packed("bob:pw")}}})
    with pytest.raises(AuthFileBroken, match=r"bad\.example.*config\.json") as caught:
        file.find("bad.example")
    assert "hunter2" not in str(caught.value)
    assert file.find("good.example") == password("bob", "pw")


def test_the_longest_namespace_wins() -> None:
    file = parse(
        {
            "auths": {
                "quay.io": {"auth": packed("host:1")},
                "quay.io/team": {"auth": packed("team:2")},
                "quay.io/team/app": {"auth": packed("app:3")},
                "docker.io/library": {"auth": packed("lib:4")},
            }
        }
    )
    assert [
        file.find("quay.io", repository).username
        for repository in (None, "other/x", "team/x", "teamwork/x", "team/app", "team/app/sub", "team/apple")
    ] == ["host", "host", "team", "host", "app", "app", "team"]
    assert file.find("docker.io", "library/ubuntu").username == "lib"
    assert file.find("docker.io", "bob/x") is ANONYMOUS


def test_one_namespace_alone_stands_for_the_host() -> None:
    file = parse({"auths": {"ghcr.io/team": {"auth": packed("team:1")}}})
    assert file.find("ghcr.io").username == "team"
    assert file.find("ghcr.io", "others/x") is ANONYMOUS
    two = parse({"auths": {f"ghcr.io/{name}": {"auth": packed("t:1")} for name in "ab"}})
    assert two.find("ghcr.io") is ANONYMOUS


def test_helpers_by_host_and_for_all() -> None:
    file = parse(
        {
            "auths": {"https://old.example/v1/": {}},
            "credsStore": "desktop",
            "credHelpers": {"GCR.io": "gcloud", "index.docker.io": "pass", "bad": 3, "a/b": "x", "": "x"},
        }
    )
    assert file.helper("gcr.io") == ("gcloud", "GCR.io")
    assert file.helper("docker.io") == ("pass", DOCKER_HUB_KEY)
    assert file.helper("new.example") == ("desktop", "new.example")
    assert file.helper("old.example") == ("desktop", "https://old.example/v1/")
    assert file.hosts() == ("old.example", "gcr.io", "docker.io")
    assert parse({"credsStore": "pass"}).helper("docker.io") == ("pass", DOCKER_HUB_KEY)
    assert parse({}).helper("docker.io") is None


@pytest.mark.parametrize("raw", [b"{", b"[]", b"null", b"3", b"\xff\xfe", b"[" * 100_000, b'{"auths": ' + b"9" * 5000])
def test_broken_json_names_the_file_and_not_its_content(raw: bytes) -> None:
    with pytest.raises(AuthFileBroken, match=r"/home/a/\.docker/config\.json") as caught:
        parse(raw)
    assert caught.value.__context__ is None
    assert caught.value.hint


@pytest.mark.parametrize(
    "raw", [b"", b" \n", b"{}", b"\xef\xbb\xbf{}", b'{"auths": 3, "credHelpers": [], "credsStore": 1}']
)
def test_nothing_in_it_is_no_error(raw: bytes) -> None:
    file = parse(raw)
    assert file.find("docker.io") is ANONYMOUS
    assert (file.hosts(), file.helper("x")) == ((), None)


def test_repr_hides_what_is_in_it() -> None:
    file = parse({"auths": {"r.example": {"auth": packed("bob:hunter2"), "identitytoken": "hunter2"}}})
    for shown in (repr(file), repr(file.find("r.example")), str(file.entries)):
        assert "hunter2" not in shown
        assert packed("bob:hunter2") not in shown


def test_where_the_files_are(tmp_path: Path) -> None:
    home = {"HOME": "/home/a"}
    assert docker_config_path(home) == Path("/home/a/.docker/config.json")
    assert docker_config_path({**home, "DOCKER_CONFIG": "/x"}) == Path("/x/config.json")
    assert containers_auth_paths(home) == (Path("/home/a/.config/containers/auth.json"),)
    assert containers_auth_paths({**home, "XDG_RUNTIME_DIR": "/run/1", "XDG_CONFIG_HOME": "/c"}) == (
        Path("/run/1/containers/auth.json"),
        Path("/c/containers/auth.json"),
    )
    assert containers_auth_paths({**home, "REGISTRY_AUTH_FILE": "/x.json"}) == (Path("/x.json"),)


def test_reading(tmp_path: Path) -> None:
    assert read_auth_file(tmp_path / "none", "x") is None
    with pytest.raises(AuthFileBroken, match="is a directory"):
        read_auth_file(tmp_path, "x")
    (tmp_path / "large").write_bytes(b" " * (4 << 20) + b"{}")
    with pytest.raises(AuthFileBroken, match="more than"):
        read_auth_file(tmp_path / "large", "x")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from(
    ["docker.io", DOCKER_HUB_KEY, "a.example/b", "https://a.example", "", "/", "::", "a b"]
) | st.text(max_size=9)
_ENTRIES = st.dictionaries(
    st.sampled_from(["auth", "identitytoken", "registrytoken", "username", "password", "email"]),
    _JSON | st.text(max_size=12).map(packed),
    max_size=4,
)


def outcome(file: AuthFile, host: str, repository: str | None) -> Credential | AuthFileBroken:
    try:
        return file.find(host, repository)
    except AuthFileBroken as error:
        return error


def check(raw: bytes) -> None:
    try:
        file = parse(raw)
    except AuthFileBroken as error:
        outcomes: list[Any] = [error]
    else:
        hosts = (*file.hosts(), "docker.io", "a.example")
        outcomes = [outcome(file, host, repository) for host in hosts for repository in (None, "b/c")]
        assert [file.helper(host) for host in hosts]
    for found in outcomes:
        assert isinstance(found, Credential) or str(HERE) in found.sentence


@given(st.binary(max_size=120))
def test_any_bytes_give_a_value_or_a_clear_error(raw: bytes) -> None:
    check(raw)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "auths": st.dictionaries(_KEYS, _ENTRIES | _JSON, max_size=4) | _JSON,
            "credHelpers": st.dictionaries(_KEYS, _JSON, max_size=3) | _JSON,
            "credsStore": _JSON,
        },
    )
)
def test_any_document_gives_a_value_or_a_clear_error(document: dict[str, Any]) -> None:
    check(json.dumps(document).encode())
