"""`regtui demo`: the explorer over a sample layout, made on the spot."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regtui.cli import exits
from regtui.cli.common import add_common, session_of
from regtui.cli.explore import add_explorer, explore
from regtui.cli.output import say
from regtui.demo import build_demo
from regtui.demo.layout import TRUST
from regtui.session import Target

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `demo`."""
    parser.add_argument("folder", metavar="DIR", nargs="?", type=Path, help="make the layout there and leave it")
    parser.add_argument("--generate-only", action="store_true", help="only write the layout (needs DIR)")
    add_explorer(parser)
    add_common(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make the layout and explore it; the exit code."""
    if arguments.folder is not None:
        build_demo(arguments.folder)
        if arguments.generate_only:
            say(f"The sample layout is in {arguments.folder}; open it with: regtui {arguments.folder}")
            return exits.DONE
        return _explore(arguments, arguments.folder)
    if arguments.generate_only:
        say("regtui: --generate-only needs a folder to write to.")
        return exits.USAGE
    with tempfile.TemporaryDirectory(prefix="regtui-") as scratch:
        folder = Path(scratch) / "demo"
        build_demo(folder)
        return _explore(arguments, folder)


def _explore(arguments: argparse.Namespace, folder: Path) -> int:
    place = folder.resolve()
    session = session_of(arguments, trust=_own_keys(place))
    return explore(session, Target(str(place), is_local=True), slow_line=arguments.ssh)


def _own_keys(place: Path) -> dict[str, Any]:
    """The demo's own public keys, trusted for the demo alone and in this run."""
    keys = place / TRUST
    return {str(place): {"keys": [str(keys / "cosign.pub")], "notation": str(keys)}}
