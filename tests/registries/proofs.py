"""What the suite proves of each registry, and how far: the source of the table in docs/registries.md.

A class of tests says with `proof` which registry it runs against and at which level; a test says with `@proves(…)`
which features it proves when it passes. A run with REGTUI_RECORD set writes what passed into results/ (recording.py),
`tools/registries_table.py` makes such a run and renders the table, and test_proofs.py fails when the three disagree.
"""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from regtui.registries.contract import Capability
from regtui.registries.detect import BUILT_IN, RECOGNISED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE: Final = Path(__file__).resolve().parent
RESULTS: Final = HERE / "results"
DOCUMENT: Final = HERE.parents[1] / "docs" / "registries.md"
BEGIN, END = "<!-- made by tools/registries_table.py from tests/registries/results -->", "<!-- end of what is made -->"
AGAIN: Final = "run `uv run python tools/registries_table.py` and commit what it changes"

SIGN_IN: Final = "sign in"
READ: Final = "read images"
TAGS: Final = "list tags"

HEADS: Final[Mapping[str, str]] = {
    SIGN_IN: "sign in",
    Capability.LIST_REPOSITORIES: "list repos",
    Capability.SEARCH: "search",
    TAGS: "tags",
    Capability.TAG_DETAILS: "tag details",
    READ: "read",
    Capability.REFERRERS: "referrers API",
    Capability.PUSH: "push, retag",
    Capability.DELETE_TAG: "delete tag",
    Capability.DELETE_MANIFEST: "delete manifest",
    Capability.DELETE_REPOSITORY: "delete repo",
    Capability.SOFT_DELETE: "restore",
    Capability.SCAN_REPORT: "scan report",
    Capability.TRIGGER_SCAN: "start scan",
    Capability.RETENTION: "retention",
    Capability.IMMUTABLE_TAGS: "immutable",
}
"""Features in the order of the columns, with the columns' heads."""


class Level(StrEnum):
    """How far a registry has been proven, best first."""

    REAL = "real"
    THIRD_PARTY = "third party"
    FAKE = "fake"


@dataclass(frozen=True)
class Proof:
    """A registry that a class of tests runs against. `lacks` are the capabilities that it does not offer at all."""

    title: str
    kind: str
    level: Level
    lacks: frozenset[str] = frozenset()
    source: str = ""
    """What a fake is built from and held against, in words."""


@dataclass
class Record:
    """What is known of one title: the level that each feature is proven at, "no" for what it does not offer."""

    title: str
    kind: str
    source: str = ""
    features: dict[str, str] = field(default_factory=dict)

    def note(self, feature: str, level: str) -> None:
        """Keep the best level; what is not offered stays so."""
        order = ["no", *Level]
        known = self.features.get(feature)
        if known is None or order.index(level) < order.index(known):
            self.features[feature] = level

    def to_json(self) -> str:
        """The file's text."""
        ordered = {name: self.features[name] for name in HEADS if name in self.features}
        body = {"title": self.title, "kind": self.kind, "source": self.source, "features": ordered}
        return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def proves(*features: str) -> pytest.MarkDecorator:
    """Marks a test that proves these features of its class's registry."""
    assert all(feature in HEADS for feature in features)
    return pytest.mark.proves(*features)


def file_of(title: str) -> Path:
    """Where the record of a title is kept."""
    return RESULTS / (re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") + ".json")


def recorded() -> dict[str, Record]:
    """Every record that is kept, by title."""
    found = [Record(**json.loads(path.read_text())) for path in sorted(RESULTS.glob("*.json"))]
    return {record.title: record for record in found}


def declared() -> dict[str, Record]:
    """What the tests of this folder prove when all of them pass, read off their marks without running them."""
    found: dict[str, Record] = {}
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(f"tests.registries.{path.stem}")
        for proof, features in _claims(module):
            record = found.setdefault(proof.title, Record(proof.title, proof.kind))
            record.source = record.source or proof.source
            add(record, proof, features)
    return found


def add(record: Record, proof: Proof, features: set[str]) -> None:
    """Note features that a proof's tests prove, and what it lacks."""
    for feature in features - proof.lacks:
        record.note(feature, proof.level)
    for feature in proof.lacks:
        record.note(feature, "no")


def _claims(module: Any) -> Iterator[tuple[Proof, set[str]]]:
    for name, holder in [("", module), *vars(module).items()]:
        proof = getattr(holder, "proof", None)
        is_class = isinstance(holder, type) and name.startswith("Test") and holder.__module__ == module.__name__
        if isinstance(proof, Proof) and (is_class or holder is module):
            tests = (getattr(holder, member, None) for member in dir(holder) if member.startswith("test"))
            yield proof, {feature for test in tests for feature in features_of(test)}


def features_of(test: Any) -> set[str]:
    """The features that a test function is marked with."""
    marks = getattr(test, "pytestmark", [])
    return {str(feature) for mark in marks if mark.name == "proves" for feature in mark.args}


def table(records: Mapping[str, Record]) -> str:
    """The table of docs/registries.md."""
    lines = [
        "| registry | " + " | ".join(HEADS.values()) + " |",
        "|---" * (len(HEADS) + 1) + "|",
    ]
    for record in sorted(records.values(), key=lambda record: record.title.lower()):
        cells = [{"no": "–"}.get(found, found) for found in (record.features.get(name, "?") for name in HEADS)]
        lines.append(f"| {record.title} | " + " | ".join(cells) + " |")
    shown = {record.kind for record in records.values()}
    lines += [
        f"| {kind} | " + " | ".join("protocol" if name in {READ, TAGS} else "–" for name in HEADS) + " |"
        for kind in sorted(RECOGNISED - shown - set(BUILT_IN))
    ]
    sources = [f"- {record.title}: {record.source}." for record in records.values() if record.source]
    return "\n".join([*lines, "", *sorted(sources, key=str.lower)])


def rendered(text: str, records: Mapping[str, Record]) -> str:
    """The document with the table made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(records)}\n\n{END}{after}"
