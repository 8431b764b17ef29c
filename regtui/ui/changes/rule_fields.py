"""The fields of a retention rule as a person types them, and what a rule does to each tag, with the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Platform, RegtuiError
from regtui.oci.tags import subject_of
from regtui.operations.retention import Rules, select
from regtui.ui.quantities import age, size
from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from regtui.registries.contract import TagSummary


_VERSION: Final = re.compile(r"v?[0-9]{1,9}(\.[0-9]{1,9}){0,2}(-[0-9A-Za-z.-]{1,60})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the form. `name` is the attribute of Rules, `keeps` says why a matching tag stays."""

    name: str
    label: SafeText
    hint: SafeText
    read: Callable[[str], Any]
    keeps: SafeText


@dataclass(frozen=True, slots=True)
class Flag:
    """A box of the form. `name` is the attribute of Rules, `keeps` says why a matching tag stays because of it."""

    name: str
    label: SafeText
    keeps: SafeText


def _version(text: str) -> str:
    if _VERSION.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!a} is no version: write 2.0.0")
    return text


def _platforms(text: str) -> tuple[Platform, ...]:
    try:
        return tuple(Platform.parse(part) for part in text.replace(",", " ").split())
    except RegtuiError as error:
        raise ValueError(error.sentence.rstrip(".")) from error


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 7 or int(text) < 1:
        raise ValueError(f"{text[:40]!a} is no number of tags")
    return int(text)


def _globs(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


FIELDS: Final = (
    Field("match", SafeText("only tags like"), SafeText("dev-* ~pr-[0-9]+"), _globs, SafeText("")),
    Field("keep", SafeText("never tags like"), SafeText("v* *-lts"), _globs, SafeText("kept by name")),
    Field("keep_last", SafeText("keep the last"), SafeText("10"), _count, SafeText("among the newest")),
    Field("older_than", SafeText("older than"), SafeText("30d, 8w"), age, SafeText("too young")),
    Field("not_pulled_for", SafeText("not pulled for"), SafeText("90d"), age, SafeText("pulled, or not known")),
    Field("larger_than", SafeText("larger than"), SafeText("500MB"), size, SafeText("not larger")),
    Field("below_version", SafeText("below version"), SafeText("2.0.0"), _version, SafeText("not below it")),
    Field("platforms", SafeText("only for"), SafeText("linux/arm64"), _platforms, SafeText("for another platform")),
)
FLAGS: Final = (
    Flag("by_version", SafeText("newest by version"), SafeText("no version")),
    Flag("prereleases", SafeText("pre-releases"), SafeText("no pre-release")),
    Flag("unsigned", SafeText("unsigned"), SafeText("signed, or not known")),
)
"""What is on or off."""


def rules_of(texts: Mapping[str, str], flags: Iterable[str] = ()) -> tuple[Rules, SafeText]:
    """(the rule, what is wrong with the texts): a field that can't be read counts as empty, and is told."""
    values: dict[str, Any] = dict.fromkeys(flags, True)
    problem = SafeText("")
    for field in FIELDS:
        text = texts.get(field.name, "").strip()
        if not text:
            continue
        try:
            values[field.name] = field.read(text)
        except ValueError as error:
            problem = problem or safe(f"{field.label}: {error}.")
    try:
        return Rules(**values), problem
    except RegtuiError as error:
        return Rules(), safe(str(error))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule does to a tag."""

    tag: TagSummary
    goes: bool
    why: SafeText

    @property
    def moment(self) -> datetime | None:
        """What its age is told from."""
        return self.tag.pushed or self.tag.created


def verdicts(
    rules: Rules, tags: Sequence[TagSummary], now: datetime, protection: Callable[[str], str | None]
) -> list[Verdict]:
    """Every tag with its verdict, newest first, undated last. Tags that only carry signatures are left out.

    A tag stays because of a part of the rule when it would go without that part.
    """
    chosen = _chosen(rules, tags, now)
    matching = _chosen(Rules(match=rules.match or ("*",)), tags, now)
    reasons = {tag.name: SafeText("another name") for tag in tags if tag.name not in matching}
    for field in (*FIELDS, *FLAGS):
        if field.name != "match" and getattr(rules, field.name) != _default(field.name):
            rest = replace(rules, **{field.name: _default(field.name)})
            # Without its only limit a rule is none; all names as a limit asks what it would take then.
            without = _chosen(replace(rest, match=rest.match or ("*",)), tags, now)
            for name in without - chosen:
                reasons.setdefault(name, field.keeps)
    shown = [tag for tag in tags if subject_of(tag.name) is None and not tag.is_untagged]
    dated = sorted(
        (tag for tag in shown if _moment(tag) is not None), key=lambda tag: (_moment(tag), tag.name), reverse=True
    )
    undated = [tag for tag in shown if _moment(tag) is None]
    return [_verdict(tag, chosen, reasons, protection(tag.name), rules) for tag in (*dated, *undated)]


def _verdict(
    tag: TagSummary, chosen: frozenset[str], reasons: Mapping[str, SafeText], pattern: str | None, rules: Rules
) -> Verdict:
    if tag.name in chosen:
        if pattern is not None:
            return Verdict(tag, False, safe(f"protected ({pattern})"))
        return Verdict(tag, True, SafeText(""))
    if rules.takes_nothing:
        return Verdict(tag, False, SafeText(""))
    is_dated = rules.keep_last is not None or rules.older_than is not None
    if _moment(tag) is None and is_dated and reasons.get(tag.name) != "another name":
        return Verdict(tag, False, SafeText("its date is not known"))
    return Verdict(tag, False, reasons.get(tag.name, SafeText("several reasons")))


def _moment(tag: TagSummary) -> datetime | None:
    return tag.pushed or tag.created


def _default(name: str) -> Any:
    return next(field.default for field in fields(Rules) if field.name == name)


def _chosen(rules: Rules, tags: Iterable[TagSummary], now: datetime) -> frozenset[str]:
    """What goes; a rule without any limit takes nothing here."""
    try:
        return frozenset(select(rules, tags, now))
    except RegtuiError:
        return frozenset()
