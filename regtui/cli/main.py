"""Reads the command line, runs one command, turns errors into a sentence and an exit code."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Final

from regtui import __version__
from regtui.cli import exits
from regtui.cli.output import say
from regtui.oci.errors import InvalidReference, RegtuiError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from types import ModuleType
    from typing import Any

COMMANDS: Final[dict[str, str]] = {
    "demo": "explore a sample layout made on the spot, without a network",
    "login": "check a credential against a registry and keep it in the keyring",
    "logout": "forget a credential",
    "registries": "list the known registries",
    "repos": "list repositories",
    "search": "find repositories by the registry's own search",
    "tags": "list the tags of a repository",
    "inspect": "show manifest, config and layers of an image",
    "files": "list the files of an image without pulling it, what it wastes, its packages",
    "cat": "print one file of an image",
    "extract": "put a file or folder of an image on this disk",
    "diff": "show how two images differ: config, layers, files, packages",
    "usage": "show what a registry or repository stores and what deleting would free",
    "referrers": "show what hangs on an image: signatures, SBOMs, attestations",
    "delete": "remove tags, or manifests that nothing else needs",
    "retag": "put an image under another tag",
    "copy": "copy or move an image to another repository or registry",
    "pull": "put an image on this disk: an OCI layout folder, an OCI archive, a docker archive",
    "push": "push an image from a layout or archive",
    "prune": "delete tags by retention rules",
    "rules": "show the registry's own retention rules for a repository",
    "apply": "run a plan printed by --dry-run --json",
    "undo": "put back what a journal entry changed",
    "restore": "have the registry put back what it keeps of what was deleted",
    "doctor": "show what a registry can do and what is broken",
    "verify": "tell who vouches for an image: verified, invalid, not verified, unsigned",
    "scan": "show what scanners found in an image, with source and age",
    "serve": "show the explorer in a browser on this machine, read-only",
    "config": "show where the settings are, check them, write a commented file to start from",
    "completion": "print a completion script for bash, zsh or fish",
}
"""Command → what it does. Each lives in the module of its name with `configure(parser)` and `run(arguments)`."""


def run(argv: Sequence[str]) -> int:
    """Run one command; the exit code."""
    words = list(argv)
    command = words[0] if words and words[0] in COMMANDS else None
    module = _module(command or "explore")
    parser = _parser(command, module)
    try:
        # Intermixed, so that an optional argument may stand behind the options, too.
        arguments = parser.parse_intermixed_args(words[1:] if command else words)
    except SystemExit as stop:
        return int(stop.code or 0)
    return _guarded(module, arguments)


def _module(name: str) -> ModuleType:
    return import_module(f"regtui.cli.{name}")


def _parser(command: str | None, module: ModuleType) -> argparse.ArgumentParser:
    if command is not None:
        parser = argparse.ArgumentParser(prog=f"regtui {command}", description=_sentence(COMMANDS[command]))
        module.configure(parser)
        return parser
    listed = "\n".join(f"  {name:<12}{text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="regtui",
        description="Explore container registries from a terminal.",
        epilog=f"commands:\n{listed}\n\n`regtui COMMAND --help` tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="version", version=f"regtui {__version__}")
    module.configure(parser)
    return parser


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _guarded(module: ModuleType, arguments: argparse.Namespace) -> int:
    try:
        result = module.run(arguments)
        return asyncio.run(_interruptible(result)) if asyncio.iscoroutine(result) else int(result)
    except InvalidReference as error:
        return _tell(error, arguments, exits.USAGE)
    except RegtuiError as error:
        return _tell(error, arguments, exits.FAILED)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left (`regtui tags … | head`): that is no error, but stdout must not be flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.DONE


async def _interruptible(work: Coroutine[Any, Any, int]) -> int:
    result = await work
    sys.stdout.flush()
    return result


def _tell(error: RegtuiError, arguments: argparse.Namespace, code: int) -> int:
    sys.stdout.flush()
    say(f"regtui: {error}")
    if getattr(arguments, "debug", False):
        # Names, lines and sentences only: local variables may hold secrets.
        for line in traceback.format_exception(error):
            for part in line.rstrip().splitlines():
                say(part)
    return code
