"""H: 1,000 tags deleted under one plan, against loops of `regctl tag delete` and `crane delete`, which keep nothing."""

from __future__ import annotations

import sys
from itertools import count as counting
from typing import TYPE_CHECKING

from benchmarks import samples
from benchmarks.measure import Outcome, interleaved, process
from benchmarks.servers import distribution, need
from tests.servers.storage_tree import StorageTree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.measure import Scale

IMAGES = 100
"""Images that the tags lie on, so that untagging one of several has to leave the others alone."""


def h1(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """Whole processes on distribution 3, each over a fresh repository. regtui's part holds everything: the graph of the
    repository, the journal, a look before and after each tag."""
    tags = samples.tag_names(scale.of(1_000, 20))
    rounds = min(scale.rounds, 2)
    storage = scratch / "images"
    tree = StorageTree(storage)
    names = {tool: [f"{tool}/app{n}" for n in range(rounds + 1)] for tool in ("regtui", "regctl", "crane")}
    made = [samples.image(n) for n in range(min(IMAGES, len(tags)))]
    for name in (name for several in names.values() for name in several):
        for number, tag in enumerate(tags):
            tree.put(name, made[number % len(made)], tag)
    environ = {"HOME": str(scratch), **{f"XDG_{kind}_HOME": str(scratch / kind) for kind in ("CONFIG", "STATE")}}
    with distribution(scratch, storage, program="registry", delete=True) as host:

        def loop(tool: str, *words: str) -> Callable[[], float]:
            turns = counting()
            command = [need("xargs"), "-n1", need(tool), *words]

            def run() -> float:
                name = names[tool][next(turns)]
                return process(command, environ, shell_input="".join(f"{host}/{name}:{tag}\n" for tag in tags))

            return run

        turns = counting()

        def plan() -> float:
            place = f"{host}/{names['regtui'][next(turns)]}"
            words = ["delete", place, "--match", "*", "--write", "--yes", "--plain-http", host, "--no-cache"]
            return process([sys.executable, "-m", "regtui", *words], environ)

        own, regctl, crane = interleaved(
            rounds,
            plan,
            loop("regctl", "--host", f"reg={host},tls=disabled", "tag", "delete"),
            loop("crane", "delete", "--insecure"),
        )
    each = f"{own / len(tags) * 1e3:.1f} / {{peer:.1f}} ms per tag"
    yield Outcome("H1", f"{len(tags):,} tags under one plan / regctl tag delete", own / regctl, 1.0,
                  detail=each.format(peer=regctl / len(tags) * 1e3))  # fmt: skip
    yield Outcome("H1", f"{len(tags):,} tags under one plan / crane delete", own / crane, 1.0,
                  detail=each.format(peer=crane / len(tags) * 1e3))  # fmt: skip
