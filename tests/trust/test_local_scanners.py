"""Scanners on PATH, played by small scripts: their command lines, reports, failures, progress and cancelling."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
import time
from typing import TYPE_CHECKING

import pytest

from regtui.credentials.values import Credential, Secret
from regtui.oci import Platform, Reference
from regtui.trust.errors import ScannerFailed
from regtui.trust.local_scanners import (
    Scanner,
    ScanOptions,
    find_scanners,
    image_arguments,
    sbom_arguments,
    scan_image,
    scan_sbom,
    version_of,
)
from tests.trust.makers import SUBJECT

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = Reference("registry.example:5000", "team/app", "v1", SUBJECT)
REPORT = {
    "SchemaVersion": 2,
    "ArtifactName": "app",
    "Results": [
        {
            "Target": "app",
            "Class": "os-pkgs",
            "Vulnerabilities": [
                {"VulnerabilityID": "CVE-2024-1234", "PkgName": "a", "InstalledVersion": "1", "Severity": "HIGH"}
            ],
        }
    ],
}


def play(folder: Path, name: str, body: str) -> Scanner:
    """A scanner that is a Python script; `out` is the file that it is told to write."""
    place = folder / name.rpartition(" ")[2 if " " not in name else 0]
    place.write_text(
        f"#!{sys.executable}\n"
        "import json, os, subprocess, sys, time\n"
        "args = sys.argv[1:]\n"
        "out = next((args[i + 1] for i, a in enumerate(args) if a in ('--output', '--file', '--output-file')), None)\n"
        f"REPORT = {json.dumps(json.dumps(REPORT))}\n"
        f"{body}\n"
    )
    place.chmod(place.stat().st_mode | stat.S_IXUSR)
    return Scanner(name, str(place))


async def test_a_report_is_read_and_progress_told(tmp_path: Path) -> None:
    scanner = play(
        tmp_path,
        "trivy",
        f"json.dump([args, os.environ.get('DOCKER_CONFIG')], open({str(tmp_path / 'seen')!r}, 'w'))\n"
        "print('pulling', file=sys.stderr, flush=True)\nopen(out, 'w').write(REPORT)\nsys.exit(1)",
    )
    said: list[str] = []
    options = ScanOptions(Platform("linux", "arm64"), offline=True)
    report = await scan_image(scanner, IMAGE, options, said.append)
    assert [f.id for f in report.findings] == ["CVE-2024-1234"]
    assert said == ["pulling"]
    arguments, _ = json.loads((tmp_path / "seen").read_text())
    assert arguments[0] == "image"
    assert arguments[-1] == f"registry.example:5000/team/app@{SUBJECT}"
    assert arguments[arguments.index("--platform") + 1] == "linux/arm64"
    assert "--skip-db-update" in arguments
    assert not is_there(arguments[arguments.index("--output") + 1])


async def test_credentials_go_into_a_config_for_their_host_only(tmp_path: Path) -> None:
    scanner = play(
        tmp_path,
        "grype",
        "place = os.environ['DOCKER_CONFIG'] + '/config.json'\n"
        f"seen = [json.load(open(place)), oct(os.stat(place).st_mode & 0o777), args, dict(os.environ)]\n"
        f"json.dump(seen, open({str(tmp_path / 'seen')!r}, 'w'))\nopen(out, 'w').write(REPORT)",
    )
    credential = Credential("bob", Secret("hunter2"))
    await scan_image(scanner, IMAGE, ScanOptions(credential=credential))
    config, mode, arguments, environment = json.loads((tmp_path / "seen").read_text())
    assert config == {"auths": {"registry.example:5000": {"auth": "Ym9iOmh1bnRlcjI="}}}
    assert mode == "0o600"
    assert "hunter2" not in json.dumps([arguments, environment])
    assert not is_there(environment["DOCKER_CONFIG"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit(1)", "gave no report"),
        ("print('no database', file=sys.stderr); sys.exit(1)", "no database"),
        ("open(out, 'w').close()", "gave no report"),
        ("open(out, 'w').write('not json')", "not valid JSON"),
        ("open(out, 'w').write('{}')", "does not know"),
        ("print('x' * 300000, file=sys.stderr); print('end', file=sys.stderr)", "end"),
    ],
)
async def test_failures_are_clean_errors(tmp_path: Path, body: str, words: str) -> None:
    with pytest.raises(ScannerFailed, match=words):
        await scan_image(play(tmp_path, "trivy", body), IMAGE)


async def test_what_can_not_be_started_or_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScannerFailed, match="started"):
        await scan_image(Scanner("trivy", str(tmp_path / "missing")), IMAGE)
    scanner = play(tmp_path, "trivy", "")
    with pytest.raises(ScannerFailed, match="digest"):
        await scan_image(scanner, Reference("registry.example", "app", "v1"))
    with pytest.raises(ScannerFailed, match="layout"):
        await scan_image(scanner, Reference("/home/me/layout", "app", None, SUBJECT))


async def test_it_is_stopped_in_time(tmp_path: Path) -> None:
    scanner = play(tmp_path, "trivy", "time.sleep(600)")
    with pytest.raises(ScannerFailed, match="stopped after"):
        await scan_image(scanner, IMAGE, ScanOptions(seconds=0.3))


async def test_cancelling_ends_the_whole_group(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    scanner = play(
        tmp_path,
        "trivy",
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pids) + '.part'!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"os.rename({str(pids) + '.part'!r}, {str(pids)!r})\n"
        "print('ready', file=sys.stderr, flush=True)\ntime.sleep(600)",
    )
    ready = asyncio.Event()
    running = asyncio.ensure_future(scan_image(scanner, IMAGE, progress=lambda _: ready.set()))
    await asyncio.wait_for(ready.wait(), 20)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for pid in map(int, pids.read_text().split()):
        await asyncio.to_thread(wait_until_gone, pid)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, f"{pid} is still running"


def is_there(place: str) -> bool:
    return os.path.exists(place)


def is_running(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be collected does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return os.path.exists("/proc") is False


async def test_scanners_are_found_on_the_path(tmp_path: Path) -> None:
    assert await find_scanners(str(tmp_path)) == ()
    play(tmp_path, "grype", "print('grype 1.0')")
    play(tmp_path, "trivy", "print('Version: 0.60')")
    assert [one.name for one in await find_scanners(str(tmp_path))] == ["trivy", "grype"]
    docker = tmp_path / "docker"
    docker.write_text(f"#!{sys.executable}\nimport sys\nsys.exit(1)\n")
    docker.chmod(0o755)
    assert [one.name for one in await find_scanners(str(tmp_path))] == ["trivy", "grype"]
    docker.write_text(f"#!{sys.executable}\nprint('version: v1.2')\n")
    assert [one.name for one in await find_scanners(str(tmp_path))] == ["trivy", "grype", "docker scout"]
    assert await version_of(Scanner("trivy", str(tmp_path / "trivy"))) == "Version: 0.60"
    assert await version_of(Scanner("trivy", str(tmp_path / "nothing"))) is None


async def test_sboms_are_scanned_under_a_name_that_tells_their_format(tmp_path: Path) -> None:
    body = f"open({str(tmp_path / 'seen')!r}, 'w').write(args[-1])\nopen(out, 'w').write(REPORT)"
    scanner = play(tmp_path, "trivy", body)
    report = await scan_sbom(scanner, b'{"bomFormat": "CycloneDX"}')
    assert len(report.findings) == 1
    assert (tmp_path / "seen").read_text().endswith("image.cdx.json")
    await scan_sbom(scanner, b'{"spdxVersion": "SPDX-2.3"}')
    assert (tmp_path / "seen").read_text().endswith("image.spdx.json")


@pytest.mark.parametrize("name", ["trivy", "grype", "osv-scanner", "docker scout"])
def test_command_lines(name: str, tmp_path: Path) -> None:
    scanner = Scanner(name, "program")
    output = tmp_path / "out.json"
    plain = image_arguments(scanner, "r.example/a@sha256:0", output, ScanOptions())
    assert sum("r.example/a@sha256:0" in one for one in plain) == 1
    assert str(output) in plain
    assert not any("exit-code" in one or "fail-on" in one for one in plain)
    offline = image_arguments(scanner, "r.example/a@sha256:0", output, ScanOptions(offline=True, plain_http=True))
    assert (offline != plain) == (name in ("trivy", "osv-scanner"))
    assert str(output) in sbom_arguments(scanner, tmp_path / "x.spdx.json", output, ScanOptions(offline=True))
