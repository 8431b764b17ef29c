"""Syft's own JSON (anchore/syft, schema/json)."""

from __future__ import annotations

from typing import Any

from regtui.trust.sbom import Sbom, SbomPackage, finish
from regtui.trust.untrusted import as_list, as_object, as_objects, as_text


def matches(body: dict[str, Any]) -> bool:
    """Whether this is Syft's."""
    return "artifacts" in body and "source" in body and "descriptor" in body


def parse(body: dict[str, Any]) -> Sbom:
    """The artifacts, each with the layer that brought it (a diff ID)."""
    descriptor, source = as_object(body.get("descriptor")), as_object(body.get("source"))
    name, version = as_text(descriptor.get("name")), as_text(descriptor.get("version"))
    files = as_list(body.get("files"))
    return finish(
        (_package(one) for one in as_objects(body.get("artifacts"))),
        format=f"Syft {as_text(as_object(body.get('schema')).get('version')) or ''}".strip(),
        name=as_text(source.get("name")),
        tools=(f"{name} {version}" if version else name,) if name else (),
        files=len(files) or None,
    )


def _package(one: dict[str, Any]) -> SbomPackage:
    location = next(iter(as_objects(one.get("locations"))), {})
    cpe = next(iter(as_list(one.get("cpes"))), None)
    listed = as_list(one.get("licenses"))
    licences = [said if isinstance(said, str) else as_object(said).get("value") for said in listed]
    return SbomPackage(
        as_text(one.get("name")) or "unknown",
        as_text(one.get("version")),
        tuple(text for said in licences if (text := as_text(said)) is not None),
        as_text(one.get("purl")),
        as_text(one.get("type")),
        as_text(as_object(one.get("metadata")).get("maintainer")),
        as_text(cpe if isinstance(cpe, str) else as_object(cpe).get("cpe")),
        as_text(location.get("layerID")),
    )
