"""Runs the registries' tests, keeps what they proved, and makes the table of docs/registries.md from it.

`uv run python tools/registries_table.py` runs all of tests/registries; with paths it runs those and leaves the other
registries' results as they are; `--render` only makes the table anew (after a merge).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.registries.proofs import DOCUMENT, recorded, rendered  # noqa: E402 - the path above must come first


def main() -> int:
    """The exit code: that of the tests."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("paths", nargs="*", default=["tests/registries"], help="tests to run")
    parser.add_argument("--render", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    code = 0
    if not arguments.render:
        # The comparison with what was kept before makes no sense while it is being made anew.
        command = [sys.executable, "-m", "pytest", "-q", "--ignore=tests/registries/test_proofs.py", *arguments.paths]
        code = subprocess.run(command, cwd=ROOT, env={**os.environ, "REGTUI_RECORD": "1"}, check=False).returncode
    DOCUMENT.write_text(rendered(DOCUMENT.read_text(), recorded()))
    print(f"{DOCUMENT.relative_to(ROOT)} is made from {len(recorded())} records")
    return code


if __name__ == "__main__":
    sys.exit(main())
