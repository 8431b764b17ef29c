"""Imports go down only: the contracts in pyproject.toml hold, and none of them was dropped."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = {
    "Floors import downwards only",
    "Nothing below the screens knows Textual or Rich",
    "Only transport opens sockets",
    "The nouns do no I/O and know no loop",
}
FLOORS = {"oci", "storage", "credentials", "transport", "registries", "operations", "trust", "contents", "demo"} | {
    "session",
    "cli",
    "ui",
    "web",
}
LINT = "import sys; from importlinter.cli import lint_imports_command as lint; lint(args=sys.argv[1:])"


def test_no_contract_is_broken() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{len(contracts())} kept, 0 broken" in ran.stdout, ran.stdout + ran.stderr


def test_the_contracts_are_there() -> None:
    assert {contract["name"] for contract in contracts()} >= CONTRACTS


def test_every_folder_has_its_floor() -> None:
    layers = next(contract for contract in contracts() if contract["type"] == "layers")["layers"]
    named = {name.strip().removeprefix("regtui.") for layer in layers for name in layer.replace("|", ":").split(":")}
    folders = {folder.parent.name for folder in (ROOT / "regtui").glob("*/__init__.py")}
    assert named == FLOORS
    assert folders - {"themes"} == FLOORS


def test_only_transport_opens_sockets_through_parts_of_packages() -> None:
    """import-linter knows external packages as wholes; urllib.parse and http.HTTPStatus are harmless, these are not."""
    opening = {"http.client", "http.server", "urllib.request", "asyncio.streams", "multiprocessing.connection"}
    offenders = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / "regtui").rglob("*.py"))
        if path.relative_to(ROOT / "regtui").parts[0] != "transport"
        for name in imported_names(path)
        if any(name == part or name.startswith(f"{part}.") for part in opening)
    ]
    assert offenders == []


def imported_names(path: Path) -> list[str]:
    """Every module, and every name taken out of one, that a file imports anywhere in it."""
    names = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def contracts() -> list[dict[str, str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[dict[str, str]] = settings["tool"]["importlinter"]["contracts"]
    return found
