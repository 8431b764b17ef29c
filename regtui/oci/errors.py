"""The root of every error that a person is meant to read.

RegtuiError                       one sentence, and what to do next
├── InvalidReference              the text is no image reference
├── InvalidDigest                 the text is no digest
├── InvalidManifest               the bytes are no manifest, index or config that can be trusted
│   └── UnsupportedManifest       a format that is recognised and not read (schema 1)
├── DigestMismatch                the bytes are not the ones that the digest names
└── SizeMismatch                  more or fewer bytes than the descriptor says

The floors above add their own branches (transport/errors.py, credentials/errors.py, storage/errors.py).
"""

from __future__ import annotations


class RegtuiError(Exception):
    """An error with a sentence for the user.

    `sentence` says what went wrong, `hint` what to do next; `str()` joins both. Neither ever holds a secret.
    """

    def __init__(self, sentence: str, *, hint: str | None = None) -> None:
        super().__init__(sentence, hint)
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}" if self.hint else self.sentence


class InvalidReference(RegtuiError):
    """The text is no image reference."""


class InvalidDigest(RegtuiError):
    """The text is no digest, or one whose length does not fit its algorithm."""


class InvalidManifest(RegtuiError):
    """The bytes are no manifest, index or config that can be trusted."""


class UnsupportedManifest(InvalidManifest):
    """A format that regtui recognises and does not read."""


class DigestMismatch(RegtuiError):
    """The bytes are not the ones that the digest names."""


class SizeMismatch(RegtuiError):
    """More or fewer bytes arrived than the descriptor says."""
