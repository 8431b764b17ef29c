"""Help, made from the bindings that are live in the focused pane."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from regtui.ui.actions import action_of, why_greyed
from regtui.ui.facts.overview import Fact
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.binding import ActiveBinding

_ORDER = ("Move", "Panes", "Look", "Marks", "Take", "Change", "Program")


class HelpScreen(ModalScreen[None]):
    """Every key that does something right now, by group."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > RowTable { width: 96%; max-width: 104; height: 90%; border: round $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close", show=False),
    ]

    def __init__(self, live: Iterable[ActiveBinding], pane: str, over: object = None) -> None:
        super().__init__()
        self._facts = _help_facts(live, over)
        self._pane = pane

    def compose(self) -> ComposeResult:
        """One table."""
        table: RowTable[Fact] = RowTable(
            [
                Column("key", SafeText("key"), lambda fact: fact.name, 17, tone="accent"),
                Column("does", SafeText("what it does"), lambda fact: fact.value, 30, flex=1, tone=_tone),
            ],
            key=id,
            text=lambda fact: fact.name + fact.value,
            title=safe(f"Keys in {self._pane} · escape closes"),
            show_header=False,
        )
        table.append(self._facts)
        yield table

    def on_mount(self) -> None:
        """The table scrolls."""
        self.query_one(RowTable).focus()


_TOUR = tuple(
    Fact(SafeText(keys), SafeText(text))
    for keys, text in (
        ("enter  escape", "Walk in and back: registry, repository, tag, image."),
        ("o  /", "Go to any pasted reference; filter a list."),
        ("[  ]", "Turn the pages of an image: files, trust, scan, …"),
        ("space  D", "Mark tags, see what deleting would do, confirm."),
        ("u", "Put back what was deleted or moved."),
        ("n  comma", "Add a registry; sign in, allow changes there."),
        (":", "Every command by name, themes among them."),
    )
)


def _tone(fact: Fact) -> Tone:
    return "dim" if fact.kind == "head" else ""


def _help_facts(live: Iterable[ActiveBinding], over: object) -> list[Fact]:
    keys: dict[str, list[str]] = {}
    for active in live:
        action = action_of(active.binding)
        if action is not None and active.enabled:
            keys.setdefault(action.id, []).append(_key_name(active.binding.key))
    from regtui.ui.actions import BY_ID

    actions = sorted((BY_ID[name] for name in keys), key=lambda action: _ORDER.index(action.group))
    facts: list[Fact] = [Fact(SafeText(""), SafeText("— First steps —"), "head"), *_TOUR]
    for group, members in groupby(actions, key=lambda action: action.group):
        facts.append(Fact(SafeText(""), SafeText(f"— {group} —"), "head"))
        for action in members:
            facts.append(Fact(safe(" ".join(keys[action.id])), SafeText(action.help)))
            greyed = why_greyed(over, action)
            if greyed is not None:
                facts.append(Fact(SafeText(""), safe(greyed), "head"))
    return facts


_NAMES = {
    "question_mark": "?", "slash": "/", "colon": ":", "exclamation_mark": "!", "equals_sign": "=", "asterisk": "*",
    "less_than_sign": "<", "greater_than_sign": ">",
    "left_square_bracket": "[", "right_square_bracket": "]", "plus": "+", "underscore": "_", "pagedown": "PgDn",
    "pageup": "PgUp",
}  # fmt: skip


def _key_name(key: str) -> str:
    return _NAMES.get(key, key)
