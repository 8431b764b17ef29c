"""Each layer's bytes: what the final image shows of them, what is hidden."""

from __future__ import annotations

from regtui.contents.layer_shares import layer_shares
from regtui.contents.merge import stack
from tests.contents.conftest import archive, indexed


def test_overwritten_removed_and_kept_bytes_are_told_apart() -> None:
    base = indexed(archive(("a", b"x" * 100), ("b", b"y" * 10), ("d", None), ("d/inside", b"z" * 7)))
    over = indexed(archive(("a", b"n" * 30), ("new", b"w" * 5)))
    gone = indexed(archive((".wh.b", b""), (".wh.d", b"")))
    shares = layer_shares(stack([base, over, gone]))
    assert [(share.added, share.left, share.hidden) for share in shares if share] == [
        (117, 0, 117),
        (35, 35, 0),
        (0, 0, 0),
    ]


def test_a_file_that_comes_back_counts_where_it_is_from() -> None:
    layers = [indexed(archive(("a", b"1" * 8))), indexed(archive((".wh.a", b""))), indexed(archive(("a", b"2" * 3)))]
    shares = layer_shares(stack(layers))
    assert [share.left for share in shares if share] == [0, 0, 3]


def test_a_path_written_twice_in_one_layer_hides_its_first_copy() -> None:
    shares = layer_shares(stack([indexed(archive(("a", b"first"), ("a", b"2nd")))]))
    assert shares[0] is not None
    assert (shares[0].added, shares[0].left) == (8, 3)


def test_a_layer_that_could_not_be_listed_has_no_share() -> None:
    shares = layer_shares(stack([None, indexed(archive(("a", b"abc")))]))
    assert shares[0] is None
    assert shares[1] is not None
    assert shares[1].left == 3
