"""What is known about who vouches for an image: one result per signature, and the verdict over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from regtui.oci import Digest


class Status(StrEnum):
    """The four words that a person reads. Only VERIFIED says that a configured key, identity or store vouches."""

    VERIFIED = "verified"
    INVALID = "invalid"
    UNVERIFIED = "unverified"
    UNSIGNED = "unsigned"


class SignatureFormat(StrEnum):
    """How a signature is written down."""

    SIMPLE_SIGNING = "cosign simple signing"
    BUNDLE = "Sigstore bundle"
    DSSE = "DSSE attestation"
    NOTATION_JWS = "Notary Project JWS"
    NOTATION_COSE = "Notary Project COSE"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How one check went. LOGGED is a failure that the policy's level only writes down."""

    PASSED = "passed"
    FAILED = "failed"
    LOGGED = "failed, only logged"
    SKIPPED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One step of a verification: its name, how it went, and why in a few words."""

    name: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SignatureResult:
    """What one signature proves.

    `signer` is a key or an identity; it is only a claim unless `intact` is True. `intact` tells whether the
    cryptography holds regardless of any policy: None when that was not found out. `under` names the key, rule or
    trust policy that accepted it. `predicate` is the predicate type of a signed statement: one about the image,
    such as provenance, is no signature of it. `details` are lines for a person, from
    untrusted sources: make them inert first.
    """

    format: SignatureFormat
    status: Status
    reason: str
    signer: str | None = None
    under: str | None = None
    subject: Digest | None = None
    intact: bool | None = None
    signed_at: datetime | None = None
    checks: tuple[Check, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    source: str = ""
    hint: str | None = None
    predicate: str | None = None

    @property
    def verified(self) -> bool:
        """Whether somebody whom the policy trusts vouches for the subject."""
        return self.status is Status.VERIFIED


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all signatures of one digest say together. `incomplete` says why some could not be looked at."""

    subject: Digest
    status: Status
    reason: str
    results: tuple[SignatureResult, ...] = ()
    incomplete: str | None = None

    @property
    def unknown(self) -> str | None:
        """Why nothing can be said: nothing was found, and not everything could be looked at. Else None."""
        return self.incomplete if not self.results else None

    @property
    def signers(self) -> tuple[str, ...]:
        """Who vouches, each once, in the order found."""
        return tuple(dict.fromkeys(r.signer for r in self.results if r.verified and r.signer))


def combine(subject: Digest, results: Iterable[SignatureResult], *, incomplete: str | None = None) -> Verdict:
    """The verdict over the signatures of one digest.

    One verified signature makes the image verified, whatever else hangs on it: anybody who may push could add a
    bad one. Without one, an invalid signature outweighs one that could not be judged. "Unsigned" is only said
    when everything was looked at.
    """
    found = tuple(results)
    for status in (Status.VERIFIED, Status.INVALID, Status.UNVERIFIED):
        chosen = next((r for r in found if r.status is status), None)
        if chosen is not None:
            return Verdict(subject, status, chosen.reason, found, incomplete)
    if incomplete:
        return Verdict(subject, Status.UNVERIFIED, f"Not everything could be looked at: {incomplete}", (), incomplete)
    return Verdict(subject, Status.UNSIGNED, "No signature was found.", (), None)


def through_index(platform: Verdict, index: Verdict | None) -> Verdict:
    """The verdict of a platform's image that was reached through an index.

    A signature of the index covers every image that the index names, so a verified index vouches for the
    platform; an invalid or missing signature of the one never hides what the other says.
    """
    if index is None or platform.status is Status.VERIFIED:
        return platform
    if index.status is Status.VERIFIED:
        return Verdict(
            platform.subject,
            Status.VERIFIED,
            f"Through its index {index.subject.short}: {index.reason}",
            (*index.results, *platform.results),
            platform.incomplete or index.incomplete,
        )
    rank = (Status.INVALID, Status.UNVERIFIED, Status.UNSIGNED)
    if rank.index(index.status) < rank.index(platform.status):
        return Verdict(
            platform.subject,
            index.status,
            f"Its index {index.subject.short}: {index.reason}",
            (*index.results, *platform.results),
            platform.incomplete or index.incomplete,
        )
    return platform
