"""How two images differ, as rows and as a summary. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.contents.differences import Kind, config_differences, layer_differences
from regtui.ui.words import UNKNOWN, count_text, size_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from regtui.contents.differences import ConfigDifference, LayerDifference, PackageDifference
    from regtui.contents.file_differences import FileDifference
    from regtui.oci import Descriptor, Digest
    from regtui.session import Image
    from regtui.ui.widgets.columns import Tone

SIGNS: Final[dict[Kind, tuple[str, Tone]]] = {
    Kind.ADDED: ("+", "success"),
    Kind.REMOVED: ("-", "error"),
    Kind.CHANGED: ("~", "warning"),
    Kind.METADATA: ("m", "dim"),
    Kind.WRITTEN: ("?", "warning"),
    Kind.EQUAL: ("=", "dim"),
    Kind.MOVED: (">", "accent"),
    Kind.RECOMPRESSED: ("z", "accent"),
    Kind.UP: ("↑", "success"),
    Kind.DOWN: ("↓", "warning"),
}


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One difference. `before` and `after` are what stands on either side, None where nothing does; `delta` are bytes
    gained or lost, None where nobody knows. `detail` says more in words.
    """

    key: int
    kind: Kind
    name: str
    before: str | None
    after: str | None
    delta: int | None = None
    size: int | None = None
    detail: str = ""


def config_rows(differences: Iterable[ConfigDifference]) -> list[DifferenceRow]:
    """Members of the config."""
    return [
        DifferenceRow(number, _side(found.before, found.after), found.name, found.before, found.after)
        for number, found in enumerate(differences)
    ]


def _side(before: str | None, after: str | None) -> Kind:
    return Kind.ADDED if before is None else Kind.REMOVED if after is None else Kind.CHANGED


def layer_rows_of(differences: Iterable[LayerDifference]) -> list[DifferenceRow]:
    """Layers, those of the second image first, in their order."""
    return [
        DifferenceRow(number, found.kind, found.layer.digest, _number(found.before), _number(found.after),
                      _layer_delta(found), found.layer.size)
        for number, found in enumerate(differences)
    ]  # fmt: skip


def _number(layer: int | None) -> str | None:
    return None if layer is None else str(layer + 1)


def _layer_delta(found: LayerDifference) -> int:
    return {Kind.ADDED: found.layer.size, Kind.REMOVED: -found.layer.size}.get(found.kind, 0)


def file_rows(differences: Iterable[FileDifference]) -> list[DifferenceRow]:
    """Files and whole folders."""
    return [
        DifferenceRow(
            number,
            found.kind,
            found.path,
            _size(found.before),
            _size(found.after),
            delta_of(found.before, found.after, found.kind),
            found.after if found.after is not None else found.before,
            _file_detail(found),
        )
        for number, found in enumerate(differences)
    ]


def _size(size: int | None) -> str | None:
    return None if size is None else size_text(size)


def _file_detail(found: FileDifference) -> str:
    details = [f"{count_text(found.files)} files"] if found.files > 1 else []
    if not found.sure:
        details.append("same size, other time")
    return ", ".join(details)


def package_rows_of(differences: Iterable[PackageDifference]) -> list[DifferenceRow]:
    """Packages by manager and name."""
    return [
        DifferenceRow(
            number, found.kind, found.name, found.before, found.after,
            delta_of(found.bytes_before, found.bytes_after, found.kind), found.bytes_after, found.manager,
        )
        for number, found in enumerate(differences)
    ]  # fmt: skip


def delta_of(before: int | None, after: int | None, kind: Kind) -> int | None:
    """Bytes gained; None where one side exists and its bytes are not known."""
    if kind == Kind.ADDED:
        return after
    if kind == Kind.REMOVED:
        return None if before is None else -before
    return None if before is None or after is None else after - before


def delta_text(delta: int | None) -> str:
    """`+1.2 MB`, `-300 B`, `0 B`; a dash when unknown."""
    if delta is None:
        return UNKNOWN
    return f"{'+' if delta > 0 else '-' if delta < 0 else ''}{size_text(abs(delta))}"


def counts(rows: Sequence[DifferenceRow], *, with_bytes: bool = False) -> str:
    """`+12 -3 ~5 · +1.2 MB`; `none` for none."""
    found = Counter(row.kind for row in rows)
    parts = " ".join(f"{sign}{count_text(found[kind])}" for kind, (sign, _) in SIGNS.items() if found[kind])
    if with_bytes and rows:
        known = [row.delta for row in rows if row.delta is not None]
        least = "" if len(known) == len(rows) else "about "
        parts += f" · {least}{delta_text(sum(known))}"
    return parts or "none"


def quick_rows(before: Image, after: Image) -> tuple[list[DifferenceRow] | None, list[DifferenceRow]]:
    """What can be told without reading a layer: config (None when one image has none) and layers."""
    config = None
    if before.config is not None and after.config is not None:
        config = config_rows(config_differences(before.config, after.config))
    layers = layer_differences(_layers(before), _layers(after), _diff_ids(before), _diff_ids(after))
    return config, layer_rows_of(layers)


def _layers(image: Image) -> Sequence[Descriptor]:
    return image.manifest.layers if image.manifest is not None else ()


def _diff_ids(image: Image) -> Sequence[Digest]:
    return image.config.diff_ids if image.config is not None else ()
