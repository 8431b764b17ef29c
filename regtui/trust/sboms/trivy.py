"""The packages and licences that a Trivy report lists beside its findings (`--list-all-pkgs`, `--scanners license`)."""

from __future__ import annotations

from typing import Any

from regtui.oci.times import parse_time
from regtui.trust.sbom import Sbom, SbomPackage, finish
from regtui.trust.untrusted import as_object, as_objects, as_text, as_texts


def matches(body: dict[str, Any]) -> bool:
    """Whether this is a Trivy report with packages or licences in it."""
    if "SchemaVersion" not in body or "ArtifactName" not in body:
        return False
    return any("Packages" in one or "Licenses" in one for one in as_objects(body.get("Results")))


def parse(body: dict[str, Any]) -> Sbom:
    """Each package once, with the licences that either list tells."""
    found: dict[tuple[str, str | None], SbomPackage] = {}
    licences: dict[str, list[str]] = {}
    for result in as_objects(body.get("Results")):
        for one in as_objects(result.get("Packages")):
            package = _package(one, as_text(result.get("Type")))
            found[package.name, package.version] = package
        for one in as_objects(result.get("Licenses")):
            name, licence = as_text(one.get("PkgName")), as_text(one.get("Name"))
            if name and licence:
                licences.setdefault(name, []).append(licence)
    named = {name for name, _ in found}
    only_licences = (SbomPackage(name, None, tuple(held)) for name, held in licences.items() if name not in named)
    version = as_text(as_object(body.get("Trivy")).get("Version"))
    return finish(
        (*found.values(), *only_licences),
        format="Trivy report",
        name=as_text(body.get("ArtifactName")),
        created=parse_time(body.get("CreatedAt")),
        tools=(f"trivy {version}",) if version else ("trivy",),
    )


def _package(one: dict[str, Any], kind: str | None) -> SbomPackage:
    version, release = as_text(one.get("Version")), as_text(one.get("Release"))
    layer = as_object(one.get("Layer"))
    return SbomPackage(
        as_text(one.get("Name")) or "unknown",
        f"{version}-{release}" if version and release else version,
        as_texts(one.get("Licenses")),
        as_text(as_object(one.get("Identifier")).get("PURL")),
        kind,
        as_text(one.get("Maintainer")),
        layer=as_text(layer.get("DiffID")) or as_text(layer.get("Digest")),
    )
