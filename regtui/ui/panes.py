"""The lists of the explorer: which columns each has, how a row is told and found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from regtui.oci.tags import version_key
from regtui.trust.verdict import Status
from regtui.ui.facts.tags import TagRow, signed_text, vulnerability_text
from regtui.ui.models.ordering import natural_key
from regtui.ui.models.path_tree import PathNode, PathSource
from regtui.ui.models.tree import TreeModel
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.trust.words import STATUS_TONES
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.tree_table import TreeTable
from regtui.ui.words import age_text, count_text, size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regtui.registries.contract import RepositorySummary
    from regtui.session import KnownRegistry

Value = TypeVar("Value")
RepositoryNode = PathNode["RepositorySummary"]


@dataclass(frozen=True, slots=True)
class RegistryRow:
    """A registry in the list. `state` is one of "", "opening", "open", "failed"."""

    known: KnownRegistry
    kind: str | None = None
    state: str = ""

    @property
    def name(self) -> str:
        """The host; of a local place the last part of its path."""
        host = self.known.host
        return f"{host.rstrip('/').rpartition('/')[2]} (local)" if host.startswith("/") else host


_STATES: dict[str, tuple[str, Tone]] = {
    "": (" ", ""),
    "opening": ("…", "dim"),
    "open": ("●", "success"),
    "failed": ("!", "error"),
}


def registries_table() -> RowTable[RegistryRow]:
    """The pane of registries."""
    columns: list[Column[RegistryRow]] = [
        Column(
            "state",
            SafeText(""),
            lambda row: SafeText(_STATES[row.state][0]),
            1,
            tone=lambda row: _STATES[row.state][1],
        ),
        Column("host", SafeText("registry"), lambda row: safe(row.name), 12, flex=1),
        Column("kind", SafeText("kind"), lambda row: safe(row.kind or ""), 8, tone="dim", priority=2),
    ]
    return RowTable(
        columns,
        key=lambda row: row.known.host,
        text=lambda row: row.known.host,
        title=SafeText("1 Registries"),
        show_header=False,
        id="registries",
    )


class FlatSource(Generic[Value]):
    """The same things as a PathSource, as one flat list."""

    def __init__(self, tree: PathSource[Value]) -> None:
        self._tree = tree

    def roots(self) -> Sequence[PathNode[Value]]:
        """Every thing, natural order of the whole path."""
        found: list[PathNode[Value]] = []
        waiting = list(self._tree.roots())
        while waiting:
            node = waiting.pop()
            waiting.extend(self._tree.children(node))
            if node.value is not None:
                found.append(node)
        return sorted(found, key=lambda node: natural_key(node.path))

    def children(self, node: PathNode[Value]) -> Sequence[PathNode[Value]]:
        """Nothing stands under anything."""
        return ()

    def has_children(self, node: PathNode[Value]) -> bool:
        """Nothing stands under anything."""
        return False

    def key(self, node: PathNode[Value]) -> str:
        """The path."""
        return node.path

    def text(self, node: PathNode[Value]) -> str:
        """What the filter looks in."""
        return node.path


def repositories_tree(source: PathSource[RepositorySummary]) -> TreeTable[RepositoryNode]:
    """The pane of repositories."""
    return TreeTable(
        TreeModel(source),
        label=lambda node: safe(node.name),
        columns=[Column("tags", SafeText("tags"), _repository_count, 7, align="right", tone="dim", priority=1)],
        tone=lambda node: "" if node.value is not None else "dim",
        title=SafeText("2 Repositories"),
        id="repositories",
    )


def _repository_count(node: RepositoryNode) -> SafeText:
    if node.value is not None and node.value.tags is not None:
        return safe(count_text(node.value.tags))
    return safe(f"({node.below:,})") if node.below else SafeText("")


def tags_table(now: datetime | None = None) -> RowTable[TagRow]:
    """The pane of tags; ages are told as of `now`."""
    moment = now or datetime.now(UTC)
    columns: list[Column[TagRow]] = [
        Column("tag", SafeText("tag"), lambda row: safe(row.name), 14, flex=3, sort=lambda row: version_key(row.name)),
        Column(
            "pushed",
            SafeText("age"),
            lambda row: safe(age_text(row.moment, moment)),
            6,
            align="right",
            sort=lambda row: row.moment,
            descending=True,
            priority=1,
        ),
        Column(
            "size",
            SafeText("size"),
            lambda row: safe(size_text(row.tag.size)),
            9,
            align="right",
            sort=lambda row: row.tag.size,
            descending=True,
            priority=2,
        ),
        Column("platforms", SafeText("platforms"), _platforms, 12, flex=2, tone=_same_tone, priority=3),
        Column("vuln", SafeText("vuln"), lambda row: safe(vulnerability_text(row.tag)), 6, align="right", priority=5),
        Column(
            "sign",
            SafeText("signed"),
            lambda row: safe(signed_text(row)),
            8,
            tone=_signed_tone,
            priority=6,
            sort=_signed_rank,
        ),
        Column("digest", SafeText("digest"), _digest, 12, tone="dim", priority=4),
    ]
    return RowTable(
        columns,
        key=lambda row: row.name,
        text=lambda row: row.name,
        fields={"signed": signed_text},
        title=SafeText("3 Tags"),
        id="tags",
    )


def _signed_tone(row: TagRow) -> Tone:
    return "dim" if row.signature is None else STATUS_TONES[row.signature]


def _signed_rank(row: TagRow) -> int | None:
    """Invalid ones first: they are what to look at."""
    ranks = (Status.INVALID, Status.UNVERIFIED, Status.UNSIGNED, Status.VERIFIED)
    return None if row.signature is None else ranks.index(row.signature)


def _platforms(row: TagRow) -> SafeText:
    return safe(f"= {row.same_as}" if row.same_as is not None else row.platforms)


def _same_tone(row: TagRow) -> Tone:
    return "dim" if row.same_as is not None else ""


def _digest(row: TagRow) -> SafeText:
    return safe(row.tag.digest.short if row.tag.digest is not None else "—")
