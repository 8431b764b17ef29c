"""SPDX 2.2 and 2.3 as JSON, and what can be shown of SPDX 3 (spdx.github.io/spdx-spec)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci.times import parse_time
from regtui.trust.sbom import Sbom, SbomPackage, finish
from regtui.trust.untrusted import as_list, as_object, as_objects, as_text, as_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING: Final = frozenset({"NOASSERTION", "NONE", ""})


def matches(body: dict[str, Any]) -> bool:
    """Whether this is SPDX."""
    return "spdxVersion" in body or "spdx.org/rdf/3" in str(body.get("@context", ""))[:500]


def parse(body: dict[str, Any]) -> Sbom:
    """The packages; the image itself, which the document describes, is left out when it is an OCI package."""
    if "spdxVersion" not in body:
        return _version_3(body)
    info = as_object(body.get("creationInfo"))
    extracted = {
        str(one.get("licenseId")): name
        for one in as_objects(body.get("hasExtractedLicensingInfos"))
        if (name := as_text(one.get("name"))) and name not in NOTHING
    }
    packages = [_package(one, extracted) for one in as_objects(body.get("packages"))]
    files = as_list(body.get("files"))
    return finish(
        (p for p in packages if not (p.purl or "").startswith("pkg:oci/")),
        format=f"SPDX {(as_text(body.get('spdxVersion')) or '').removeprefix('SPDX-')}",
        name=as_text(body.get("name")),
        created=parse_time(info.get("created")),
        tools=tuple(c.partition(":")[2].strip() for c in as_texts(info.get("creators")) if c.startswith("Tool:")),
        files=len(files) or None,
    )


def _package(one: dict[str, Any], extracted: Mapping[str, str]) -> SbomPackage:
    references = as_objects(one.get("externalRefs"))
    purl = next((as_text(r.get("referenceLocator")) for r in references if r.get("referenceType") == "purl"), None)
    cpe = next((as_text(r.get("referenceLocator")) for r in references if r.get("referenceType") == "cpe23Type"), None)
    return SbomPackage(
        as_text(one.get("name")) or "unknown",
        as_text(one.get("versionInfo")),
        licence_of(one.get("licenseConcluded"), one.get("licenseDeclared"), extracted),
        purl,
        (as_text(one.get("primaryPackagePurpose")) or "").lower() or None,
        supplier_of(one.get("supplier")),
        cpe,
    )


def licence_of(concluded: Any, declared: Any, extracted: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The concluded licence, else the declared one; references are replaced by their names where they have any."""
    for said in (as_text(concluded), as_text(declared)):
        if said is not None and said not in NOTHING:
            return ((extracted or {}).get(said, said),)
    return ()


def supplier_of(said: Any) -> str | None:
    """`Organization: x` and `Person: x` without the word in front."""
    text = as_text(said)
    if text is None or text in NOTHING:
        return None
    return text.removeprefix("Organization:").removeprefix("Person:").strip() or None


def _version_3(body: dict[str, Any]) -> Sbom:
    graph = as_objects(body.get("@graph"))
    packages = [
        SbomPackage(
            as_text(one.get("name")) or "unknown",
            as_text(one.get("software_packageVersion")),
            purl=as_text(one.get("software_packageUrl")),
        )
        for one in graph
        if one.get("type") == "software_Package"
    ]
    document = next((one for one in graph if one.get("type") == "SpdxDocument"), {})
    return finish(
        packages,
        format="SPDX 3",
        name=as_text(document.get("name")),
        notes=("Of SPDX 3 only names, versions and purls are read.",),
    )
