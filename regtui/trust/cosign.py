"""Judges Sigstore signatures, old style and bundles, against a trust policy: key pairs, keyless and own authorities.

Nothing here ever says VERIFIED unless a configured key, or an identity rule that fits a proven certificate, vouches
for exactly the subject's digest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from regtui.oci import DigestMismatch
from regtui.trust.certificates import CertificateIdentity, build_path, identity_of, key_of, load_der, load_pem
from regtui.trust.cosign_keys import TrustedKey, signature_holds
from regtui.trust.errors import CannotVerify, InvalidPolicy, Malformed, Rejected
from regtui.trust.keyless import Evidence, Proven, prove_keyless, trusted_timestamp
from regtui.trust.log_binding import Signer, demand_same_content
from regtui.trust.transparency import verify_entry
from regtui.trust.trust_root import shipped_trust_root
from regtui.trust.verdict import Check, Outcome, SignatureFormat, SignatureResult, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.oci import Digest
    from regtui.trust.policy import TrustPolicy
    from regtui.trust.trust_root import TrustRoot


@dataclass(frozen=True, slots=True)
class Judgement:
    """One signature on the bench: what it claims to sign, its evidence, and by which policy it is judged."""

    format: SignatureFormat
    subject: Digest
    evidence: Evidence
    policy: TrustPolicy
    now: datetime
    details: tuple[tuple[str, str], ...] = ()
    key_hint: str | None = None
    second_opinion: Callable[[TrustRoot], None] | None = None

    def result(self, status: Status, reason: str) -> SignatureResult:
        """A result in this signature's name."""
        return SignatureResult(self.format, status, reason, subject=self.subject, details=self.details)


def guarded(
    form: SignatureFormat, subject: Digest, judge: Callable[[], SignatureResult], source: str = ""
) -> SignatureResult:
    """Run a judgement and turn its errors into results: a bad signature never ends a listing."""
    try:
        result = judge()
    except (Rejected, Malformed, DigestMismatch) as error:
        result = SignatureResult(form, Status.INVALID, error.sentence, subject=subject, intact=False, hint=error.hint)
    except (CannotVerify, InvalidPolicy) as error:
        result = SignatureResult(form, Status.UNVERIFIED, error.sentence, subject=subject, hint=error.hint)
    return replace(result, source=source) if source else result


def judge_signature(bench: Judgement) -> SignatureResult:
    """Try the configured keys first, then the certificate. Raises Rejected, Malformed, CannotVerify."""
    content = bench.evidence.content
    for key in bench.policy.keys:
        if signature_holds(key.spki, content.signature, content.message):
            return _by_key(bench, key)
    if bench.evidence.certificates:
        return _by_certificate(bench)
    if not bench.policy.keys:
        made_by = f"key {bench.key_hint[:60]}" if bench.key_hint else None
        result = bench.result(Status.UNVERIFIED, "It is signed with a key pair, and no public key is configured.")
        return replace(result, signer=made_by, hint="Add the signer's public key to the trust settings.")
    if bench.key_hint is not None and bench.key_hint not in {key.hint for key in bench.policy.keys}:
        # Only a claim, but the one that tells a stranger's signature from a broken one: neither is ever verified.
        result = bench.result(
            Status.UNVERIFIED, "It says that it is signed with another key than the configured ones: nothing is proven."
        )
        hint = "If you trust that signer, add the public key to the trust settings."
        return replace(result, signer=f"key {bench.key_hint[:60]}", hint=hint)
    raise Rejected(
        "None of the configured keys made this signature, or what it covers was changed.",
        hint="If someone else signed it, add that public key to the trust settings.",
    )


def _by_key(bench: Judgement, key: TrustedKey) -> SignatureResult:
    checks = [Check("signature", Outcome.PASSED, key.title)]
    times = _times_of_key(bench, key, checks)
    for moment in times or [bench.now]:
        before = key.valid_from is not None and moment < key.valid_from
        if before or (key.valid_until is not None and moment > key.valid_until):
            raise Rejected(f"The key {key.name} is not trusted for the time of this signature.")
    logged = any(c.name == "transparency log" and c.outcome is Outcome.PASSED for c in checks)
    if bench.policy.require_log and not logged:
        raise CannotVerify(
            f"The key {key.name} made the signature, but no trusted transparency log holds it, as the policy demands."
        )
    words = "and logged" if logged else "not logged"
    return replace(
        bench.result(Status.VERIFIED, f"Signed with the trusted key {key.name}, {words}."),
        signer=key.title,
        under=bench.policy.name,
        intact=True,
        signed_at=min(times) if times else None,
        checks=tuple(checks),
    )


