"""Digests: grammar, and streams that are or are not what they claim."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.oci import Digest, DigestMismatch, InvalidDigest, SizeMismatch, Verifier

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_known_values() -> None:
    assert Digest.of(b"") == EMPTY
    assert Digest.of(b"{}").encoded == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert len(Digest.of(b"x", "sha512").encoded) == 128
    assert Digest.parse(EMPTY).short == "e3b0c44298fc"


@pytest.mark.parametrize(
    "text",
    ["", "sha256", "sha256:", "sha256:" + "A" * 64, "sha256:" + "a" * 63, "sha512:" + "a" * 64, "SHA256:" + "a" * 64,
     "sha256:" + "a" * 64 + "\n", ":" + "a" * 64, "x" * 9000 + ":a", "sha256:\u0661" + "a" * 63],
)  # fmt: skip
def test_refuses(text: str) -> None:
    with pytest.raises(InvalidDigest):
        Digest.parse(text)


def test_an_unknown_algorithm_can_be_named_and_not_verified() -> None:
    digest = Digest.parse("blake3:" + "a" * 64)
    assert not digest.is_verifiable
    with pytest.raises(DigestMismatch):
        digest.verify(b"")


@given(st.lists(st.binary(max_size=40)), st.sampled_from(["sha256", "sha512"]))
def test_a_stream_verifies_in_any_pieces(chunks: list[bytes], algorithm: str) -> None:
    content = b"".join(chunks)
    verifier = Verifier(Digest.of(content, algorithm), len(content))
    for chunk in chunks:
        verifier.update(chunk)
    verifier.finish()
    assert verifier.seen == len(content)


@given(st.binary(min_size=1, max_size=60), st.integers(min_value=0))
def test_one_changed_bit_is_seen(content: bytes, where: int) -> None:
    changed = bytearray(content)
    changed[where % len(content)] ^= 1 << (where % 8)
    with pytest.raises(DigestMismatch):
        Digest.of(content).verify(bytes(changed))


def test_sizes_are_checked_as_soon_as_they_can_be() -> None:
    verifier = Verifier(Digest.of(b"abc"), 3)
    with pytest.raises(SizeMismatch):
        verifier.update(b"abcd")
    short = Verifier(Digest.of(b"abc"), 3)
    short.update(b"ab")
    with pytest.raises(SizeMismatch):
        short.finish()
