"""Scanners on this machine (trivy, grype, osv-scanner, docker scout), run on an image by digest or on an SBOM.

Run without a shell, in a process group of their own that ends with the task. A report that parses decides, never the
exit code. A credential is only handed over in a Docker config that names its host: scanners would send one from their
own variables also to where they fetch their database.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from regtui.trust.errors import Malformed, ScannerFailed
from regtui.trust.reports import read_report
from regtui.trust.untrusted import LARGEST_DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from regtui.credentials.values import Credential
    from regtui.oci import Platform, Reference
    from regtui.trust.findings import Report

LONGEST_RUN: Final = 1800.0
"""Seconds after which a scanner is stopped; the first run downloads a database."""
_GRACE: Final = 3.0
_LONGEST_LINE: Final = 64 << 10
_KEPT_LINES: Final = 20
_PROGRAMS: Final = {"trivy": "trivy", "grype": "grype", "osv-scanner": "osv-scanner", "docker scout": "docker"}
_DOCKER_HUB: Final = "https://index.docker.io/v1/"
_SBOM_NAMES: Final = {"SPDX": "image.spdx.json", "CycloneDX": "image.cdx.json"}


@dataclass(frozen=True, slots=True)
class Scanner:
    """A scanner that is there. `name` is one of trivy, grype, osv-scanner, docker scout."""

    name: str
    program: str


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """How to scan. `offline` uses only what the scanner has on disk; `seconds` bounds the whole run."""

    platform: Platform | None = None
    offline: bool = False
    plain_http: bool = False
    credential: Credential | None = None
    seconds: float = LONGEST_RUN


async def find_scanners(path: str | None = None) -> tuple[Scanner, ...]:
    """The scanners on PATH (or on the path given), in the order in which they are offered."""
    found = [Scanner(name, at) for name, program in _PROGRAMS.items() if (at := shutil.which(program, path=path))]
    return tuple([one for one in found if one.name != "docker scout" or await version_of(one) is not None])


async def version_of(scanner: Scanner) -> str | None:
    """The first line that it says about its version; None when it says nothing within ten seconds."""
    arguments = {"grype": ["version"], "docker scout": ["scout", "version"]}.get(scanner.name, ["--version"])
    try:
        process = await asyncio.create_subprocess_exec(
            scanner.program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return None
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 10)
    except TimeoutError:
        return None
    finally:
        await _end(process)
    lines = [line.strip() for line in output[:4096].decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[0][:200] if lines and process.returncode == 0 else None


async def scan_image(
    scanner: Scanner,
    image: Reference,
    options: ScanOptions | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Scan an image, named by its digest, over the network. Raises ScannerFailed; cancel it at any time."""
    if image.digest is None:
        raise ScannerFailed("Only an image that is named by its digest is scanned: a tag may move meanwhile.")
    if "/" in image.host:
        raise ScannerFailed("Local layouts and archives can't be given to a scanner.", hint="Scan its SBOM instead.")
    how = options or ScanOptions()
    name = f"{image.host}/{image.path}@{image.digest}"
    with tempfile.TemporaryDirectory(prefix="regtui-scan-") as folder:
        output = Path(folder) / "report.json"
        environment = _environment(scanner, how, Path(folder), image.host)
        arguments = image_arguments(scanner, name, output, how)
        return await _run(scanner, arguments, environment, output, how.seconds, progress)


