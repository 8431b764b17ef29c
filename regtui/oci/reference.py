"""References as people type them: host, repository path, tag, digest.

Grammar and normalisation: distribution/reference (regexp.go, normalize.go).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from regtui.oci.digest import Digest
from regtui.oci.errors import InvalidDigest, InvalidReference

DOCKER_HUB: Final = "docker.io"
DEFAULT_TAG: Final = "latest"

_COMPONENT: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_LABEL: Final = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST: Final = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?", re.ASCII)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_IMAGE_ID: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LONGEST_PATH: Final = 255
_LONGEST_TEXT: Final = 2048
_HINT: Final = "A reference looks like registry.example.com/path/name:tag or …@sha256:<digest>."


def is_tag(text: str) -> bool:
    """Whether the text may stand as a tag."""
    return _TAG.fullmatch(text) is not None


def is_repository_path(text: str) -> bool:
    """Whether the text may stand as a repository's path (without the host)."""
    return len(text) <= _LONGEST_PATH and _PATH.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """Whether the text may stand as a registry's host, with or without a port."""
    return len(text) <= _LONGEST_PATH and _HOST.fullmatch(text) is not None


def normalise_host(host: str) -> str:
    """One name per registry: Docker Hub's old names become docker.io."""
    lowered = host.lower()
    if lowered in {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com"}:
        return DOCKER_HUB
    return lowered


@dataclass(frozen=True, slots=True)
class Reference:
    """What names one image or artifact: `host/path:tag@digest`. When a digest is there, it decides.

    `host` of a local layout or archive is its path; such references are made by the registries, not parsed.
    """

    host: str
    path: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str, *, default_tag: str | None = DEFAULT_TAG) -> Self:
        """Read a reference as Docker does. Raises InvalidReference.

        `default_tag` stands in when neither tag nor digest is given; None leaves both empty.
        """
        if len(text) > _LONGEST_TEXT:
            raise InvalidReference("That reference is too long.", hint=_HINT)
        if _IMAGE_ID.fullmatch(text):
            raise InvalidReference(
                "64 hex digits are an image id, which registries do not know.",
                hint="Write name@sha256:<digest>.",
            )
        rest, digest = _split_digest(text)
        rest, tag = _split_tag(rest, text)
        host, path = _split_host(rest)
        if host is not None and _HOST.fullmatch(host) is None:
            raise InvalidReference(f"{_shown(host)} is not a registry's host.", hint=_HINT)
        host = DOCKER_HUB if host is None else ("docker.io" if host == "index.docker.io" else host)
        if host == DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        if not is_repository_path(path):
            raise InvalidReference(_bad_path(path, text), hint=_HINT)
        if tag is None and digest is None:
            tag = default_tag
        return cls(host, path, tag, digest)

    @classmethod
    def at(cls, host: str, path: str, locator: str) -> Self:
        """What stands at a tag or a digest of a repository; listings name manifests without a tag by their digest."""
        if ":" in locator:
            return cls(host, path, None, Digest.parse(locator))
        return cls(host, path, locator)

    @property
    def name(self) -> str:
        """Host and path, without tag and digest."""
        return f"{self.host}/{self.path}"

    @property
    def locator(self) -> str:
        """What the registry is asked for: the digest when there is one, else the tag. Raises InvalidReference."""
        if self.digest is not None:
            return self.digest
        if self.tag is not None:
            return self.tag
        raise InvalidReference(f"{self} names a repository, not an image.", hint="Add :tag or @digest.")

    @property
    def familiar(self) -> str:
        """The short form that Docker users know: `ubuntu:22.04` for docker.io/library/ubuntu:22.04."""
        text = str(self)
        for prefix in (f"{DOCKER_HUB}/library/", f"{DOCKER_HUB}/"):
            short = text.removeprefix(prefix)
            if short != text and _same(short, self):
                return short
        return text

    def with_tag(self, tag: str) -> Self:
        """The same repository under this tag, without a digest. Raises InvalidReference."""
        if not is_tag(tag):
            raise InvalidReference(
                f"{_shown(tag)} is not a tag.", hint="A tag has 1 to 128 letters, digits, '_', '.', '-'."
            )
        return replace(self, tag=tag, digest=None)

    def with_digest(self, digest: Digest) -> Self:
        """The same repository at this digest, without a tag."""
        return replace(self, tag=None, digest=digest)

    def pinned(self, digest: Digest) -> Self:
        """The same reference, tag kept, with the digest that it was found to have."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        digest = f"@{self.digest}" if self.digest is not None else ""
        return f"{self.name}{tag}{digest}"


def _same(short: str, reference: Reference) -> bool:
    try:
        return Reference.parse(short, default_tag=None) == reference
    except InvalidReference:
        return False


def _split_digest(text: str) -> tuple[str, Digest | None]:
    rest, at, digest = text.partition("@")
    if not at:
        return text, None
    try:
        return rest, Digest.parse(digest)
    except InvalidDigest as error:
        raise InvalidReference(f"{_shown(text)}: {error.sentence}", hint=error.hint or _HINT) from error


def _split_tag(rest: str, text: str) -> tuple[str, str | None]:
    head, colon, tail = rest.rpartition(":")
    if not colon or "/" in tail or tail.endswith("]"):
        return rest, None
    if not is_tag(tail):
        raise InvalidReference(f"{_shown(text)} has no valid tag behind its last colon.", hint=_HINT)
    return head, tail


def _split_host(name: str) -> tuple[str | None, str]:
    first, slash, path = name.partition("/")
    if slash and (first == "localhost" or any(c in ".:[" for c in first) or first != first.lower()):
        return first, path
    return None, name


def _bad_path(path: str, text: str) -> str:
    if "://" in text:
        return f"{_shown(text)} is an address, not a reference: leave the scheme out."
    if len(path) > _LONGEST_PATH:
        return f"The repository's path has more than {_LONGEST_PATH} characters."
    if path != path.lower():
        return f"{_shown(text)} is no reference: repository paths are lower case."
    return f"{_shown(text)} is not a reference."


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:77] + "...")
