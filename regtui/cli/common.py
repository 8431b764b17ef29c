"""Options that commands share, and the session made from them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regtui.credentials.errors import CredentialError
from regtui.credentials.values import Credential, Secret, clean_secret
from regtui.oci.reference import normalise_host
from regtui.session import Session, SessionOptions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


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


def add_signing_in(parser: argparse.ArgumentParser) -> None:
    """A credential for this run, kept nowhere."""
    group = parser.add_argument_group("signing in")
    group.add_argument("--username", metavar="USER", help="sign in as this user, for this run only")
    group.add_argument(
        "--password-stdin", action="store_true", help="read that user's password or token from standard input"
    )


def session_of(
    arguments: argparse.Namespace, host: str | None = None, *, trust: Mapping[str, Any] | None = None
) -> Session:
    """The session that the options ask for; `host` is the one that the command line names, `trust` is for this run.

    Raises StorageError when a settings file was named and can't be read, CredentialError for half a credential.
    """
    return Session.start(
        SessionOptions(
            config=arguments.config,
            plain_http=frozenset(normalise_host(name) for name in arguments.plain_http),
            insecure=frozenset(normalise_host(name) for name in arguments.insecure),
            ca_file=arguments.ca_file,
            write=getattr(arguments, "write", False),
            read_only=getattr(arguments, "read_only", False),
            use_cache=not arguments.no_cache,
            credential=_given(arguments),
            host=host,
            trust=trust or {},
        )
    )


def read_secret() -> Secret:
    """A password from standard input. A trailing newline comes from `echo`; a password may hold anything else.

    A key that is a JSON object in several lines (`_json_key` at Google) is read to its end.
    """
    first = sys.stdin.readline()
    key = clean_secret(first + sys.stdin.read()) if first.strip() == "{" else None
    return key or Secret(first.rstrip("\r\n"))


def _given(arguments: argparse.Namespace) -> Credential | None:
    username = getattr(arguments, "username", None)
    from_stdin = getattr(arguments, "password_stdin", False)
    if not username and not from_stdin:
        return None
    if not from_stdin:
        raise CredentialError("A user name alone proves nothing.", hint="Add --password-stdin, or use regtui login.")
    if not username:
        raise CredentialError("A password from standard input needs a user name.", hint="Add --username USER.")
    return Credential(username, read_secret(), source="command line")


def positive(text: str) -> int:
    """A whole number above zero, for argparse."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def byte_count(text: str) -> int:
    """A number of bytes, or text such as "20 MB", for argparse."""
    from argparse import ArgumentTypeError

    from regtui.storage.settings_values import size

    try:
        return size(int(text) if text.isdecimal() else text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def share(text: str) -> float:
    """A share from 0 to 1, for argparse."""
    number = float(text)
    if not 0 <= number <= 1:
        raise ValueError(text)
    return number