async def scan_sbom(
    scanner: Scanner,
    sbom: bytes,
    options: ScanOptions | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Scan the packages of an SPDX or CycloneDX JSON document: no layer is downloaded. Raises ScannerFailed."""
    how = options or ScanOptions()
    kind = "CycloneDX" if b'"CycloneDX"' in sbom[:4096] else "SPDX"
    with tempfile.TemporaryDirectory(prefix="regtui-scan-") as folder:
        source, output = Path(folder) / _SBOM_NAMES[kind], Path(folder) / "report.json"
        source.write_bytes(sbom)
        environment = _environment(scanner, how, Path(folder), None)
        arguments = sbom_arguments(scanner, source, output, how)
        return await _run(scanner, arguments, environment, output, how.seconds, progress)


def image_arguments(scanner: Scanner, image: str, output: Path, options: ScanOptions) -> list[str]:
    """The command line behind the program, for an image."""
    platform = ["--platform", str(options.platform)] if options.platform else []
    if scanner.name == "trivy":
        quiet = ["--quiet", "--no-progress", "--image-src", "remote", "--scanners", "vuln", "--format", "json"]
        offline = ["--skip-db-update", "--skip-java-db-update", "--offline-scan"] if options.offline else []
        insecure = ["--insecure"] if options.plain_http else []
        return ["image", *quiet, *offline, *insecure, *platform, "--output", str(output), image]
    if scanner.name == "grype":
        return [f"registry:{image}", "-o", "json", "--file", str(output), *platform]
    if scanner.name == "osv-scanner":
        offline = ["--offline"] if options.offline else []
        return ["scan", "image", "--format", "json", "--output-file", str(output), *offline, image]
    return ["scout", "cves", "--format", "sarif", "--output", str(output), *platform, f"registry://{image}"]


def sbom_arguments(scanner: Scanner, sbom: Path, output: Path, options: ScanOptions) -> list[str]:
    """The command line behind the program, for an SBOM."""
    if scanner.name == "trivy":
        offline = ["--skip-db-update", "--skip-java-db-update", "--offline-scan"] if options.offline else []
        return ["sbom", "--quiet", "--no-progress", "--format", "json", *offline, "--output", str(output), str(sbom)]
    if scanner.name == "grype":
        return [f"sbom:{sbom}", "-o", "json", "--file", str(output)]
    if scanner.name == "osv-scanner":
        offline = ["--offline"] if options.offline else []
        return ["scan", "source", "--format", "json", "--output-file", str(output), *offline, "-L", str(sbom)]
    return ["scout", "cves", "--format", "sarif", "--output", str(output), f"sbom://{sbom}"]


def _environment(scanner: Scanner, options: ScanOptions, folder: Path, host: str | None) -> dict[str, str]:
    made = dict(os.environ)
    if scanner.name == "grype":
        if options.offline:
            made |= {"GRYPE_DB_AUTO_UPDATE": "false", "GRYPE_DB_VALIDATE_AGE": "false"}
        if options.plain_http:
            made["GRYPE_REGISTRY_INSECURE_USE_HTTP"] = "true"
    if options.credential is not None and host is not None and scanner.name != "docker scout":
        entry = _docker_entry(options.credential)
        if entry:
            made["DOCKER_CONFIG"] = str(_write_docker_config(folder / "docker", host, entry))
    return made


def _docker_entry(credential: Credential) -> dict[str, str]:
    """A credential as Docker's config.json keeps it; empty for an anonymous one."""
    if credential.registry_token:
        return {"registrytoken": credential.registry_token.reveal()}
    if credential.identity_token:
        return {"identitytoken": credential.identity_token.reveal()}
    if credential.password:
        pair = f"{credential.username}:{credential.password.reveal()}".encode()
        return {"auth": base64.b64encode(pair).decode("ascii")}
    return {}


def _write_docker_config(place: Path, host: str, entry: dict[str, str]) -> Path:
    place.mkdir(mode=0o700)
    name = _DOCKER_HUB if host == "docker.io" else host
    handle = os.open(place / "config.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump({"auths": {name: entry}}, file)
    return place


async def _run(
    scanner: Scanner,
    arguments: list[str],
    environment: Mapping[str, str],
    output: Path,
    seconds: float,
    progress: Callable[[str], None] | None,
) -> Report:
    try:
        process = await asyncio.create_subprocess_exec(
            scanner.program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,
            limit=_LONGEST_LINE,
        )
    except OSError as error:
        raise ScannerFailed(f"{scanner.name} could not be started.", hint="Look whether it runs by itself.") from error
    said: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            await _listen(process, said, progress)
            await process.wait()
    except TimeoutError as error:
        raise ScannerFailed(f"{scanner.name} was stopped after {seconds:,.0f} seconds.") from error
    finally:
        await _end(process)
    return await asyncio.to_thread(_read, scanner, output, process.returncode, said)


async def _listen(process: asyncio.subprocess.Process, said: list[str], progress: Callable[[str], None] | None) -> None:
    """Keep the last lines of what it says, and tell each."""
    assert process.stderr is not None
    while True:
        try:
            line = await process.stderr.readline()
        except ValueError:  # a line beyond the limit; the stream goes on behind it
            continue
        if not line:
            return
        text = line.decode("utf-8", "replace").strip()[:500]
        if text:
            del said[: max(0, len(said) - _KEPT_LINES + 1)]
            said.append(text)
            if progress is not None:
                progress(text)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole process group, also when we are being cancelled ourselves: gently first, then for good."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            break
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, how)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE)
    _close(process)


def _close(process: asyncio.subprocess.Process) -> None:
    # Children of the scanner may hold the pipe open; ours is let go at once.
    transport: Any = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


def _read(scanner: Scanner, output: Path, code: int | None, said: list[str]) -> Report:
    last = f" It said last: {said[-1]}" if said else ""
    try:
        size = output.stat().st_size
    except OSError:
        size = 0
    if size == 0:
        raise ScannerFailed(f"{scanner.name} ended with code {code} and gave no report.{last}")
    if size > LARGEST_DOCUMENT:
        raise ScannerFailed(f"The report of {scanner.name} has {size:,} bytes, more than is read.")
    try:
        return read_report(output.read_bytes())
    except Malformed as error:
        raise ScannerFailed(f"{scanner.name} ended with code {code}; its report: {error.sentence}{last}") from error
