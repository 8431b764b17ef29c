"""Builds the images of the corpus with umoci, one repack per layer, and finds those that are built.

`python -m tests.corpus debian|large` builds one, which takes minutes, a network and root; a test only uses what is
there. They are kept under $REGTUI_TOOLS/corpus, so that a second run, or another checkout, need not build them again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.corpus.recipes import RECIPES, run
from tests.servers.tools import tools_folder

if TYPE_CHECKING:
    from tests.corpus.recipes import Recipe

TAG = "latest"


def corpus_folder() -> Path:
    """Where built images are kept."""
    return tools_folder().parent / "corpus"


def layout_of(name: str) -> Path | None:
    """The OCI layout of an image of the corpus, None when it is not built; its one tag is TAG."""
    layout = corpus_folder() / _version(RECIPES[name]) / "layout"
    return layout if (layout / "index.json").is_file() else None


def require(name: str) -> Path:
    """The layout; without it the test is skipped, or fails when REGTUI_REQUIRE_SERVERS names `corpus`."""
    layout = layout_of(name)
    if layout is not None:
        return layout
    if "corpus" in os.environ.get("REGTUI_REQUIRE_SERVERS", "").split(","):
        pytest.fail(f"the {name} image is required (REGTUI_REQUIRE_SERVERS) and not built", pytrace=False)
    pytest.skip(f"the {name} image is not built (python -m tests.corpus {name})")


def missing(name: str) -> str | None:
    """Why an image can't be built here, None when it can."""
    absent = [program for program in RECIPES[name].programs if shutil.which(program) is None]
    if absent:
        return f"{', '.join(absent)} is not on this machine"
    return "only root can build it" if os.geteuid() else None


def build(name: str) -> Path:
    """Build an image unless it is there; its layout. Raises RuntimeError when a program fails."""
    recipe = RECIPES[name]
    corpus_folder().mkdir(parents=True, exist_ok=True)
    with (corpus_folder() / f"{name}.building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = layout_of(name)
        if found is not None:
            return found
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=corpus_folder()) as scratch:
            _build(recipe, Path(scratch))
            final = corpus_folder() / _version(recipe)
            final.mkdir(exist_ok=True)
            (Path(scratch) / "layout").rename(final / "layout")
        return final / "layout"


def _build(recipe: Recipe, scratch: Path) -> None:
    layout, bundle = scratch / "layout", scratch / "bundle"
    image = f"{layout}:{TAG}"
    run(["umoci", "init", "--layout", str(layout)])
    run(["umoci", "new", "--image", image])
    run(["umoci", "unpack", "--image", image, str(bundle)])
    for title, step in recipe.layers:
        print(f"{recipe.name}: {title}", file=sys.stderr, flush=True)
        step(bundle / "rootfs")
        run(["umoci", "repack", "--refresh-bundle", "--history.created_by", title, "--image", image, str(bundle)])
    run(["umoci", "gc", "--layout", str(layout)])


def _version(recipe: Recipe) -> str:
    return f"{recipe.name}-{recipe.version}"
