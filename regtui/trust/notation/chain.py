"""The Notary Project's rules for a signing certificate and its chain, and the signature made with it.

Source: signature-specification.md, "Certificate Requirements" and "Algorithm Selection".
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.certificates import extended_usages, is_authority, issued_by, key_usage, load_der
from regtui.trust.errors import Rejected

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from regtui.trust.notation.envelope import NotationEnvelope

_FORBIDDEN_USAGES: Final = frozenset(
    {
        "1.3.6.1.5.5.7.3.1",  # serverAuth
        "1.3.6.1.5.5.7.3.2",  # clientAuth
        "1.3.6.1.5.5.7.3.4",  # emailProtection
        "1.3.6.1.5.5.7.3.8",  # timeStamping
        "2.5.29.37.0",  # anyExtendedKeyUsage
    }
)
_RSA: Final = {2048: "PS256", 3072: "PS384", 4096: "PS512"}
_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


def load_chain(envelope: NotationEnvelope) -> tuple[Certificate, ...]:
    """The certificates, leaf first. Raises Malformed."""
    return tuple(load_der(one, f"Certificate {n} of the chain") for n, one in enumerate(envelope.certificates, 1))


def demand_signature(envelope: NotationEnvelope, leaf: Certificate) -> None:
    """Raise Rejected unless the leaf's key made the signature with the algorithm that belongs to the key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

    key: Any = leaf.public_key()
    expected = algorithm_of_key(key)
    if expected is None or expected != envelope.algorithm:
        raise Rejected(f"The algorithm {envelope.algorithm} does not belong to the certificate's key.")
    bits = int(expected[2:])
    digest = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}[bits]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
            key.verify(envelope.signature, envelope.signed_bytes, pss, digest)
        else:
            half = (key.key_size + 7) // 8
            if len(envelope.signature) != 2 * half:
                raise Rejected("The signature has a wrong length.")
            r, s = (int.from_bytes(part) for part in (envelope.signature[:half], envelope.signature[half:]))
            key.verify(utils.encode_dss_signature(r, s), envelope.signed_bytes, ec.ECDSA(digest))
    except InvalidSignature as error:
        raise Rejected("The signature is wrong: the envelope was changed, or another key made it.") from error


def algorithm_of_key(key: Any) -> str | None:
    """The one algorithm that a key may sign with; None for keys that the specification does not know."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPublicKey):
        return _RSA.get(key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name)
    return None


def demand_chain(chain: tuple[Certificate, ...]) -> None:
    """Raise Rejected unless the chain is complete, in order and made of the right kinds of certificates.

    It is followed by position and signature, never by name: test roots and leaves share names in the wild.
    """
    leaf, last = chain[0], chain[-1]
    if len(set(chain)) != len(chain):
        raise Rejected("The certificate chain holds the same certificate twice.")
    _demand_leaf(leaf)
    for number, (certificate, issuer) in enumerate(pairwise(chain)):
        if not issued_by(certificate, issuer):
            raise Rejected("The certificate chain is broken: one certificate was not issued by the next.")
        if not _is_proper_authority(issuer, number):
            raise Rejected("A certificate in the chain may not issue others.")
    if not issued_by(last, last):
        raise Rejected("The certificate chain does not end in a root.")
    for certificate in chain:
        if algorithm_of_key(certificate.public_key()) is None:
            raise Rejected("A certificate in the chain has a key that the Notary Project does not allow.")


def _demand_leaf(leaf: Certificate) -> None:
    usage, critical = key_usage(leaf), _is_critical(leaf, "2.5.29.15")
    if usage is None or not critical or not usage.digital_signature:
        raise Rejected("The signing certificate is not marked for digital signatures.")
    if any((usage.key_encipherment, usage.data_encipherment, usage.key_agreement, usage.key_cert_sign, usage.crl_sign)):
        raise Rejected("The signing certificate may be used for other things than signatures.")
    if is_authority(leaf, 0):
        raise Rejected("The signing certificate is an authority's.")
    if (extended_usages(leaf) or frozenset()) & _FORBIDDEN_USAGES:
        raise Rejected("The signing certificate is made for something else than signing code.")


def _is_proper_authority(certificate: Certificate, below: int) -> bool:
    usage = key_usage(certificate)
    return (
        is_authority(certificate, below)
        and usage is not None
        and bool(usage.key_cert_sign)
        and _is_critical(certificate, "2.5.29.19")
        and _is_critical(certificate, "2.5.29.15")
    )


def _is_critical(certificate: Certificate, oid: str) -> bool:
    return any(e.critical for e in certificate.extensions if e.oid.dotted_string == oid)
