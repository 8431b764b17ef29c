"""`python -m tests.corpus NAME…`: build images of the corpus; what can't be built is said, and no failure."""

from __future__ import annotations

import argparse
import sys

from tests.corpus.build import build, missing
from tests.corpus.recipes import RECIPES


def main() -> int:
    """Build what is named; 1 when a build was tried and failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus")
    parser.add_argument("names", nargs="+", choices=sorted(RECIPES))
    failed = 0
    for name in parser.parse_args().names:
        reason = missing(name)
        if reason is not None:
            print(f"{name}: not built, as {reason}", file=sys.stderr)
            continue
        try:
            print(build(name))
        except (RuntimeError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
