"""`search`, `rules`, and namespaces of Docker Hub, against the vendors' fakes."""

from __future__ import annotations

import json

import pytest

from tests.fakes.dockerhub import ALICE, FakeDockerHub
from tests.fakes.harbor import ADMIN, FakeHarbor
from tests.registries.test_harbor import POLICY
from tests.servers import content
from tests.servers.oci11 import FakeRegistry

IMAGE = content.image()


@pytest.fixture
def settings(tmp_path):
    """Writes settings for a host, and gives the option that names them."""

    def write(host: str, kind: str, api: str = "") -> tuple[str, str]:
        path = tmp_path / "config.toml"
        more = f'api = "{api}"\n' if api else ""
        path.write_text(f'[registries."{host}"]\nkind = "{kind}"\nplain_http = true\n{more}')
        return "--config", str(path)

    return write


def test_search_prints_the_first_and_says_that_there_are_more(program, settings):
    with FakeDockerHub() as hub:
        for number in range(40):
            hub.put(f"shop/app{number:02}", IMAGE, "v1")
        hub.put("library/appliance", IMAGE, "v1")
        options = settings(hub.host, "dockerhub", hub.api)
        done = program.run("search", hub.host, "app", *options)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert len(lines) == 26
        assert lines[0].split() == ["REPOSITORY", "UPDATED", "DESCRIPTION"]
        assert "About library/appliance" in lines[1]
        assert "first 25" in done.stderr
        done = program.run("search", hub.host, "appliance", "--json", *options)
        (row,) = map(json.loads, done.stdout.splitlines())
        assert (row["repository"], row["description"]) == ("library/appliance", "About library/appliance")
        done = program.run("search", hub.host, "nothing-like-this", *options)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "Nothing was found.\n")


def test_ones_own_namespaces_are_listed_after_a_login(program, settings):
    with FakeDockerHub() as hub:
        hub.put("shop/cart", IMAGE, "v1")
        hub.put("other/thing", IMAGE, "v1")
        options = settings(hub.host, "dockerhub", hub.api)
        done = program.run("repos", hub.host, *options, "--username", ALICE[0], "--password-stdin", stdin=ALICE[1])
        assert done.returncode == 0, done.stderr
        assert [line.split()[0] for line in done.stdout.splitlines()] == ["REPOSITORY", "shop/cart"]
        assert hub.world.logins == 1
        stranger = program.run("repos", hub.host, *options)
        assert stranger.returncode == 1
        assert f"regtui search {hub.host}" in stranger.stderr


def test_a_registry_without_a_search_says_so(program):
    with FakeRegistry() as plain:
        done = program.run("search", plain.host, "app", "--plain-http", plain.host)
        assert done.returncode == 1
        assert "has no search" in done.stderr
        assert program.run("search", f"{plain.host}/shop/cart", "app").returncode == 2


def test_rules_are_told_in_words(program, settings):
    with FakeHarbor() as harbor:
        harbor.put("shop/cart", IMAGE, "v1")
        options = (*settings(harbor.host, "harbor"), "--username", ADMIN[0], "--password-stdin")
        none = program.run("rules", f"{harbor.host}/shop/cart", *options, stdin=ADMIN[1])
        assert (none.returncode, none.stdout) == (0, "")
        assert "has no retention rules" in none.stderr
        harbor.projects["shop"].policy = POLICY
        done = program.run("rules", f"{harbor.host}/shop/cart", *options, stdin=ADMIN[1])
        assert done.returncode == 0, done.stderr
        assert "Keep the 10 most recently pushed, of tags matching v*" in done.stdout
        done = program.run("rules", f"{harbor.host}/shop/cart", "--json", *options, stdin=ADMIN[1])
        told = json.loads(done.stdout)
        assert (told["format"], told["enabled"], told["rules"]) == ("harbor", True, POLICY)
        assert program.run("rules", harbor.host, *options, stdin=ADMIN[1]).returncode == 2
