"""Hooks of pytest that note which features a run proved; with REGTUI_RECORD set, they are kept in results/."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.registries.proofs import RESULTS, Level, Proof, Record, add, file_of

if TYPE_CHECKING:
    import pytest

_PROOF = "proof"
_outcomes: dict[Proof, dict[str, set[str]]] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell every test's report which features of which registry it proves (xdist carries it to the main process)."""
    for item in items:
        proof = getattr(getattr(item, "cls", None), "proof", None) or getattr(getattr(item, "module", None), "proof", 0)
        features = [str(feature) for mark in item.iter_markers("proves") for feature in mark.args]
        if isinstance(proof, Proof) and features:
            # As texts: what xdist carries has to be plain.
            lacks = sorted(map(str, proof.lacks))
            as_texts = [proof.title, proof.kind, proof.level.value, lacks, proof.source]
            item.user_properties.append((_PROOF, [as_texts, features]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how each test ended."""
    if report.when != "call" and report.passed:
        return
    for name, value in report.user_properties:
        if name == _PROOF and isinstance(value, list):
            (title, kind, level, lacks, source), features = value
            proof = Proof(title, kind, Level(level), frozenset(lacks), source)
            for feature in features:
                _outcomes.setdefault(proof, {}).setdefault(feature, set()).add(report.outcome)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep what passed, when asked to: of the titles that this run touched, no others."""
    if not os.environ.get("REGTUI_RECORD") or hasattr(session.config, "workerinput"):
        return
    records: dict[str, Record] = {}
    for proof, features in _outcomes.items():
        record = records.setdefault(proof.title, Record(proof.title, proof.kind))
        record.source = record.source or proof.source
        add(record, proof, {feature for feature, outcomes in features.items() if outcomes == {"passed"}})
    RESULTS.mkdir(exist_ok=True)
    for title, record in records.items():
        file_of(title).write_text(record.to_json())
