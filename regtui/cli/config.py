"""`regtui config`: where the settings are, whether they are right, and a commented file to start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regtui.cli import exits
from regtui.cli.common import add_json
from regtui.cli.output import print_json, say
from regtui.storage.paths import config_folder, settings_path
from regtui.storage.settings import Settings
from regtui.storage.settings_file import SettingsFile, default_text

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `config`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--path", action="store_true", help="print only where the settings file is")
    what.add_argument("--init", action="store_true", help="write a commented file, where there is none")
    what.add_argument("--defaults", action="store_true", help="print that commented file")
    parser.add_argument("--config", type=Path, metavar="FILE", help="look at this file instead of the user's")
    parser.add_argument("--debug", action="store_true", help="show the whole chain of an error")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Tell about the settings; the exit code, 3 when something in them does not count."""
    path: Path = arguments.config or settings_path()
    if arguments.path:
        sys.stdout.write(f"{path}\n")
        return exits.DONE
    if arguments.defaults:
        sys.stdout.write(default_text())
        return exits.DONE
    if arguments.init:
        return _init(path)
    return _check(path, as_json=arguments.json)


def _init(path: Path) -> int:
    if not SettingsFile(path).create():
        say(f"regtui: {path} is there already; nothing was changed. `regtui config` checks it.")
        return exits.REFUSED
    say(f"Wrote {path}. Every line in it is a comment: take the # away from what should count.")
    return exits.DONE


def _check(path: Path, *, as_json: bool) -> int:
    is_there = path.exists()
    problems = _problems(path) if is_there else []
    if as_json:
        print_json({"path": str(path), "exists": is_there, "problems": problems})
    elif not is_there:
        say(f"There is no settings file: the defaults count. `regtui config --init` writes {path}.")
    else:
        for problem in problems:
            where = f"line {problem['line']}: " if problem["line"] is not None else ""
            say(f"{path}: {where}{problem['key'] + ': ' if problem['key'] else ''}{problem['reason']}")
        say(f"{path}: {_verdict(len(problems))}")
    return exits.NEGATIVE if problems else exits.DONE


def _verdict(wrong: int) -> str:
    if not wrong:
        return "all of it counts."
    return "one thing does not count." if wrong == 1 else f"{wrong} things do not count."


def _problems(path: Path) -> list[dict[str, Any]]:
    settings = Settings.load(path)
    found: list[dict[str, Any]] = [
        {"key": problem.key, "line": problem.line, "reason": problem.reason} for problem in settings.problems
    ]
    return found + [{"key": None, "line": None, "reason": text} for text in _further(settings, path)]


def _further(settings: Settings, path: Path) -> list[str]:
    """What only others can judge: keys, trust and themes. Each is loaded only where the user wrote some."""
    found: list[str] = []
    if settings.keymap:
        from regtui.ui.keymap import read_keymap

        found += read_keymap(settings.keymap).problems
    if settings.trust:
        from regtui.trust.trust_settings import read_trust_settings

        found += read_trust_settings(settings.trust, settings.folder or path.parent)[1]
    own = config_folder() / "themes"
    if settings.theme is not None or own.is_dir():
        from regtui.ui.theming import is_known, load_themes, theme_folders

        themes, problems = load_themes(theme_folders())
        found += problems
        if settings.theme is not None and not is_known(settings.theme, themes):
            found.append(f"There is no theme called {settings.theme}; the default is used.")
    return found
