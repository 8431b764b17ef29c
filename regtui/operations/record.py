"""A run as the journal has it: the plan, the exact bytes of every manifest, and how far each step came."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from regtui.oci import Digest, RegtuiError, parse_manifest
from regtui.operations.errors import OperationError
from regtui.operations.plan_json import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from regtui.oci import ImageManifest, Index, Manifest
    from regtui.operations.plan import Plan
    from regtui.storage.journal import Journal

Outcome = Literal["done", "skipped", "failed", "not run"]
State = Literal["not begun", "interrupted", "finished", "cancelled"]


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a step ended, and what the registry said afterwards.

    `holds` tells of a skipped step that what it was for is so all the same, by someone else's hand.
    """

    outcome: Outcome
    says: str
    holds: bool = False

    @property
    def stands(self) -> bool:
        """Whether a later step may rely on this one."""
        return self.outcome == "done" or self.holds


@dataclass
class Record:
    """What an entry of the journal tells. `placeholders` are digests that stood in for a tag, by step."""

    id: str
    plan: Plan
    begun: str | None
    manifests: Mapping[Digest, ImageManifest | Index]
    ready: bool = False
    started: set[int] = field(default_factory=set)
    results: dict[int, StepResult] = field(default_factory=dict)
    placeholders: dict[int, Digest] = field(default_factory=dict)
    ended: str | None = None
    undone_by: list[str] = field(default_factory=list)

    @property
    def state(self) -> State:
        """How far the run came."""
        if not self.ready:
            return "not begun"
        if self.ended == "finished":
            return "finished"
        return "cancelled" if self.ended == "cancelled" else "interrupted"

    @property
    def changed(self) -> bool:
        """Whether anything may have been changed."""
        return any(n in self.started and not self._untouched(n) for n in range(len(self.plan.steps)))

    def _untouched(self, number: int) -> bool:
        result = self.results.get(number)
        return result is not None and result.outcome in {"skipped", "not run"}

    def touched(self) -> tuple[int, ...]:
        """The steps that may have changed something, in order."""
        return tuple(sorted(n for n in self.started if not self._untouched(n)))


def read_record(journal: Journal, entry_id: str) -> Record:
    """The run of an entry. Raises StorageError, OperationError when it holds no plan."""
    plan: Plan | None = None
    begun = None
    manifests: dict[Digest, ImageManifest | Index] = {}
    later: list[dict[str, Any]] = []
    for line in journal.read(entry_id):
        kind = line.get("kind")
        if kind == "plan" and plan is None:
            plan, begun = from_json(line.get("plan")), line.get("at")
        elif kind == "manifest":
            manifest = _manifest(line)
            if manifest is not None:
                manifests[manifest.digest] = manifest
        else:
            later.append(line)
    if plan is None:
        raise OperationError(f"The journal's entry {entry_id} holds no plan.", hint="Nothing was changed by it.")
    record = Record(entry_id, plan, begun if isinstance(begun, str) else None, manifests)
    for line in later:
        _note(record, line)
    return record


def _note(record: Record, line: Mapping[str, Any]) -> None:
    kind, number = line.get("kind"), line.get("step")
    if kind == "ready":
        record.ready = True
    elif kind == "end":
        record.ended = str(line.get("state"))
    elif kind == "undone":
        record.undone_by.append(str(line.get("by")))
    elif isinstance(number, int) and 0 <= number < len(record.plan.steps):
        if kind == "start":
            record.started.add(number)
            record.ended = None
        elif kind == "placeholder":
            record.placeholders[number] = Digest.parse(str(line.get("digest")))
        elif kind == "result" and line.get("outcome") in {"done", "skipped", "failed", "not run"}:
            record.results[number] = StepResult(line["outcome"], str(line.get("says")), line.get("holds") is True)


def plan_line(plan: Plan) -> dict[str, Any]:
    """The first line of an entry."""
    return {"kind": "plan", "at": datetime.now(UTC).isoformat(timespec="seconds"), "plan": to_json(plan)}


def manifest_lines(manifests: Iterable[Manifest]) -> list[dict[str, Any]]:
    """The lines that keep exact manifest bytes."""
    return [
        {
            "kind": "manifest",
            "digest": m.digest,
            "media_type": m.media_type,
            "raw": base64.b64encode(m.raw).decode("ascii"),
        }
        for m in manifests
    ]


def result_line(number: int, result: StepResult) -> dict[str, Any]:
    """The line that tells how a step ended."""
    return {"kind": "result", "step": number, "outcome": result.outcome, "says": result.says, "holds": result.holds}


def _manifest(line: Mapping[str, Any]) -> ImageManifest | Index | None:
    try:
        raw = base64.b64decode(str(line.get("raw")), validate=True)
        return parse_manifest(raw, str(line.get("media_type")), Digest.parse(str(line.get("digest"))))
    except (RegtuiError, binascii.Error, ValueError):
        return None
