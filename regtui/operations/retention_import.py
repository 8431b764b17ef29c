"""What a vendor's own retention rules will remove from the real list, before the vendor does it. Pure functions.

Sources: Amazon ECR "Lifecycle policy properties" and "How the lifecycle policy evaluation works"; Harbor's retention
rules; GitLab's cleanup policies (API and "How the cleanup policy works"); Quay's auto-prune policies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from regtui.oci.tags import subject_of
from regtui.operations.errors import OperationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from regtui.registries.contract import RetentionRules, TagSummary

_AGE: Final = re.compile(r"([0-9]{1,6})(d|w|h|m|month|s)", re.ASCII)
_LONGEST: Final = 1_000
_INVOLVED: Final = re.compile(r"\)[*+{]|\\[1-9]")
"""Repeated groups and back references, with which an expression from elsewhere could keep a matcher busy for years."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "month": 2_592_000}


@dataclass
class Effect:
    """Tags that a vendor's rules will remove, with the rule that does it; and what of the rules is not understood."""

    goes: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def effect_of(rules: RetentionRules, repository: str, tags: Iterable[TagSummary], now: datetime) -> Effect:
    """What the rules will remove. Raises OperationError for a vendor whose rules are not known here."""
    read = _VENDORS.get(rules.format)
    if read is None:
        raise OperationError(
            f"What {rules.format} rules will remove is not known here.", hint="They are told in words all the same."
        )
    listed = [tag for tag in tags if subject_of(tag.name) is None]
    return read(_fields(rules.body), repository, listed, now)


def _ecr(body: Mapping[str, Any], _: str, tags: list[TagSummary], now: datetime) -> Effect:
    """Each image belongs to the first rule, by priority, whose tags it has; later rules can't expire it."""
    effect = Effect()
    images = _images(tags)
    claimed: set[str] = set()
    rules = _objects(body.get("rules"))
    for rule in sorted(rules, key=lambda one: _whole(one.get("rulePriority")) or 0):
        selection, action = _fields(rule.get("selection")), _fields(rule.get("action"))
        name = f"rule {rule.get('rulePriority')}"
        count = _whole(selection.get("countNumber"))
        if action.get("type") != "expire" or selection.get("storageClass") == "archive" or count is None:
            effect.unknown.append(f"{name} does not expire images of the standard storage class.")
            continue
        mine = [key for key, rows in images.items() if key not in claimed and _ecr_selects(selection, rows)]
        claimed.update(mine)
        when = _pulled if selection.get("countType") == "sinceImagePulled" else _pushed
        dated = sorted(((moment, key) for key in mine if (moment := when(images[key])) is not None), reverse=True)
        if selection.get("countType") == "imageCountMoreThan":
            gone = [key for _, key in dated[count:]]
        elif selection.get("countType") in {"sinceImagePushed", "sinceImagePulled"}:
            gone = [key for moment, key in dated if now - moment > timedelta(days=count)]
        else:
            effect.unknown.append(f"{name} counts {str(selection.get('countType'))[:60]!a}.")
            continue
        effect.goes.update((row.name, name) for key in gone for row in images[key])
    return effect


def _ecr_selects(selection: Mapping[str, Any], rows: list[TagSummary]) -> bool:
    names = [row.name for row in rows if not row.is_untagged]
    status = selection.get("tagStatus")
    if status == "untagged":
        return not names
    if status == "any":
        return True
    patterns = _texts(selection.get("tagPatternList"))
    patterns += [f"{prefix}*" for prefix in _texts(selection.get("tagPrefixList"))]
    return bool(names) and all(any(fnmatchcase(name, pattern) for name in names) for pattern in patterns)


def _harbor(body: Mapping[str, Any], repository: str, tags: list[TagSummary], now: datetime) -> Effect:
    """Rules say what stays; one tag that stays keeps the whole artifact."""
    effect = Effect()
    images = _images(tags)
    kept: set[str] = set()
    inner = repository.partition("/")[2]
    rules = [rule for rule in _objects(body.get("rules")) if not rule.get("disabled")]
    meant = [r for r in rules if _harbor_scope(r, inner)]
    if not meant:
        return effect
    for rule in meant:
        template = str(rule.get("template"))
        value = _whole(_fields(rule.get("params")).get(template))
        mine = [key for key, rows in images.items() if _harbor_selects(rule, rows)]
        when = _pulled if template in {"latestPulledN", "nDaysSinceLastPull"} else _pushed
        dated = sorted(((when(images[key]) or _EPOCH, key) for key in mine), reverse=True)
        if template == "always":
            kept.update(mine)
        elif template in {"latestPushedK", "latestPulledN"} and value is not None:
            kept.update(key for _, key in dated[:value])
        elif template in {"nDaysSinceLastPush", "nDaysSinceLastPull"} and value is not None:
            kept.update(key for moment, key in dated if now - moment <= timedelta(days=value))
        else:
            effect.unknown.append(f"a rule of the template {template[:60]!a}: what it keeps is not known.")
    if not effect.unknown:  # otherwise anything may be kept
        gone = (row.name for key, rows in images.items() if key not in kept for row in rows)
        effect.goes.update((name, "no rule keeps it") for name in gone)
    return effect


