"""Options that commands share, and the session made from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from regtui.oci.reference import normalise_host
from regtui.session import Session, SessionOptions

if TYPE_CHECKING:
    import argparse


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options of every command that talks to a registry."""
    group = parser.add_argument_group("connection")
    group.add_argument(
        "--plain-http", action="append", default=[], metavar="HOST", help="speak plain HTTP to this host"
    )
    group.add_argument(
        "--insecure", action="append", default=[], metavar="HOST", help="do not check this host's certificate"
    )
    group.add_argument("--ca-file", metavar="FILE", help="trust the certificates in this PEM file too")
    group.add_argument("--no-cache", action="store_true", help="neither read nor write the cache on disk")
    group.add_argument("--config", type=Path, metavar="FILE", help="settings to use instead of the user's")
    group.add_argument("--debug", action="store_true", help="show the whole chain of an error")


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON on stdout (see docs/cli.md for the keys)")


def session_of(arguments: argparse.Namespace) -> Session:
    """The session that the options ask for. Raises StorageError when the settings file was named and can't be read."""
    return Session.start(
        SessionOptions(
            config=arguments.config,
            plain_http=frozenset(normalise_host(host) for host in arguments.plain_http),
            insecure=frozenset(normalise_host(host) for host in arguments.insecure),
            ca_file=arguments.ca_file,
            write=getattr(arguments, "write", False),
            use_cache=not arguments.no_cache,
        )
    )


def positive(text: str) -> int:
    """A whole number above zero, for argparse."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
