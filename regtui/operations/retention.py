"""Retention: which tags a rule takes, as a pure function. In a vendor's own words: retention_export.py."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

from regtui.oci.tags import subject_of, version_key
from regtui.operations.errors import OperationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from regtui.oci import Digest, Platform
    from regtui.operations.graph import Graph
    from regtui.registries.contract import TagSummary


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule. A tag goes when it matches, is not kept by name, is not among the newest, and is old enough.

    `match` and `keep` hold globs, or regular expressions behind `~`. `keep_last` counts the newest of the matching
    tags: by their date, or `by_version` by semantic version. What is not known keeps a tag: its date, its last pull,
    its size, its platforms, whether it is signed.
    """

    keep_last: int | None = None
    older_than: timedelta | None = None
    match: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    not_pulled_for: timedelta | None = None
    larger_than: int | None = None
    """Bytes, compressed."""
    by_version: bool = False
    """Only tags that are semantic versions, the greatest counting as the newest."""
    prereleases: bool = False
    """Only semantic versions with something behind the three numbers, as 1.2.0-rc.1."""
    below_version: str | None = None
    """Only semantic versions lower than this one."""
    unsigned: bool = False
    """Only tags that nobody signed."""
    platforms: tuple[Platform, ...] = ()
    """Only images that are for none but these platforms."""

    @property
    def takes_nothing(self) -> bool:
        """Whether nothing limits the rule, so that it would take every tag: such a rule is no rule."""
        limits = (self.keep_last, self.older_than, self.not_pulled_for, self.larger_than, self.below_version)
        chosen = (self.match, self.platforms, self.prereleases, self.unsigned)
        return all(limit is None for limit in limits) and not any(chosen)

    def __post_init__(self) -> None:
        for text in (*self.match, *self.keep):
            if text.startswith("~"):
                try:
                    re.compile(text[1:])
                except re.error as error:
                    raise OperationError(f"{text[:120]!a} is no regular expression: {error}.") from error


def matches(name: str, pattern: str) -> bool:
    """Whether a tag fits a glob, or a regular expression (behind `~`) as a whole."""
    if pattern.startswith("~"):
        return _compiled(pattern[1:]).fullmatch(name) is not None
    return fnmatchcase(name, pattern)


@lru_cache(maxsize=256)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def select(rules: Rules, tags: Iterable[TagSummary], now: datetime) -> tuple[str, ...]:
    """The tags that go. Tags that only carry signatures are never chosen: they go with their subject.

    Raises OperationError for a rule without any limit.
    """
    if rules.takes_nothing:
        raise OperationError("This rule would take every tag.", hint="Add --keep-last, --older-than or --match.")
    rows = [tag for tag in tags if not tag.is_untagged and subject_of(tag.name) is None]
    rows = [tag for tag in rows if _is_meant(rules, tag)]
    dated = [(moment, tag) for tag in rows if (moment := tag.pushed or tag.created) is not None]
    if rules.by_version:
        ordered = sorted(rows, key=lambda tag: version_key(tag.name), reverse=True)
    else:
        ordered = [tag for _, tag in sorted(dated, key=lambda row: (row[0], row[1].name), reverse=True)]
    candidates = ordered[rules.keep_last :] if rules.keep_last is not None else rows
    if rules.older_than is not None:
        old = {tag.name for moment, tag in dated if now - moment > rules.older_than}
        candidates = [tag for tag in candidates if tag.name in old]
    return tuple(tag.name for tag in candidates if _goes(rules, tag, now))


def with_signatures(tags: Iterable[TagSummary], graph: Graph) -> tuple[TagSummary, ...]:
    """The tags with whether something that calls itself a signature hangs on them: present, which is not verified."""

    def is_signed(digest: Digest) -> bool:
        if any(tag.endswith(".sig") for tag in graph.attached_tags(digest)):
            return True
        return any("signature" in graph.nodes[d].kind.lower() for d in graph.referrers(digest) if d in graph.nodes)

    known = {digest: is_signed(digest) for digest in set(graph.tags.values())}
    return tuple(replace(t, signed=known[d]) if (d := graph.tags.get(t.name)) in known else t for t in tags)


def expired_trash(tags: Iterable[str], age: timedelta, now: datetime) -> tuple[str, ...]:
    """The tags of the recycle bin (`trash-20260131-name`) that were put there longer than `age` ago."""
    found = []
    for tag in tags:
        named = _TRASH.match(tag)
        try:
            day = datetime.strptime(named[1], "%Y%m%d").replace(tzinfo=UTC) if named else None
        except ValueError:
            continue
        if day is not None and now - day > age:
            found.append(tag)
    return tuple(found)


_TRASH = re.compile(r"trash-([0-9]{8})-", re.ASCII)


def _is_meant(rules: Rules, tag: TagSummary) -> bool:
    """Whether the rule is about this tag at all."""
    if rules.match and not any(matches(tag.name, pattern) for pattern in rules.match):
        return False
    is_version = version_key(tag.name)[0] == 1
    if (rules.by_version or rules.prereleases or rules.below_version is not None) and not is_version:
        return False
    if rules.prereleases and version_key(tag.name)[4] == 1:
        return False
    return rules.below_version is None or version_key(tag.name) < version_key(rules.below_version)


def _goes(rules: Rules, tag: TagSummary, now: datetime) -> bool:
    if any(matches(tag.name, pattern) for pattern in rules.keep):
        return False
    if rules.larger_than is not None and (tag.size is None or tag.size <= rules.larger_than):
        return False
    if rules.unsigned and tag.signed is not False:
        return False
    if rules.platforms and not (tag.platforms and all(_is_one_of(p, rules.platforms) for p in tag.platforms)):
        return False
    # A registry that does not tell the last pull tells nothing about whether it was pulled.
    return rules.not_pulled_for is None or (tag.pulled is not None and now - tag.pulled > rules.not_pulled_for)


def _is_one_of(found: Platform, wanted: tuple[Platform, ...]) -> bool:
    return any(found.matches(one) for one in wanted)
