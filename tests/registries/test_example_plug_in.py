"""The worked example of docs/adding-a-registry.md, installed into a folder and used through its entry point."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest

from regtui.registries.contract import Capability
from regtui.registries.detect import GROUP, open_registry
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import NotFound
from tests.registries.contract import IMAGE, INDEX, collect
from tests.servers.oci11 import FakeRegistry, Reply, error, json_reply

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "example-registry"


class FakeShipyard(FakeRegistry):
    """What the example's docstring describes, two images a page."""

    def answer(self, asked):
        if asked.path == "/api/images":
            number, names = int(asked.query["page"]), sorted(self.repositories)
            images = [{"name": name, "bytes": 7, "description": None} for name in names[number * 2 - 2 : number * 2]]
            return json_reply({"images": [*images, {"name": "../odd"}], "pages": -(-len(names) // 2)})
        match = re.fullmatch(r"/api/images/([^/]+)(/tags)?", asked.path)
        if match is None:
            return super().answer(asked)
        name = unquote(match[1])
        if name not in self.repositories:
            return error(404, "NAME_UNKNOWN")
        if asked.method == "DELETE":
            del self.repositories[name]
            return Reply(204)
        tags = self.repositories[name].tags.items()
        shown = [{"name": t, "digest": d, "bytes": 9, "pushed": "2026-01-02T03:04:05Z"} for t, d in tags]
        return json_reply({"tags": [*shown, {"name": "no tag\x1b[2J"}]})


@pytest.fixture
def installed(tmp_path):
    """The example as an installer lays it out: the module and its dist-info."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    shutil.copy(EXAMPLE / "regtui_shipyard.py", tmp_path)
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = "".join(f"{name} = {value}\n" for name, value in project["entry-points"][GROUP].items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}")
    return tmp_path


@pytest.fixture
def shipyard():
    with FakeShipyard() as fake:
        for name in ("shop/cart", "shop/web", "tools/lint"):
            fake.put(name, IMAGE, "v1", "v2")
        fake.put("shop/cart", INDEX, "multi")
        yield fake


async def test_the_entry_point_gives_a_registry(installed, shipyard, connect, monkeypatch):
    monkeypatch.syspath_prepend(str(installed))
    registry = await open_registry(connect(shipyard.host), RegistrySettings(shipyard.host, "shipyard"))
    assert (registry.kind, type(registry).__module__) == ("shipyard", "regtui_shipyard")
    assert (await registry.capabilities())[Capability.TAG_DETAILS].available is True
    assert [r.path for r in await collect(registry.repositories())] == ["shop/cart", "shop/web", "tools/lint"]
    assert [r.path for r in await collect(registry.repositories("shop/w"))] == ["shop/web"]
    rows = {tag.name: tag for tag in await collect(registry.tags("shop/cart"))}
    assert {name: row.digest for name, row in rows.items()} == {
        "v1": IMAGE.digest,
        "v2": IMAGE.digest,
        "multi": INDEX.digest,
    }
    assert rows["v1"].size == 9
    assert (await registry.manifest("shop/cart", "v1")).raw == IMAGE.raw
    await registry.delete_repository("shop/web")
    with pytest.raises(NotFound):
        await collect(registry.tags("shop/web"))


def test_the_commands_use_it(installed, shipyard, tmp_path):
    settings = tmp_path / "config.toml"
    settings.write_text(f'[registries."{shipyard.host}"]\nkind = "shipyard"\nplain_http = true\n')
    environment = {**os.environ, "PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "regtui", "repos", shipyard.host, "--json", "--config", str(settings)]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert [json.loads(line)["repository"] for line in done.stdout.splitlines()] == [
        "shop/cart",
        "shop/web",
        "tools/lint",
    ]
    assert shipyard.asked[0].path == "/api/images"


def test_the_page_shows_the_example_as_it_is():
    page = (EXAMPLE.parent / "adding-a-registry.md").read_text()
    point = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"][GROUP]["shipyard"]
    assert f'shipyard = "{point}"' in page
    assert f'[project.entry-points."{GROUP}"]' in page
