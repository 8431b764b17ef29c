"""What a repository or registry stores, as rows, and what marked tags would free, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.contents.usage import repository_usage
from regtui.ui.facts.tags import is_attachment
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.charts import Series
from regtui.ui.words import count_text, size_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from regtui.contents.usage import LayerUse, RepositoryUsage, StoredTag
    from regtui.session.usage import RegistryRead, RepositoryRead


@dataclass(frozen=True, slots=True)
class TagUse:
    """A tag: all bytes that it names, those that no tag pushed before had, and what deleting it alone would free."""

    repository: str
    tag: str
    pushed: datetime | None
    size: int
    new: int
    frees: int


@dataclass(frozen=True, slots=True)
class RepositoryUse:
    """A repository of a registry; `frees` leaves out what other repositories name."""

    repository: str
    tags: int
    logical: int
    unique: int
    frees: int


@dataclass(frozen=True, slots=True)
class UsageFacts:
    """All rows of the usage screen, its sums, and its chart."""

    sums: SafeText
    tags: tuple[TagUse, ...]
    layers: tuple[LayerUse, ...]
    repositories: tuple[RepositoryUse, ...]
    series: Series
    title: SafeText
    """What the chart shows."""


def repository_facts(read: RepositoryRead) -> UsageFacts:
    """One repository. Call it in a thread: what each tag frees is counted for each."""
    usage = read.usage
    pushes = [push for push in usage.over_time() if not is_attachment(push.tag)]
    undated = sum(push.pushed is None for push in pushes)
    title = "size of the tags in order of push, else of creation"
    if undated:
        title += f"; {count_text(undated)} of {count_text(len(pushes))} come first: not known when"
    series = Series(
        tuple(push.size for push in pushes),
        safe(size_text(max((push.size for push in pushes), default=0))),
        safe(pushes[0].tag, 30) if pushes else SafeText(""),
        safe(pushes[-1].tag, 30) if pushes else SafeText(""),
    )
    return UsageFacts(
        _sums(usage.logical, usage.unique, usage.shared, len(read.unread)),
        _tag_uses(read.repository, usage),
        usage.layers_by_use(),
        (),
        series,
        safe(title),
    )


def registry_facts(read: RegistryRead) -> UsageFacts:
    """A registry that stores each blob once."""
    usage = read.usage
    repositories = sorted(
        (
            RepositoryUse(path, len(one.tags), one.logical, one.unique, one.unique - one.shared_elsewhere)
            for path, one in usage.by_repository.items()
        ),
        key=lambda row: (-row.unique, row.repository),
    )
    tags = tuple(row for path, one in sorted(usage.by_repository.items()) for row in _tag_uses(path, one))
    series = Series(
        tuple(row.unique for row in repositories),
        safe(size_text(repositories[0].unique if repositories else 0)),
        safe(repositories[0].repository, 40) if repositories else SafeText(""),
        safe(repositories[-1].repository, 40) if repositories else SafeText(""),
    )
    sums = _sums(usage.logical, usage.unique, usage.shared, len(read.unread))
    title = SafeText("unique bytes of the repositories, the largest first")
    return UsageFacts(sums, tags, usage.layers_by_use(), tuple(repositories), series, title)


def _tag_uses(path: str, usage: RepositoryUsage) -> tuple[TagUse, ...]:
    return tuple(
        TagUse(path, push.tag, push.pushed, push.size, push.new, usage.freed_by((push.tag,)))
        for push in usage.over_time()
    )


def _sums(logical: int, unique: int, shared: int, unread: int) -> SafeText:
    parts = [f"{size_text(unique)} stored", f"{size_text(logical)} if nothing were shared"]
    parts.append(f"{size_text(shared)} shared by more than one image")
    if unread:
        parts.append(f"{count_text(unread)} could not be read and are not counted")
    return safe(" · ".join(parts))


def freed_words(stored: Mapping[str, StoredTag], marked: Collection[str], known: Sequence[str]) -> SafeText:
    """What deleting the marked of the `known` tags would truly free, as far as `stored` has what they name.

    Tags that are not read may keep what the marked ones name (at most), or free more (at least).
    """
    missing = sum(name not in stored for name in marked)
    others = sum(name not in stored for name in known) - missing
    if missing and others:
        return safe(f"what they free is not known: {count_text(missing + others)} tags are not read")
    freed = repository_usage(stored.values()).freed_by([name for name in marked if name in stored])
    if others:
        return safe(f"would free at most {size_text(freed)}: {count_text(others)} tags are not read")
    if missing:
        return safe(f"would free at least {size_text(freed)}: {count_text(missing)} are not read")
    return safe(f"would free {size_text(freed)} in this repository")
