"""Fewer bytes, the same screen: a small terminal reads both streams and must see the same."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from regtui.ui.lean_output import squeeze

Cell = tuple[str, tuple[str, ...]]
PLAIN: tuple[str, ...] = ("", "", "")


class Grid:
    """What a terminal shows: each cell's character and look. Rows and columns count from 1."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], Cell] = {}
        self.row = self.column = 1
        self.attributes: tuple[str, ...] = ()
        self.colours = ["", ""]
        self.others: list[tuple[str, tuple[object, ...]]] = []

    def look(self) -> tuple[object, ...]:
        return (*self.attributes, *self.colours)

    def write(self, data: str) -> Grid:
        for sequence, final, text in re.findall(r"\x1b\[([0-9;?]*)([A-Za-z])|([^\x1b])", data):
            if final == "m":
                self.style(sequence.split(";"))
            elif final == "H":
                self.row, self.column = map(int, sequence.split(";"))
            elif final:
                self.others.append((sequence + final, self.look()))
            elif text == "\n":
                self.row, self.column = self.row + 1, 1
            elif text != "\r":
                self.put(text)
        return self

    def put(self, text: str) -> None:
        seen = {"4", "7", "9"} & set(self.attributes)
        if text == " " and not seen:
            look: tuple[str, ...] = ("", "", self.colours[1])  # nothing else shows on a space
        else:
            look = (";".join(sorted(self.attributes)), *self.colours)
        self.cells[self.row, self.column] = (text, look)
        self.column += 2 if text == "日" else 1

    def style(self, numbers: list[str]) -> None:
        while numbers:
            number = numbers.pop(0)
            if number in {"38", "48"}:
                rest = [numbers.pop(0) for _ in range(2 if numbers[0] == "5" else 4)]
                self.colours[number == "48"] = ";".join([number, *rest])
            elif number in {"", "0"}:
                self.attributes, self.colours = (), ["", ""]
            elif number in {"39", "49"}:
                self.colours[number == "49"] = ""
            elif len(number) == 2 and number[0] in "34":
                self.colours[number[0] == "4"] = number
            else:
                self.attributes = (*self.attributes, number)


attributes = st.lists(st.sampled_from(["1", "2", "3", "4", "7", "9"]), max_size=2, unique=True)
colours = st.sampled_from(["31", "39", "38;5;7", "38;2;1;2;3"]) | st.sampled_from(["41", "48;5;9", "48;2;7;8;9", "49"])
styles = st.tuples(attributes, st.lists(colours, max_size=2)).map(lambda both: ";".join([*both[0], *both[1]]))
texts = st.sampled_from(["a", "H", "tag 1.0", "   ", " ", "│", "日本", "x  ", "ff"])
pieces = (
    st.tuples(styles, texts).map(lambda both: f"\x1b[{both[0]}m{both[1]}\x1b[0m")
    | texts
    | st.tuples(st.integers(1, 3), st.integers(1, 9)).map(lambda place: "\x1b[{};{}H".format(*place))
    | st.sampled_from(["\r\n", "\n", "\x1b[2J", "\x1b[?25l", "\x1b[K", "\x1b[0m", "\x1b[m"])
)


@given(st.lists(pieces, max_size=25).map("".join))
def test_the_screen_is_the_same(data: str) -> None:
    lean = squeeze(data)
    before, after = Grid().write(data), Grid().write(lean)
    assert after.cells == before.cells
    assert after.others == before.others
    assert (after.row, after.column) == (before.row, before.column)
    assert after.look() == before.look()
    assert len(lean) <= len(data) + 4


def test_strings_for_the_terminal_are_left_alone() -> None:
    for data in ("\x1b]52;c;aGk=\x07" + "\x1b[1m\x1b[0m" * 9, "\x1b]8;id=1;http://x\x1b\\" + "\x1b[1ma\x1b[0m" * 9):
        assert squeeze(data) == data


def test_a_list_gets_much_shorter() -> None:
    look, dim = "\x1b[38;2;224;224;224;48;2;30;30;30m", "\x1b[38;2;165;165;165;48;2;30;30;30m"
    page = "".join(f"\x1b[{row};1H{look}tag {row:<20}\x1b[0m{dim}2 h\x1b[0m\x1b[{row};28H\n" for row in range(1, 40))
    assert len(squeeze(page)) < 0.7 * len(page)