def _harbor_scope(rule: Mapping[str, Any], repository: str) -> bool:
    return all(
        _doublestar(repository, str(s.get("pattern", "**"))) is (s.get("decoration") != "repoExcludes")
        for s in _objects(_fields(rule.get("scope_selectors")).get("repository"))
    )


def _harbor_selects(rule: Mapping[str, Any], rows: list[TagSummary]) -> bool:
    selectors = _objects(rule.get("tag_selectors"))
    for row in rows:
        if row.is_untagged:
            if any('"untagged":true' in str(s.get("extras", "")).replace(" ", "") for s in selectors):
                return True
        elif all(
            _doublestar(row.name, str(s.get("pattern", "**"))) is (s.get("decoration") != "excludes") for s in selectors
        ):
            return True
    return False


def _gitlab(body: Mapping[str, Any], _: str, tags: list[TagSummary], now: datetime) -> Effect:
    """Matching tags, without those that are kept by name, the newest, and the young; `latest` always stays."""
    effect = Effect()
    taken, kept = _expression(body.get("name_regex"), effect), _expression(body.get("name_regex_keep"), effect)
    age = _age(body.get("older_than"))
    if taken is None or effect.unknown:
        return effect
    rows = [t for t in tags if not t.is_untagged and t.name != "latest" and taken.fullmatch(t.name)]
    rows = [t for t in rows if kept is None or not kept.fullmatch(t.name)]
    dated = sorted(((m, t.name) for t in rows if (m := t.created or t.pushed) is not None), reverse=True)
    for moment, name in dated[_whole(body.get("keep_n")) or 0 :]:
        if age is None or now - moment > age:
            effect.goes[name] = "the cleanup policy"
    return effect


def _quay(body: Mapping[str, Any], _: str, tags: list[TagSummary], now: datetime) -> Effect:
    """Each policy by itself: a number of tags, or an age, for the tags that match its pattern or do not."""
    effect = Effect()
    for number, policy in enumerate(_objects(body.get("policies")), 1):
        name = f"policy {number}"
        pattern = _expression(policy.get("tagPattern"), effect)
        fits = policy.get("tagPatternMatches") is not False
        rows = [t for t in tags if not t.is_untagged and (pattern is None or bool(pattern.match(t.name)) is fits)]
        dated = sorted(((m, t.name) for t in rows if (m := t.pushed or t.created) is not None), reverse=True)
        count, age = _whole(policy.get("value")), _age(policy.get("value"))
        if policy.get("method") == "number_of_tags" and count is not None:
            effect.goes.update((tag, name) for _, tag in dated[count:])
        elif policy.get("method") == "creation_date" and age is not None:
            effect.goes.update((tag, name) for moment, tag in dated if now - moment > age)
        else:
            effect.unknown.append(f"{name} goes by {str(policy.get('method'))[:60]!a}.")
    return effect


_VENDORS: Final[dict[str, Callable[[Mapping[str, Any], str, list[TagSummary], datetime], Effect]]] = {
    "ecr": _ecr,
    "harbor": _harbor,
    "gitlab": _gitlab,
    "quay": _quay,
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _images(tags: list[TagSummary]) -> dict[str, list[TagSummary]]:
    """Tags by the image they are on; a tag whose digest is not known stands for itself."""
    found: dict[str, list[TagSummary]] = {}
    for tag in tags:
        found.setdefault(str(tag.digest or tag.name), []).append(tag)
    return found


def _pushed(rows: list[TagSummary]) -> datetime | None:
    return max((m for row in rows if (m := row.pushed or row.created) is not None), default=None)


def _pulled(rows: list[TagSummary]) -> datetime | None:
    return max((row.pulled for row in rows if row.pulled is not None), default=None)


def _fields(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _whole(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _age(value: object) -> timedelta | None:
    found = _AGE.fullmatch(value) if isinstance(value, str) else None
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]]) if found else None


def _expression(value: object, effect: Effect) -> re.Pattern[str] | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        if len(value) <= _LONGEST and not _INVOLVED.search(value):
            return re.compile(value)
    except re.error:
        pass
    effect.unknown.append(f"the expression {value[:80]!a} can't be read here.")
    return None


def _doublestar(name: str, pattern: str) -> bool:
    """Harbor's patterns: `*` and `?` stop at slashes, `**` does not, `{a,b}` are alternatives."""
    made = ""
    depth = 0
    position = 0
    while position < len(pattern):
        if pattern.startswith("**", position):
            made += ".*"
            position += 2
            continue
        char = pattern[position]
        depth += (char == "{") - (char == "}")
        swaps = {"*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|" if depth else ","}
        made += swaps.get(char, re.escape(char))
        position += 1
    try:
        return re.fullmatch(made, name) is not None
    except re.error:
        return False
