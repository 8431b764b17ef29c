"""What the Files tab is not sure of, and says: layers that are missing, damaged, or listed by a table alone."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from regtui.contents.merge import stack
from regtui.contents.soci import index_of_ztoc
from regtui.oci import Descriptor, Digest
from regtui.oci.media_types import OCI_LAYER_GZIP
from regtui.session.contents import ImageContents
from regtui.ui.files.looking import doubts
from tests.contents.conftest import archive, indexed

if TYPE_CHECKING:
    from regtui.contents.layer_index import LayerIndex

SOCI = Path(__file__).parents[2] / "contents" / "soci"
READ = indexed(archive(("etc/kept", b"k")))


def by_table() -> LayerIndex:
    """A layer that a SOCI table lists."""
    layer = (SOCI / "layer.tar.gz").read_bytes()
    made = index_of_ztoc(
        gzip.decompress((SOCI / "layer.ztoc.gz").read_bytes()), Descriptor(OCI_LAYER_GZIP, Digest.of(layer), len(layer))
    )
    assert made is not None
    return made


def contents(*layers: LayerIndex | None) -> ImageContents:
    missing = {number: "no" for number, layer in enumerate(layers) if layer is None}
    return ImageContents(cast("Any", None), stack(layers), missing)


def test_what_was_read_whole_leaves_no_doubt() -> None:
    assert doubts(contents(READ, READ)) == []


def test_each_doubt_is_counted() -> None:
    damaged = replace(READ, damage="cut off")
    assert doubts(contents(READ, by_table())) == ["1 layer listed unverified"]
    assert doubts(contents(None, damaged, damaged, by_table())) == [
        "1 layer can't be listed: see By layer",
        "2 layers damaged",
        "1 layer listed unverified",
    ]
