"""The Tags list: a row per tag with what is known of it so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.oci.tags import subject_of
from regtui.ui.trust.words import SHORT_WORDS
from regtui.ui.words import UNKNOWN, platforms_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from regtui.registries.contract import TagSummary
    from regtui.trust.verdict import Status


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag as the list shows it. `same_as` names another tag with the same digest that came before it.

    `signature` is what was found out about its signatures, None as long as nobody has looked.
    """

    tag: TagSummary
    same_as: str | None = None
    signature: Status | None = None

    @property
    def name(self) -> str:
        """The tag."""
        return self.tag.name

    @property
    def moment(self) -> datetime | None:
        """When it was pushed, else when its image says it was made."""
        return self.tag.pushed or self.tag.created

    @property
    def needs_details(self) -> bool:
        """Whether a request could tell more."""
        return self.tag.size is None or self.tag.platforms is None or self.tag.digest is None

    @property
    def platforms(self) -> str:
        """The platforms in a few words."""
        return platforms_text(self.tag.platforms)


class TagBook:
    """The tags of one repository: which share a digest, and which only carry what hangs on an image."""

    def __init__(self) -> None:
        self.attachments: list[TagSummary] = []
        self.signatures: dict[str, Status] = {}
        """By digest, what was found out about signatures."""
        self._first: dict[str, str] = {}

    def rows(self, tags: Iterable[TagSummary], *, with_attachments: bool = False) -> list[TagRow]:
        """Rows for the list; tags of signatures and the like are kept apart unless they are wanted."""
        made = []
        for tag in tags:
            if not with_attachments and is_attachment(tag.name):
                self.attachments.append(tag)
            else:
                made.append(self.row(tag))
        return made

    def row(self, tag: TagSummary) -> TagRow:
        """The row of a tag as it is known now."""
        if tag.digest is None:
            return TagRow(tag)
        first = self._first.setdefault(tag.digest, tag.name)
        return TagRow(tag, None if first == tag.name else first, self.signatures.get(tag.digest))


def is_attachment(name: str) -> bool:
    """Whether this tag only carries a signature, attestation or SBOM of another image, and folds under it."""
    return subject_of(name) is not None


_SHOWN: Final = ("critical", "high")


def vulnerability_text(tag: TagSummary) -> str:
    """Critical and high findings as `2·14`; a dash when unknown."""
    if tag.vulnerabilities is None:
        return UNKNOWN
    counts = {key.lower(): value for key, value in tag.vulnerabilities.items()}
    return "·".join(str(counts.get(word, 0)) for word in _SHOWN)


def signed_text(row: TagRow) -> str:
    """What is known of signatures in a word: present is not verified. A dash when nothing is known."""
    if row.signature is not None:
        return SHORT_WORDS[row.signature]
    return UNKNOWN if row.tag.signed is None else "present" if row.tag.signed else "unsigned"
