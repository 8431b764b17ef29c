"""GitHub's dependency snapshot, which some scanners write (docs.github.com, dependency submission)."""

from __future__ import annotations

from typing import Any

from regtui.oci.times import parse_time
from regtui.trust.purl import parse_purl
from regtui.trust.sbom import Sbom, SbomPackage, finish
from regtui.trust.untrusted import as_object, as_text


def matches(body: dict[str, Any]) -> bool:
    """Whether this is a snapshot."""
    return "manifests" in body and "detector" in body and "scanned" in body


def parse(body: dict[str, Any]) -> Sbom:
    """The resolved packages of all manifests in it."""
    detector = as_object(body.get("detector"))
    packages = [
        _package(name, as_object(one))
        for manifest in as_object(body.get("manifests")).values()
        for name, one in as_object(as_object(manifest).get("resolved")).items()
    ]
    tool = as_text(detector.get("name"))
    return finish(
        packages,
        format="GitHub dependency snapshot",
        created=parse_time(body.get("scanned")),
        tools=(tool,) if tool else (),
    )


def _package(name: str, one: dict[str, Any]) -> SbomPackage:
    text = as_text(one.get("package_url"))
    purl = parse_purl(text)
    return SbomPackage(purl.title if purl else name[:500], purl.version if purl else None, purl=text)
