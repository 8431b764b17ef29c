"""docs/registries.md says what the suite proves: no more, no less, and of every kind."""

from __future__ import annotations

import json

import pytest

from regtui.registries.contract import Capability
from regtui.registries.detect import BUILT_IN
from tests.registries.proofs import AGAIN, DOCUMENT, HEADS, Level, Proof, Record, add, declared, recorded, rendered


def test_the_table_is_made_from_the_records():
    text = DOCUMENT.read_text()
    assert text == rendered(text, recorded()), AGAIN


def test_the_records_are_of_what_the_suite_declares():
    found, claimed = recorded(), declared()
    assert sorted(found) == sorted(claimed), AGAIN
    for title, record in claimed.items():
        assert found[title] == record, f"{title}: {AGAIN}"


def test_every_kind_has_a_registry_that_proves_it():
    missing = set(BUILT_IN) - {record.kind for record in declared().values()}
    assert missing == set()


def test_every_kind_can_be_proven_by_who_has_an_account():
    folder = DOCUMENT.parents[1] / "tests" / "live"
    missing = [kind for kind in BUILT_IN if not (folder / f"test_{kind.replace('-', '_')}.py").is_file()]
    assert missing == []


def test_every_capability_is_proven_or_said_to_be_missing():
    for title, record in declared().items():
        open_ones = [str(capability) for capability in Capability if capability not in record.features]
        assert open_ones == [], f"{title}: no test is marked with @proves for these, and `lacks` does not name them"


def test_every_capability_has_a_column():
    assert set(Capability) < set(HEADS)


def test_the_best_level_counts_and_what_is_missing_stays_missing():
    record = Record("X", "x")
    lacks = frozenset({"search repositories"})
    add(record, Proof("X", "x", Level.FAKE, lacks), {"read images", "search repositories"})
    add(record, Proof("X", "x", Level.REAL, lacks), {"read images"})
    add(record, Proof("X", "x", Level.THIRD_PARTY, lacks), {"read images", "list tags"})
    assert record.features == {"read images": "real", "list tags": "third party", "search repositories": "no"}
    assert Record(**json.loads(record.to_json())) == record


@pytest.mark.parametrize("text", ["", "before\n", "before\n<!-- x -->\nafter\n"])
def test_a_document_without_a_table_gets_one(text):
    made = rendered(text, {})
    assert made.startswith(text)
    assert rendered(made, {}) == made
