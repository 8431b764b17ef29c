"""What a hostile registry sends is bounded: the whole process stays small, and ends with one sentence."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.fakes.hostile import HUGE, HostileRegistry

if TYPE_CHECKING:
    from tests.cli.conftest import Program

MOST = 120 << 20
MEASURED = (
    "import sys; from regtui.cli.main import run; code = run(sys.argv[1:]); "
    "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]; "
    "print('peak', int(peak) * 1024, file=sys.stderr); sys.exit(code)"
)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from Linux's /proc")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("inspect", "huge:latest"), 1),
        (("inspect", "bomb:latest"), 1),
        (("tags", "bomb"), 0),  # ten megabytes are within the bound; the one name in them is left out, and told
        (("inspect", "long:1"), 1),
    ],
)
async def test_a_trap_costs_little_memory(program: Program, arguments: tuple[str, str], code: int) -> None:
    async with HostileRegistry() as registry:
        command = [sys.executable, "-c", MEASURED, arguments[0], f"{registry.host}/{arguments[1]}"]
        command += ["--plain-http", registry.host, "--no-cache"]
        done = await asyncio.to_thread(
            subprocess.run, command, env=program.environ(), capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == code, done.stderr
    *said, peak = done.stderr.splitlines()
    assert len(said) == 1, said
    assert int(peak.split()[1]) < MOST < 3 * HUGE
