"""Builds dist/regtui.pyz: the whole program in one file, for hosts with Python 3.11 or newer and without pip.

`uv run --with pex python tools/single_file.py`. The file holds compiled parts, so it runs on the system and the Python
that it was built on; it unpacks itself once below the user's cache.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "dist" / "regtui.pyz"


def build(target: Path = TARGET) -> Path:
    """Make the file; its path. Raises CalledProcessError when pex can't."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pex",
            f"{ROOT}[verify]",
            "--constraints",
            str(ROOT / "constraints.txt"),
            "--console-script",
            "regtui",
            "--venv",
            "--output-file",
            str(target),
        ],
        check=True,
        cwd=ROOT,
    )
    return target


if __name__ == "__main__":
    sys.stdout.write(f"{build()}\n")
