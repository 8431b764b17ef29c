"""Credential helpers: programs named docker-credential-NAME that keep or make secrets.

Protocol: docker/docker-credential-helpers. `get` reads the server's name and prints a JSON object;
`list` prints an object of server → user name.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from regtui.credentials.errors import HelperFailed
from regtui.credentials.values import ANONYMOUS, Credential, clean_secret, from_user_and_secret

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping

TIMEOUT: Final = 10.0
"""Seconds that a helper has."""

# The helper gets everything else of the environment, but not the secrets that are for somebody else.
PRIVATE_VARIABLES: Final = frozenset({"REGTUI_PASSWORD", "REGTUI_TOKEN"})

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_PLAIN: Final = re.compile(r"[A-Za-z0-9.:/_-]{1,300}", re.ASCII)
_GRACE: Final = 2.0
_LARGEST_ANSWER: Final = 1 << 20
_NOT_FOUND: Final = (b"credentials not found", b"no credentials server url", b"no credentials username")


class CredentialHelper:
    """One helper program, by the name that stands in the file. It is asked anew at every call."""

    def __init__(self, name: str, *, timeout: float = TIMEOUT, environ: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._timeout = timeout
        self._environ = environ

    @property
    def program(self) -> str:
        """What the program is called. Raises HelperFailed for a name that could be a path."""
        if _NAME.fullmatch(self.name) is None:
            raise HelperFailed(
                f"{self.name[:80]!a} is no name of a credential helper.", hint="Correct credHelpers or credsStore."
            )
        return f"docker-credential-{self.name}"

    async def get(self, server: str) -> Credential:
        """The credential that the helper has for this server, ANONYMOUS when it has none. Raises HelperFailed."""
        status, output = await self._run("get", server)
        if status != 0:
            if any(sentence in output.lower() for sentence in _NOT_FOUND):
                return ANONYMOUS
            raise self._failed(f"ended with status {status}", server)
        answer = _object(output)
        if answer is None:
            raise self._failed("did not answer with a JSON object", server)
        username = answer.get("Username")
        secret = clean_secret(answer.get("Secret"))
        if secret is None or not isinstance(username, str):
            if not answer.get("Secret") and not username:
                return ANONYMOUS
            raise self._failed("answered without a usable user name and secret", server)
        return from_user_and_secret(username, secret, self.program)

    async def list(self) -> dict[str, str]:
        """The servers that the helper knows, with the user names. Raises HelperFailed."""
        status, output = await self._run("list", "")
        answer = _object(output) if status == 0 else None
        if answer is None:
            raise self._failed("did not list its servers")
        return {server: user for server, user in answer.items() if isinstance(user, str)}

    async def _run(self, action: str, server: str) -> tuple[int, bytes]:
        process = await self._start(action)
        ended = False
        try:
            async with asyncio.timeout(self._timeout):
                output = await _talk(process, server.encode())
                if len(output) > _LARGEST_ANSWER:
                    raise self._failed(f"answered with more than {_LARGEST_ANSWER:,} bytes", server)
                status = await process.wait()
            ended = True
        except TimeoutError:
            raise self._failed(f"did not answer within {self._timeout:g} seconds", server) from None
        finally:
            if not ended:
                await _kill(process)
        return status, output

    async def _start(self, action: str) -> Process:
        environ = os.environ if self._environ is None else self._environ
        found = shutil.which(self.program, path=environ.get("PATH", os.defpath))
        # A relative hit is a program in the current folder, which anybody may have put there.
        if found is None or not os.path.isabs(found):
            raise HelperFailed(
                f"The credential helper {self.program} is not on PATH.",
                hint="Install it, or take it out of credHelpers or credsStore in Docker's config.json.",
            )
        try:
            return await asyncio.create_subprocess_exec(
                found,
                action,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # Its complaints would break the screen, and may hold secrets.
                stderr=asyncio.subprocess.DEVNULL,
                env={name: value for name, value in environ.items() if name not in PRIVATE_VARIABLES},
                start_new_session=True,
            )
        except OSError as error:
            raise HelperFailed(
                f"The credential helper {self.program} can't be started: {(error.strerror or '').lower()}."
            ) from None

    def _failed(self, how: str, server: str = "") -> HelperFailed:
        shown = server if _PLAIN.fullmatch(server) else "HOST"
        return HelperFailed(
            f"The credential helper {self.program} {how}.", hint=f"See why: echo {shown} | {self.program} get"
        )


async def _talk(process: Process, text: bytes) -> bytes:
    """Send the text, read what comes: at most one byte more than allowed."""
    assert process.stdin is not None
    assert process.stdout is not None
    # A helper may answer without reading.
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(text)
        await process.stdin.drain()
    process.stdin.close()
    parts = []
    size = 0
    while size <= _LARGEST_ANSWER:
        part = await process.stdout.read(65_536)
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)


async def _kill(process: Process) -> None:
    """End the program with everything that it started."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    assert process.stdout is not None
    # asyncio takes note of the end only when the pipe was read out. A child in a session of its own may hold it open.
    with suppress(TimeoutError):
        async with asyncio.timeout(_GRACE):
            while await process.stdout.read(65_536):
                pass
            await process.wait()


def _object(output: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(output)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
