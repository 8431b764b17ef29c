"""Everything that refers to a digest: what the referrers API lists, and what a referrers tag beside it lists.

Some clients write the tag although the registry has the API (notation does by default), and images that moved keep
their tags. A registry only merges both when it feels like it, so whoever says "unsigned" has to look at both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.oci import Index
from regtui.oci.tags import referrers_tag
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from typing import Literal

    from regtui.oci import Descriptor, Digest
    from regtui.trust.place import Place


@dataclass(frozen=True, slots=True)
class AllReferrers:
    """`listed` came by `source`; `beside` are those that only the tag lists, where the API was asked too."""

    listed: tuple[Descriptor, ...]
    source: Literal["api", "tag", "none"]
    beside: tuple[Descriptor, ...] = ()


async def all_referrers(
    place: Place, repository: str, subject: Digest, known_tags: frozenset[str] | None
) -> AllReferrers:
    """Ask both. With all tags known, a tag that is not there costs nothing. Raises RegistryError, InvalidManifest."""
    found = await place.referrers(repository, subject)
    tag = referrers_tag(subject)
    if found.source != "api" or (known_tags is not None and tag not in known_tags):
        return AllReferrers(found.descriptors, found.source)
    try:
        index = await place.manifest(repository, tag)
    except NotFound:
        return AllReferrers(found.descriptors, "api")
    if not isinstance(index, Index):
        return AllReferrers(found.descriptors, "api")
    known = {one.digest for one in found.descriptors}
    return AllReferrers(found.descriptors, "api", tuple(one for one in index.manifests if one.digest not in known))
