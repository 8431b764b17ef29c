"""The Tags list: a row per tag with what is known of it so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.oci.tags import subject_of
from regtui.ui.words import UNKNOWN, platforms_text

if TYPE_CHECKING:
    from datetime import datetime

    from regtui.registries.contract import TagSummary


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag as the list shows it. `same_as` names another tag with the same digest that stands before it."""

    tag: TagSummary
    same_as: str | None = None

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


def is_attachment(name: str) -> bool:
    """Whether this tag only carries a signature, attestation or SBOM of another image, and folds under it."""
    return subject_of(name) is not None


VULNERABLE: Final = ("critical", "high", "medium", "low")


def vulnerability_text(tag: TagSummary) -> str:
    """Critical and high findings as `2·14`; a dash when unknown."""
    if tag.vulnerabilities is None:
        return UNKNOWN
    counts = {key.lower(): value for key, value in tag.vulnerabilities.items()}
    return "·".join(str(counts.get(word, 0)) for word in VULNERABLE[:2])


def signed_text(tag: TagSummary) -> str:
    """Whether a signature is there: present is not verified, so no tick."""
    return UNKNOWN if tag.signed is None else "present" if tag.signed else "none"
