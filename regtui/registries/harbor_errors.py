"""Harbor's refusals as sentences: policies, immutable tags, quotas, read-only places.

Source: goharbor/harbor v2.15, src/lib/errors, src/server/middleware.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.transport.errors import Conflict, Forbidden, Unsupported

if TYPE_CHECKING:
    from regtui.transport.errors import Facts, RegistryError


def in_words(error: RegistryError, host: str, repository: str, *, reading: bool = False) -> RegistryError | None:
    """The error that says what Harbor means by this one; None where the one at hand says it already."""
    facts: Facts = {"host": host, "status": error.status, "code": error.code, "detail": error.detail}
    said = (error.detail or "").lower()
    project = repository.partition("/")[0]
    if isinstance(error, Conflict) and (reading or error.code == "PROJECTPOLICYVIOLATION"):
        facts["hint"] = "It may be unsigned, or have vulnerabilities that are too severe: see the project's policy."
        return Forbidden(f"A policy of the project {project} keeps this image of {repository} back.", **facts)
    if isinstance(error, Conflict) and error.code == "VIOLATE_FOREIGN_KEY_CONSTRAINT":
        facts["hint"] = "Delete the index first; its untagged children go with it."
        return Conflict(f"An index of {repository} holds this manifest, so Harbor keeps it.", **facts)
    if isinstance(error, Conflict) and (error.code == "PRECONDITION" or "immutable" in said):
        facts["hint"] = f"Change the rule in the project {project} (Policy, Tag Immutability), or choose another tag."
        return Conflict(f"A rule of the project {project} makes this immutable in {repository}.", **facts)
    if isinstance(error, Forbidden) and "quota" in said:
        facts["hint"] = "Delete something and have Harbor collect its garbage, or ask for a larger quota."
        return Forbidden(f"The storage quota of the project {project} is used up.", **facts)
    if isinstance(error, Forbidden) and "read only" in said.replace("-", " "):
        facts["hint"] = "Ask who runs Harbor; it may be collecting its garbage."
        return Forbidden(f"{host} is set to read-only.", **facts)
    if isinstance(error, Unsupported) and "proxy" in said:
        facts["hint"] = "Push to another project."
        return Unsupported(f"The project {project} is a cache of another registry and takes no writes.", **facts)
    return None
