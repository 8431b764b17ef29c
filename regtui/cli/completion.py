"""`regtui completion`: completion scripts made from the parsers themselves."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from regtui.cli import exits


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `completion`."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def run(arguments: argparse.Namespace) -> int:
    """Print the script; the exit code."""
    sys.stdout.write({"bash": _bash, "zsh": _zsh, "fish": _fish}[arguments.shell](commands()))
    return exits.DONE


def commands() -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Command → (what it does, its long options with their help); "" is the explorer."""
    from regtui.cli.main import COMMANDS

    told = {"": "explore registries"} | COMMANDS
    return {name: (text, _options(name or "explore")) for name, text in told.items()}


def _options(name: str) -> list[tuple[str, str]]:
    parser = argparse.ArgumentParser(add_help=True)
    import_module(f"regtui.cli.{name}").configure(parser)
    # argparse offers no public way to list a parser's options; a test watches this one.
    return [
        (option, action.help or "")
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--")
    ]


def _bash(told: dict[str, tuple[str, list[tuple[str, str]]]]) -> str:
    names = " ".join(name for name in told if name)
    cases = "\n".join(
        f"    {name or '*'}) words='{' '.join(option for option, _ in options)}' ;;"
        for name, (_, options) in sorted(told.items(), reverse=True)
    )
    return f"""_regtui() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} words
  case ${{COMP_WORDS[1]}} in
{cases}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="{names} $words"
  if [[ $current == -* || $COMP_CWORD -eq 1 ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  fi
  [ ${{#COMPREPLY[@]}} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
}}
complete -o filenames -F _regtui regtui
"""


def _zsh(told: dict[str, tuple[str, list[tuple[str, str]]]]) -> str:
    listed = "\n".join(f"    {_quoted(f'{name}:{text}')}" for name, (text, _) in told.items() if name)
    cases = "\n".join(
        f"    {name or '*'}) _arguments -s {_zsh_options(options)} '*:file:_files' ;;"
        for name, (_, options) in sorted(told.items(), reverse=True)
    )
    return f"""#compdef regtui
_regtui() {{
  local -a known=(
{listed}
  )
  if (( CURRENT == 2 )); then
    _describe command known
    _files
    return
  fi
  local word=$words[2]
  shift words; (( CURRENT-- ))
  case $word in
{cases}
  esac
}}
compdef _regtui regtui
"""


def _zsh_options(options: list[tuple[str, str]]) -> str:
    return " ".join(_quoted(f"{option}[{_plain(text)}]") for option, text in options)


def _fish(told: dict[str, tuple[str, list[tuple[str, str]]]]) -> str:
    names = " ".join(name for name in told if name)
    lines = [
        f"complete -c regtui -n 'not __fish_seen_subcommand_from {names}' -a {name} -d {_quoted(text)}"
        for name, (text, _) in told.items()
        if name
    ]
    for name, (_, options) in told.items():
        seen = f"__fish_seen_subcommand_from {name}" if name else f"not __fish_seen_subcommand_from {names}"
        lines += [f"complete -c regtui -n '{seen}' -l {o[2:]} -d {_quoted(h)}" for o, h in options]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _plain(text: str) -> str:
    return text.replace("[", "(").replace("]", ")").replace(":", " ")
