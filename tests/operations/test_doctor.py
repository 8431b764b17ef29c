"""The doctor: what it finds, what a repair removes, and what it says of a sign-in that fails."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from regtui.cli import exits
from regtui.operations.doctor import empty_repositories, examine, plan_repair
from regtui.operations.graph import PLACEHOLDER, Node
from regtui.operations.plan import Action
from tests.operations.conftest import Bench, command
from tests.operations.test_plans import INDEX, D, graph, image, index
from tests.servers import content
from tests.servers.starting import PASSWORD, USER, start_docker_registry
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.oci11 import FakeRegistry


def kinds(made: Any, gone: frozenset[str] = frozenset()) -> list[tuple[str, tuple[str, ...]]]:
    return [(p.kind, p.tags) for p in examine(made, gone)]


def test_what_lost_its_subject_by_its_own_word() -> None:
    made = graph([image(0), image(5, subject=30), image(6, subject=30)], {"v1": 0, "named": 6})
    problems = examine(made, frozenset({str(D[30])}))
    assert [(p.kind, p.digest, p.removable) for p in problems] == [
        ("orphaned attachment", D[5], True),
        ("orphaned attachment", D[6], False),
    ], "what somebody gave a name may be meant to stand alone"
    assert [(s.action, s.digest) for s in plan_repair(made, problems).steps] == [(Action.DELETE, D[5])]


def test_a_leftover_of_a_swap_goes_with_its_tag() -> None:
    made = graph([image(0), Node(D[7], "", 1, "placeholder")], {"v1": 0, "half-gone": 7})
    assert kinds(made) == [("leftover of a swap", ("half-gone",))]
    (step,) = plan_repair(made, examine(made, frozenset())).steps
    assert (step.action, step.digest, step.takes) == (Action.DELETE, D[7], ("half-gone",))


def test_tags_that_differ_only_by_what_is_attested() -> None:
    def attested(n: int, attestation: int) -> Node:
        return Node(D[n], INDEX, 1, "OCI index", (D[0], D[1], D[attestation]), (D[attestation],))

    made = graph(
        [image(n) for n in (0, 1, 2, 3)] + [attested(10, 2), attested(11, 3), index(12, 0, 1, 2)],
        {"a": 10, "b": 11, "plain": 12},
    )
    assert kinds(made) == [("same images", ("a", "b"))]
    assert plan_repair(made, examine(made, frozenset())).steps == ()
    assert kinds(graph([], {})) == [("empty repository", ())]


async def test_empty_repositories_are_found(fake: FakeRegistry, bench_of: Any) -> None:
    fake.put("full", content.image(), "v1")
    fake.put("empty", content.image())
    registry = await bench_of(fake.host, "x").open(fake.host)
    assert await empty_repositories(registry) == (("empty",), True)
    assert await empty_repositories(registry, most=1) != (("empty",), True)
    assert {asked.method for asked in fake.asked} <= {"GET", "HEAD"}


@pytest.mark.real
@pytest.mark.usefixtures("own_folders")
async def test_a_half_finished_removal_is_found_and_mended(
    docker_registry: str, namespace: str, bench_of: Any, capsys: Any
) -> None:
    bench: Bench = bench_of(docker_registry, f"{namespace}/app")
    image_digest = bench.uploader.push(bench.repository, content.image(), "keep", "other")
    body = json.loads(content.image({"n": b"swap"}).raw)
    config = content.image({"n": b"swap"}).needs[0]
    bench.uploader.blob(bench.repository, config.raw, config.digest)
    raw = content.dumps({**body, "layers": [], "annotations": {PLACEHOLDER: "1"}})
    bench.uploader.request("PUT", f"/v2/{bench.repository}/manifests/gone", raw, {"Content-Type": body["mediaType"]})
    place = f"{docker_registry}/{bench.repository}"
    assert await command("doctor", place, "--json") == exits.NEGATIVE
    told = json.loads(capsys.readouterr().out)
    assert [p["kind"] for p in told["problems"]] == ["leftover of a swap"]
    assert told["sign_in"]["works"] is True
    assert await command("doctor", place, "--repair") == exits.REFUSED
    assert await command("doctor", place, "--repair", "--write", "--yes") == exits.DONE
    assert bench.tags() == {"keep": image_digest, "other": image_digest}
    assert await command("doctor", place) == exits.DONE


@pytest.mark.real
@pytest.mark.usefixtures("own_folders")
async def test_a_sign_in_that_fails_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with start_docker_registry(tmp_path, htpasswd=True) as server:
        Uploader(server.host, USER, PASSWORD).push("app", content.image(), "v1")
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
        (tmp_path / "docker").mkdir()
        for password, code in (("wrong", exits.FAILED), (PASSWORD, exits.DONE)):
            secret = base64.b64encode(f"{USER}:{password}".encode()).decode()
            (tmp_path / "docker" / "config.json").write_text(json.dumps({"auths": {server.host: {"auth": secret}}}))
            capsys.readouterr()
            assert await command("doctor", f"{server.host}/app", "--json") == code
            told = json.loads(capsys.readouterr().out)["sign_in"]
            assert told["user"] == USER
            assert "docker" in told["source"].lower()
            assert (told["error"] is None) == (code == exits.DONE)
            if code == exits.FAILED:
                assert told["hint"] == (
                    f"It may be wrong or expired: regtui login {server.host}, or renew it in {told['source']}."
                )
                monkeypatch.setenv("REGTUI_USERNAME", USER)
                monkeypatch.setenv("REGTUI_PASSWORD", "wrong as well")
                assert await command("doctor", f"{server.host}/app", "--json") == exits.FAILED
                hint = json.loads(capsys.readouterr().out)["sign_in"]["hint"]
                assert hint == "It may be wrong or expired: renew it where it comes from, the environment."
                monkeypatch.delenv("REGTUI_USERNAME")
                monkeypatch.delenv("REGTUI_PASSWORD")
        assert told["stage"] == "done"
    assert await command("doctor", server.host) == exits.FAILED
    assert "connect" in capsys.readouterr().err
