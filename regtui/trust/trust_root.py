"""Sigstore's root of trust: certificate authorities, transparency logs and timestamp authorities with their times.

Source: sigstore protobuf-specs, trusted_root.json (mediaType `…trustedroot+json;version=0.1`). A private instance
is the same file with other content. The sigstore package ships the public one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from regtui.oci.times import parse_time
from regtui.trust.certificates import load_der
from regtui.trust.errors import CannotVerify, InvalidPolicy, Malformed
from regtui.trust.untrusted import as_object, as_objects, as_text, decode_base64, read_object

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.x509 import Certificate

_MEDIA_TYPE: Final = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
_INSTANT: Final = timedelta(microseconds=1)
_SHIPPED: Final = "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev"


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when something is trusted, both ends included; an open end is None."""

    start: datetime
    end: datetime | None

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies in it."""
        return self.start <= moment and (self.end is None or moment <= self.end)


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key of a transparency log."""

    log_id: bytes
    spki: bytes = field(repr=False)
    window: Window
    url: str | None


@dataclass(frozen=True, slots=True)
class Authority:
    """A chain of certificates, leaf or intermediate first, root last, and when it is trusted."""

    certificates: tuple[Certificate, ...]
    window: Window


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """What a Sigstore instance asks to be trusted. `raw` is the document itself."""

    raw: bytes = field(repr=False)
    logs: tuple[LogKey, ...]
    certificate_logs: tuple[LogKey, ...]
    authorities: tuple[Authority, ...]
    timestamp_authorities: tuple[Authority, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the document: part of every cache key."""
        return hashlib.sha256(self.raw).hexdigest()

    def log(self, log_id: bytes) -> LogKey | None:
        """The log of that id."""
        return next((log for log in self.logs if log.log_id == log_id), None)

    def issuing(self, moment: datetime) -> tuple[tuple[Certificate, ...], tuple[Certificate, ...]]:
        """(anchors, intermediates) of the certificate authorities that were trusted at that moment."""
        chains = [a.certificates for a in self.authorities if a.window.holds(moment)]
        return tuple(chain[-1] for chain in chains), tuple(c for chain in chains for c in chain[:-1])

    def for_library(self) -> bytes:
        """The document as the sigstore package reads it.

        It insists on a commonName that private roots lack, and takes the end of a timestamp authority as the first
        moment that is too late, where the specification counts it in (protobuf-specs, TimeRange). One microsecond
        more lets it agree; which times count is decided by `Window`.
        """
        body = json.loads(self.raw)
        for authority in as_objects(body.get("timestampAuthorities")):
            end = parse_time(as_object(authority.get("validFor")).get("end"))
            if end is not None:
                authority["validFor"]["end"] = (end + _INSTANT).isoformat()
        for member in ("certificateAuthorities", "timestampAuthorities"):
            for authority in as_objects(body.get(member)):
                subject = authority.setdefault("subject", {})
                if isinstance(subject, dict):
                    subject.setdefault("commonName", "")
                    subject.setdefault("organization", "")
        return json.dumps(body).encode()


def parse_trust_root(raw: bytes) -> TrustRoot:
    """Read a trusted_root.json. Raises InvalidPolicy: a root that is read half is worse than none."""
    try:
        return _parse(raw)
    except Malformed as error:
        raise InvalidPolicy(
            f"The trusted root can't be used: {error.sentence}", hint="It is the file trusted_root.json of Sigstore."
        ) from error


def _parse(raw: bytes) -> TrustRoot:
    body = read_object(raw, "The trusted root")
    if isinstance(body.get("trustedRoot"), dict):
        # A client trust configuration holds the root as a member.
        raw = json.dumps(body["trustedRoot"]).encode()
        body = body["trustedRoot"]
    if body.get("mediaType") != _MEDIA_TYPE:
        raise Malformed("The trusted root is of an unknown version.")
    return TrustRoot(
        raw,
        tuple(_log(one) for one in as_objects(body.get("tlogs"))),
        tuple(_log(one) for one in as_objects(body.get("ctlogs"))),
        tuple(_authority(one) for one in as_objects(body.get("certificateAuthorities"))),
        tuple(_authority(one) for one in as_objects(body.get("timestampAuthorities"))),
    )


def _window(value: Any) -> Window:
    body = as_object(value)
    start, end = parse_time(body.get("start")), parse_time(body.get("end"))
    if start is None:
        raise Malformed("A validity has no start.")
    if body.get("end") is not None and end is None:
        raise Malformed("A validity has an unreadable end.")
    return Window(start, end)


def _log(body: dict[str, Any]) -> LogKey:
    key = as_object(body.get("publicKey"))
    spki = decode_base64(key.get("rawBytes"), "The key of a log")
    said = as_object(body.get("logId")).get("keyId")
    log_id = decode_base64(said, "The id of a log") if said is not None else hashlib.sha256(spki).digest()
    return LogKey(log_id, spki, _window(key.get("validFor")), as_text(body.get("baseUrl")))


def _authority(body: dict[str, Any]) -> Authority:
    chain = as_objects(as_object(body.get("certChain")).get("certificates"))
    loaded = tuple(load_der(decode_base64(c.get("rawBytes"), "A certificate"), "An authority") for c in chain)
    if not loaded:
        raise Malformed("An authority has no certificate.")
    return Authority(loaded, _window(body.get("validFor")))


@lru_cache(maxsize=1)
def shipped_trust_root() -> TrustRoot:
    """The public Sigstore root inside the sigstore package, without a request. Raises CannotVerify without it."""
    from importlib import resources

    try:
        folder = resources.files("sigstore._store")
        raw = folder.joinpath(_SHIPPED, "trusted_root.json").read_bytes()
    except (ImportError, OSError) as error:
        raise missing_sigstore() from error
    return parse_trust_root(raw)


def missing_sigstore() -> CannotVerify:
    """The error that says what to install."""
    return CannotVerify(
        "Keyless signatures need the sigstore package, which is not installed.", hint="Install regtui[sigstore]."
    )
