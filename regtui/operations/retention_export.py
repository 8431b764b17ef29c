"""A retention rule in a vendor's own words. What a vendor can't say exactly is refused, never said nearly.

Sources: Amazon ECR "Lifecycle policy properties"; Harbor 2.x API (retention policies); acr-cli purge; GitLab
"container_expiration_policy_attributes".
"""

from __future__ import annotations

import json
import re
from fnmatch import translate
from typing import TYPE_CHECKING, Any, Final

from regtui.operations.errors import OperationError

if TYPE_CHECKING:
    from datetime import timedelta

    from regtui.operations.retention import Rules

_KEPT_BY_GITLAB: Final = (1, 5, 10, 25, 50, 100)
_AGES_OF_GITLAB: Final = (7, 14, 30, 60, 90)
_WILD: Final = {"*": ".*", "?": "."}
_RUN_HERE: Final = "Run `regtui prune` itself."


def export_ecr(rules: Rules, repository: str = "") -> str:
    """A lifecycle policy for ECR. Raises OperationError for what it can't say exactly."""
    _only(rules, "ECR")
    if (rules.keep_last is None) == (rules.older_than is None):
        raise OperationError("An ECR rule either counts images or days, one of the two.", hint="Write two rules.")
    if any(glob.count("*") > 4 or re.search(r"[?\[~]", glob) for glob in rules.match):
        raise OperationError("ECR's patterns know only '*', four times at most.", hint=_RUN_HERE)
    if len(rules.match) > 1 and rules.keep_last is not None:
        raise OperationError("ECR counts the images of each pattern apart.", hint="Export one pattern at a time.")
    counted = (
        {"countType": "imageCountMoreThan", "countNumber": rules.keep_last}
        if rules.older_than is None
        else {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": _days(rules.older_than)}
    )
    # Several patterns in one rule would all have to fit: each has a rule of its own.
    made = [
        {
            "rulePriority": number,
            "description": "made by regtui",
            "selection": {"tagStatus": "tagged", "tagPatternList": [pattern], **counted},
            "action": {"type": "expire"},
        }
        for number, pattern in enumerate(rules.match or ("*",), 1)
    ]
    return json.dumps({"rules": made}, indent=2)


def export_acr(rules: Rules, repository: str) -> str:
    """The `acr purge` command. Raises OperationError for what it can't say exactly."""
    _only(rules, "acr purge")
    words = ["acr purge"]
    words += [f"--filter '{repository}:{_regex(pattern)}'" for pattern in rules.match or ("*",)]
    words.append(f"--ago {_days(rules.older_than) if rules.older_than is not None else 0}d")
    if rules.keep_last is not None:
        words.append(f"--keep {rules.keep_last}")
    return " ".join(words)


def export_harbor(rules: Rules, repository: str) -> str:
    """A retention policy for Harbor, whose rules say what stays; `scope` and `trigger` are the project's to add.

    Harbor decides per artifact, and removes untagged ones with it. Raises OperationError for what it can't say.
    """
    _only(rules, "Harbor", "keep", "not_pulled_for")
    if any(pattern.startswith("~") for pattern in (*rules.match, *rules.keep)):
        raise OperationError("Harbor's patterns are globs, no regular expressions.", hint=_RUN_HERE)
    meant = _doublestar(rules.match) or "**"
    made: list[tuple[str, int | None, str, str]] = []
    if rules.match:
        made.append(("always", None, "excludes", meant))
    if rules.keep:
        made.append(("always", None, "matches", _doublestar(rules.keep)))
    if rules.keep_last is not None:
        made.append(("latestPushedK", rules.keep_last, "matches", meant))
    if rules.older_than is not None:
        made.append(("nDaysSinceLastPush", _days(rules.older_than), "matches", meant))
    if rules.not_pulled_for is not None:
        made.append(("nDaysSinceLastPull", _days(rules.not_pulled_for), "matches", meant))
    # A project keeps its name apart: team/app is the repository app of the project team.
    inner = repository.partition("/")[2] or "**"
    listed = [_harbor_rule(number, *rule, inner) for number, rule in enumerate(made, 1)]
    return json.dumps({"algorithm": "or", "rules": listed}, indent=2)


def export_gitlab(rules: Rules, repository: str = "") -> str:
    """The cleanup policy of a GitLab project, as its API takes it. Raises OperationError for what it can't say."""
    _only(rules, "GitLab", "keep")
    if rules.keep_last not in {None, *_KEPT_BY_GITLAB}:
        raise OperationError(f"GitLab keeps one of {', '.join(map(str, _KEPT_BY_GITLAB))} tags.")
    days = _days(rules.older_than) if rules.older_than is not None else None
    if days not in {None, *_AGES_OF_GITLAB}:
        raise OperationError(f"GitLab knows the ages {', '.join(f'{age}d' for age in _AGES_OF_GITLAB)}.")
    policy = {
        "enabled": True,
        "cadence": "1d",
        "keep_n": rules.keep_last,
        "older_than": f"{days}d" if days is not None else None,
        "name_regex": "|".join(map(_unanchored, rules.match)) or ".*",
        "name_regex_keep": "|".join(map(_unanchored, rules.keep)) or None,
    }
    return json.dumps({"container_expiration_policy_attributes": policy}, indent=2)


EXPORTS: Final = {"ecr": export_ecr, "harbor": export_harbor, "acr": export_acr, "gitlab": export_gitlab}
"""Vendor → the function that says a rule in its words, given the rule and the repository's path."""


def _only(rules: Rules, vendor: str, *known: str) -> None:
    special = {
        "a name to keep": bool(rules.keep) and "keep" not in known,
        "last pull": rules.not_pulled_for is not None and "not_pulled_for" not in known,
        "size": rules.larger_than is not None,
        "version": rules.by_version or rules.prereleases or rules.below_version is not None,
        "signature": rules.unsigned,
        "platform": bool(rules.platforms),
    }
    wanted = [name for name, is_asked in special.items() if is_asked]
    if wanted:
        raise OperationError(f"{vendor} can't choose tags by {' and '.join(wanted)} in such a rule.", hint=_RUN_HERE)


def _days(age: timedelta) -> int:
    days = age.total_seconds() / 86_400
    if days != int(days) or days < 1:
        raise OperationError("The rule's age must be whole days there.")
    return int(days)


def _harbor_rule(
    number: int, template: str, value: int | None, decoration: str, pattern: str, repository: str
) -> dict[str, Any]:
    return {
        "id": number,
        "priority": 0,
        "disabled": False,
        "action": "retain",
        "template": template,
        "params": {} if value is None else {template: value},
        "tag_selectors": [
            {"kind": "doublestar", "decoration": decoration, "pattern": pattern, "extras": '{"untagged":false}'}
        ],
        "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": repository}]},
    }


def _doublestar(patterns: tuple[str, ...]) -> str:
    return patterns[0] if len(patterns) == 1 else f"{{{','.join(patterns)}}}" if patterns else ""


def _unanchored(pattern: str) -> str:
    """A glob or expression as RE2 takes it, to be matched as a whole. Raises OperationError for a set that is empty."""
    if pattern.startswith("~"):
        return f"(?:{pattern[1:]})"
    return "".join(map(_part, re.findall(r"\[!?\]?[^]]*\]|.", pattern, re.DOTALL)))


def _part(part: str) -> str:
    """One part of a glob. Python translates sets alone: it writes several stars as groups that RE2 does not have."""
    if part in _WILD:
        return _WILD[part]
    if len(part) == 1:
        return re.escape(part)
    translated = translate(part).removeprefix("(?s:").rpartition(")")[0]
    if translated == "(?!)":
        raise OperationError(f"No tag has a character of {part}.", hint="Correct the pattern.")
    return translated


def _regex(pattern: str) -> str:
    """The anchored regular expression that acr's filters take (RE2)."""
    return f"^{_unanchored(pattern)}$"
