"""What the commands print is what is there: against a real registry of 153 repositories and 3,000 tags."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.registries.local_places import folder, layout_files
from tests.servers import content, starting, tools
from tests.servers.storage_tree import big_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Program

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """(host, {repository: tags}) of distribution 2.8 with small pages, so that there are several."""
    tools.require("docker-registry")
    folder = tmp_path_factory.mktemp("big")
    made = big_registry(folder / "storage", content.image())
    with starting.start_docker_registry(folder, storage=folder / "storage", most_listed=50) as server:
        yield server.host, made


def test_repos_are_all_there_over_several_pages(program: Program, big: tuple[str, dict[str, list[str]]]) -> None:
    host, made = big
    done = program.run("repos", host, "--json")
    assert done.returncode == 0, done.stderr
    listed = [json.loads(line)["repository"] for line in done.stdout.splitlines()]
    assert sorted(listed) == sorted(made)
    assert len(listed) == 153
    plain = program.run("repos", f"{host}/team1/", "--limit", "7")
    assert len(plain.stdout.splitlines()) == 8
    assert all(line.startswith("team1/") for line in plain.stdout.splitlines()[1:])


def test_tags_are_those_that_skopeo_lists(program: Program, big: tuple[str, dict[str, list[str]]]) -> None:
    host, made = big
    skopeo = tools.require("skopeo")
    assert sum(map(len, made.values())) == 3000
    largest = sorted(made, key=lambda name: len(made[name]))[-3:]
    for repository in (*largest, next(iter(made))):
        told = subprocess.run(
            [skopeo, "list-tags", "--tls-verify=false", f"docker://{host}/{repository}"],
            capture_output=True, check=True, timeout=60,
        )  # fmt: skip
        done = program.run("tags", f"{host}/{repository}", "--json")
        assert done.returncode == 0, done.stderr
        ours = [json.loads(line)["tag"] for line in done.stdout.splitlines()]
        assert sorted(ours) == sorted(json.loads(told.stdout)["Tags"])


def test_details_and_order(program: Program, big: tuple[str, dict[str, list[str]]]) -> None:
    host, made = big
    repository = min((name for name, tags in made.items() if tags), key=lambda name: len(made[name]))
    done = program.run("tags", f"{host}/{repository}", "--details", "--sort", "semver", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == len(made[repository])
    assert all(row["digest"].startswith("sha256:") and row["size"] > 0 for row in rows)
    assert all(row["pushed"] is None for row in rows), "distribution does not know when a tag was pushed"


def test_an_emptied_or_unknown_repository(program: Program, big: tuple[str, dict[str, list[str]]]) -> None:
    host, _ = big
    done = program.run("tags", f"{host}/no/such")
    assert done.returncode == 1
    assert "no/such" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_index_shows_both_platforms_with_layers_and_sizes(
    program: Program, docker_registry: str, namespace: str
) -> None:
    from tests.servers.upload import Uploader

    names = ("linux/amd64", "linux/arm64")
    children = [content.image({name: name.encode() * 400}, platform=name) for name in names]
    top = content.index(*children)
    Uploader(docker_registry).push(f"{namespace}/app", top, "1")
    done = program.run("inspect", f"{docker_registry}/{namespace}/app:1", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["digest"] == top.digest
    assert [entry["platform"] for entry in told["platforms"]] == list(names)
    for entry, child in zip(told["platforms"], children, strict=True):
        config, layer = child.needs
        assert entry["layers"][0]["digest"] == layer.digest
        assert entry["size"] == len(config.raw) + len(layer.raw)
    raw = program.run("inspect", f"{docker_registry}/{namespace}/app:1", "--raw")
    assert raw.stdout.encode() == top.raw
    wrong = program.run("inspect", f"{docker_registry}/{namespace}/app:1", "--platform", "linux/s390x")
    assert wrong.returncode == 1
    assert "linux/arm64" in wrong.stderr


def test_over_a_layout_nothing_is_needed(program: Program, demo: Path) -> None:
    done = program.run("repos", str(demo), "--json")
    assert "shop/cart" in [json.loads(line)["repository"] for line in done.stdout.splitlines()]
    tags = program.run("tags", f"{demo}/shop/cart", "--sort", "size", "--reverse", "--json")
    sizes = [json.loads(line)["size"] for line in tags.stdout.splitlines()]
    assert sizes == sorted(sizes, reverse=True)
    tree = json.loads(program.run("referrers", f"{demo}/shop/cart:1.4.2", "--json").stdout)
    assert {node["name"] for node in tree["referrers"]} >= {"Sigstore bundle", "Notary Project signature"}
    assert len(tree["attestations"]) == 2


def test_manifests_without_a_tag_are_listed_when_asked_for(program: Program, tmp_path: Path) -> None:
    tagged, lonely = content.image(), content.image({"etc/lonely": b"x"})
    place = folder(tmp_path / "shop", layout_files((tagged, "v1"), (lonely, None)))
    plain = program.run("tags", str(place))
    assert lonely.digest not in plain.stdout
    both = program.run("tags", str(place), "--untagged", "--json")
    rows = [(row["tag"], row["digest"]) for row in map(json.loads, both.stdout.splitlines())]
    assert rows == [("v1", tagged.digest), (None, lonely.digest)]
    assert "--untagged" in plain.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("tags",), 2),
        (("tags", "localhost:1/x:tag"), 2),
        (("inspect", "Bad Reference"), 2),
        (("repos", "./nowhere"), 2),
        (("repos", "127.0.0.1:1"), 1),
        (("inspect", "127.0.0.1:1/x:y"), 1),
        (("repos", "127.0.0.1:1", "--limit", "0"), 2),
        ((), 2),
    ],
)
def test_exit_codes(program: Program, arguments: tuple[str, ...], code: int) -> None:
    done = program.run(*arguments)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_every_command(program: Program, shell: str) -> None:
    from regtui.cli.main import COMMANDS

    script = program.run("completion", shell).stdout
    assert all(name in script for name in COMMANDS)
    assert "--details" in script or "details" in script
    if shell == "bash":
        asked = f'{script}\nCOMP_WORDS=(regtui ta); COMP_CWORD=1; _regtui; echo "${{COMPREPLY[@]}}"'
        told = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True, timeout=20)
        assert told.stdout.split() == ["tags"]
