"""`regtui files` over the demo, and over a real registry: no pull, the same answer from the cache."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.servers import content
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program


def rows(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_tree_of_an_image_and_what_a_layer_changed(program: Program, demo: Path) -> None:
    image = f"{demo}/shop/reports:0.4.0"
    done = program.run("files", image, "--json")
    assert done.returncode == 0, done.stderr
    found = {row["path"]: row for row in rows(done.stdout)}
    assert found["/bin"]["type"] == "symlink"
    assert found["/bin"]["link"] == "usr/bin"
    assert all(row["change"] == "unchanged" for row in found.values())
    changed = rows(program.run("files", image, "--layer", "3", "--json").stdout)
    assert 0 < len(changed) < len(found)
    assert {row["change"] for row in changed} <= {"added", "modified", "removed"}
    largest = rows(program.run("files", image, "--largest", "5", "--json").stdout)
    sizes = sorted((row["size"] for row in found.values() if row["type"] == "regular"), reverse=True)
    assert [row["size"] for row in largest] == sizes[:5]


def test_budgets_end_with_three(program: Program, demo: Path) -> None:
    image = f"{demo}/shop/reports:0.4.0"
    told = json.loads(program.run("files", image, "--waste", "--json").stdout)
    assert 0 < told["score"] < 0.95
    assert told["wasted_bytes"] == sum(path["bytes"] for path in told["paths"])
    assert program.run("files", image, "--min-efficiency", "0.5").returncode == 0
    broken = program.run("files", image, "--min-efficiency", "0.99", "--max-wasted", "1")
    assert broken.returncode == 3
    assert len(broken.stderr.splitlines()) == 2


def test_packages_and_the_unowned_rest(program: Program, demo: Path) -> None:
    found = rows(program.run("files", f"{demo}/shop/reports:0.4.0", "--packages", "--json").stdout)
    assert {"dpkg"} <= {row["manager"] for row in found}
    rest = [row for row in found if row["name"] is None]
    assert len(rest) == 1
    assert rest[0]["bytes"] > 0


def test_what_is_no_image_says_so(program: Program, demo: Path) -> None:
    done = program.run("files", f"{demo}/charts/cart:1.0.0")
    assert done.returncode == 1
    assert "no file tree" in done.stderr
    assert program.run("files", f"{demo}/shop/reports:0.4.0", "/no/such").returncode == 2
    assert program.run("files", f"{demo}/shop/reports:0.4.0", "--layer", "99").returncode == 2


@pytest.mark.real
def test_a_layer_is_read_once(program: Program, docker_registry: str, namespace: str) -> None:
    image = content.image([{"etc/one": b"1" * 5000}, {"etc/two": b"2"}, {"etc/.wh.one": b""}])
    Uploader(docker_registry).push(f"{namespace}/app", image, "1")
    reference = f"{docker_registry}/{namespace}/app:1"
    first = program.run("files", reference, "--json")
    assert first.returncode == 0, first.stderr
    assert [row["path"] for row in rows(first.stdout)] == ["/etc", "/etc/two"]
    again = program.run("files", reference, "--json")
    assert again.stdout == first.stdout
    indexes = [path for path in (program.home / ".cache").rglob("*") if path.is_file() and "layer-index" in str(path)]
    assert len(indexes) == 3


def test_cat_follows_links_and_gives_the_bytes(program: Program, demo: Path) -> None:
    image = f"{demo}/shop/reports:0.4.0"
    found = {row["path"]: row for row in rows(program.run("files", image, "--json").stdout)}
    done = program.run("cat", image, "/etc/os-release")
    assert done.returncode == 0, done.stderr
    assert "Debian" in done.stdout
    text = program.run("cat", image, "/var/lib/dpkg/status").stdout
    assert len(text.encode()) == found["/var/lib/dpkg/status"]["size"]
    assert program.run("cat", image, "/bin").returncode == 1
    assert "is not in this image" in program.run("cat", image, "/no/such").stderr


def test_filters_and_totals(program: Program, demo: Path) -> None:
    image = f"{demo}/shop/reports:0.4.0"

    def told(*options: str) -> list[dict]:
        done = program.run("files", image, "--json", *options)
        assert done.returncode == 0, done.stderr
        return rows(done.stdout)

    everything = told()
    libraries = told("--match", "*.so*")
    assert [row for row in everything if ".so" in row["path"].rpartition("/")[2]] == libraries
    assert {row["layer"] for row in told("--from-layer", "3")} == {3}
    assert {row["change"] for row in told("--layer", "3", "--change", "modified")} == {"modified"}
    since = told("--since", "2")
    assert {row["change"] for row in since} == {"added", "modified", "removed"}
    top = told("--depth", "1", "--sort", "size")
    assert [row["size"] for row in top] == sorted((row["size"] for row in top), reverse=True)
    regular = [row for row in everything if row["type"] == "regular"]
    usr = next(row for row in top if row["path"] == "/usr")
    assert usr["size"] == sum(row["size"] for row in regular if row["path"].startswith("/usr/"))
    largest = told("/usr", "--largest", "3")
    wanted = sorted((row["size"] for row in regular if row["path"].startswith("/usr/")), reverse=True)[:3]
    assert [row["size"] for row in largest] == wanted


def test_caches_duplicates_and_shares(program: Program, demo: Path) -> None:
    image = f"{demo}/shop/reports:0.4.0"
    caches = rows(program.run("files", image, "--caches", "--json").stdout)
    assert {row["manager"] for row in caches} == {"apt", "pip"}
    groups = rows(program.run("files", image, "--duplicates", "--json").stdout)
    assert groups[0]["bytes"] == groups[0]["size"] * (groups[0]["count"] - 1)
    assert len(groups[0]["paths"]) == groups[0]["count"]
    contents = {program.run("cat", image, path).stdout for path in groups[1]["paths"][:3]}
    assert len(contents) == 1
    assert program.run("files", image, "--max-wasted", "100 MB").returncode == 0
    assert program.run("files", image, "--max-wasted", "1 kB").returncode == 3
    assert program.run("files", image, "--max-wasted-share", "0.1").returncode == 3
    assert program.run("files", image, "--max-wasted", "a lot").returncode == 2