def _times_of_key(bench: Judgement, key: TrustedKey, checks: list[Check]) -> list[datetime]:
    """Trusted times of a key pair's signature. What is there and can be judged has to hold; all of it is optional."""
    evidence = bench.evidence
    if not evidence.entries and not evidence.timestamps:
        checks.append(Check("transparency log", Outcome.SKIPPED, "no entry came with the signature"))
        return []
    try:
        root = _root_of(bench.policy)
    except CannotVerify as error:
        checks.append(Check("transparency log", Outcome.SKIPPED, error.sentence))
        return []
    found: list[datetime] = []
    for entry in evidence.entries:
        demand_same_content(entry, evidence.content, Signer(key.spki))
        try:
            moment = verify_entry(entry, root)
        except CannotVerify as error:
            checks.append(Check("transparency log", Outcome.SKIPPED, error.sentence))
            continue
        checks.append(Check("transparency log", Outcome.PASSED, f"entry {entry.index}"))
        found += [moment] if moment is not None else []
    for raw in evidence.timestamps:
        try:
            stamp = trusted_timestamp(raw, evidence.content.signature, root)
        except CannotVerify as error:
            checks.append(Check("timestamp", Outcome.SKIPPED, error.sentence))
            continue
        checks.append(Check("timestamp", Outcome.PASSED if stamp else Outcome.SKIPPED, "" if stamp else "not trusted"))
        found += [stamp.moment] if stamp is not None else []
    return found


def _root_of(policy: TrustPolicy) -> TrustRoot:
    return policy.trust_root or shipped_trust_root()


def _by_certificate(bench: Judgement) -> SignatureResult:
    if bench.policy.authorities:
        proven, keyless = _prove_by_own_authority(bench), False
    else:
        root = _root_of(bench.policy)
        proven, keyless = prove_keyless(bench.evidence, root), True
        if bench.second_opinion is not None:
            bench.second_opinion(root)
    identity = proven.identity
    result = replace(
        bench.result(Status.UNVERIFIED, f"A valid signature by {identity.title}, whom no rule of the policy names."),
        signer=identity.title,
        intact=True,
        signed_at=proven.signed_at,
        checks=proven.checks,
        details=(*bench.details, *_certificate_details(identity)),
        hint="Add this identity and its issuer to the trust settings to trust it.",
    )
    rules = bench.policy.identities
    if not rules:
        return result
    rule = next((rule for rule in rules if rule.matches(identity, keyless=keyless)), None)
    if rule is None:
        expected = " or ".join(str(rule) for rule in rules[:3])
        reason = f"It is signed by {identity.title}; the policy expects {expected}."
        checks = (*proven.checks, Check("identity", Outcome.FAILED, reason))
        return replace(result, status=Status.INVALID, reason=reason, checks=checks, hint=None)
    return replace(
        result,
        status=Status.VERIFIED,
        reason=f"Signed by {identity.title}.",
        under=f"{bench.policy.name}: {rule}",
        checks=(*proven.checks, Check("identity", Outcome.PASSED, str(rule))),
        hint=None,
    )


def _prove_by_own_authority(bench: Judgement) -> Proven:
    """A certificate of the user's own authority, judged at the present time: such signatures carry no trusted one."""
    leaf, *rest = (load_der(one, "The signing certificate") for one in bench.evidence.certificates)
    content = bench.evidence.content
    if not signature_holds(key_of(leaf), content.signature, content.message):
        raise Rejected("The signature was not made with the certificate's key, or what it covers was changed.")
    anchors = [certificate for pem in bench.policy.authorities for certificate in load_pem(pem, "An authority")]
    path = build_path(leaf, rest, anchors, bench.now)
    checks = (
        Check("signature", Outcome.PASSED),
        Check("certificate", Outcome.PASSED, path[-1].subject.rfc4514_string()),
        Check("revocation", Outcome.SKIPPED, "needs the network"),
    )
    return Proven(identity_of(leaf), bench.now, checks)


def _certificate_details(identity: CertificateIdentity) -> tuple[tuple[str, str], ...]:
    return (
        *(("name", name) for name in identity.names),
        *((("issuer", identity.issuer),) if identity.issuer else ()),
        *identity.claims,
        ("certificate issued by", identity.issued_by),
    )


def utc_now() -> datetime:
    """The clock that every judgement uses unless it is told a time."""
    return datetime.now(UTC)
