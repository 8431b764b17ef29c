"""Tags: natural order, and the ones that only carry what hangs on an image."""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = re.compile(r"\d+", re.ASCII)
_FALLBACK: Final = re.compile(r"(sha256|sha512)-([0-9a-f]{64})(\.[a-z]+)?", re.ASCII)
_SEMVER: Final = re.compile(
    r"v?(\d{1,18})(?:\.(\d{1,18}))?(?:\.(\d{1,18}))?(?:[-.]?([0-9A-Za-z][0-9A-Za-z.-]*))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)


def natural_key(tag: str) -> str:
    """A key that sorts `v1.10` after `v1.9`: every number padded to the same width."""
    return _DIGITS.sub(lambda match: match.group().zfill(12), tag.lower())


def version_key(tag: str) -> tuple[int, int, int, int, int, str]:
    """A key that sorts by semantic version: no version first, a pre-release before its release."""
    match = _SEMVER.fullmatch(tag)
    if match is None:
        return (0, 0, 0, 0, 0, natural_key(tag))
    major, minor, patch, rest = match.groups()
    return (1, int(major), int(minor or 0), int(patch or 0), 0 if rest else 1, natural_key(rest or ""))


def is_release(tag: str) -> bool:
    """Whether a tag is the semantic version of a release: three numbers, `v` before them or not, nothing behind."""
    match = _SEMVER.fullmatch(tag)
    return match is not None and match[3] is not None and match[4] is None


def subject_of(tag: str) -> tuple[str, str] | None:
    """(digest of the subject, suffix) for `sha256-<hex>` and `sha256-<hex>.sig|.att|.sbom`; else None.

    The suffix is "" for the referrers tag of OCI 1.1. A sha512 digest is cut to 64 digits by that scheme, so
    the digest is a prefix then.
    """
    match = _FALLBACK.fullmatch(tag)
    if match is None:
        return None
    algorithm, encoded, suffix = match.groups()
    return f"{algorithm}:{encoded}", suffix or ""


def referrers_tag(digest: str) -> str:
    """The tag under which referrers are listed where the referrers API is missing (OCI distribution-spec)."""
    algorithm, _, encoded = digest.partition(":")
    return re.sub(r"[^A-Za-z0-9_.-]", "-", f"{algorithm[:32]}-{encoded[:64]}")
