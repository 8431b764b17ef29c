"""What hangs on an image as a tree: the image and its platforms, what is attached to each, documents inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from regtui.trust.referrers_tree import Found
from regtui.trust.verdict import Status
from regtui.ui.trust.words import COLUMN_WORDS, STATUS_TONES

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from regtui.oci import Digest
    from regtui.trust.documents import Document
    from regtui.trust.referrers_tree import Attached, ReferrersTree
    from regtui.trust.verdict import SignatureResult
    from regtui.ui.widgets.columns import Tone


@dataclass(slots=True)
class HangingNode:
    """One line: a subject (`attached` None), something attached to it, or a document inside of that.

    `position` is the document's place among those of its manifest.
    """

    key: Hashable
    title: str
    attached: Attached | None = None
    result: SignatureResult | None = None
    note: str = ""
    size: int | None = None
    digest: Digest | None = None
    position: int = 0
    is_document: bool = False
    children: list[HangingNode] = field(default_factory=list)

    @property
    def status(self) -> str:
        """What was found out about its signature; empty where it has none."""
        return "" if self.result is None else COLUMN_WORDS[self.result.status]

    @property
    def tone(self) -> Tone:
        """The colour of the status."""
        return "" if self.result is None else STATUS_TONES[self.result.status]


class HangingSource:
    """A TreeSource over everything that hangs on an image."""

    def __init__(self, roots: Sequence[HangingNode] = ()) -> None:
        self._roots = tuple(roots)

    def roots(self) -> Sequence[HangingNode]:
        """The image and its platforms."""
        return self._roots

    def children(self, node: HangingNode) -> Sequence[HangingNode]:
        """What hangs there."""
        return node.children

    def has_children(self, node: HangingNode) -> bool:
        """Whether anything does."""
        return bool(node.children)

    def key(self, node: HangingNode) -> Hashable:
        """Its place in the tree: the same manifest may hang in two."""
        return node.key

    def text(self, node: HangingNode) -> str:
        """What the filter looks in."""
        return f"{node.title} {node.status} {node.note} {node.digest or ''}"

    def nodes(self) -> Iterable[HangingNode]:
        """Every node, parents first."""
        waiting = list(reversed(self._roots))
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


def hanging_nodes(tree: ReferrersTree, results: Sequence[SignatureResult], shown: Digest) -> list[HangingNode]:
    """The nodes of a tree. `results` are of the image and of the platform that is shown, whose digest is `shown`."""
    by_source = _by_source(results)
    roots = [_subject(tree, "this image" if not tree.images else "the whole index", by_source, len(tree.images))]
    for image in tree.images:
        name = image.platform or "image"
        roots.append(_subject(image, f"{name} (shown)" if image.subject == shown else name, by_source, 0))
    return roots


def _by_source(results: Sequence[SignatureResult]) -> dict[str, SignatureResult]:
    """One result per manifest: a good one of several counts, as cosign's tag may carry many."""
    found: dict[str, SignatureResult] = {}
    for one in results:
        known = found.get(one.source)
        if known is None or (one.verified and not known.verified):
            found[one.source] = one
    return found


def _subject(tree: ReferrersTree, title: str, results: Mapping[str, SignatureResult], platforms: int) -> HangingNode:
    node = HangingNode((tree.subject,), title, digest=tree.subject)
    node.children = [_attached(one, (tree.subject,), results) for one in tree.attached]
    if not node.children:
        node.note = "nothing hangs here" + (", see its platforms" if platforms else "")
    return node


def _attached(one: Attached, above: tuple[Hashable, ...], results: Mapping[str, SignatureResult]) -> HangingNode:
    key = (*above, one.tag or one.descriptor.digest)
    source = f"tag {one.tag}" if one.tag is not None else f"referrer {one.descriptor.digest.short}"
    result = results.get(source)
    note = result.reason if result is not None else "an unsigned claim" if one.found is Found.INDEX else ""
    node = HangingNode(key, one.title, one, result, note, one.descriptor.size, one.descriptor.digest)
    node.children = [_attached(inner, key, results) for inner in one.attached]
    return node


def tell_documents(node: HangingNode, documents: Sequence[Document]) -> None:
    """What was found when a node was opened: one document is told on its own line, several stand below it."""
    # The parsers are there by now; the explorer starts without them.
    from regtui.trust.documents import DocumentKind
    from regtui.ui.trust.telling import document_text

    if len(documents) == 1:
        told = document_text(documents[0])
        is_judged = node.result is not None and node.result.status in {Status.VERIFIED, Status.INVALID}
        if documents[0].kind is not DocumentKind.SIGNATURE or not is_judged:
            node.note = told or node.note
        return
    kept = [child for child in node.children if not child.is_document]
    node.children = [
        HangingNode((node.key, position), one.title, node.attached, None, document_text(one), len(one.raw), one.digest,
                    position, is_document=True)
        for position, one in enumerate(documents)
    ] + kept  # fmt: skip
