"""The lists of the usage screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci.tags import version_key
from regtui.ui.models.ordering import natural_key
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import Column
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.words import count_text, size_text, time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


def _bytes(name: str, title: str, *, priority: int = 0) -> Column[Any]:
    return Column(
        name,
        SafeText(title),
        lambda row: safe(size_text(getattr(row, name))),
        10,
        align="right",
        sort=lambda row: getattr(row, name),
        descending=True,
        priority=priority,
    )


def _count(name: str, title: str) -> Column[Any]:
    return Column(
        name,
        SafeText(title),
        lambda row: safe(count_text(getattr(row, name))),
        7,
        align="right",
        sort=lambda row: getattr(row, name),
        descending=True,
    )


_PUSHED: Final[Column[Any]] = Column(
    "pushed", SafeText("pushed"), lambda row: safe(time_text(row.pushed)), 20, tone="dim", sort=lambda row: row.pushed,
    priority=2,
)  # fmt: skip
_REPOSITORY: Final[Column[Any]] = Column(
    "repository",
    SafeText("repository"),
    lambda row: safe(row.repository),
    14,
    flex=2,
    sort=lambda row: natural_key(row.repository),
)
_TAG: Final[Column[Any]] = Column(
    "tag", SafeText("tag"), lambda row: safe(row.tag), 12, flex=2, sort=lambda row: version_key(row.tag)
)
_DIGEST: Final[Column[Any]] = Column("digest", SafeText("layer"), lambda row: safe(row.digest), 19, flex=1)
_TAGS: Final = (_TAG, _bytes("size", "size"), _bytes("new", "new then", priority=1), _bytes("frees", "frees"), _PUSHED)
_COLUMNS: Final[dict[str, tuple[Column[Any], ...]]] = {
    "repositories": (
        _REPOSITORY, _count("tags", "tags"), _bytes("logical", "logical", priority=1), _bytes("unique", "stored"),
        _bytes("frees", "only here"),
    ),
    "tags": _TAGS,
    "layers": (_bytes("size", "size"), _count("images", "images"), _count("tags", "tags"), _DIGEST),
}  # fmt: skip
_KEYS: Final[dict[str, Callable[[Any], Hashable]]] = {
    "repositories": lambda row: row.repository,
    "tags": lambda row: (row.repository, row.tag),
    "layers": lambda row: row.digest,
}
_TEXTS: Final[dict[str, Callable[[Any], str]]] = {
    "repositories": lambda row: row.repository,
    "tags": lambda row: f"{row.repository}:{row.tag}",
    "layers": lambda row: row.digest,
}


def usage_tables(*, whole: bool) -> dict[str, RowTable[Any]]:
    """The lists of a repository, or of a `whole` registry."""
    columns = dict(_COLUMNS)
    if whole:
        columns["tags"] = (_REPOSITORY, *_TAGS)
    else:
        del columns["repositories"]
    return {
        name: RowTable(shown, key=_KEYS[name], text=_TEXTS[name], id=f"usage-{name}") for name, shown in columns.items()
    }
