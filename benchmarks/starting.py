"""F1, F2: from the command line to the first frame, against an empty Textual app and a bare interpreter."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.measure import ROOT, Outcome, interleaved, process, timed
from tests.ui.pty_harness import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Scale

LATE = ("httpx", "aiohttp", "keyring", "boto3", "botocore", "google.auth", "azure.identity", "cryptography", "sigstore")
_FRAME = b"Repositories"
_EMPTY_FRAME = b"first frame"


def f1(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """regtui over a local layout, in a terminal of 120x40."""
    from regtui.demo import build_demo

    layout = scratch / "layout"
    build_demo(layout)
    environ = own_folders(scratch)
    own, empty = interleaved(
        scale.rounds,
        lambda: until(_FRAME, environ, "-m", "regtui", str(layout)),
        lambda: until(_EMPTY_FRAME, environ, "-m", "benchmarks.apps.empty"),
    )
    detail = f"{own * 1e3:.0f} ms / {empty * 1e3:.0f} ms"
    yield Outcome("F1", "first frame / an empty Textual app", own / empty, 1.5, detail=detail)
    report = scratch / "modules.json"
    with Terminal("-m", "benchmarks.apps.first_frame", str(report), str(layout), environ=environ) as terminal:
        wait_for_file(terminal, report)
    loaded = set(json.loads(report.read_text())) & set(LATE)
    detail = ", ".join(sorted(loaded))
    yield Outcome("F1", "late packages loaded at the first frame", len(loaded), 0, "packages", detail=detail)


def f2(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """`--version`, as people start it: through the launcher that pip made."""
    launcher = shutil.which("regtui", path=str(Path(sys.executable).parent))
    command = [launcher, "--version"] if launcher else [sys.executable, "-m", "regtui", "--version"]
    own, bare = interleaved(
        scale.of(15, 1), timed(lambda: process(command)), timed(lambda: process([sys.executable, "-c", "pass"]))
    )
    detail = f"{own * 1e3:.0f} ms / {bare * 1e3:.0f} ms"
    yield Outcome("F2", "--version / python -c pass", own / bare, 1.5, detail=detail)


def own_folders(scratch: Path) -> dict[str, str]:
    """An environment without this user's settings and credentials."""
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
    return {"DOCKER_CONFIG": str(scratch / "docker"), **{name: str(scratch / name.lower()) for name in names}}


def until(text: bytes, environ: dict[str, str], *arguments: str) -> float:
    """Seconds from starting Python with these arguments until `text` is on the terminal."""
    started = perf_counter()
    with Terminal(*arguments, environ=environ) as terminal:
        terminal.wait_for(text)
        return perf_counter() - started


def wait_for_file(terminal: Terminal, file: Path, seconds: float = 60.0) -> None:
    """Read from the terminal until the program has written this file. Raises TimeoutError."""
    deadline = perf_counter() + seconds
    while not (file.exists() and file.read_text().endswith(("]", "}"))):
        if perf_counter() > deadline:
            raise TimeoutError(f"no report; the terminal showed {terminal.seen[-2000:]!r}")
        terminal.read(0.05)


assert (ROOT / "tests" / "ui" / "pty_harness.py").exists(), "benchmarks run in a checkout, from its top"
