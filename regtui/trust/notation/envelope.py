"""What a Notary Project envelope says, the same for JWS and COSE, and the rules that hold for both.

Source: notaryproject/specifications signature-specification.md, signature-envelope-jws.md and -cose.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest, InvalidDigest
from regtui.trust.errors import Malformed, Rejected
from regtui.trust.untrusted import as_object, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from regtui.oci import Descriptor
    from regtui.trust.verdict import SignatureFormat

ARTIFACT_TYPE: Final = "application/vnd.cncf.notary.signature"
PAYLOAD_TYPE: Final = "application/vnd.cncf.notary.payload.v1+json"
PREFIX: Final = "io.cncf.notary."
SCHEME: Final = f"{PREFIX}signingScheme"
SIGNING_TIME: Final = f"{PREFIX}signingTime"
AUTHENTIC_TIME: Final = f"{PREFIX}authenticSigningTime"
EXPIRY: Final = f"{PREFIX}expiry"
PLUGIN: Final = f"{PREFIX}verificationPlugin"
PLUGIN_VERSION: Final = f"{PREFIX}verificationPluginMinVersion"
TIMESTAMP: Final = f"{PREFIX}timestampSignature"
AGENT: Final = f"{PREFIX}signingAgent"

X509: Final = "notary.x509"
SIGNING_AUTHORITY: Final = "notary.x509.signingAuthority"
_KNOWN_CRITICAL: Final = frozenset({SCHEME, AUTHENTIC_TIME, EXPIRY, PLUGIN, PLUGIN_VERSION})
MOST_CERTIFICATES: Final = 20
LARGEST_ENVELOPE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class NotationEnvelope:
    """An envelope. Nothing in it is verified; `signing_time` never is, it is only the signer's claim.

    `signed_bytes` are the exact bytes under the signature; `certificates` are DER, leaf first; `others` are signed
    attributes that the specification does not name.
    """

    format: SignatureFormat
    payload: bytes = field(repr=False)
    signed_bytes: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    algorithm: str
    content_type: str | None
    scheme: str | None
    critical: tuple[str, ...]
    signing_time: datetime | None
    authentic_time: datetime | None
    expiry: datetime | None
    plugin: str | None
    plugin_version: str | None
    others: tuple[str, ...]
    certificates: tuple[bytes, ...] = field(repr=False)
    timestamp: bytes | None = field(repr=False)
    agent: str | None


@dataclass(frozen=True, slots=True)
class TargetArtifact:
    """What is signed, with the user's own metadata."""

    media_type: str
    digest: Digest
    size: int
    metadata: tuple[tuple[str, str], ...]


def demand_attributes(envelope: NotationEnvelope, present: Mapping[str, Any]) -> None:
    """Raise Rejected unless the signed attributes follow the specification. `present` are the signed members."""
    if envelope.content_type != PAYLOAD_TYPE:
        raise Rejected("The envelope's content is not a Notary Project payload.")
    if envelope.scheme not in (X509, SIGNING_AUTHORITY):
        raise Rejected("The envelope names an unknown signing scheme.")
    critical = set(envelope.critical)
    unknown = sorted(critical - _KNOWN_CRITICAL)
    if unknown:
        raise Rejected(f"The envelope has a critical attribute that regtui does not know: {unknown[0][:80]!a}.")
    if len(critical) != len(envelope.critical) or not critical <= set(present):
        raise Rejected("The envelope lists a critical attribute twice, or one that is not there.")
    needed = {SCHEME} | {name for name in (EXPIRY, AUTHENTIC_TIME) if name in present}
    if not needed <= critical:
        raise Rejected("The envelope does not mark its scheme, expiry or signing time as critical.")
    if envelope.scheme == X509 and AUTHENTIC_TIME in present:
        raise Rejected("The envelope carries an authentic signing time, which its scheme does not know.")
    if envelope.scheme == SIGNING_AUTHORITY and envelope.authentic_time is None:
        raise Rejected("The envelope lacks the authentic signing time that its scheme needs.")


def parse_target(payload: bytes) -> TargetArtifact:
    """Read the payload. Raises Malformed."""
    target = as_object(read_object(payload, "The signed payload").get("targetArtifact"))
    media_type, size, digest = target.get("mediaType"), target.get("size"), target.get("digest")
    if not isinstance(media_type, str) or type(size) is not int or not isinstance(digest, str):
        raise Malformed("The signed payload names no artifact.")
    try:
        parsed = Digest.parse(digest)
    except InvalidDigest as error:
        raise Malformed("The signed payload names no valid digest.") from error
    metadata = as_object(target.get("annotations"))
    return TargetArtifact(
        media_type, parsed, size, tuple((str(k)[:200], str(v)[:400]) for k, v in list(metadata.items())[:50])
    )


def demand_target(target: TargetArtifact, subject: Descriptor) -> None:
    """Raise Rejected unless the payload is about exactly this descriptor."""
    if target.digest != subject.digest:
        raise Rejected(f"It signs another image: {target.digest}.")
    if target.size != subject.size or target.media_type != subject.media_type:
        raise Rejected("It signs this digest under another media type or size.")
