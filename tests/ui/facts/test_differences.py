"""Differences as rows and in a summary."""

from __future__ import annotations

from regtui.contents.differences import ConfigDifference, Kind, LayerDifference, PackageDifference
from regtui.contents.file_differences import FileDifference
from regtui.oci import Descriptor, Digest
from regtui.ui.facts.differences import (
    config_rows,
    counts,
    delta_of,
    delta_text,
    file_rows,
    layer_rows_of,
    package_rows_of,
)


def test_a_member_that_only_one_config_has_is_added_or_removed() -> None:
    rows = config_rows(
        [ConfigDifference("User", None, "1"), ConfigDifference("Cmd", "a", None), ConfigDifference("X", "a", "b")]
    )
    assert [row.kind for row in rows] == [Kind.ADDED, Kind.REMOVED, Kind.CHANGED]


def test_layers_count_what_is_new_and_what_is_gone() -> None:
    layer = Descriptor("application/vnd.oci.image.layer.v1.tar", Digest.of(b"x"), 100)
    rows = layer_rows_of(
        [
            LayerDifference(Kind.EQUAL, 0, 0, layer),
            LayerDifference(Kind.ADDED, None, 1, layer),
            LayerDifference(Kind.REMOVED, 1, None, layer),
        ]
    )
    assert [(row.before, row.after, row.delta) for row in rows] == [("1", "1", 0), (None, "2", 100), ("2", None, -100)]


def test_bytes_that_nobody_knows_stay_unknown() -> None:
    assert delta_of(None, 5, Kind.ADDED) == 5
    assert delta_of(5, None, Kind.REMOVED) == -5
    assert delta_of(None, None, Kind.REMOVED) is None
    assert delta_of(None, 5, Kind.WRITTEN) is None
    assert delta_of(3, 5, Kind.CHANGED) == 2
    assert [delta_text(value) for value in (1200, -300, 0, None)] == ["+1.2 kB", "-300 B", "0 B", "—"]


def test_the_summary_counts_each_kind_and_says_when_bytes_are_missing() -> None:
    rows = file_rows(
        [
            FileDifference(Kind.ADDED, "/a", None, 1000, files=3),
            FileDifference(Kind.CHANGED, "/b", 10, 10, sure=False),
            FileDifference(Kind.REMOVED, "/c", None, None),
        ]
    )
    assert counts(rows, with_bytes=True) == "+1 -1 ~1 · about +1.0 kB"
    assert [row.detail for row in rows] == ["3 files", "same size, other time", ""]
    assert counts([]) == "none"


def test_packages() -> None:
    rows = package_rows_of([PackageDifference(Kind.UP, "dpkg", "curl", "amd64", "1", "2", 10, 30)])
    assert (rows[0].before, rows[0].after, rows[0].delta, rows[0].detail) == ("1", "2", 20, "dpkg")
