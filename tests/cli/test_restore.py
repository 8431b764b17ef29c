"""`regtui restore`: lists what Quay's time machine keeps, and has it put back where that is allowed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.fakes.quay import OAUTH, FakeQuay
from tests.registries.contract import ARM, IMAGE, TAGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from subprocess import CompletedProcess

    from tests.cli.conftest import Program


@pytest.fixture
def quay() -> Iterator[FakeQuay]:
    """A Quay where a push took one of two tags away from an image."""
    with FakeQuay() as fake:
        for tag, made in TAGS.items():
            fake.put("shop/cart", made, tag)
        fake.put("shop/cart", ARM, "also")
        yield fake


@pytest.fixture
def restore(program: Program, quay: FakeQuay) -> Callable[..., CompletedProcess[str]]:
    """Runs `regtui restore` over it, signed in with an OAuth token, after the other tag was deleted."""
    settings = program.home / "settings.toml"
    settings.write_text(f'[registries."{quay.host}"]\nkind = "quay"\nplain_http = true\n')

    def run(*arguments: str) -> CompletedProcess[str]:
        words = (*arguments, "--config", str(settings))
        return program.run(*words, REGTUI_USERNAME=OAUTH[0], REGTUI_PASSWORD=OAUTH[1])

    deleted = run("delete", f"{quay.host}/shop/cart:v1", "--write", "--yes")
    assert deleted.returncode == 0, deleted.stderr
    return lambda *arguments: run("restore", f"{quay.host}/shop/cart", *arguments)


def test_what_was_deleted_is_listed_and_put_back(quay: FakeQuay, restore: Callable[..., CompletedProcess[str]]) -> None:
    (kept,) = json.loads(restore("--json").stdout)
    assert (kept["digest"], kept["tags"]) == (IMAGE.digest, ["v1"])
    assert kept["deleted"] < kept["kept_until"]
    assert IMAGE.digest in restore().stdout
    done = restore("v1", "--write", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["there"] == {"v1": True}
    assert quay.repositories["shop/cart"].tags["v1"] == IMAGE.digest


def test_nothing_is_put_back_unasked(quay: FakeQuay, restore: Callable[..., CompletedProcess[str]]) -> None:
    assert restore("v1", "--yes").returncode == 4
    assert restore("v1", "--write").returncode == 4
    unknown = restore("no-such-tag", "--write", "--yes")
    assert (unknown.returncode, "Leave it out to list all" in unknown.stderr) == (1, True)
    assert "v1" not in quay.repositories["shop/cart"].tags
