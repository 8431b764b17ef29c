"""What can go wrong while something that hangs on an image is read or verified.

RegtuiError                       (oci/errors.py)
└── TrustError
    ├── Malformed                 the bytes are not what they claim to be
    ├── Rejected                  the cryptography or the policy says no: the signature counts as invalid
    ├── CannotVerify              nothing was proven either way; the sentence says what is missing
    ├── InvalidPolicy             the user's own trust settings, key or trust store can't be used
    └── ScannerFailed             a local scanner did not give a report
"""

from __future__ import annotations

from regtui.oci.errors import RegtuiError


class TrustError(RegtuiError):
    """The root of this floor's errors."""


class Malformed(TrustError):
    """The bytes are not what they claim to be."""


class Rejected(TrustError):
    """The cryptography or the policy says no: the signature counts as invalid."""


class CannotVerify(TrustError):
    """Nothing was proven either way; the sentence says what is missing."""


class InvalidPolicy(TrustError):
    """The user's own trust settings, key or trust store can't be used."""


class ScannerFailed(TrustError):
    """A local scanner did not give a report."""
