"""The encoders write what real decoders read, and always the same."""

from __future__ import annotations

import gzip
import hashlib
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regtui.demo.compression import gzip_bytes, zstd_bytes

PIECES = st.one_of(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\0", b"\n", b"\0" * 64, b"\0" * 1000, b"abc\n", b"a line that comes again\n", b"\x7f\x80"]),
    st.text(alphabet="ab\n\0é", max_size=200).map(str.encode),
    st.integers(0, 70_000).map(lambda n: b"x" * n),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=12))
@example([])
@example([b"\0" * 3])
@example([b"abcd\n", b"y" * 32_763, b"abcd\n"])
@example([b"abcd\n", b"y" * 32_764, b"abcd\n"])
@example([b"line\n" * 20_000])
@example([b"\xff" * 65_536])
@example([b"\0" * 1_000_000, b"\xff", b"\0" * 100])
def test_gzip_round_trip(segments):
    packed = gzip_bytes(segments)
    assert gzip.decompress(packed) == b"".join(segments)


@settings(max_examples=100, deadline=None)
@given(segments=st.lists(PIECES, max_size=12))
@example(segments=[])
@example(segments=[b"\0" * 400_000, b"\xff" * 300_000])
def test_zstd_round_trip(unzstd, segments):
    assert unzstd(zstd_bytes(segments)) == b"".join(segments)


@pytest.mark.parametrize("distance", [1, 2, 3, 4, 5, 6, 9, 255, 256, 257, 4096, 24_577, 32_767, 32_768, 32_769])
@pytest.mark.parametrize("length", [4, 10, 11, 57, 130, 131, 256, 257, 258, 259, 260, 261, 519])
def test_matches_at_the_edges_of_every_code(distance, length):
    line = b"0123456789" * 60
    line = line[: length - 1] + b"\n"
    between = b"".join(bytes((97 + n % 26,)) + b"\n" for n in range(distance // 2 + 1))[:distance]
    content = line + between[: max(0, distance - len(line))] + line
    assert zlib.decompress(gzip_bytes([content]), 31) == content


def test_the_header_has_no_time_and_no_name():
    assert gzip_bytes([b"x"])[:10] == bytes.fromhex("1f8b08000000000000ff")


def test_repeated_lines_and_zeros_shrink_and_noise_hardly_grows():
    text = b"one of a few lines that come again and again\n" * 1000
    assert len(gzip_bytes([text])) < len(text) / 10
    assert len(gzip_bytes([bytes(1 << 20)])) < 10_000
    noise = hashlib.shake_128(b"noise").digest(1 << 20)
    assert len(gzip_bytes([noise])) < len(noise) * 1.001


def test_bytes_are_pinned():
    segments = [
        b"ustar\0" + bytes(506),
        b"a line\nanother line\na line\n",
        hashlib.shake_128(b"x").digest(700),
        bytes(99),
    ]
    assert hashlib.sha256(gzip_bytes(segments)).hexdigest() == PINNED_GZIP
    assert hashlib.sha256(zstd_bytes(segments)).hexdigest() == PINNED_ZSTD


PINNED_GZIP = "8cc60d97dcbf3073c89a91d963d0e991525756d51ce088d55000238d56250c24"
PINNED_ZSTD = "433a247ed6332797e9a5b2641499a77ccdb127917c6ba570bbd69489ec39ffba"
