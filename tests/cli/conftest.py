"""Runs the real program in a process of its own, in a home of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from regtui.demo import build_demo

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Program:
    """`regtui` with its own home; `environ` adds variables."""

    home: Path

    def environ(self, **more: str) -> dict[str, str]:
        """A bare environment: nothing of the developer's is in it."""
        base = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        return base | {"XDG_RUNTIME_DIR": str(self.home)} | more

    def run(self, *arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end, a minute at most."""
        return subprocess.run(
            [sys.executable, "-m", "regtui", *arguments],
            env=self.environ(**more),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    async def run_beside(self, *arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """The same, while a server of this process goes on answering."""
        return await asyncio.to_thread(lambda: self.run(*arguments, stdin=stdin, **more))


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program in an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    return Program(home)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample layout, made once."""
    folder = tmp_path_factory.mktemp("sample") / "demo"
    build_demo(folder)
    return folder
