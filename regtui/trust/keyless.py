"""Keyless signatures: a short-lived certificate, a transparency log and trusted times instead of a lasting key.

The steps of Sigstore's client specification: entry in the log and about this signature, a trusted time, the
certificate's path at that time, its own log proof, the signature. Who the certificate names is judged elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.trust.certificates import (
    CertificateIdentity,
    build_path,
    demand_code_signing,
    der_of,
    identity_of,
    key_of,
    load_der,
)
from regtui.trust.cosign_keys import signature_holds
from regtui.trust.errors import CannotVerify, Malformed, Rejected
from regtui.trust.log_binding import SignedContent, Signer, demand_same_content
from regtui.trust.sigstore_library import demand_certificate_log
from regtui.trust.timestamps import Timestamp, read_timestamp, verify_timestamp
from regtui.trust.transparency import LogEntry, verify_entry
from regtui.trust.verdict import Check, Outcome

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.x509 import Certificate

    from regtui.trust.trust_root import TrustRoot


@dataclass(frozen=True, slots=True)
class Evidence:
    """What came with a signature. `certificates` are DER, the signing one first; `timestamps` DER responses."""

    content: SignedContent
    certificates: tuple[bytes, ...] = ()
    entries: tuple[LogEntry, ...] = ()
    timestamps: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Proven:
    """A keyless signature that holds: whom its certificate names, and when it was made."""

    identity: CertificateIdentity
    signed_at: datetime
    checks: tuple[Check, ...]


def prove_keyless(evidence: Evidence, root: TrustRoot) -> Proven:
    """Prove that the signature was made by whom the certificate names. Raises Rejected, Malformed, CannotVerify."""
    leaf, *rest = (load_der(one, "The signing certificate") for one in evidence.certificates)
    identity = identity_of(leaf)
    signer = Signer(key_of(leaf), der_of(leaf))
    demand_code_signing(leaf)
    if not signature_holds(signer.spki, evidence.content.signature, evidence.content.message):
        raise Rejected("The signature was not made with the certificate's key, or what it covers was changed.")
    checks = [Check("signature", Outcome.PASSED, identity.algorithm or "")]
    times = _logged_times(evidence, signer, root, checks) + _stamped_times(evidence, root, checks)
    if not times:
        raise CannotVerify("No trusted source tells when the signature was made.")
    path = _verify_paths(leaf, rest, times, root)
    checks.append(Check("certificate", Outcome.PASSED, path[-1].subject.rfc4514_string()))
    demand_certificate_log(leaf, path[1:], root)
    checks.append(Check("certificate log", Outcome.PASSED))
    return Proven(identity, min(times), tuple(checks))


def _logged_times(evidence: Evidence, signer: Signer, root: TrustRoot, checks: list[Check]) -> list[datetime]:
    if not evidence.entries:
        raise CannotVerify("The signature comes without an entry in a transparency log.")
    found: list[datetime] = []
    for entry in evidence.entries:
        moment = verify_entry(entry, root)
        demand_same_content(entry, evidence.content, signer)
        checks.append(Check("transparency log", Outcome.PASSED, f"entry {entry.index}"))
        if moment is not None:
            found.append(moment)
    return found


def _stamped_times(evidence: Evidence, root: TrustRoot, checks: list[Check]) -> list[datetime]:
    found: list[datetime] = []
    for raw in evidence.timestamps:
        stamp = trusted_timestamp(raw, evidence.content.signature, root)
        if stamp is None:
            checks.append(Check("timestamp", Outcome.SKIPPED, "by no authority of the trusted root"))
        else:
            checks.append(Check("timestamp", Outcome.PASSED, f"{stamp.moment:%Y-%m-%d %H:%M:%S} UTC"))
            found.append(stamp.moment)
    return found


def trusted_timestamp(raw: bytes, signature: bytes, root: TrustRoot) -> Timestamp | None:
    """The timestamp over these signature bytes when a timestamp authority of the root made it, else None."""
    stamp = read_timestamp(raw)
    for authority in root.timestamp_authorities:
        first, *others = authority.certificates
        if not others or not authority.window.holds(stamp.moment):
            continue
        try:
            verify_timestamp(stamp, signature, roots=others[-1:], intermediates=others[:-1], signer=first)
        except Rejected:
            continue
        return stamp
    return None


def _verify_paths(
    leaf: Certificate, rest: list[Certificate], times: list[datetime], root: TrustRoot
) -> tuple[Certificate, ...]:
    path: tuple[Certificate, ...] = ()
    for moment in times:
        anchors, intermediates = root.issuing(moment)
        path = build_path(leaf, (*intermediates, *rest), anchors, moment)
    if not path:
        raise Malformed("The signing certificate has no path.")
    return path
