"""Some platforms of an index: one is its own manifest, several are a new index over the same manifests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from regtui.oci import Digest, Index, parse_manifest
from regtui.operations.errors import OperationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from regtui.oci import Manifest, Platform

_ATTESTS: Final = "vnd.docker.reference.digest"


def narrowed(top: Manifest, wanted: Iterable[Platform]) -> Digest | Index:
    """What has only these platforms: the digest of a manifest that is there, or an index that has to be made.

    Attestations of the chosen platforms stay in a made index. An image that is no index is taken as it is, since
    only its config tells its platform. Raises OperationError when a platform is not there.
    """
    if not isinstance(top, Index):
        return top.digest
    chosen: dict[Digest, None] = {}
    for platform in wanted:
        found = top.select(platform)
        if found is None:
            there = ", ".join(str(d.platform) for d in top.platforms[:12] if d.platform is not None) or "no platforms"
            raise OperationError(f"There is no {platform} in this index.", hint=f"It has {there}.")
        chosen[found.digest] = None
    if not chosen or all(d.digest in chosen for d in top.platforms):
        return top.digest
    if len(chosen) == 1:
        return next(iter(chosen))
    attesting = {d.digest for d in top.attestations if d.annotations.get(_ATTESTS) in chosen}
    body = json.loads(top.raw)
    keep = {str(digest) for digest in (*chosen, *attesting)}
    body["manifests"] = [entry for entry in body["manifests"] if entry.get("digest") in keep]
    made = parse_manifest(json.dumps(body, separators=(",", ":")).encode(), top.media_type)
    assert isinstance(made, Index), "an index stays one"
    return made
