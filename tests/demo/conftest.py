"""The demo, made once for all tests here: in memory, and as a layout on disk."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from regtui.demo import build_demo
from regtui.demo.build import REF_NAME, make_demo


@pytest.fixture(scope="session")
def demo():
    """The whole demo in memory. Read-only."""
    return make_demo()


@pytest.fixture(scope="session")
def entries(demo):
    """The entries of index.json."""
    return json.loads(demo.index)["manifests"]


@pytest.fixture(scope="session")
def names(entries):
    """Every name of index.json with its entry."""
    return {entry["annotations"][REF_NAME]: entry for entry in entries if REF_NAME in entry.get("annotations", {})}


@pytest.fixture(scope="session")
def layout(tmp_path_factory):
    """A demo on disk. Read-only."""
    return build_demo(tmp_path_factory.mktemp("layout") / "demo")


@pytest.fixture(scope="session")
def document(demo):
    """Read a blob as JSON."""

    def read(digest):
        return json.loads(demo.blobs[digest])

    return read


@pytest.fixture(scope="session")
def referrers(entries, document):
    """The manifests that hang on a digest, by the layout's unnamed entries."""
    hanging = {}
    for entry in entries:
        subject = document(entry["digest"]).get("subject")
        if subject:
            hanging.setdefault(subject["digest"], []).append(entry)

    def find(digest):
        return hanging.get(digest, [])

    return find


@pytest.fixture(scope="session")
def unzstd():
    """The reference decoder of Zstandard: the standard library's, before 3.14 its backport."""
    module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    return importlib.import_module(module).decompress
