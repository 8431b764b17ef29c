"""The one door to the sigstore package: the certificate's log proof (SCT), and a second opinion on whole bundles.

Pinned to sigstore>=4.5,<5: the SCT check and reading a root from bytes are private there. It is imported when first
needed (0.3 s), never reaches for the network, and never writes the user's trust cache.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from regtui.trust.certificates import certificate_errors, tolerating_odd_names
from regtui.trust.errors import CannotVerify, Rejected
from regtui.trust.trust_root import missing_sigstore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from regtui.oci import Digest
    from regtui.trust.bundle import Bundle
    from regtui.trust.trust_root import TrustRoot


def library_errors() -> tuple[type[Exception], ...]:
    """What the package lets out: its own, pydantic's (ValueError), and slips such as TypeError for an RSA leaf."""
    from rfc3161_client import VerificationError
    from sigstore.errors import Error

    return (Error, VerificationError, LookupError, AttributeError, ArithmeticError, *certificate_errors())


@lru_cache(maxsize=8)
def _load_root(document: bytes) -> Any:
    try:
        from sigstore.models import TrustedRoot
        from sigstore_models.trustroot.v1 import TrustedRoot as Inner
    except ImportError as error:
        raise missing_sigstore() from error
    # It warns about bundles and keys on its own logger; the verdict says what matters.
    logging.getLogger("sigstore").setLevel(logging.ERROR)
    try:
        return TrustedRoot(Inner.from_json(document))
    except library_errors() as error:
        raise CannotVerify("The sigstore package can't read this trusted root.") from error


def demand_certificate_log(leaf: Certificate, issuers: Sequence[Certificate], root: TrustRoot) -> None:
    """Raise Rejected unless a trusted certificate log saw the certificate (its embedded SCT holds)."""
    loaded = _load_root(root.for_library())
    from sigstore._internal.sct import verify_sct
    from sigstore._internal.trust import KeyringPurpose

    if not root.certificate_logs:
        raise CannotVerify("The trusted root names no certificate transparency log.")
    try:
        with tolerating_odd_names():
            verify_sct(leaf, list(issuers), loaded.ct_keyring(KeyringPurpose.VERIFY))
    except library_errors() as error:
        raise Rejected("No trusted certificate log vouches for the signing certificate.") from error


class _AnyIdentity:
    """The package's policy protocol; whose certificate it is gets decided by our own rules afterwards."""

    def verify(self, cert: Certificate) -> None:
        """Accept."""


def second_opinion(bundle: Bundle, subject: Digest, root: TrustRoot) -> None:
    """Raise CannotVerify when the package refuses a bundle that our own checks accept: then nothing is certain."""
    loaded = _load_root(root.for_library())
    from sigstore.hashes import Hashed
    from sigstore.models import Bundle as LibraryBundle
    from sigstore.verify import Verifier
    from sigstore_models.common.v1 import HashAlgorithm

    if subject.algorithm != "sha256":
        raise CannotVerify("The sigstore package reads sha256 digests only.")
    hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(subject.encoded))

    try:
        with tolerating_odd_names():
            verifier, read = Verifier(trusted_root=loaded), LibraryBundle.from_json(bundle.raw)
            if bundle.envelope is not None:
                verifier.verify_dsse(read, _AnyIdentity())
            else:
                verifier.verify_artifact(hashed, read, _AnyIdentity())
    except library_errors() as error:
        raise CannotVerify(f"The sigstore package does not accept it: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def is_supported(bundle: Bundle) -> bool:
    """Whether the package can judge such a bundle at all (one log entry of a kind that it knows, one signature)."""
    if len(bundle.entries) != 1 or not bundle.certificates:
        return False
    entry = bundle.entries[0]
    return entry.kind in ("hashedrekord", "dsse") and (bundle.envelope is None or len(bundle.envelope.signatures) == 1)
