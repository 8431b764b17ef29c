"""VEX: what authors say about findings. A statement marks a finding and never hides it.

Sources: openvex.dev/ns v0.2.0 (and the older form with plain strings), CycloneDX `vulnerabilities[].analysis`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from regtui.oci.times import parse_time
from regtui.trust.errors import Malformed
from regtui.trust.findings import Finding, VexMark
from regtui.trust.purl import PackageUrl, parse_purl
from regtui.trust.untrusted import as_object, as_objects, as_text, as_texts, read_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from regtui.oci import Digest

STATUSES: Final = frozenset({"not_affected", "affected", "fixed", "under_investigation"})
_ANALYSIS: Final = {
    "exploitable": "affected",
    "in_triage": "under_investigation",
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "false_positive": "not_affected",
    "not_affected": "not_affected",
}


@dataclass(frozen=True, slots=True)
class Product:
    """Something that a statement is about: an identifier, often a purl, and the parts of it that are meant."""

    id: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VexStatement:
    """One statement. Without products, the document's subject is meant."""

    vulnerabilities: tuple[str, ...]
    status: str
    products: tuple[Product, ...]
    justification: str | None = None
    statement: str | None = None
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class VexDocument:
    """A document: who says it, when, and what."""

    format: str
    author: str | None
    moment: datetime | None
    statements: tuple[VexStatement, ...]


def parse_vex(raw: bytes) -> VexDocument:
    """Read OpenVEX or CycloneDX VEX, also as the predicate of a bare statement. Raises Malformed."""
    return parse_vex_body(read_document(raw, "The VEX document"))


def parse_vex_body(body: Any) -> VexDocument:
    """The same, out of parsed JSON. Raises Malformed."""
    inside = as_object(body)
    if "predicateType" in inside:
        inside = as_object(inside.get("predicate"))
    if "openvex" in str(inside.get("@context", ""))[:200] and isinstance(inside.get("statements"), list):
        return _openvex(inside)
    if inside.get("bomFormat") == "CycloneDX" and isinstance(inside.get("vulnerabilities"), list):
        return _cyclonedx(inside)
    raise Malformed("This is no VEX document that regtui can read.", hint="OpenVEX and CycloneDX VEX are read.")


def _openvex(body: dict[str, Any]) -> VexDocument:
    moment = parse_time(body.get("last_updated")) or parse_time(body.get("timestamp"))
    statements = tuple(found for one in as_objects(body["statements"]) if (found := _statement(one, moment)))
    return VexDocument("OpenVEX", as_text(body.get("author")), moment, statements)


def _statement(one: dict[str, Any], moment: datetime | None) -> VexStatement | None:
    status = as_text(one.get("status"))
    if status not in STATUSES:
        return None
    said = one.get("vulnerability")
    if isinstance(said, str):
        names = as_texts([said])
    else:
        inside = as_object(said)
        names = as_texts([inside.get("name"), *as_texts(inside.get("aliases")), _last(inside.get("@id"))])
    return VexStatement(
        names,
        status,
        tuple(_products(one.get("products"))),
        as_text(one.get("justification")),
        as_text(one.get("impact_statement") or one.get("action_statement") or one.get("status_notes")),
        parse_time(one.get("last_updated")) or parse_time(one.get("timestamp")) or moment,
    )


def _last(value: Any) -> str | None:
    text = as_text(value)
    return text.rstrip("/").rpartition("/")[2] if text else None


def _products(value: Any) -> Iterator[Product]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, str):
            yield Product(one[:4096])
            continue
        body = as_object(one)
        named = as_object(body.get("identifiers"))
        identifier = as_text(named.get("purl")) or as_text(body.get("@id"))
        if identifier is not None:
            yield Product(identifier, tuple(part.id for part in _products(body.get("subcomponents"))))


def _cyclonedx(body: dict[str, Any]) -> VexDocument:
    metadata = as_object(body.get("metadata"))
    moment = parse_time(metadata.get("timestamp"))
    made: list[VexStatement] = []
    for one in as_objects(body["vulnerabilities"]):
        analysis = as_object(one.get("analysis"))
        status = _ANALYSIS.get(str(analysis.get("state")))
        if status is None:
            continue
        names = as_texts([one.get("id"), *(r.get("id") for r in as_objects(one.get("references")))])
        references = [as_text(place.get("ref")) for place in as_objects(one.get("affects"))]
        made.append(
            VexStatement(
                names,
                status,
                tuple(Product(text.rpartition("#")[2]) for text in references if text),
                as_text(analysis.get("justification")),
                as_text(analysis.get("detail")),
                parse_time(analysis.get("lastUpdated")) or moment,
            )
        )
    author = next((as_text(a.get("name")) for a in as_objects(metadata.get("authors"))), None)
    return VexDocument("CycloneDX VEX", author, moment, tuple(made))


def apply_vex(
    findings: Iterable[Finding], documents: Iterable[VexDocument], *, image: Digest | None = None, subject: bool = False
) -> tuple[Finding, ...]:
    """The findings with the newest statement that fits each of them.

    A statement fits when it names the vulnerability (or an alias) and a product that is the image (by digest) or the
    package. `subject` tells that the documents are attached to this very image: then a statement without products,
    or with parts of an image that it names by tag only, counts for it too.
    """
    by_name: dict[str, list[tuple[VexStatement, VexDocument]]] = {}
    for document in documents:
        for statement in document.statements:
            for name in statement.vulnerabilities:
                by_name.setdefault(name.upper(), []).append((statement, document))
    return tuple(_marked(finding, by_name, image, subject) for finding in findings)


def _marked(
    finding: Finding,
    by_name: dict[str, list[tuple[VexStatement, VexDocument]]],
    image: Digest | None,
    subject: bool,
) -> Finding:
    chosen: tuple[VexStatement, VexDocument] | None = None
    for name in (finding.id, *finding.aliases):
        for candidate in by_name.get(name.upper(), ()):
            # On a tie the later statement of a document counts.
            if _fits(candidate[0], finding, image, subject) and (chosen is None or not _older(candidate, chosen)):
                chosen = candidate
    if chosen is None:
        return finding
    statement, document = chosen
    mark = VexMark(statement.status, statement.justification, statement.statement, document.author, statement.moment)
    return replace(finding, vex=mark)


def _older(one: tuple[VexStatement, VexDocument], other: tuple[VexStatement, VexDocument]) -> bool:
    first, second = one[0].moment, other[0].moment
    return second is not None and (first is None or first < second)


def _fits(statement: VexStatement, finding: Finding, image: Digest | None, subject: bool) -> bool:
    if not statement.products:
        return subject
    package = parse_purl(finding.purl)
    for product in statement.products:
        whole = parse_purl(product.id)
        if _is_image(product.id, whole, image) or (subject and _is_some_image(whole)):
            if not product.parts or any(_is_package(part, finding, package) for part in product.parts):
                return True
        elif not product.parts and _is_package(product.id, finding, package):
            return True
    return False


def _is_some_image(purl: PackageUrl | None) -> bool:
    return purl is not None and purl.type in ("oci", "docker")


def _is_image(text: str, purl: PackageUrl | None, image: Digest | None) -> bool:
    if image is None:
        return False
    if purl is None:
        return text == image
    if not _is_some_image(purl):
        return False
    return purl.version == image or purl.qualifiers.get("digest") == image


def _is_package(text: str, finding: Finding, package: PackageUrl | None) -> bool:
    said = parse_purl(text)
    if said is None:
        return text == finding.package or text == finding.purl
    return package is not None and said.covers(package)
