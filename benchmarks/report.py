"""Shows outcomes as a table, and writes them into docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tomllib
from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks.measure import ROOT
from benchmarks.servers import Missing, need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measure import Outcome

PAGE = ROOT / "docs" / "performance.md"
REASONS = ROOT / "benchmarks" / "reasons.toml"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
_VERSIONS = {
    "docker-registry": ("--version",),
    "skopeo": ("--version",),
    "curl": ("--version",),
    "nginx": ("-v",),
    "wrk": ("--version",),
}


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes in columns, for a terminal."""
    rows = [("goal", "what", "measured", "wanted", "", "")]
    rows += [(o.goal, o.what, _measured(o), _wanted(o), _verdict(o), o.detail) for o in outcomes]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[5]]).rstrip())
    return "\n".join(lines)


def write_page(outcomes: Sequence[Outcome]) -> None:
    """Put the outcomes between the marks of docs/performance.md; the reasons of misses come from reasons.toml."""
    text = PAGE.read_text()
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    PAGE.write_text(f"{text[:start]}\n\n{conditions()}\n\n{_markdown(outcomes)}\n\n{text[end:]}")


def conditions() -> str:
    """What was measured on, in one sentence each."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("textual", "httpx", "aiohttp", "zlib-ng"))
    peers = ", ".join(found for name, arguments in _VERSIONS.items() if (found := _peer(name, arguments)))
    machine = f"{os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.machine()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"Conditions: {machine}; {python}, {packages}; peers: {peers}. Client and server share the cores."


def _markdown(outcomes: Sequence[Outcome]) -> str:
    reasons = tomllib.loads(REASONS.read_text())
    lines = ["| goal | what | measured | wanted | | compared |", "|---|---|---|---|---|---|"]
    for outcome in outcomes:
        said = outcome.detail
        if outcome.met is False:
            said = f"{said}. {reasons.get(outcome.goal, 'No reason is written down yet.')}".lstrip(". ")
        cells = (outcome.goal, outcome.what, _measured(outcome), _wanted(outcome), _verdict(outcome), said)
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)


def _measured(outcome: Outcome) -> str:
    return "—" if outcome.measured is None else _number(outcome.measured, outcome.unit)


def _wanted(outcome: Outcome) -> str:
    return f"{'≤' if outcome.want == 'at most' else '≥'} {_number(outcome.limit, outcome.unit)}"


def _number(value: float, unit: str) -> str:
    digits = "0" if value == int(value) else f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"
    text = f"{int(value):,}" if digits == "0" else digits
    return f"{text}x" if unit == "x" else f"{text} {unit}"


def _verdict(outcome: Outcome) -> str:
    return {True: "met", False: "missed", None: "not measured"}[outcome.met]


def _peer(name: str, arguments: tuple[str, ...]) -> str | None:
    try:
        program = need(name)
    except Missing:
        return None
    told = subprocess.run([program, *arguments], check=False, capture_output=True, text=True)
    found = re.search(r"\d+\.\d+(?:\.\d+)?", told.stdout + told.stderr)
    return f"{name} {found[0]}" if found else name


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            found = re.search(r"^model name\s*:\s*(.+)$", file.read(), re.MULTILINE)
    except OSError:
        return platform.processor() or "unknown processor"
    return found[1] if found else "unknown processor"
