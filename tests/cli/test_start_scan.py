"""`regtui scan --start`: asked of the registry only where that is allowed, and confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.harbor import ADMIN, FakeHarbor
from tests.registries.contract import TAGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from subprocess import CompletedProcess

    from tests.cli.conftest import Program


@pytest.fixture
def harbor() -> Iterator[FakeHarbor]:
    """A Harbor with the images of the contract."""
    with FakeHarbor() as fake:
        for tag, made in TAGS.items():
            fake.put("shop/cart/web", made, tag)
        yield fake


@pytest.fixture
def scan(program: Program, harbor: FakeHarbor) -> Callable[..., CompletedProcess[str]]:
    """Runs `regtui scan` over it, signed in."""
    user, password = ADMIN
    settings = program.home / "settings.toml"
    settings.write_text(f'[registries."{harbor.host}"]\nkind = "harbor"\nplain_http = true\n')

    def run(*arguments: str) -> CompletedProcess[str]:
        reference = f"{harbor.host}/shop/cart/web:v1"
        words = ("scan", reference, "--config", str(settings), *arguments)
        return program.run(*words, REGTUI_USERNAME=user, REGTUI_PASSWORD=password)

    return run


def test_it_is_asked_after_a_yes(harbor: FakeHarbor, scan: Callable[..., CompletedProcess[str]]) -> None:
    done = scan("--start", "--write", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert '"started": true' in done.stdout
    assert harbor.scans == {TAGS["v1"].digest: "Running"}


def test_without_write_or_a_yes_nothing_is_asked(
    harbor: FakeHarbor, scan: Callable[..., CompletedProcess[str]]
) -> None:
    read_only = scan("--start", "--yes")
    assert read_only.returncode == 4
    assert "--write" in read_only.stderr
    assert scan("--start", "--write").returncode == 4
    assert harbor.scans == {}
