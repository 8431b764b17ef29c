"""SPDX 2 in its tag-value form: lines of `Tag: value`, a package starting with PackageName."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from regtui.oci.times import parse_time
from regtui.trust.sbom import Sbom, SbomPackage, finish
from regtui.trust.sboms.spdx import licence_of, supplier_of
from regtui.trust.untrusted import LONGEST_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE: Final = re.compile(r"([A-Za-z]+):[ \t]*(.*)")
_ENDS_PACKAGE: Final = frozenset({"FileName", "SnippetSPDXID", "LicenseID", "Relationship", "Annotator"})


def matches(start: bytes) -> bool:
    """Whether the document starts like this form; comments may come first."""
    lines = (line for line in start.split(b"\n") if line.strip() and not line.startswith(b"#"))
    return next(lines, b"").startswith(b"SPDXVersion:")


def parse(raw: bytes) -> Sbom:
    """The packages of the document."""
    about: dict[str, str] = {}
    tools: list[str] = []
    packages: list[dict[str, str]] = []
    inside = False
    files = 0
    for tag, value in _tags(raw.decode("utf-8", "replace")):
        if tag == "PackageName":
            packages.append({tag: value})
            inside = True
        elif tag in _ENDS_PACKAGE:
            inside = False
            files += tag == "FileName"
        elif tag == "ExternalRef" and inside:
            _reference(packages[-1], value)
        elif inside:
            packages[-1].setdefault(tag, value)
        elif tag == "Creator" and value.startswith("Tool:"):
            tools.append(value.removeprefix("Tool:").strip())
        else:
            about.setdefault(tag, value)
    made = [_package(one) for one in packages]
    return finish(
        (p for p in made if not (p.purl or "").startswith("pkg:oci/")),
        format=f"SPDX {about.get('SPDXVersion', '').removeprefix('SPDX-')} (tag-value)",
        name=about.get("DocumentName"),
        created=parse_time(about.get("Created")),
        tools=tuple(tools),
        files=files or None,
    )


def _tags(text: str) -> Iterator[tuple[str, str]]:
    """Tags with their values; what stands in <text> … </text> may run over lines and holds no tags."""
    in_text = False
    for line in text.split("\n"):
        if in_text:
            in_text = "</text>" not in line
            continue
        match = _LINE.match(line)
        if match is None:
            continue
        value = match.group(2)
        in_text = "<text>" in value and "</text>" not in value
        yield match.group(1), value.replace("<text>", "").replace("</text>", "").strip()[:LONGEST_TEXT]


def _reference(package: dict[str, str], value: str) -> None:
    """`PACKAGE-MANAGER purl pkg:…` and `SECURITY cpe23Type cpe:…`."""
    words = value.split(None, 2)
    if len(words) == 3:
        package.setdefault(words[1], words[2])


def _package(one: dict[str, str]) -> SbomPackage:
    return SbomPackage(
        one["PackageName"] or "unknown",
        one.get("PackageVersion"),
        licence_of(one.get("PackageLicenseConcluded"), one.get("PackageLicenseDeclared")),
        one.get("purl"),
        one.get("PrimaryPackagePurpose", "").lower() or None,
        supplier_of(one.get("PackageSupplier")),
        one.get("cpe23Type"),
    )
