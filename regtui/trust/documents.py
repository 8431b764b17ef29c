"""What hangs on an image, opened: each layer of an attached manifest told as what it is, in words and as a value.

Nothing is verified here (image_trust.py judges signatures): what a document claims is told as its claim.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from regtui.oci import Index
from regtui.oci.artifact import name_of_type, title_of
from regtui.oci.times import format_time
from regtui.trust import attestations, dsse, simple_signing
from regtui.trust.attestations import Statement, name_of_predicate, read_statement
from regtui.trust.bundle import LAYER_PREFIX, parse_bundle
from regtui.trust.certificates import der_of, identity_of, load_der, load_pem
from regtui.trust.errors import CannotVerify, Malformed, TrustError
from regtui.trust.notation.envelope import parse_target
from regtui.trust.notation.verification import MEDIA_TYPES as NOTATION_LAYERS
from regtui.trust.notation.verification import parse_envelope as parse_notation
from regtui.trust.provenance import PREFIX as PROVENANCE
from regtui.trust.provenance import Provenance, parse_provenance
from regtui.trust.reports import parse_report, read_report
from regtui.trust.sbom import Sbom, parse_body, parse_sbom
from regtui.trust.simple_signing import CERTIFICATE, parse_payload
from regtui.trust.untrusted import LARGEST_DOCUMENT, LARGEST_SIGNATURE
from regtui.trust.vex import VexDocument, parse_vex, parse_vex_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from regtui.oci import Descriptor, Digest
    from regtui.trust.findings import Report
    from regtui.trust.place import Place

MOST_DOCUMENTS: Final = 50
_DOCUMENT_WORDS: Final = ("json", "xml", "text", "spdx", "cyclonedx", "sarif", "in-toto", "dsse", "vex")
Facts = tuple[tuple[str, str], ...]


class DocumentKind(StrEnum):
    """What a document is for."""

    SIGNATURE = "signature"
    PROVENANCE = "provenance"
    SBOM = "SBOM"
    VEX = "VEX"
    REPORT = "scan report"
    STATEMENT = "statement"
    OTHER = "file"


@dataclass(frozen=True, slots=True)
class Document:
    """One document. `raw` are its exact bytes, `inside` the JSON that people want to read where it is wrapped.

    `facts` are lines about it and its envelope: claims, from untrusted sources. `problem` says what could not be read.
    """

    kind: DocumentKind
    title: str
    digest: Digest
    raw: bytes = field(repr=False)
    inside: bytes = field(repr=False)
    facts: Facts = ()
    problem: str | None = None
    statement: Statement | None = field(default=None, repr=False)
    provenance: Provenance | None = field(default=None, repr=False)
    sbom: Sbom | None = field(default=None, repr=False)
    vex: VexDocument | None = field(default=None, repr=False)
    report: Report | None = field(default=None, repr=False)


async def read_documents(
    place: Place, repository: str, locator: str, *, limit: int = LARGEST_DOCUMENT
) -> tuple[Document, ...]:
    """The documents of one attached manifest. Raises RegistryError, Unsupported for one of more than `limit` bytes."""
    manifest = await place.manifest(repository, locator)
    if isinstance(manifest, Index):
        return (_listing(manifest),)
    layers = manifest.layers[:MOST_DOCUMENTS]
    found = []
    for layer in layers:
        if _is_just_a_file(layer):
            found.append(_unread(layer))
            continue
        raw = await place.small_blob(repository, layer, limit)
        found.append(await asyncio.to_thread(read_document, layer, raw))
    return tuple(found) or (
        Document(DocumentKind.OTHER, name_of_type(manifest.kind), manifest.digest, manifest.raw, manifest.raw),
    )


def _is_just_a_file(layer: Descriptor) -> bool:
    """Whether this is large and by its type no document: charts, models and archives hang on images, too."""
    told = layer.media_type.lower()
    return layer.size > LARGEST_SIGNATURE and not any(word in told for word in _DOCUMENT_WORDS)


def _unread(layer: Descriptor) -> Document:
    title = title_of(layer) or name_of_type(layer.media_type)
    problem = f"A file of {layer.size:,} bytes that is no document by its type: pull it to look into it."
    return Document(DocumentKind.OTHER, title, layer.digest, b"", b"", (("type", layer.media_type),), problem)


def _listing(index: Index) -> Document:
    return Document(DocumentKind.OTHER, name_of_type(index.media_type), index.digest, index.raw, index.raw)


def read_document(layer: Descriptor, raw: bytes) -> Document:
    """A layer's bytes as a document. What can't be read keeps its bytes and says why; pure, call it in a thread."""
    reader = _reader_of(layer)
    try:
        return reader(layer, raw)
    except TrustError as error:
        title = title_of(layer) or name_of_type(layer.media_type)
        return Document(DocumentKind.OTHER, title, layer.digest, raw, raw, problem=error.sentence)


def _reader_of(layer: Descriptor) -> Callable[[Descriptor, bytes], Document]:
    if layer.media_type.startswith(LAYER_PREFIX):
        return _bundle
    if layer.media_type in NOTATION_LAYERS:
        return _notation
    if layer.media_type == dsse.MEDIA_TYPE:
        return _dsse
    if layer.media_type == simple_signing.LAYER_TYPE:
        return _simple
    return _by_content


def _bundle(layer: Descriptor, raw: bytes) -> Document:
    bundle = parse_bundle(raw)
    facts: list[tuple[str, str]] = [("envelope", f"Sigstore bundle v0.{bundle.version}")]
    if bundle.key_hint is not None:
        facts.append(("says signed by", f"key {bundle.key_hint}" if bundle.key_hint else "a key without a hint"))
    facts += _certificate_facts(bundle.certificates)
    facts += [("log entry", f"{entry.kind} {entry.index}") for entry in bundle.entries]
    if bundle.timestamps:
        facts.append(("timestamps", str(len(bundle.timestamps))))
    if bundle.envelope is None:
        return Document(DocumentKind.SIGNATURE, "signature (Sigstore bundle)", layer.digest, raw, raw, tuple(facts))
    statement = attestations.parse_statement(bundle.envelope.payload)
    return _statement(layer, raw, statement, bundle.envelope.payload, facts)


def _dsse(layer: Descriptor, raw: bytes) -> Document:
    envelope = dsse.parse_envelope(raw)
    facts: list[tuple[str, str]] = [("envelope", f"DSSE, {_counted(len(envelope.signatures), 'signature')}")]
    facts += _annotation_facts(layer.annotations)
    return _statement(layer, raw, attestations.parse_statement(envelope.payload), envelope.payload, facts)


def _simple(layer: Descriptor, raw: bytes) -> Document:
    payload = parse_payload(raw)
    facts = [("envelope", "cosign simple signing"), ("signs", str(payload.digest))]
    facts += [("signed as", payload.reference)] if payload.reference else []
    facts += [("says", f"{name} = {value}") for name, value in payload.claims]
    facts += _annotation_facts(layer.annotations)
    return Document(DocumentKind.SIGNATURE, "signature (cosign)", layer.digest, raw, raw, tuple(facts))


def _annotation_facts(annotations: Mapping[str, str]) -> list[tuple[str, str]]:
    if not annotations.get(CERTIFICATE):
        return [("says signed by", "a key pair (no certificate came along)")]
    return _certificate_facts([der_of(one) for one in load_pem(annotations[CERTIFICATE])])


def _notation(layer: Descriptor, raw: bytes) -> Document:
    envelope = parse_notation(raw, layer.media_type)
    target = parse_target(envelope.payload)
    facts = [
        ("envelope", envelope.format.value),
        ("signs", f"{target.digest} ({target.media_type}, {target.size:,} bytes)"),
        ("algorithm", envelope.algorithm),
        ("scheme", envelope.scheme or ""),
        ("says signed at", format_time(envelope.signing_time or envelope.authentic_time) or ""),
        ("expires", format_time(envelope.expiry) or ""),
        ("timestamp", "countersigned" if envelope.timestamp else "none"),
        ("made with", envelope.agent or ""),
        *(("says", f"{name} = {value}") for name, value in target.metadata),
        *_certificate_facts(envelope.certificates),
    ]
    kept = tuple((name, value) for name, value in facts if value)
    inside = raw if layer.media_type.endswith("json") else envelope.payload
    return Document(DocumentKind.SIGNATURE, "signature (Notary Project)", layer.digest, raw, inside, kept)


def _certificate_facts(chain: Iterable[bytes]) -> list[tuple[str, str]]:
    """Whom the certificates name, the signing one first. Nothing says yet that they are trusted."""
    facts: list[tuple[str, str]] = []
    for number, der in enumerate(chain):
        try:
            identity = identity_of(load_der(der))
        except CannotVerify as error:
            return [("certificate", error.sentence)]
        facts.append(("certificate" if number else "says signed by", identity.title))
        span = f"{format_time(identity.not_before)} to {format_time(identity.not_after)}"
        facts.append(("valid", f"{span}, {identity.algorithm or 'unknown key'}, issued by {identity.issued_by}"))
        facts += [] if number else list(identity.claims)
    return facts


def _by_content(layer: Descriptor, raw: bytes) -> Document:
    """A document whose media type says little: a bare statement, a report, an SBOM, VEX, or just a file."""
    try:
        statement, _ = read_statement(raw)
    except Malformed:
        pass
    else:
        facts = [("envelope", "none: an unsigned claim")]
        return _statement(layer, raw, statement, raw, facts)
    title = title_of(layer)
    facts = [("file", title)] if title else []
    for kind, reader in (
        (DocumentKind.VEX, _as_vex if "vex" in f"{layer.media_type} {title}".lower() else None),
        (DocumentKind.SBOM, _as_sbom),
        (DocumentKind.REPORT, _as_report),
        (DocumentKind.VEX, _as_vex),
    ):
        made = reader(kind, layer, raw, tuple(facts)) if reader is not None else None
        if made is not None:
            return made
    return Document(DocumentKind.OTHER, title or name_of_type(layer.media_type), layer.digest, raw, raw, tuple(facts))


def _as_sbom(kind: DocumentKind, layer: Descriptor, raw: bytes, facts: Facts) -> Document | None:
    try:
        sbom = parse_sbom(raw)
    except Malformed:
        return None
    if not sbom.packages and _as_report(DocumentKind.REPORT, layer, raw, facts) is not None:
        return None
    return Document(kind, f"SBOM ({sbom.format})", layer.digest, raw, raw, facts, sbom=sbom)


def _as_report(kind: DocumentKind, layer: Descriptor, raw: bytes, facts: Facts) -> Document | None:
    try:
        report = read_report(raw)
    except Malformed:
        return None
    return Document(kind, f"scan report ({report.format})", layer.digest, raw, raw, facts, report=report)


def _as_vex(kind: DocumentKind, layer: Descriptor, raw: bytes, facts: Facts) -> Document | None:
    try:
        vex = parse_vex(raw)
    except Malformed:
        return None
    return Document(kind, f"VEX ({vex.format})", layer.digest, raw, raw, facts, vex=vex)


def _statement(
    layer: Descriptor, raw: bytes, statement: Statement, inside: bytes, facts: list[tuple[str, str]]
) -> Document:
    kind, told = statement.predicate_type, [*facts, ("predicate", statement.predicate_type)]
    told += [
        ("about", " ".join(part for part in (subject.name, *_digests(subject.digests)) if part))
        for subject in statement.subjects[:20]
    ]
    made = Document(
        DocumentKind.STATEMENT, name_of_predicate(kind), layer.digest, raw, inside, tuple(told), statement=statement
    )
    try:
        return _with_predicate(made, statement)
    except Malformed as error:
        return replace(made, problem=error.sentence)


def _with_predicate(made: Document, statement: Statement) -> Document:
    """The document with its predicate read, where that is of a kind that regtui knows. Raises Malformed."""
    kind = statement.predicate_type
    if kind == attestations.SIGN_PREDICATE:
        return replace(made, kind=DocumentKind.SIGNATURE)
    if kind.startswith(PROVENANCE):
        return replace(made, kind=DocumentKind.PROVENANCE, provenance=parse_provenance(statement))
    if "vuln" in kind:
        report = parse_report({"predicateType": kind, "predicate": statement.predicate})
        return replace(made, kind=DocumentKind.REPORT, report=report)
    if "vex" in kind:
        return replace(made, kind=DocumentKind.VEX, vex=parse_vex_body(statement.predicate))
    if "spdx" in kind.lower() or "cyclonedx" in kind.lower():
        return replace(made, kind=DocumentKind.SBOM, sbom=parse_body(statement.predicate))
    return made


def _digests(digests: Mapping[str, str]) -> list[str]:
    return [f"{algorithm}:{value}" for algorithm, value in list(digests.items())[:4]]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
