"""Retention: which tags a rule takes, as a pure function, and the same rule in a vendor's own words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from typing import TYPE_CHECKING, Any

from regtui.oci.tags import subject_of
from regtui.operations.errors import OperationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from regtui.registries.contract import TagSummary


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule. A tag goes when it matches, is not kept by name, is not among the newest, and is old enough.

    `keep_last` counts the newest of the matching tags. A tag whose date is not known stays while a date is asked for.
    """

    keep_last: int | None = None
    older_than: timedelta | None = None
    match: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    not_pulled_for: timedelta | None = None
    larger_than: int | None = None
    """Bytes, compressed."""

    @property
    def takes_nothing(self) -> bool:
        """Whether nothing limits the rule, so that it would take every tag: such a rule is no rule."""
        return all(
            value in {None, ()}
            for value in (self.keep_last, self.older_than, self.match, self.not_pulled_for, self.larger_than)
        )


def select(rules: Rules, tags: Iterable[TagSummary], now: datetime) -> tuple[str, ...]:
    """The tags that go. Tags that only carry signatures are never chosen: they go with their subject.

    Raises OperationError for a rule without any limit.
    """
    if rules.takes_nothing:
        raise OperationError("This rule would take every tag.", hint="Add --keep-last, --older-than or --match.")
    rows = [tag for tag in tags if not tag.is_untagged and subject_of(tag.name) is None]
    rows = [tag for tag in rows if not rules.match or any(fnmatchcase(tag.name, glob) for glob in rules.match)]
    dated = [(moment, tag) for tag in rows if (moment := tag.pushed or tag.created) is not None]
    dated.sort(key=lambda row: (row[0], row[1].name), reverse=True)
    if rules.keep_last is None and rules.older_than is None:
        candidates = rows
    else:
        candidates = [
            tag for moment, tag in dated[rules.keep_last or 0 :] if rules.older_than is None
            or now - moment > rules.older_than
        ]  # fmt: skip
    return tuple(tag.name for tag in candidates if _goes(rules, tag, now))


def _goes(rules: Rules, tag: TagSummary, now: datetime) -> bool:
    if any(fnmatchcase(tag.name, glob) for glob in rules.keep):
        return False
    if rules.larger_than is not None and (tag.size is None or tag.size <= rules.larger_than):
        return False
    # A registry that does not tell the last pull tells nothing about whether it was pulled.
    return rules.not_pulled_for is None or (tag.pulled is not None and now - tag.pulled > rules.not_pulled_for)


def export_ecr(rules: Rules) -> str:
    """A lifecycle policy for ECR. Raises OperationError for what it can't say exactly."""
    _only(rules, "ECR")
    if (rules.keep_last is None) == (rules.older_than is None):
        raise OperationError("An ECR rule either counts images or days, one of the two.", hint="Write two rules.")
    selection: dict[str, Any] = {"tagStatus": "tagged", "tagPatternList": list(rules.match or ("*",))}
    if any(glob.count("*") > 4 or re.search(r"[?\[]", glob) for glob in rules.match):
        raise OperationError("ECR's patterns know only '*', four times at most.")
    if rules.older_than is not None:
        selection |= {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": _days(rules)}
    else:
        selection |= {"countType": "imageCountMoreThan", "countNumber": rules.keep_last}
    rule = {"rulePriority": 1, "description": "made by regtui", "selection": selection, "action": {"type": "expire"}}
    return json.dumps({"rules": [rule]}, indent=2)


def export_acr(rules: Rules, repository: str) -> str:
    """The `acr purge` command. Raises OperationError for what it can't say exactly."""
    _only(rules, "acr purge")
    words = ["acr purge"]
    words += [f"--filter '{repository}:{_regex(glob)}'" for glob in rules.match or ("*",)]
    words.append(f"--ago {_days(rules) if rules.older_than is not None else 0}d")
    if rules.keep_last is not None:
        words.append(f"--keep {rules.keep_last}")
    return " ".join(words)


def _only(rules: Rules, vendor: str) -> None:
    if rules.keep or rules.not_pulled_for is not None or rules.larger_than is not None:
        raise OperationError(
            f"{vendor} can't keep by name, by last pull or by size in the same rule.", hint="Run `regtui prune` itself."
        )


def _days(rules: Rules) -> int:
    assert rules.older_than is not None, "asked for only with an age"
    days = rules.older_than.total_seconds() / 86_400
    if days != int(days) or days < 1:
        raise OperationError("The rule's age must be whole days there.")
    return int(days)


def _regex(glob: str) -> str:
    """A glob as the anchored regular expression that acr's filters take (RE2)."""
    body = translate(glob).removeprefix("(?s:").removesuffix(r")\Z")
    return f"^{body}$"
