"""X.509 certificates: loading them, who they name, and the path from a signing certificate to a trusted one.

Revocation is not asked for: that needs the network, and Sigstore's certificates live ten minutes.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.cosign_keys import algorithm_of, missing_cryptography, spki_of
from regtui.trust.der import read_utf8_string
from regtui.trust.errors import Malformed, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from cryptography.x509 import Certificate

MOST_CERTIFICATES: Final = 20
DEEPEST_PATH: Final = 8
_LARGEST_CERTIFICATE: Final = 64 << 10
_LARGEST_PEM: Final = 1 << 20
_NAME_LOCK: Final = threading.Lock()
_STRONG_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_FULCIO: Final = "1.3.6.1.4.1.57264.1."
_CLAIMS: Final = {
    2: "workflow trigger",
    3: "workflow commit",
    4: "workflow name",
    5: "workflow repository",
    6: "workflow ref",
    9: "build signer",
    10: "build signer digest",
    11: "runner",
    12: "source repository",
    13: "source commit",
    14: "source ref",
    15: "source repository id",
    16: "source owner",
    17: "source owner id",
    18: "build config",
    19: "build config digest",
    20: "build trigger",
    21: "run",
    22: "source visibility",
}
_UNDERSTOOD: Final = frozenset(
    {
        "2.5.29.14",  # subjectKeyIdentifier
        "2.5.29.15",  # keyUsage
        "2.5.29.17",  # subjectAltName
        "2.5.29.19",  # basicConstraints
        "2.5.29.32",  # certificatePolicies
        "2.5.29.35",  # authorityKeyIdentifier
        "2.5.29.37",  # extKeyUsage
    }
)


@dataclass(frozen=True, slots=True)
class CertificateIdentity:
    """Whom a certificate names. `names` are its subject alternative names, `issuer` Fulcio's OIDC issuer."""

    names: tuple[str, ...]
    issuer: str | None
    subject: str
    issued_by: str
    algorithm: str | None
    not_before: datetime
    not_after: datetime
    claims: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """The best name, for a screen."""
        name = self.names[0] if self.names else self.subject or "a certificate without a name"
        return f"{name} (via {self.issuer})" if self.issuer else name


def certificate_errors() -> tuple[type[Exception], ...]:
    """What the cryptography package raises over a strange certificate."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    return (
        ValueError,
        TypeError,
        UserWarning,
        InvalidSignature,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.UnsupportedGeneralNameType,
        x509.InvalidVersion,
    )


@contextmanager
def tolerating_odd_names() -> Iterator[None]:
    """Keeps the cryptography package from warning about names, such as a country of three letters, on the terminal.

    What it deprecates, such as a negative serial number, counts as an error already.
    """
    from cryptography.utils import CryptographyDeprecationWarning

    with _NAME_LOCK, warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        warnings.filterwarnings("ignore", "Attribute's length must be", UserWarning)
        yield


def load_der(content: bytes, what: str = "A certificate") -> Certificate:
    """One certificate out of DER. Raises Malformed."""
    try:
        from cryptography import x509
    except ImportError as error:
        raise missing_cryptography() from error
    if len(content) > _LARGEST_CERTIFICATE:
        raise Malformed(f"{what} is too large.")
    try:
        with tolerating_odd_names():
            certificate = x509.load_der_x509_certificate(content)
            # The package parses lazily: what is broken inside has to show now, not in the middle of a check.
            _ = (certificate.extensions, certificate.public_key(), certificate.signature_hash_algorithm)
            _ = (certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string())
    except certificate_errors() as error:
        raise Malformed(f"{what} can't be read.") from error
    return certificate


def load_pem(content: bytes | str, what: str = "A certificate chain") -> tuple[Certificate, ...]:
    """All certificates of PEM text, in order, 20 at most. Raises Malformed when there is none."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding
    except ImportError as error:
        raise missing_cryptography() from error
    raw = content.encode() if isinstance(content, str) else content
    if len(raw) > _LARGEST_PEM or raw.count(b"-----BEGIN") > MOST_CERTIFICATES:
        raise Malformed(f"{what} holds too much.")
    try:
        with tolerating_odd_names():
            found = x509.load_pem_x509_certificates(raw)
    except certificate_errors() as error:
        raise Malformed(f"{what} can't be read.") from error
    return tuple(load_der(one.public_bytes(Encoding.DER), what) for one in found)


