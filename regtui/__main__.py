"""Starts regtui. `--version` answers before anything else is imported."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the program; the exit code is an API (docs: cli). Entry point of the `regtui` command."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        from regtui import __version__

        sys.stdout.write(f"regtui {__version__}\n")
        return 0
    from regtui.cli.main import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
