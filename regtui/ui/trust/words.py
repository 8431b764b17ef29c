"""Verdicts and severities in the words that the tabs and the tag list share; nothing here loads a parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.trust.severity import Severity
from regtui.trust.verdict import Status
from regtui.ui.words import UNKNOWN, age_text, time_text

if TYPE_CHECKING:
    from datetime import datetime

    from regtui.session.trust import ImageVerdict
    from regtui.ui.widgets.columns import Tone

STATUS_WORDS: Final = {
    Status.VERIFIED: "verified",
    Status.INVALID: "INVALID",
    Status.UNVERIFIED: "present, not verified",
    Status.UNSIGNED: "unsigned",
}
COLUMN_WORDS: Final = {
    Status.VERIFIED: "verified",
    Status.INVALID: "INVALID",
    Status.UNVERIFIED: "not verified",
    Status.UNSIGNED: "unsigned",
}
SHORT_WORDS: Final = {
    Status.VERIFIED: "verified",
    Status.INVALID: "invalid",
    Status.UNVERIFIED: "present",
    Status.UNSIGNED: "unsigned",
}
"""For a column. None of them is part of another one, so that the filter can look for each."""
STATUS_TONES: Final[dict[Status, Tone]] = {
    Status.VERIFIED: "success",
    Status.INVALID: "error",
    Status.UNVERIFIED: "warning",
    Status.UNSIGNED: "dim",
}
SEVERITY_TONES: Final[dict[Severity, Tone]] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "warning",
    Severity.MEDIUM: "accent",
    Severity.LOW: "",
    Severity.NEGLIGIBLE: "dim",
    Severity.UNKNOWN: "dim",
}
_LONGEST_LIST: Final = 3


def verdict_lines(judged: ImageVerdict) -> list[str]:
    """The verdict in one line, its reason in the next, and then what to do about it."""
    verdict = judged.of_shown
    head = STATUS_WORDS[verdict.status] if verdict.unknown is None else "not known"
    if verdict.status is Status.VERIFIED:
        under = next((one.under for one in verdict.results if one.verified and one.under), None)
        head += f" · by {_listed(verdict.signers)}" + (f" · under {under}" if under else "")
    elif judged.policy.trusts_anyone:
        head += f" · under the policy {judged.policy.name}"
    lines = [head, verdict.reason]
    if verdict.incomplete and verdict.incomplete not in verdict.reason:
        lines.append(f"Not everything could be looked at: {verdict.incomplete}")
    if verdict.unknown is not None:
        lines.append("r asks again.")
    elif verdict.status is Status.UNVERIFIED and not judged.policy.trusts_anyone:
        lines.append('Nobody is trusted for this repository: name keys, identities or notation in a [trust."…"] table.')
    elif verdict.status is not Status.VERIFIED:
        hint = next((one.hint for one in verdict.results if one.status is verdict.status and one.hint), None)
        lines += [hint] if hint else []
    return lines


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _LONGEST_LIST
    return ", ".join(names[:_LONGEST_LIST]) + (f" and {more} more" if more > 0 else "")


def scanned_text(moment: datetime | None, now: datetime) -> str:
    """When a report was made and how old it is; unknown is said."""
    if moment is None:
        return "age unknown"
    age = age_text(moment, now)
    return time_text(moment) if age == UNKNOWN else f"{age} old ({time_text(moment)})"
