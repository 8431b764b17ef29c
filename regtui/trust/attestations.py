"""in-toto statements: who says what about which digests, and how its predicate is called in words.

Source: in-toto/attestation spec v1 (and v0.1). A bare statement, as BuildKit attaches it, is only a claim.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.dsse import IN_TOTO, Envelope, parse_envelope
from regtui.trust.errors import Malformed, Rejected
from regtui.trust.untrusted import LONGEST_TEXT, as_object, as_objects, as_text, decode_lenient, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.oci import Digest

STATEMENTS: Final = frozenset({"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"})
SIGN_PREDICATE: Final = "https://sigstore.dev/cosign/sign/v1"
"""cosign's plain signature in the bundle format: an empty predicate about the image."""
LARGEST_STATEMENT: Final = 64 << 20
_MOST_SUBJECTS: Final = 10_000

_NAMES: Final = (
    ("https://slsa.dev/provenance/", "provenance (SLSA)"),
    ("https://slsa.dev/verification_summary/", "verification summary (SLSA)"),
    ("https://spdx.dev/Document", "SBOM (SPDX)"),
    ("https://cyclonedx.org/bom", "SBOM (CycloneDX)"),
    ("https://cyclonedx.org/vex", "VEX (CycloneDX)"),
    ("https://openvex.dev/ns", "VEX (OpenVEX)"),
    ("https://cosign.sigstore.dev/attestation/vuln/", "vulnerabilities (cosign)"),
    ("https://in-toto.io/attestation/vulns/", "vulnerabilities (in-toto)"),
    ("https://cosign.sigstore.dev/attestation/", "custom attestation (cosign)"),
    (SIGN_PREDICATE, "signature (cosign)"),
    ("https://in-toto.io/attestation/test-result/", "test result"),
    ("https://in-toto.io/attestation/release/", "release"),
    ("https://in-toto.io/attestation/scai/", "supply chain attributes (SCAI)"),
    ("https://in-toto.io/attestation/link/", "in-toto link"),
    ("https://in-toto.io/attestation/runtime-trace/", "runtime trace"),
    ("https://in-toto.io/attestation/reference/", "reference"),
    ("https://in-toto.io/attestation/svr/", "simple verification result"),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about: a name and its digests by algorithm, hexadecimal."""

    name: str | None
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """An in-toto statement. `predicate` is untrusted JSON of the type that `predicate_type` names."""

    type: str
    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Any = field(repr=False)

    @property
    def title(self) -> str:
        """The predicate in words."""
        return name_of_predicate(self.predicate_type)

    def names(self, digest: Digest) -> bool:
        """Whether one of its subjects has this digest."""
        return any(s.digests.get(digest.algorithm) == digest.encoded for s in self.subjects)


def name_of_predicate(predicate_type: str) -> str:
    """A predicate type in words; an unknown one is given back as it is."""
    for start, name in _NAMES:
        if predicate_type.startswith(start) or predicate_type == start.rstrip("/"):
            return name
    return predicate_type


def parse_statement(raw: bytes) -> Statement:
    """Read a statement. Raises Malformed. An empty subject list is legal in what BuildKit writes."""
    body = read_object(raw, "The in-toto statement", limit=LARGEST_STATEMENT)
    kind, predicate_type = body.get("_type"), as_text(body.get("predicateType"))
    if kind not in STATEMENTS or predicate_type is None:
        raise Malformed("This is not an in-toto statement.")
    subjects = as_objects(body.get("subject"))
    if len(subjects) > _MOST_SUBJECTS:
        raise Malformed(f"The in-toto statement has {len(subjects):,} subjects; {_MOST_SUBJECTS:,} are read.")
    read = tuple(
        Subject(
            as_text(one.get("name")),
            {k: v for k, v in as_object(one.get("digest")).items() if isinstance(v, str) and len(v) <= LONGEST_TEXT},
        )
        for one in subjects
    )
    return Statement(str(kind), read, predicate_type, body.get("predicate"))


def read_statement(raw: bytes) -> tuple[Statement, bool]:
    """(the statement, whether it lies in a DSSE envelope) of a layer that may hold either, or a bundle.

    The signature, if any, is not looked at: the statement is an unsigned claim until it is verified.
    """
    body = read_object(raw, "The attestation", limit=LARGEST_STATEMENT)
    if isinstance(body.get("dsseEnvelope"), dict):
        return parse_statement(decode_lenient(body["dsseEnvelope"].get("payload"), "The DSSE payload")), True
    if "payloadType" in body:
        return parse_statement(parse_envelope(body).payload), True
    return parse_statement(raw), False


def demand_subject(envelope: Envelope, statement: Statement, subject: Digest) -> None:
    """Raise Rejected unless the envelope holds a statement about exactly this digest."""
    if envelope.payload_type != IN_TOTO:
        raise Rejected(f"The envelope holds {envelope.payload_type[:80]!a}, not a statement about an image.")
    if not statement.names(subject):
        raise Rejected("The statement is about something else: no subject has this image's digest.")
