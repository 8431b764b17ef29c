"""Bytes of files as lines: what is text, what pictures measure, hexadecimal, searching."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.ui.models.file_text import FileModel, decoded, hex_line, look_at, picture_size
from regtui.ui.models.filters import InvalidFilter


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain\nlines\n", "plain\nlines\n"),
        ("grüße".encode(), "grüße"),
        (b"\xef\xbb\xbfmarked", "marked"),
        ("wide".encode("utf-16"), "wide"),
        (b"caf\xe9 is latin", "caf\\xe9 is latin"),
        (b"\x7fELF\x02\x01\x01\x00", None),
        (bytes(range(1, 32)) * 4, None),
        (b"\xff\x90\x81\x82" * 20, None),
    ],
)
def test_text_is_told_from_everything_else(data: bytes, text: str | None) -> None:
    assert decoded(data) == text


def test_a_character_cut_in_half_by_the_bound_is_no_reason_to_show_hexadecimal() -> None:
    data = ("ä" * 100).encode()[:-1]
    assert look_at(data, whole=False).kind == "text"


@given(st.binary(max_size=3000))
def test_any_bytes_can_be_looked_at(data: bytes) -> None:
    looked = look_at(data)
    assert all(line.isprintable() for line in looked.lines)
    model = FileModel(looked, data)
    if not model.is_hex:
        model.toggle_hex()
    assert len([model.text(position) for position in range(len(model))]) == -(-len(data) // 16)


@pytest.mark.parametrize(
    ("data", "measured"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480), ("PNG", 640, 480)),
        (b"GIF89a" + struct.pack("<HH", 16, 9), ("GIF", 16, 9)),
        (b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08" + struct.pack(">HH", 300, 200) + b"\3", ("JPEG", 200, 300)),
        (b"BM" + bytes(12) + b"\x28\0\0\0" + struct.pack("<ii", 4, -5), ("BMP", 4, 5)),
        (b"RIFF____WEBPVP8X" + bytes(8) + b"\x0f\0\0\x07\0\0", ("WebP", 16, 8)),
        (b"\xff\xd8\xff" + b"\0" * 40, None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"BM is the start of many a text", None),
    ],
)
def test_pictures_tell_their_size_and_nothing_else(data: bytes, measured: tuple[str, int, int] | None) -> None:
    assert picture_size(data) == measured
    if measured is not None:
        assert look_at(data).lines == [f"{measured[0]} picture, {measured[1]:,} × {measured[2]:,} pixels"]


def test_hexadecimal_lines() -> None:
    assert (
        hex_line(b"\x7fELF" + bytes(13), 0)
        == "00000000  7f 45 4c 46 00 00 00 00  00 00 00 00 00 00 00 00  |.ELF............|"
    )
    assert hex_line(b"\x7fELF" + bytes(13), 1).endswith("|.|")


def test_searching_goes_from_hit_to_hit_and_around() -> None:
    data = b"one\ntwo\nthree\nTwo\n"
    model = FileModel(look_at(data), data)
    model.set_filter("two")
    assert model.hits == [1, 3]
    assert model.cursor == 1
    assert model.next_hit(1)
    assert model.cursor == 3
    assert model.next_hit(1)
    assert model.cursor == 1
    assert model.next_hit(-1)
    assert model.cursor == 3
    assert model.is_hit(3)
    assert not model.is_hit(2)
    model.set_filter("nowhere")
    assert not model.next_hit(1)
    with pytest.raises(InvalidFilter):
        model.set_filter("~(")


def test_searching_in_hexadecimal_finds_text() -> None:
    data = bytes(40) + b"Needle" + bytes(40)
    model = FileModel(look_at(data), data)
    assert model.is_hex
    model.set_filter("needle")
    assert model.hits == [2]
