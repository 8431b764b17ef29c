"""JSON as lines: laid out as json.dumps would, without ever parsing; folds open and close."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.ui.models import json_view
from regtui.ui.models.filters import InvalidFilter
from regtui.ui.models.json_view import JsonModel, lay_out, pieces

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
documents = st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=5), values, max_size=4)

SAMPLE = {"a": 1, "empty": {}, "config": {"digest": "sha256:00", "size": 7}, "layers": [{"n": 1}, {"n": 2}]}


def shown(model: JsonModel) -> list[str]:
    return [model.text(position) for position in range(len(model))]


def model_of(document: object) -> JsonModel:
    return JsonModel(lay_out(json.dumps(document).encode()))


@given(documents, st.booleans(), st.sampled_from([None, 0, 3]))
def test_laid_out_as_the_standard_library_would(document: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    wanted = json.dumps(document, ensure_ascii=ascii_only, indent=2).split("\n")
    assert shown(JsonModel(lay_out(text.encode("utf-8", "surrogatepass")))) == [
        line.encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace") for line in wanted
    ]


@given(st.binary(max_size=200) | st.text('{}[]",:\\ a1\n', max_size=60).map(str.encode))
def test_whatever_comes_nothing_is_lost(document: bytes) -> None:
    text = document.decode("utf-8", "backslashreplace")
    layout = lay_out(document)
    kept = "".join("".join(layout.texts).split())
    assert kept == "".join(text.split())
    model = JsonModel(layout)
    for position in range(len(model)):
        model.move_to(position)
        assert "".join(piece for piece, _ in pieces(model.text(position))) == model.text(position)
    model.toggle_all()
    assert all(start < end for start, end in layout.ends.items())


def test_what_a_parser_would_lose_is_kept() -> None:
    assert shown(JsonModel(lay_out(b'{"a":1e400,"a":1.10,"b":"\\u001b\\/"}'))) == [
        "{",
        '  "a": 1e400,',
        '  "a": 1.10,',
        '  "b": "\\u001b\\/"',
        "}",
    ]


def test_deep_and_long_documents_end_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(lay_out(b"[" * 50_000 + b"]" * 50_000).texts) == 99_999
    monkeypatch.setattr(json_view, "LINE_LIMIT", 100)
    layout = lay_out(b"[" + b"1," * 500)
    assert len(layout.texts) == 101
    assert "more lines" in layout.texts[-1]
    assert len(lay_out(b"[" * 500 + b"]" * 500).texts) == 101
    assert len(lay_out(b"plain\n" * 500).texts) == 101
    monkeypatch.setattr(json_view, "BYTE_LIMIT", 10)
    assert "10 more bytes" in lay_out(b"[1,2,3,4,5,6,7,8,9]\n").texts[-1]


def test_text_that_is_no_json_is_shown_line_by_line() -> None:
    assert shown(JsonModel(lay_out(b"no: json,\r\n at all"))) == ["no: json,", " at all"]
    assert shown(JsonModel(lay_out(b""))) == []


def test_fold_and_unfold() -> None:
    model = model_of(SAMPLE)
    whole = shown(model)
    model.move_to(5)
    assert whole[5] == '    "size": 7'
    assert model.fold()
    assert shown(model)[3] == '  "config": { … 2 … },'
    assert model.cursor == 3
    assert model.is_folded(3)
    assert model.fold()
    assert shown(model) == ["{ … 4 … }"]
    assert not model.fold()
    assert model.unfold()
    assert not model.unfold()
    assert shown(model)[3] == '  "config": { … 2 … },'
    model.move_to(3)
    assert model.unfold()
    assert shown(model) == whole


def test_fold_from_the_closing_line() -> None:
    model = model_of(SAMPLE)
    model.move_to(len(model) - 2)
    assert model.text(model.cursor) == "  ]"
    assert model.fold()
    assert model.text(model.cursor) == '  "layers": [ … 2 … ]'


def test_fold_all_and_show_all() -> None:
    model = model_of(SAMPLE)
    whole = shown(model)
    model.move_to(5)
    model.toggle_all()
    assert shown(model) == [
        "{",
        '  "a": 1,',
        '  "empty": {},',
        '  "config": { … 2 … },',
        '  "layers": [ … 2 … ]',
        "}",
    ]
    assert model.cursor == 3
    model.toggle_all()
    assert shown(model) == whole


@given(documents, st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["fold", "unfold", "all"])), max_size=12))
def test_slices_give_what_laying_out_anew_gives(document: object, steps: list[tuple[int, str]]) -> None:
    model = model_of(document)
    for position, step in steps:
        model.move_to(position)
        {"fold": model.fold, "unfold": model.unfold, "all": model.toggle_all}[step]()
        hidden = {line for start in model.folded for line in range(start + 1, model.layout.ends[start] + 1)}
        wanted = [line for line in range(len(model.layout.texts)) if line not in hidden]
        assert [model.line(place) for place in range(len(model))] == wanted
        assert 0 <= model.cursor <= max(0, len(model) - 1)


def test_filter_keeps_lines() -> None:
    model = model_of(SAMPLE)
    model.toggle_all()
    model.set_filter('"N"')
    assert shown(model) == ['      "n": 1', '      "n": 2']
    assert not model.fold()
    assert not model.unfold()
    with pytest.raises(InvalidFilter):
        model.set_filter("~(")
    model.set_filter("")
    assert len(model) == 6


def test_pieces_tell_keys_from_strings() -> None:
    assert list(pieces('  "a:b": "c\\"d",')) == [
        ("  ", "punctuation"),
        ('"a:b"', "key"),
        (": ", "punctuation"),
        ('"c\\"d"', "string"),
        (",", "punctuation"),
    ]
    assert list(pieces('"n": -1.5e3')) == [('"n"', "key"), (": ", "punctuation"), ("-1.5e3", "literal")]
