"""One scale for everybody's severity words; the original word is kept beside it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from regtui.trust.errors import InvalidPolicy


class Severity(StrEnum):
    """Six steps, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NEGLIGIBLE = "negligible"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """0 for critical, 5 for unknown: sorts the worst first."""
        return _ORDER[self]

    def is_at_least(self, threshold: Severity) -> bool:
        """Whether this is as bad as the threshold, or worse. Unknown is never: nobody said how bad it is."""
        return self is not Severity.UNKNOWN and self.rank <= threshold.rank


_ORDER: Final = {severity: number for number, severity in enumerate(Severity)}
_WORDS: Final = {
    **{severity.value: severity for severity in Severity},
    "defcon1": Severity.CRITICAL,  # Quay's old word
    "important": Severity.HIGH,  # Red Hat
    "moderate": Severity.MEDIUM,  # GitHub, Red Hat
    "informational": Severity.NEGLIGIBLE,  # ECR
    "information": Severity.NEGLIGIBLE,  # Xray
    "info": Severity.NEGLIGIBLE,
    "minimal": Severity.NEGLIGIBLE,  # Google
    "none": Severity.NEGLIGIBLE,
    "unimportant": Severity.NEGLIGIBLE,  # Debian
}


def severity_of(word: Any) -> Severity:
    """The step that a word names, whatever its case; UNKNOWN for all others."""
    return _WORDS.get(word.strip().lower(), Severity.UNKNOWN) if isinstance(word, str) else Severity.UNKNOWN


def severity_of_score(score: float | None, version: str | None = None) -> Severity:
    """The step that a CVSS base score means, where nobody used a word (CVSS 3.1 section 5; NVD's steps for 2.0)."""
    if score is None or not 0 <= score <= 10:
        return Severity.UNKNOWN
    if version is not None and version.startswith("2"):
        return Severity.HIGH if score >= 7 else Severity.MEDIUM if score >= 4 else Severity.LOW
    steps = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))
    return next((severity for least, severity in steps if score >= least), Severity.NEGLIGIBLE)


def parse_threshold(word: str) -> Severity:
    """The step that a user names for `--fail-on`. Raises InvalidPolicy for anything else."""
    found = severity_of(word)
    if found is Severity.UNKNOWN:
        raise InvalidPolicy(
            f"{word[:40]!a} is not a severity to fail on.", hint="Use critical, high, medium, low or negligible."
        )
    return found
