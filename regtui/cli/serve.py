"""`regtui serve`: the explorer in a browser on this machine, always read-only."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.common import add_common
from regtui.cli.output import say
from regtui.oci.errors import RegtuiError
from regtui.session import parse_target

if TYPE_CHECKING:
    import argparse


class WebUnavailable(RegtuiError):
    """The extra for the browser is not installed, or the port is taken."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `serve`."""
    parser.add_argument(
        "target", metavar="TARGET", nargs="?", help="where the explorer opens; `demo` is the sample layout"
    )
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1; a free one by default")
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; the exit code. Raises WebUnavailable."""
    if arguments.target and arguments.target != "demo":
        parse_target(arguments.target)  # a mistake shows here, not in the browser
    try:
        from regtui.web.server import serve
    except ImportError as error:
        raise WebUnavailable(
            "The explorer in a browser needs an extra.", hint="Install it: pip install 'regtui[web]'."
        ) from error
    try:
        await serve(_command(arguments), arguments.port, _tell)
    except OSError as error:
        raise WebUnavailable(
            f"Port {arguments.port} of 127.0.0.1 can't be used: {error.strerror}.", hint="Name another with --port."
        ) from error
    return exits.DONE


def _tell(address: str) -> None:
    sys.stdout.write(address + "\n")
    sys.stdout.flush()
    say("Open this address; it works once, in one browser, on this machine. Read-only. ctrl+c ends it.")


def _command(arguments: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "regtui", *([arguments.target] if arguments.target else []), "--read-only"]
    for option, values in (("--plain-http", arguments.plain_http), ("--insecure", arguments.insecure)):
        for value in values:
            command += [option, value]
    for option, one in (("--ca-file", arguments.ca_file), ("--config", arguments.config)):
        command += [option, str(one)] if one else []
    return command + (["--no-cache"] if arguments.no_cache else [])