def der_of(certificate: Certificate) -> bytes:
    """The exact bytes of a certificate."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def key_of(certificate: Certificate) -> bytes:
    """The DER SubjectPublicKeyInfo of its key."""
    return spki_of(certificate.public_key())


def identity_of(certificate: Certificate) -> CertificateIdentity:
    """Whom it names. Raises Malformed when its two statements of the OIDC issuer disagree."""
    from cryptography import x509

    claims: list[tuple[str, str]] = []
    issuers: dict[int, str] = {}
    for extension in certificate.extensions:
        oid = extension.oid.dotted_string
        number = oid.removeprefix(_FULCIO)
        if number == oid or not number.isdigit() or not isinstance(extension.value, x509.UnrecognizedExtension):
            continue
        text = _extension_text(int(number), extension.value.value)
        if text is None:
            continue
        if int(number) in (1, 8):
            issuers[int(number)] = text
        elif int(number) in _CLAIMS:
            claims.append((_CLAIMS[int(number)], text))
    if len(set(issuers.values())) > 1:
        raise Malformed("The certificate names two different OIDC issuers.")
    return CertificateIdentity(
        _names(certificate),
        issuers.get(8, issuers.get(1)),
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        algorithm_of(certificate.public_key()),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        tuple(claims),
    )


def _extension_text(number: int, value: bytes) -> str | None:
    if number >= 8:
        return read_utf8_string(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _names(certificate: Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        general = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    found: list[str] = []
    for name in general:
        if isinstance(name, x509.RFC822Name | x509.UniformResourceIdentifier | x509.DNSName):
            found.append(name.value)
        elif isinstance(name, x509.OtherName) and name.type_id.dotted_string == f"{_FULCIO}7":
            text = read_utf8_string(name.value)
            if text is not None:
                found.append(text)
    return tuple(found)


def build_path(
    leaf: Certificate, intermediates: Iterable[Certificate], anchors: Iterable[Certificate], at: datetime
) -> tuple[Certificate, ...]:
    """The certificates from `leaf` to one of `anchors`, each valid at the time `at`. Raises Rejected.

    `anchors` are trusted, `intermediates` only help. Checked: signatures with strong hashes, validity, CA flags,
    path length, and that no critical extension goes unread.
    """
    pool = list(intermediates)[:MOST_CERTIFICATES]
    trusted = list(anchors)
    problem = _own_problem(leaf, at)
    if problem is not None:
        raise Rejected(f"The signing certificate {problem}.")
    # Breadth first, every certificate once: a hostile pool of cross-signed ones costs n² checks, not n!.
    queue: list[tuple[Certificate, ...]] = [(leaf,)]
    waiting = [*trusted, *pool]
    while queue:
        path = queue.pop(0)
        for candidate in [c for c in waiting if issued_by(path[-1], c) and _may_issue(c, len(path) - 1, at)]:
            longer = (*path, candidate)
            if candidate in trusted:
                return longer
            waiting.remove(candidate)
            if len(longer) < DEEPEST_PATH:
                queue.append(longer)
    raise Rejected("The certificate chains to no trusted authority that was valid at the time of signing.")


def issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether the names fit and the issuer's key signed this certificate, with a hash that is still strong."""
    if certificate.issuer != issuer.subject:
        return False
    try:
        algorithm = certificate.signature_hash_algorithm
        if algorithm is not None and algorithm.name not in _STRONG_HASHES:
            return False
        certificate.verify_directly_issued_by(issuer)
    except certificate_errors():
        return False
    return True


def _may_issue(certificate: Certificate, below: int, at: datetime) -> bool:
    return _own_problem(certificate, at) is None and is_authority(certificate, below)


def is_authority(certificate: Certificate, below: int) -> bool:
    """Whether it may sign certificates, with `below` further authorities between it and the leaf."""
    from cryptography import x509

    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    usage = key_usage(certificate)
    if not basic.ca or (usage is not None and not usage.key_cert_sign):
        return False
    return basic.path_length is None or basic.path_length >= below


def _own_problem(certificate: Certificate, at: datetime) -> str | None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        return "was not valid at the time of signing"
    unread = [e.oid.dotted_string for e in certificate.extensions if e.critical and not _is_understood(e)]
    if unread:
        return f"has a critical extension that regtui does not know ({unread[0]})"
    if algorithm_of(certificate.public_key()) is None:
        return "has a key of a kind or size that is not trusted"
    return None


def _is_understood(extension: Any) -> bool:
    return extension.oid.dotted_string in _UNDERSTOOD


def key_usage(certificate: Certificate) -> Any | None:
    """The key usage extension's value, None without one."""
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def extended_usages(certificate: Certificate) -> frozenset[str] | None:
    """The extended key usages as dotted strings, None without that extension."""
    from cryptography import x509

    try:
        value = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None
    return frozenset(usage.dotted_string for usage in value)


CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"


def demand_code_signing(leaf: Certificate) -> None:
    """Raise Rejected unless the certificate is an end entity's, made for signing code (Fulcio's profile)."""
    usage = key_usage(leaf)
    if usage is None or not usage.digital_signature or is_authority(leaf, 0):
        raise Rejected("The signing certificate is not made for signatures.")
    if CODE_SIGNING not in (extended_usages(leaf) or ()):
        raise Rejected("The signing certificate is not made for signing code.")
