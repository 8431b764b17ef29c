"""What is compared with what: from marks, from platforms of one image, or from what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.oci import Platform, Reference
from regtui.oci.errors import InvalidReference
from regtui.session import parse_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regtui.ui.facts.tags import TagRow


@dataclass(frozen=True, slots=True)
class Side:
    """An image and, when it matters, the platform."""

    reference: Reference
    platform: Platform | None = None

    @property
    def words(self) -> str:
        """How it is named in titles: `shop/cart:1.4.2 linux/arm64`."""
        reference = self.reference
        name = f"{reference.path}:{reference.tag}" if reference.tag is not None else f"{reference.path}@…"
        if reference.tag is None and reference.digest is not None:
            name = f"{reference.path}@{reference.digest.short}"
        return name if self.platform is None else f"{name} {self.platform}"


def older_first(rows: Sequence[TagRow]) -> tuple[TagRow, TagRow]:
    """Two tags, the one that came first before the other; as they stand in the list when that is not known."""
    one, two = rows
    if one.moment is not None and two.moment is not None and one.moment > two.moment:
        return two, one
    return one, two


def typed_side(text: str, beside: Reference) -> Side:
    """What a person typed: a platform or a tag of the image beside, or any reference. Raises InvalidReference."""
    text = text.strip()
    if text.startswith(("linux/", "windows/", "freebsd/", "darwin/")) and ":" not in text and "@" not in text:
        return Side(beside, Platform.parse(text))
    if text.startswith(":"):
        return Side(Reference(beside.host, beside.path, text[1:]))
    if text and "/" not in text and ":" not in text and "@" not in text:
        return Side(Reference(beside.host, beside.path, text))
    if not text:
        raise InvalidReference("There is no reference.", hint="Type a tag, a platform or a whole reference.")
    return Side(parse_image(text))
