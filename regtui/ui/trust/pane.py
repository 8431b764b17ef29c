"""The Trust tab: the verdict over the image, and under it the tree of everything that hangs there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from regtui.trust.verdict import Status
from regtui.ui.actions import Place
from regtui.ui.models.tree import TreeModel
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.trust.hanging import HangingNode, HangingSource, hanging_nodes, tell_documents
from regtui.ui.trust.words import verdict_lines
from regtui.ui.widgets.columns import Column
from regtui.ui.widgets.tree_table import TreeTable
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from regtui.oci import Digest
    from regtui.session.trust import ImageVerdict
    from regtui.trust.documents import Document
    from regtui.trust.referrers_tree import Attached, ReferrersTree
    from regtui.trust.verdict import SignatureResult

_CLASSES = {
    Status.VERIFIED: "-verified",
    Status.INVALID: "-invalid",
    Status.UNVERIFIED: "-unverified",
    Status.UNSIGNED: "-unsigned",
}


class HangingTree(TreeTable[HangingNode]):
    """The tree; enter on what is attached opens it."""

    PLACES: ClassVar[tuple[Place, ...]] = (Place.TREE,)

    def __init__(self) -> None:
        columns: list[Column[HangingNode]] = [
            Column("status", SafeText("signature"), lambda node: safe(node.status), 12, tone=lambda node: node.tone),
            Column("note", SafeText("tells"), lambda node: safe(node.note, 600), 16, flex=2, tone="dim", priority=1),
            Column("size", SafeText("size"), _size, 9, align="right", tone="dim", priority=3),
            Column("digest", SafeText("digest"), _digest, 12, tone="dim", priority=2),
        ]
        super().__init__(
            TreeModel(HangingSource()),
            label=lambda node: safe(node.title),
            columns=columns,
            heading=SafeText("what hangs here, enter opens"),
            show_header=True,
            label_width=30,
            id="hanging",
        )


def _size(node: HangingNode) -> SafeText:
    return safe(size_text(node.size)) if node.attached is not None else SafeText("")


def _digest(node: HangingNode) -> SafeText:
    return safe(node.digest.short if node.digest is not None else "")


class TrustPane(Vertical):
    """Who vouches for one image. The screen calls `begin`, `show_verdict`, `show_tree`, `tell_documents`, or `tell`."""

    DEFAULT_CSS = """
    TrustPane > #verdict { height: auto; max-height: 6; padding: 0 1; color: $text-muted; }
    TrustPane > #verdict.-verified { color: $text-success; }
    TrustPane > #verdict.-invalid { color: $text-error; }
    TrustPane > #verdict.-unverified { color: $text-warning; }
    TrustPane HangingTree { height: 1fr; }
    """

    class DocumentWanted(Message):
        """Something that is attached is to be opened, at one of its documents."""

        def __init__(self, attached: Attached, position: int, result: SignatureResult | None) -> None:
            super().__init__()
            self.attached = attached
            self.position = position
            self.result = result

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.judged: ImageVerdict | None = None
        self.referrers: ReferrersTree | None = None
        self.hanging = HangingTree()
        self._verdict = Static(Content(""), id="verdict")
        self._source = HangingSource()

    def compose(self) -> ComposeResult:
        """The verdict over the tree."""
        yield self._verdict
        yield self.hanging

    @property
    def told(self) -> str:
        """The words over the tree, for tests and screen readers."""
        return str(self._verdict.content)

    @property
    def nodes(self) -> list[HangingNode]:
        """Every line of the tree, parents first."""
        return list(self._source.nodes())

    def begin(self) -> None:
        """An image is about to be looked at."""
        self.judged = self.referrers = None
        self._show_source(HangingSource())
        self._say(["Looking for signatures, and at what hangs on the image…"])

    def show_verdict(self, judged: ImageVerdict) -> None:
        """Who vouches for it."""
        self.judged = judged
        self._say(verdict_lines(judged), judged.of_shown.status)

    def show_tree(self, tree: ReferrersTree, shown: Digest) -> None:
        """What hangs on it; `shown` is the digest of the image that the other tabs are about."""
        self.referrers = tree
        results = self.judged.results if self.judged is not None else ()
        self._show_source(HangingSource(hanging_nodes(tree, results, shown)))
        self.hanging.open_all()
        if tree.notes and self.judged is not None:
            lines = [*verdict_lines(self.judged), *tree.notes[:2]]
            self._say(lines, self.judged.of_shown.status)

    def tell_documents(self, digest: Digest, documents: Sequence[Document]) -> None:
        """What an attached manifest holds, on its line or below it."""
        for node in self.nodes:
            if node.attached is not None and node.digest == digest and not node.is_document:
                tell_documents(node, documents)
        self.hanging.rebuild()
        self.hanging.open_all()
        self.hanging.forget_drawn()

    def tell(self, sentence: str, hint: str = "") -> None:
        """A sentence instead: what went wrong, or that nothing is chosen; a hint is left to the overview."""
        del hint
        self.judged = self.referrers = None
        self._show_source(HangingSource())
        self._say([sentence])

    def _show_source(self, source: HangingSource) -> None:
        self._source = source
        self.hanging.show(TreeModel(source))

    def _say(self, lines: Sequence[str], status: Status | None = None) -> None:
        for one, name in _CLASSES.items():
            self._verdict.set_class(one is status, name)
        self._verdict.update(Content("\n".join(safe(line, 600) for line in lines)))

    def on_tree_table_opened(self, event: TreeTable.Opened) -> None:
        """Enter: open what is attached; a subject opens and closes."""
        event.stop()
        node = event.value
        if node is None:
            return
        if node.attached is None:
            self.hanging.toggle()
        else:
            self.post_message(self.DocumentWanted(node.attached, node.position, node.result))
