"""RFC 3161 timestamps: when a signature existed, said by an authority that is trusted for it.

The frame is taken apart here only to hand the token over in the shape that the rfc3161-client package reads: a
bare token is wrapped into a response, and its certificates are put into DER order (they are not signed over, and
real authorities write them in another one). Paths are built by our own rules before that package checks the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.certificates import TIME_STAMPING, build_path, load_der
from regtui.trust.der import INTEGER, OBJECT_IDENTIFIER, SEQUENCE, read_children, read_element, write_element
from regtui.trust.errors import CannotVerify, Malformed, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography.x509 import Certificate

LARGEST_TOKEN: Final = 256 << 10
MOST_TIMESTAMPS: Final = 32
_CONTEXT_0: Final = 0xA0


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A parsed timestamp; `response` is the package's object. Nothing in it is verified yet."""

    moment: datetime
    accuracy: timedelta
    certificates: tuple[Certificate, ...]
    response: Any

    @property
    def earliest(self) -> datetime:
        """The start of the span in which the moment lies."""
        return self.moment - self.accuracy

    @property
    def latest(self) -> datetime:
        """The end of that span."""
        return self.moment + self.accuracy


def read_timestamp(raw: bytes) -> Timestamp:
    """Parse a TimeStampResp or a bare TimeStampToken. Raises Malformed; CannotVerify without the package."""
    try:
        from rfc3161_client import decode_timestamp_response
    except ImportError as error:
        raise CannotVerify(
            "Timestamps need the rfc3161-client package, which is not installed.", hint="Install regtui[sigstore]."
        ) from error
    if len(raw) > LARGEST_TOKEN:
        raise Malformed("The timestamp is too large.")
    try:
        response = decode_timestamp_response(_as_response(raw))
        info = response.tst_info
        embedded = tuple(load_der(der, "A certificate in a timestamp") for der in response.signed_data.certificates)
        return Timestamp(info.gen_time, _accuracy(info.accuracy), embedded, response)
    except (ValueError, OverflowError) as error:
        raise Malformed("The timestamp can't be read.") from error


def _accuracy(value: Any) -> timedelta:
    if value is None:
        return timedelta(0)
    return timedelta(seconds=value.seconds or 0, milliseconds=value.millis or 0, microseconds=value.micros or 0)


def _as_response(raw: bytes) -> bytes:
    tag, content, end = read_element(raw)
    if tag != SEQUENCE or end != len(raw):
        raise Malformed("The timestamp is not one DER sequence.")
    parts = read_children(content)
    if not parts:
        raise Malformed("The timestamp is empty.")
    if parts[0][0] == OBJECT_IDENTIFIER:
        granted = write_element(SEQUENCE, write_element(INTEGER, b"\x00"))
        return write_element(SEQUENCE, granted + _in_order(raw))
    if len(parts) == 2:
        return write_element(SEQUENCE, parts[0][1] + _in_order(parts[1][1]))
    return raw


def _in_order(token: bytes) -> bytes:
    """The same token with the members of SignedData.certificates sorted."""
    parts = read_children(read_element(token)[1])
    if len(parts) != 2 or parts[1][0] != _CONTEXT_0:
        raise Malformed("The timestamp holds no signed data.")
    signed = read_children(read_element(read_element(parts[1][1])[1])[1])
    members = [
        write_element(tag, b"".join(sorted(one for _, one in read_children(read_element(element)[1]))))
        if tag == _CONTEXT_0
        else element
        for tag, element in signed
    ]
    inner = write_element(SEQUENCE, b"".join(members))
    return write_element(SEQUENCE, parts[0][1] + write_element(_CONTEXT_0, inner))


def verify_timestamp(
    stamp: Timestamp,
    message: bytes,
    *,
    roots: Iterable[Certificate],
    intermediates: Iterable[Certificate] = (),
    signer: Certificate | None = None,
) -> Certificate:
    """The authority's certificate, once it is sure that it stamped `message`. Raises Rejected.

    `signer` is the authority's certificate where the trusted root names it; else it comes out of the token, and
    only its path to one of `roots` makes it trusted.
    """
    from rfc3161_client import VerificationError, VerifierBuilder

    leaf = signer or _signing_certificate(stamp)
    path = build_path(leaf, (*intermediates, *stamp.certificates), roots, stamp.moment)
    _demand_time_stamping(leaf)
    verifier = VerifierBuilder(tsa_certificate=leaf, intermediates=list(path[1:-1]), roots=[path[-1]]).build()
    try:
        verifier.verify_message(stamp.response, message)
    except (VerificationError, ValueError) as error:
        raise Rejected("The timestamp is not for this signature, or its own signature is wrong.") from error
    return leaf


def _signing_certificate(stamp: Timestamp) -> Certificate:
    infos = list(stamp.response.signed_data.signer_infos)
    if len(infos) != 1:
        raise Rejected("The timestamp has more or fewer signers than one.")
    for certificate in stamp.certificates:
        if certificate.issuer == infos[0].issuer and certificate.serial_number == infos[0].serial_number:
            return certificate
    raise Rejected("The timestamp lacks the certificate of its signer.")


def _demand_time_stamping(leaf: Certificate) -> None:
    from cryptography import x509

    try:
        extension = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound as error:
        raise Rejected("The timestamp's certificate is not made for timestamps.") from error
    if not extension.critical or [usage.dotted_string for usage in extension.value] != [TIME_STAMPING]:
        raise Rejected("The timestamp's certificate is not made for timestamps alone.")
