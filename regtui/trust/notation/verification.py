"""Judges a Notary Project signature against a trust policy and trust store, check by check.

Source: trust-store-trust-policy.md, "Signature Verification". Revocation needs the network and is not asked for: the
result always says so.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from regtui.trust.certificates import der_of, load_der
from regtui.trust.cosign import guarded, utc_now
from regtui.trust.errors import CannotVerify, InvalidPolicy, Malformed, Rejected, TrustError
from regtui.trust.notation import cose, jws
from regtui.trust.notation.chain import demand_chain, demand_signature, load_chain
from regtui.trust.notation.envelope import (
    SIGNING_AUTHORITY,
    NotationEnvelope,
    TargetArtifact,
    demand_target,
    parse_target,
)
from regtui.trust.notation.subject_name import covers, name_of
from regtui.trust.notation.trust_policy import Action, PolicyDocument, PolicyStatement, parse_policy
from regtui.trust.timestamps import read_timestamp, verify_timestamp
from regtui.trust.verdict import Check, Outcome, SignatureFormat, SignatureResult, Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography.x509 import Certificate

    from regtui.oci import Descriptor
    from regtui.trust.notation.trust_store import TrustStore

MEDIA_TYPES: Final = {jws.MEDIA_TYPE: SignatureFormat.NOTATION_JWS, cose.MEDIA_TYPE: SignatureFormat.NOTATION_COSE}


@dataclass(frozen=True, slots=True)
class NotationTrust:
    """A trust policy document with the stores that it names."""

    raw_policy: bytes
    document: PolicyDocument
    store: TrustStore

    @classmethod
    def read(cls, raw_policy: bytes, store: TrustStore) -> NotationTrust:
        """Validate the document. Raises InvalidPolicy."""
        return cls(raw_policy, parse_policy(raw_policy), store)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over both."""
        return hashlib.sha256(json.dumps([self.raw_policy.hex(), self.store.fingerprint]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Bench:
    envelope: NotationEnvelope
    chain: tuple[Certificate, ...]
    statement: PolicyStatement
    store: TrustStore
    now: datetime


def parse_envelope(raw: bytes, media_type: str) -> NotationEnvelope:
    """Read an envelope of either kind. Raises Malformed, Rejected."""
    kind = MEDIA_TYPES.get(media_type)
    if kind is None:
        raise Malformed(f"{media_type[:80]!a} is no envelope of the Notary Project.")
    return jws.parse_jws(raw) if kind is SignatureFormat.NOTATION_JWS else cose.parse_cose(raw)


def verify_notation(
    raw: bytes,
    media_type: str,
    subject: Descriptor,
    repository: str,
    trust: NotationTrust | None,
    *,
    now: datetime | None = None,
    source: str = "",
) -> SignatureResult:
    """Judge an envelope. `subject` is the image's descriptor, `repository` its `host/path` for the policy's scopes."""
    judge = partial(_judge, raw, media_type, subject, repository, trust, now or utc_now())
    return guarded(MEDIA_TYPES.get(media_type, SignatureFormat.UNKNOWN), subject.digest, judge, source)


def _judge(
    raw: bytes, media_type: str, subject: Descriptor, repository: str, trust: NotationTrust | None, now: datetime
) -> SignatureResult:
    envelope = parse_envelope(raw, media_type)
    chain = load_chain(envelope)
    demand_signature(envelope, chain[0])
    target = parse_target(envelope.payload)
    demand_target(target, subject)
    demand_chain(chain)
    signer = chain[0].subject.rfc4514_string()
    intact = SignatureResult(
        envelope.format,
        Status.UNVERIFIED,
        f"Intact and signed by {signer}, whom no trust policy vouches for.",
        signer=signer,
        subject=subject.digest,
        intact=True,
        signed_at=envelope.authentic_time or envelope.signing_time,
        checks=(Check("integrity", Outcome.PASSED, envelope.algorithm),),
        details=_details(envelope, chain, target),
        hint="Add a trust policy and trust store of the Notary Project to the trust settings.",
    )
    statement = trust.document.statement_for(repository) if trust else None
    if trust is None or statement is None:
        return intact
    if statement.level == "skip":
        return replace(intact, reason=f"The trust policy {statement.name} says not to verify {repository}.", hint=None)
    if envelope.plugin is not None:
        raise CannotVerify(
            f"The signature demands the verification plugin {envelope.plugin[:80]!a}, and regtui has none."
        )
    return _apply(_Bench(envelope, chain, statement, trust.store, now), intact)


def _apply(bench: _Bench, intact: SignatureResult) -> SignatureResult:
    statement = bench.statement
    steps: tuple[tuple[str, Callable[[_Bench], str]], ...] = (
        ("authenticity", _authenticity),
        ("expiry", _expiry),
        ("authenticTimestamp", _authentic_timestamp),
    )
    checks = list(intact.checks)
    failures: list[tuple[str, str, Action]] = []
    for name, step in steps:
        action = statement.actions[name]
        try:
            checks.append(Check(name, Outcome.PASSED, step(bench)))
        except TrustError as error:
            failures.append((name, error.sentence, action))
            outcome = Outcome.FAILED if action is Action.ENFORCE else Outcome.LOGGED
            if isinstance(error, CannotVerify | InvalidPolicy):
                outcome = Outcome.SKIPPED
            checks.append(Check(name, outcome, error.sentence))
    checks.append(Check("revocation", Outcome.SKIPPED, "needs the network"))
    result = replace(intact, checks=tuple(checks), under=statement.name, hint=None)
    enforced = [sentence for _, sentence, action in failures if action is Action.ENFORCE]
    wrong = [check.detail for check in checks if check.outcome is Outcome.FAILED]
    if wrong:
        return replace(result, status=Status.INVALID, reason=wrong[0], under=None)
    if enforced:
        return replace(result, reason=enforced[0], under=None)
    logged = "; ".join(sentence for _, sentence, _ in failures)
    if any(name == "authenticity" for name, _, _ in failures):
        # The level lets it pass, but nobody trusted vouches: that is never called verified here.
        reason = f"The trust policy {statement.name} only logs: {logged}"
        return replace(result, status=Status.UNVERIFIED, reason=reason, under=None)
    reason = f"Signed by {intact.signer}, under the trust policy {statement.name}."
    return replace(result, status=Status.VERIFIED, reason=f"{reason} Only logged: {logged}" if logged else reason)


def _authenticity(bench: _Bench) -> str:
    kind = "signingAuthority" if bench.envelope.scheme == SIGNING_AUTHORITY else "ca"
    names = bench.statement.store_names(kind)
    if not names:
        raise Rejected(f"The trust policy names no store of the type {kind}.")
    held = set(bench.store.certificates(kind, names))
    if not any(der_of(certificate) in held for certificate in bench.chain):
        raise Rejected("No certificate of the chain is in the trust store.")
    if bench.statement.identities is None:
        return f"{kind}:{', '.join(names)}, any identity"
    subject = name_of(bench.chain[0])
    if subject is None or not any(covers(expected, subject) for expected in bench.statement.identities):
        raise Rejected(f"The signer {bench.chain[0].subject.rfc4514_string()} is not among the trusted identities.")
    return f"{kind}:{', '.join(names)}, trusted identity"


def _expiry(bench: _Bench) -> str:
    expiry = bench.envelope.expiry
    if expiry is None:
        return "none is set"
    if bench.now >= expiry:
        raise Rejected(f"The signature expired at {expiry:%Y-%m-%d %H:%M} UTC.")
    return f"until {expiry:%Y-%m-%d}"


def _authentic_timestamp(bench: _Bench) -> str:
    if bench.envelope.scheme == SIGNING_AUTHORITY:
        moment = bench.envelope.authentic_time
        if moment is None:
            raise Rejected("The authentic signing time is missing.")
        _demand_valid(bench.chain, moment, moment)
        return f"the signing authority says {moment:%Y-%m-%d %H:%M} UTC"
    names = bench.statement.store_names("tsa")
    expired = any(not c.not_valid_before_utc <= bench.now <= c.not_valid_after_utc for c in bench.chain)
    if not names or not (bench.statement.timestamp_always or expired):
        _demand_valid(bench.chain, bench.now, bench.now)
        return "the certificates are valid now"
    if bench.envelope.timestamp is None:
        raise Rejected("The trust policy asks for a timestamp, and the signature has none.")
    roots = [load_der(one, "A certificate of the tsa store") for one in bench.store.certificates("tsa", names)]
    stamp = read_timestamp(bench.envelope.timestamp)
    authority = verify_timestamp(stamp, bench.envelope.signature, roots=roots)
    _demand_valid(bench.chain, stamp.earliest, stamp.latest)
    return f"{authority.subject.rfc4514_string()} says {stamp.moment:%Y-%m-%d %H:%M} UTC"


def _demand_valid(chain: tuple[Certificate, ...], earliest: datetime, latest: datetime) -> None:
    for certificate in chain:
        if earliest < certificate.not_valid_before_utc or latest > certificate.not_valid_after_utc:
            raise Rejected("A certificate of the chain was not valid at the time of signing.")


def _details(
    envelope: NotationEnvelope, chain: tuple[Certificate, ...], target: TargetArtifact
) -> tuple[tuple[str, str], ...]:
    leaf = chain[0]
    said = envelope.signing_time
    return (
        ("scheme", envelope.scheme or ""),
        ("algorithm", envelope.algorithm),
        ("signer", leaf.subject.rfc4514_string()),
        ("issued by", leaf.issuer.rfc4514_string()),
        ("certificate", hashlib.sha256(der_of(leaf)).hexdigest()),
        ("certificate valid", f"{leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}"),
        *((("signing time (not authenticated)", f"{said:%Y-%m-%d %H:%M} UTC"),) if said else ()),
        *((("expires", f"{envelope.expiry:%Y-%m-%d %H:%M} UTC"),) if envelope.expiry else ()),
        *((("agent", envelope.agent),) if envelope.agent else ()),
        *((("verification plugin", envelope.plugin),) if envelope.plugin else ()),
        *target.metadata,
    )
