"""The user's own keys: checked against the table of actions before Textual sees them, since it accepts anything.

What is wrong is told as a sentence and left out; the rest is used. A key must not mean two things in one place, and
a key that changes a registry in one place must not be one that only reads in another.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.binding import Binding, InvalidBinding
from textual.keys import Keys

from regtui.ui.actions import ACTIONS, BY_ID, CONTEXTS, FALLS_THROUGH
from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from regtui.ui.actions import Action

MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
UNBOUND = "unbound_"
"""Leads the made-up key of an action that the user wants no key for: no terminal sends it."""


@dataclass(frozen=True, slots=True)
class Keymap:
    """`keys` is for `App.set_keymap`; `problems` are sentences about what was left out."""

    keys: dict[str, str]
    problems: tuple[SafeText, ...]


def read_keymap(wanted: Mapping[str, object], source: str = "keymap") -> Keymap:
    """What the user's `action = "key"` or `action = ["key", …]` entries mean. `source` names the file in problems."""
    problems: list[str] = []
    accepted: dict[str, tuple[str, ...]] = {}
    for name, value in wanted.items():
        keys = _keys_of(name, value, problems)
        if keys is not None:
            accepted[name] = keys
    while (clash := _first_clash(accepted)) is not None:
        culprit, sentence = clash
        problems.append(sentence)
        del accepted[culprit]
    keymap = {name: ",".join(keys) or f"{UNBOUND}{name}" for name, keys in accepted.items()}
    return Keymap(keymap, tuple(safe(f"{source}: {problem}", 500) for problem in problems))


def canonical_key(key: str) -> str | None:
    """Textual's name of a key as a user writes it (`?`, `ctrl+s`, `D`, `pagedown`); None when there is no such key."""
    if len(key) == 1:
        return _KEY_OF_CHARACTER.get(key) or (key if key.isalnum() else None)
    *modifiers, base = key.split("+")
    if not modifiers:
        return key if key in _NAMED else None
    if len(set(modifiers)) != len(modifiers) or not MODIFIERS.issuperset(modifiers):
        return None
    if len(base) == 1:
        base = _KEY_OF_CHARACTER.get(base, base)
        if base.isupper():
            return None
        return "+".join([*modifiers, base])
    return key if base in _NAMED else None


def _keys_of(name: str, value: object, problems: list[str]) -> tuple[str, ...] | None:
    if name not in BY_ID:
        problems.append(f'there is no action "{name}".')
        return None
    wanted = value if isinstance(value, list) else [value]
    keys: list[str] = []
    for each in wanted:
        if not isinstance(each, str):
            problems.append(f"{name} needs a key, or a list of keys; the default stays.")
            return None
        for part in [each] if len(each.strip()) <= 1 else each.split(","):
            key = canonical_key(part.strip() or part)
            if key is None:
                problems.append(f'{name}: there is no key "{part.strip()}"{_advice(part.strip())}; the default stays.')
                return None
            keys.append(key)
    return tuple(dict.fromkeys(keys))


def _advice(key: str) -> str:
    *modifiers, base = key.split("+")
    if modifiers and len(base) == 1 and base.isupper():
        return f' (write "{"+".join([*modifiers, "shift", base.lower()])}")'
    return ""


def _first_clash(accepted: dict[str, tuple[str, ...]]) -> tuple[str, str] | None:
    """The last entry of the user's that clashes with something, and the sentence about it."""
    found: dict[str, str] = {}
    for one, other, key, reason in _clashes(accepted):
        for culprit, victim in ((one, other), (other, one)):
            if culprit.id in accepted and culprit.id not in found:
                found[culprit.id] = f'{culprit.id} can\'t have "{key}": {reason.format(victim.id)}; the default stays.'
    for name in reversed(accepted):
        if name in found:
            return name, found[name]
    return None


def _clashes(accepted: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[Action, Action, str, str]]:
    users: dict[str, list[Action]] = {}
    for action in ACTIONS:
        for key in accepted.get(action.id, tuple(canonical_key(each) or each for each in action.key_list)):
            users.setdefault(key, []).append(action)
    for key, actions in users.items():
        for index, one in enumerate(actions):
            for other in actions[index + 1 :]:
                if one.writes != other.writes:
                    yield one, other, key, "{} has it, and one of the two changes a registry while the other only reads"
                elif _meet(one, other):
                    yield one, other, key, "{} has it in the same place"


def _meet(one: Action, other: Action) -> bool:
    """Whether both would answer to a key at the same time."""
    if (one.id, other.id) in FALLS_THROUGH or (other.id, one.id) in FALLS_THROUGH:
        return False
    return any(one.where & places and other.where & places for places in CONTEXTS.values())


def _translated(character: str) -> str:
    try:
        return next(iter(Binding.make_bindings([(character, "nothing")]))).key
    except InvalidBinding:
        return character


_KEY_OF_CHARACTER = {
    **{character: _translated(character) for character in string.punctuation if character != ","},
    ",": "comma",
    " ": "space",
}
_NAMED = (
    {key.value for key in Keys if "+" not in key.value and not key.value.startswith("<")}
    | set(_KEY_OF_CHARACTER.values())
    | set(string.ascii_lowercase + string.digits)
)
