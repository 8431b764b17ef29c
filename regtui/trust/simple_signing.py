"""cosign's old-style signatures: layers of a `sha256-….sig` manifest, a small JSON payload under a plain signature.

Source: sigstore/cosign specs/SIGNATURE_SPEC.md; the payload is containers/image's "simple signing" format.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest, InvalidDigest
from regtui.trust.certificates import der_of, load_pem
from regtui.trust.cosign import Judgement, guarded, judge_signature, utc_now
from regtui.trust.dsse import parse_envelope
from regtui.trust.errors import Malformed, Rejected
from regtui.trust.keyless import Evidence
from regtui.trust.log_binding import SignedContent
from regtui.trust.transparency import LogEntry, parse_annotation
from regtui.trust.untrusted import as_object, as_text, decode_base64, decode_lenient, read_object
from regtui.trust.verdict import SignatureFormat, SignatureResult, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from regtui.trust.policy import TrustPolicy

LAYER_TYPE: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE: Final = "dev.cosignproject.cosign/signature"
CERTIFICATE: Final = "dev.sigstore.cosign/certificate"
_CHAIN: Final = "dev.sigstore.cosign/chain"
_LOG_BUNDLE: Final = "dev.sigstore.cosign/bundle"
_TIMESTAMP: Final = "dev.sigstore.cosign/rfc3161timestamp"
_TYPE: Final = "cosign container image signature"
LARGEST_PAYLOAD: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class SignedLayer:
    """One layer of a signature manifest: its media type, the exact bytes of its blob, and its annotations."""

    media_type: str
    payload: bytes = field(repr=False)
    annotations: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SimplePayload:
    """What such a signature says: the digest that it signs, the name it was signed under, and free claims."""

    digest: Digest
    reference: str | None
    claims: tuple[tuple[str, str], ...]


def parse_payload(raw: bytes) -> SimplePayload:
    """Read the payload. Raises Malformed."""
    body = read_object(raw, "The signed payload", limit=LARGEST_PAYLOAD)
    critical = as_object(body.get("critical"))
    said = as_object(critical.get("image")).get("docker-manifest-digest")
    if critical.get("type") != _TYPE or not isinstance(said, str):
        raise Malformed("The signed payload is not a cosign signature.")
    try:
        digest = Digest.parse(said)
    except InvalidDigest as error:
        raise Malformed("The signed payload names no valid digest.") from error
    optional = as_object(body.get("optional"))
    claims = tuple((str(key)[:200], str(value)[:400]) for key, value in list(optional.items())[:50])
    return SimplePayload(digest, as_text(as_object(critical.get("identity")).get("docker-reference")), claims)


def verify_simple_signature(
    layer: SignedLayer,
    subject: Digest,
    policy: TrustPolicy,
    *,
    repository: str | None = None,
    now: datetime | None = None,
    source: str = "",
) -> SignatureResult:
    """Judge one layer of a signature manifest. `repository` is `host/path` of the image in view."""
    judge = partial(_judge, layer, subject, policy, repository, now or utc_now())
    return guarded(SignatureFormat.SIMPLE_SIGNING, subject, judge, source)


def _judge(
    layer: SignedLayer, subject: Digest, policy: TrustPolicy, repository: str | None, now: datetime
) -> SignatureResult:
    if layer.media_type != LAYER_TYPE:
        raise Rejected(f"A layer of the type {layer.media_type[:80]!a} carries a signature, and is none.")
    payload = parse_payload(layer.payload)
    signature = decode_lenient(layer.annotations.get(SIGNATURE), "The signature")
    if payload.digest != subject:
        raise Rejected(f"It signs another image: {payload.digest}.")
    details = [("signed as", payload.reference)] if payload.reference else []
    if repository and payload.reference and not same_repository(payload.reference, repository):
        if policy.check_reference:
            raise Rejected(f"It was signed as {payload.reference[:200]}, and the policy demands {repository}.")
        details.append(("note", f"signed under another name than {repository}"))
    evidence = evidence_of(layer.annotations, SignedContent(layer.payload, signature))
    bench = Judgement(SignatureFormat.SIMPLE_SIGNING, subject, evidence, policy, now, (*details, *payload.claims))
    return judge_signature(bench)


def verify_attestation_layer(
    layer: SignedLayer, subject: Digest, policy: TrustPolicy, *, now: datetime | None = None, source: str = ""
) -> SignatureResult:
    """Judge one layer of a `sha256-….att` manifest: a DSSE envelope with cosign's annotations beside it."""
    judge = partial(_judge_attestation, layer, subject, policy, now or utc_now())
    return guarded(SignatureFormat.DSSE, subject, judge, source)


def _judge_attestation(layer: SignedLayer, subject: Digest, policy: TrustPolicy, now: datetime) -> SignatureResult:
    from regtui.trust.attestations import demand_subject, parse_statement

    envelope = parse_envelope(layer.payload)
    statement = parse_statement(envelope.payload)
    demand_subject(envelope, statement, subject)
    results: list[SignatureResult] = []
    for _, signature in envelope.signatures:
        content = SignedContent(envelope.signed_bytes, signature, envelope.payload, layer.payload)
        evidence = evidence_of(layer.annotations, content, stamped=layer.payload)
        bench = Judgement(SignatureFormat.DSSE, subject, evidence, policy, now)
        results.append(guarded(SignatureFormat.DSSE, subject, partial(judge_signature, bench)))
    return replace(best_of(results), predicate=statement.predicate_type)


def best_of(results: list[SignatureResult]) -> SignatureResult:
    """The result of an envelope: one good signature of several is enough."""
    order = (Status.VERIFIED, Status.UNVERIFIED, Status.INVALID, Status.UNSIGNED)
    return min(results, key=lambda result: order.index(result.status))


def evidence_of(annotations: Mapping[str, str], content: SignedContent, *, stamped: bytes | None = None) -> Evidence:
    """The evidence in a layer's annotations. Raises Malformed.

    `stamped` are the bytes that a timestamp covers where that is not the signature (attestations: the envelope);
    such a timestamp can't serve as the signature's time here, and is left out.
    """
    certificates: list[bytes] = []
    if annotations.get(CERTIFICATE):
        certificates = [der_of(load_pem(annotations[CERTIFICATE], "The signing certificate")[0])]
        if annotations.get(_CHAIN):
            certificates += [der_of(one) for one in load_pem(annotations[_CHAIN])]
    entries: tuple[LogEntry, ...] = ()
    if annotations.get(_LOG_BUNDLE):
        entries = (parse_annotation(annotations[_LOG_BUNDLE]),)
    timestamps: tuple[bytes, ...] = ()
    if annotations.get(_TIMESTAMP) and stamped is None:
        body: dict[str, Any] = read_object(annotations[_TIMESTAMP].encode(), "The timestamp annotation")
        timestamps = (decode_base64(body.get("SignedRFC3161Timestamp"), "The timestamp"),)
    return Evidence(content, tuple(certificates), entries, timestamps)


def same_repository(reference: str, repository: str) -> bool:
    """Whether a docker-reference names this repository, with or without a tag or digest."""
    bare = reference.partition("@")[0]
    head, separator, tail = bare.rpartition(":")
    if separator and "/" not in tail:
        bare = head
    # cosign names Docker Hub by its index.
    return bare == repository or bare.removeprefix("index.") == repository.removeprefix("index.")
