"""How things are measured: interleaved rounds, medians, whole processes, memory, and the event loop's lag."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

ROOT = Path(__file__).resolve().parents[1]
MB = 1_000_000


@dataclass(frozen=True)
class Scale:
    """How big a run is: `smoke` only proves that every benchmark still runs, its figures mean nothing."""

    smoke: bool

    @property
    def rounds(self) -> int:
        """Interleaved rounds after a warm-up."""
        return 1 if self.smoke else 7

    def of(self, full: int, small: int) -> int:
        """A size of this run."""
        return small if self.smoke else full


@dataclass(frozen=True)
class Outcome:
    """One figure beside its goal. `measured` is None where a peer is missing; `detail` says what was compared."""

    goal: str
    what: str
    measured: float | None
    limit: float
    unit: str = "x"
    want: Literal["at most", "at least"] = "at most"
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached, None when it was not measured."""
        if self.measured is None:
            return None
        return self.measured <= self.limit if self.want == "at most" else self.measured >= self.limit


def interleaved(rounds: int, *tasks: Callable[[], float]) -> list[float]:
    """The median seconds that each task tells, over rounds in which all take turns, after one round to warm up."""
    times: list[list[float]] = [[] for _ in tasks]
    for turn in range(rounds + 1):
        for task, kept in zip(tasks, times, strict=True):
            gc.collect()
            seconds = task()
            if turn:
                kept.append(seconds)
    return [median(kept) for kept in times]


def timed(task: Callable[[], Any]) -> Callable[[], float]:
    """The task as one that tells its own seconds."""

    def run() -> float:
        started = perf_counter()
        task()
        return perf_counter() - started

    return run


def process(command: Sequence[str], environ: dict[str, str] | None = None, *, shell_input: str | None = None) -> float:
    """Run a whole process; its wall seconds. Raises CalledProcessError when it fails."""
    own = {**clean_environ(), **(environ or {})}
    started = perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=own, input=shell_input, text=True
    )
    return perf_counter() - started


def clean_environ() -> dict[str, str]:
    """The environment of a measured process: without what would change how Python or a client starts."""
    dropped = {"PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "SSH_CONNECTION"}
    return {name: value for name, value in os.environ.items() if name not in dropped and not name.endswith("_proxy")}


def in_child(target: Callable[..., Any], **arguments: Any) -> Any:
    """Call a function of a benchmark module in a fresh process (its memory and CPU are its own); what it returns."""
    code = (
        "import importlib, json, sys; name, function, arguments = sys.argv[1:]; "
        "print(json.dumps(getattr(importlib.import_module(name), function)(**json.loads(arguments))))"
    )
    command = [sys.executable, "-c", code, target.__module__, target.__name__, json.dumps(arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=clean_environ(), cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"{target.__module__}.{target.__name__} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


class Lag:
    """How late an event loop came back, in seconds per turn."""

    def __init__(self) -> None:
        self.late: list[float] = []

    def percentile(self, share: float) -> float:
        """The lag that this share of the turns did not exceed."""
        return percentile(self.late, share)


@asynccontextmanager
async def watched_loop(every: float = 0.001) -> AsyncIterator[Lag]:
    """Measures the lag of the running loop while the block runs."""
    lag = Lag()

    async def watch() -> None:
        while True:
            due = perf_counter() + every
            await asyncio.sleep(every)
            lag.late.append(perf_counter() - due)

    task = asyncio.ensure_future(watch())
    try:
        await asyncio.sleep(0)
        yield lag
    finally:
        task.cancel()


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
