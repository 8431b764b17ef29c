"""What can go wrong on the way to a credential. No text here ever holds a secret, or output of a foreign program.

RegtuiError                       (oci/errors.py)
└── CredentialError               a source of credentials that can't be used as it is
    ├── AuthFileBroken            Docker's or containers' file can't be read or understood
    ├── HelperFailed              a credential helper is missing, silent, or answers nonsense
    └── KeyringUnavailable        there is no keyring that keeps secrets, or it is locked
"""

from __future__ import annotations

from regtui.oci.errors import RegtuiError


class CredentialError(RegtuiError):
    """A source of credentials that can't be used as it is."""


class AuthFileBroken(CredentialError):
    """Docker's or containers' file can't be read or understood."""


class HelperFailed(CredentialError):
    """A credential helper is missing, silent, or answers nonsense."""


class KeyringUnavailable(CredentialError):
    """There is no keyring that keeps secrets, or it is locked."""
