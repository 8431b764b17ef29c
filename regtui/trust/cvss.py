"""CVSS: reading vectors as they come in the wild, and the base score of versions 2 and 3 where only a vector is given.

Sources: first.org, CVSS 2.0 section 3.2.1 and CVSS 3.1 section 7.1 and appendix A. Version 4 needs tables: no score.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.untrusted import as_number, as_text

if TYPE_CHECKING:
    from collections.abc import Iterable

_VECTOR: Final = re.compile(
    r"(?:CVSS:(\d\.\d)/)?[A-Za-z]{1,3}:[A-Za-z]{1,2}(?:/[A-Za-z]{1,3}:[A-Za-z]{1,2})*", re.ASCII
)
_LONGEST: Final = 300
_SOURCES: Final = ("nvd", "ghsa", "redhat")

_V3: Final[dict[str, dict[str, float]]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES: Final = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}
_V2: Final[dict[str, dict[str, float]]] = {
    "AV": {"L": 0.395, "A": 0.646, "N": 1.0},
    "AC": {"H": 0.35, "M": 0.61, "L": 0.71},
    "AU": {"M": 0.45, "S": 0.56, "N": 0.704},
    "C": {"N": 0.0, "P": 0.275, "C": 0.66},
    "I": {"N": 0.0, "P": 0.275, "C": 0.66},
    "A": {"N": 0.0, "P": 0.275, "C": 0.66},
}


@dataclass(frozen=True, slots=True)
class Cvss:
    """One rating: base score 0 to 10, vector, version such as "3.1", and who gave it. None where not said."""

    score: float | None
    vector: str | None = None
    version: str | None = None
    source: str | None = None


def read_cvss(score: Any = None, vector: Any = None, version: Any = None, source: Any = None) -> Cvss | None:
    """A rating out of untrusted members; None when nothing of it is usable. Strange vectors are dropped."""
    number, text = as_number(score), as_text(vector)
    if number is not None and not 0 <= number <= 10:
        number = None
    match = _VECTOR.fullmatch(text) if text is not None and len(text) <= _LONGEST else None
    said = as_text(version)
    if match is None:
        return Cvss(number, None, said, as_text(source)) if number is not None else None
    assert text is not None
    decided = match.group(1) or (said or ("2.0" if "Au:" in text else None))
    if number is None:
        number = base_score(text)
    return Cvss(number, text, decided, as_text(source))


def best_of(ratings: Iterable[Cvss | None], preferred: str | None = None) -> Cvss | None:
    """The rating to show: the newest version first, then the preferred source, NVD, GitHub, Red Hat, any."""
    order = [source for source in (preferred, *_SOURCES) if source]

    def rank(rating: Cvss) -> tuple[float, float, int]:
        source = (rating.source or "").lower()
        place = next((n for n, name in enumerate(order) if name in source), len(order))
        return (0 if rating.score is not None else 1, -(as_number(rating.version) or 0.0), place)

    usable = [rating for rating in ratings if rating is not None]
    return min(usable, key=rank) if usable else None


def base_score(vector: str) -> float | None:
    """The base score of a version 2 or 3 vector; None for version 4 and for vectors that lack a part."""
    parts = dict(part.upper().split(":", 1) for part in vector.split("/") if ":" in part)
    try:
        if parts.get("CVSS", "").startswith("3") or ("PR" in parts and "CVSS" not in parts):
            return _score_v3(parts)
        return _score_v2(parts) if "AU" in parts else None
    except KeyError:
        return None


def _score_v3(parts: dict[str, str]) -> float:
    scope = parts["S"]
    value = {name: weights[parts[name]] for name, weights in _V3.items()}
    privileges = _PRIVILEGES[scope][parts["PR"]]
    base = 1 - (1 - value["C"]) * (1 - value["I"]) * (1 - value["A"])
    impact = 6.42 * base if scope == "U" else 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15
    if impact <= 0:
        return 0.0
    total = impact + 8.22 * value["AV"] * value["AC"] * privileges * value["UI"]
    return _round_up(min(total if scope == "U" else 1.08 * total, 10.0))


def _round_up(number: float) -> float:
    """One decimal place, up; in integers as the standard's appendix A asks, so that 4.02 never becomes 4.2."""
    whole = round(number * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (math.floor(whole / 10_000) + 1) / 10


def _score_v2(parts: dict[str, str]) -> float:
    value = {name: weights[parts[name]] for name, weights in _V2.items()}
    impact = 10.41 * (1 - (1 - value["C"]) * (1 - value["I"]) * (1 - value["A"]))
    exploitability = 20 * value["AV"] * value["AC"] * value["AU"]
    factor = 0.0 if impact == 0 else 1.176
    return round((0.6 * impact + 0.4 * exploitability - 1.5) * factor, 1)
