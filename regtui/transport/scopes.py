"""Scopes of tokens: `repository:a/b:pull,push`. Source: distribution, docs/content/spec/auth/scope.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ORDER: Final = ("pull", "push", "delete")
_MOST: Final = 32
_LONGEST: Final = 2048


def split_scopes(text: str) -> tuple[str, ...]:
    """The scopes of a challenge, where spaces part them."""
    return tuple(text[: _LONGEST * 4].split()[:_MOST])


def merge_scopes(*groups: Iterable[str]) -> tuple[str, ...]:
    """All scopes, sorted, with the actions on the same resource put together. What is no scope stays as it is."""
    actions: dict[tuple[str, str], set[str]] = {}
    others: set[str] = set()
    for scope in (scope for group in groups for scope in group):
        resource, colon, listed = scope.rpartition(":")
        kind, first, name = resource.partition(":")
        if not (colon and first and kind and name and listed) or len(scope) > _LONGEST:
            if len(scope) <= _LONGEST:
                others.add(scope)
            continue
        actions.setdefault((kind, name), set()).update(action for action in listed.split(",") if action)
    merged = {f"{kind}:{name}:{','.join(sorted(all_of, key=_rank))}" for (kind, name), all_of in actions.items()}
    return tuple(sorted(merged | others))


def _rank(action: str) -> tuple[int, str]:
    return (_ORDER.index(action) if action in _ORDER else len(_ORDER), action)
