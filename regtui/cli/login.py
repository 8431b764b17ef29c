"""`regtui login`: check a credential against the registry, then keep it in the system keyring."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from regtui.cli import exits
from regtui.cli.common import add_common, read_secret, session_of
from regtui.cli.output import say
from regtui.credentials.errors import CredentialError
from regtui.credentials.values import Credential, Secret
from regtui.oci.errors import InvalidReference
from regtui.session import parse_target

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `login`."""
    parser.add_argument("host", metavar="HOST", help="the registry")
    parser.add_argument("-u", "--username", metavar="USER", help="user name (asked for when missing)")
    parser.add_argument("--password-stdin", action="store_true", help="read the password or token from standard input")
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Check and keep a credential; the exit code."""
    target = parse_target(arguments.host)
    if target.is_local or target.path is not None:
        raise InvalidReference(f"{arguments.host} is not a registry's host.", hint="Give the host alone.")
    credential = _ask(target.host, arguments.username, from_stdin=arguments.password_stdin)
    session = session_of(arguments)
    try:
        await session.login(target.host, credential)
    finally:
        await session.close()
    say(f"Signed in to {target.host} as {credential.username}; the credential is in the system keyring.")
    return exits.DONE


def _ask(host: str, username: str | None, *, from_stdin: bool) -> Credential:
    if from_stdin:
        if not username:
            raise CredentialError("A password from standard input needs a user name.", hint="Add -u USER.")
        password = read_secret()
    elif not sys.stdin.isatty():
        raise CredentialError(
            "There is no terminal to ask for a password.", hint="Pipe it in with --password-stdin -u USER."
        )
    else:
        username = username or input(f"User name at {host}: ").strip()
        password = Secret(getpass.getpass(f"Password or token of {username} at {host}: "))
    if not username or not password:
        raise CredentialError("User name and password must not be empty.", hint="Try again.")
    return Credential(username, password, source="login")
