"""`regtui config`: where the settings are, what is wrong in them, a file to start from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from regtui.storage.settings import Settings
from regtui.storage.settings_file import default_text
from regtui.storage.settings_values import REGISTRY, TOP
from tests.cli.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program


def test_without_a_file_the_defaults_count(program: Program) -> None:
    done = program.run("config", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["exists"], told["problems"]) == (0, False, [])
    assert program.run("config", "--path").stdout.strip() == told["path"]
    assert "--init" in program.run("config").stderr


def test_a_file_to_start_from_is_written_once_and_all_of_it_counts(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "new" / "settings.toml"
    assert program.run("config", "--init", "--config", str(file)).returncode == 0
    assert file.read_text() == default_text() == program.run("config", "--defaults").stdout
    assert Settings.load(file).problems == ()
    assert program.run("config", "--config", str(file)).returncode == 0
    file.write_text('theme = "regtui-light"\n')
    again = program.run("config", "--init", "--config", str(file))
    assert again.returncode == 4
    assert file.read_text() == 'theme = "regtui-light"\n'


def test_each_mistake_is_told_with_its_place(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(
        'theme = "no-such-theme"\nmouse = "yes"\n[keymap]\nrefresh = "no-such-key"\n'
        '[registries."registry.example.com"]\npassword = "hunter2"\n'
        '[trust."registry.example.com/*"]\nkeys = ["missing.pub"]\n'
    )
    done = program.run("config", "--config", str(file), "--json")
    assert done.returncode == 3
    problems = json.loads(done.stdout)["problems"]
    assert [(p["key"], p["line"]) for p in problems[:2]] == [
        ("mouse", 2),
        ('registries."registry.example.com".password', 6),
    ]
    reasons = " ".join(problem["reason"] for problem in problems)
    for word in ("no-such-theme", "no-such-key", "missing.pub"):
        assert word in reasons
    assert "hunter2" not in done.stdout + done.stderr
    spoken = program.run("config", "--config", str(file))
    assert f"{file}: line 2: mouse" in spoken.stderr
    assert spoken.returncode == 3


def test_a_bad_theme_file_is_told(program: Program) -> None:
    folder = program.home / ".config" / "regtui" / "themes"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text('name = "mine"\nprimary = "nonsense"\n')
    (folder.parent / "settings.toml").write_text('theme = "regtui-dark"\n')
    done = program.run("config")
    assert done.returncode == 3
    assert "mine.toml: primary is not a colour" in done.stderr


def test_every_key_is_explained_in_the_pages_and_in_the_file() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    for key in (*TOP, *REGISTRY):
        assert f"| `{key}` |" in page, key
        assert f"# {key} = " in default_text(), key
