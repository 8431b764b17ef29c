"""`python -m benchmarks`: runs them from the top of a checkout and prints what was measured beside each goal."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import (
    blobs,
    changing,
    fanout,
    file_tree,
    keeping,
    listing,
    listing_layers,
    lists,
    report,
    single_files,
    starting,
)
from benchmarks.measure import Outcome, Scale
from benchmarks.servers import Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BENCHMARKS: dict[str, Callable[[Scale, Path], Iterator[Outcome]]] = {
    "A1 A3": listing.a1_a3,
    "A2": listing.a2,
    "A4": listing.a4,
    "B1 B2": fanout.b1_b2,
    "B3": fanout.b3,
    "B4": fanout.b4,
    "C1": blobs.c1,
    "D1": listing_layers.d1,
    "D2 D3 D5": listing_layers.d2_d5,
    "D4": listing_layers.d4,
    "D6": listing_layers.d6,
    "D7": listing_layers.d7,
    "D8": listing_layers.d8,
    "E1": single_files.e1,
    "F1": starting.f1,
    "F2": starting.f2,
    "F3": lists.f3,
    "F4": file_tree.f4,
    "G1 blobs": keeping.g1_blobs,
    "G1 index": keeping.g1_index,
    "H1": changing.h1,
}
"""The goals that each benchmark answers for."""


def main() -> int:
    """Run what was asked for. The exit code is 0 whatever was measured: a figure is no verdict on a busy machine."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure regtui against its goals.")
    parser.add_argument("--smoke", action="store_true", help="small and once: proves that they run, measures nothing")
    parser.add_argument("--only", metavar="A1,B2", help="only the benchmarks of these goals")
    parser.add_argument("--write", action="store_true", help="write the result into docs/performance.md")
    arguments = parser.parse_args()
    if arguments.write and (arguments.smoke or arguments.only):
        parser.error("--write takes a whole run")
    wanted = set(arguments.only.upper().split(",")) if arguments.only else None
    chosen = [name for name in BENCHMARKS if wanted is None or wanted & set(name.split())]
    if not chosen:
        parser.error(f"the goals are {', '.join(BENCHMARKS)}")
    outcomes = [outcome for name in chosen for outcome in run(name, Scale(arguments.smoke))]
    print(report.table(outcomes))
    if arguments.smoke:
        print("A smoke run: every benchmark ran, the figures mean nothing.")
    if arguments.write:
        report.write_page(outcomes)
    return 0


def run(name: str, scale: Scale) -> list[Outcome]:
    """One benchmark in a folder of its own; without its servers or peers it is skipped with the reason."""
    print(f"{name} …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="regtui-bench-") as scratch:
        try:
            return list(BENCHMARKS[name](scale, Path(scratch)))
        except Missing as missing:
            print(f"{name}: {missing}", file=sys.stderr)
            return [Outcome(goal, str(missing), None, 0) for goal in name.split() if goal[0].isupper()]


if __name__ == "__main__":
    sys.exit(main())
