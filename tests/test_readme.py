"""What the README tells people to type is taken by the program, and what it links to is there."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from regtui.cli.main import COMMANDS, _parser

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TYPED = [
    line.partition(" #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if re.match(r"(uv run |\.venv/bin/)?regtui\b", line)
]


@pytest.mark.parametrize("line", TYPED)
def test_a_command_of_the_readme_is_understood(line: str) -> None:
    words = shlex.split(line)
    words = words[[Path(word).name for word in words].index("regtui") + 1 :]
    command = words[0] if words and words[0] in COMMANDS else None
    parser = _parser(command, import_module(f"regtui.cli.{command or 'explore'}"))
    parser.parse_args(words[1:] if command else words)


def test_there_are_such_commands() -> None:
    assert len(TYPED) >= 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), target


def test_every_picture_stands_somewhere() -> None:
    told = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    shown = {path.name for path in (ROOT / "screenshots").glob("*.svg") if f"screenshots/{path.name}" in told}
    assert {"explorer.svg", "files.svg", "delete-plan.svg", "trust.svg", "scan.svg", "diff.svg", "usage.svg"} <= shown
