"""Judges a Sigstore bundle that refers to an image: is it about this digest, and does somebody trusted vouch for it?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from regtui.trust.attestations import demand_subject, parse_statement
from regtui.trust.bundle import Bundle, MessageSignature, parse_bundle
from regtui.trust.cosign import Judgement, guarded, judge_signature, utc_now
from regtui.trust.cosign_keys import HashedMessage
from regtui.trust.errors import CannotVerify, Rejected
from regtui.trust.keyless import Evidence
from regtui.trust.log_binding import SignedContent
from regtui.trust.sigstore_library import is_supported, second_opinion
from regtui.trust.simple_signing import best_of
from regtui.trust.verdict import SignatureFormat, SignatureResult

if TYPE_CHECKING:
    from datetime import datetime

    from regtui.oci import Digest
    from regtui.trust.policy import TrustPolicy
    from regtui.trust.trust_root import TrustRoot


def verify_bundle(
    raw: bytes,
    subject: Digest,
    policy: TrustPolicy,
    *,
    artifact: bytes | None = None,
    now: datetime | None = None,
    source: str = "",
) -> SignatureResult:
    """Judge a bundle. `artifact` are the subject's exact bytes (its manifest), which a message signature covers."""
    judge = partial(_judge, raw, subject, policy, artifact, now or utc_now())
    return guarded(SignatureFormat.BUNDLE, subject, judge, source)


def _judge(raw: bytes, subject: Digest, policy: TrustPolicy, artifact: bytes | None, now: datetime) -> SignatureResult:
    bundle = parse_bundle(raw)
    contents, predicate = _contents(bundle, subject, artifact)
    results: list[SignatureResult] = []
    for content in contents:
        bench = Judgement(
            SignatureFormat.BUNDLE,
            subject,
            Evidence(content, bundle.certificates, bundle.entries, bundle.timestamps),
            policy,
            now,
            key_hint=bundle.key_hint,
            second_opinion=partial(_ask_library, bundle, subject),
        )
        results.append(guarded(SignatureFormat.BUNDLE, subject, partial(judge_signature, bench)))
    return replace(best_of(results), predicate=predicate)


def _ask_library(bundle: Bundle, subject: Digest, root: TrustRoot) -> None:
    # What the package can't read (log kind intoto, several signatures) rests on our own checks alone.
    if is_supported(bundle):
        second_opinion(bundle, subject, root)


def _message(subject: Digest, artifact: bytes | None) -> bytes | HashedMessage:
    if artifact is not None:
        subject.verify(artifact)
        return artifact
    if subject.algorithm != "sha256":
        raise CannotVerify("The signature covers the manifest's bytes, which are not at hand.")
    return HashedMessage(bytes.fromhex(subject.encoded))


def _contents(bundle: Bundle, subject: Digest, artifact: bytes | None) -> tuple[list[SignedContent], str | None]:
    if isinstance(bundle.content, MessageSignature):
        message = _message(subject, artifact)
        if not bundle.content.fits(message):
            raise Rejected("The bundle is about another artifact: its digest differs.")
        return [SignedContent(message, bundle.content.signature)], None
    envelope = bundle.content
    statement = parse_statement(envelope.payload)
    demand_subject(envelope, statement, subject)
    signed = envelope.signed_bytes
    contents = [SignedContent(signed, signature, envelope.payload) for _, signature in envelope.signatures]
    return contents, statement.predicate_type
