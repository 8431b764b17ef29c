"""Transparency log entries: the log's promise, its proof of inclusion, and that the entry is about this signature.

Sources: Rekor's signed entry timestamp and RFC 6962 section 2.1.1 (Merkle audit paths), C2SP tlog-checkpoint.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.cosign_keys import signature_holds
from regtui.trust.errors import CannotVerify, Malformed, Rejected
from regtui.trust.untrusted import (
    as_integer,
    as_object,
    as_text,
    decode_base64,
    decode_lenient,
    read_object,
)

if TYPE_CHECKING:
    from regtui.trust.trust_root import LogKey, TrustRoot

_LONGEST_PROOF: Final = 64
_LARGEST_CHECKPOINT: Final = 64 << 10
_MOST_COSIGNATURES: Final = 64


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """The way from an entry up to the log's root at some size."""

    index: int
    size: int
    root: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str | None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of a log. `body` are its canonical bytes; `integrated` is seconds since 1970."""

    log_id: bytes
    index: int
    kind: str
    version: str
    body: bytes = field(repr=False)
    integrated: int | None = None
    promise: bytes | None = field(default=None, repr=False)
    proof: InclusionProof | None = field(default=None, repr=False)

    @property
    def logged_at(self) -> datetime | None:
        """When the log says that it took the entry; only worth something with a verified promise."""
        if self.integrated is None or self.integrated > 1 << 40:
            return None
        return datetime.fromtimestamp(self.integrated, UTC)


def parse_entry(body: dict[str, Any]) -> LogEntry:
    """A member of a bundle's tlogEntries. Raises Malformed."""
    kind = as_object(body.get("kindVersion"))
    promise = as_object(body.get("inclusionPromise")).get("signedEntryTimestamp")
    proof = body.get("inclusionProof")
    integrated = body.get("integratedTime")
    return LogEntry(
        decode_base64(as_object(body.get("logId")).get("keyId"), "The log id"),
        as_integer(body.get("logIndex", "0"), "The log index"),
        as_text(kind.get("kind")) or "",
        as_text(kind.get("version")) or "",
        decode_base64(body.get("canonicalizedBody"), "The log entry"),
        as_integer(integrated, "The time of the log entry") if integrated not in (None, "0", 0) else None,
        decode_base64(promise, "The log's promise") if promise else None,
        _parse_proof(proof) if isinstance(proof, dict) else None,
    )


def _parse_proof(body: dict[str, Any]) -> InclusionProof:
    hashes = body.get("hashes", [])
    if not isinstance(hashes, list) or len(hashes) > _LONGEST_PROOF:
        raise Malformed("The inclusion proof is too long.")
    return InclusionProof(
        as_integer(body.get("logIndex", "0"), "The index of the inclusion proof"),
        as_integer(body.get("treeSize"), "The tree size of the inclusion proof"),
        decode_base64(body.get("rootHash"), "The root of the inclusion proof"),
        tuple(decode_base64(one, "A hash of the inclusion proof") for one in hashes),
        checkpoint if isinstance(checkpoint := as_object(body.get("checkpoint")).get("envelope"), str) else None,
    )


def parse_annotation(text: str) -> LogEntry:
    """The annotation `dev.sigstore.cosign/bundle` of an old-style signature. Raises Malformed."""
    outer = read_object(text.encode(), "The log bundle")
    payload = as_object(outer.get("Payload"))
    body = decode_base64(payload.get("body"), "The log entry")
    log_id = payload.get("logID")
    try:
        key = bytes.fromhex(log_id) if isinstance(log_id, str) else b""
    except ValueError as error:
        raise Malformed("The log id is not hexadecimal.") from error
    inside = read_object(body, "The log entry")
    return LogEntry(
        key,
        as_integer(payload.get("logIndex"), "The log index"),
        as_text(inside.get("kind")) or "",
        as_text(inside.get("apiVersion")) or "",
        body,
        as_integer(payload.get("integratedTime"), "The time of the log entry"),
        decode_lenient(outer.get("SignedEntryTimestamp"), "The log's promise"),
    )


def verify_entry(entry: LogEntry, root: TrustRoot) -> datetime | None:
    """The time that the log vouches for, None when it has only a proof. Raises Rejected, CannotVerify.

    Whatever is there has to hold; at least one of promise and proof has to be there.
    """
    log = root.log(entry.log_id)
    if log is None:
        raise CannotVerify("The signature is in a transparency log that the trusted root does not know.")
    if entry.proof is not None and entry.proof.checkpoint is not None:
        _verify_inclusion(entry, entry.proof, log)
    elif entry.promise is None:
        raise Rejected("The log entry has neither a promise nor a proof of inclusion.")
    if entry.promise is None:
        return None
    moment = entry.logged_at
    if moment is None:
        raise Rejected("The log's promise has no time.")
    if not signature_holds(log.spki, entry.promise, _promised_bytes(entry)):
        raise Rejected("The transparency log's promise has a wrong signature.")
    if not log.window.holds(moment):
        raise Rejected("The transparency log's key was not valid at the time of the entry.")
    return moment


def _promised_bytes(entry: LogEntry) -> bytes:
    promised = {
        "body": base64.b64encode(entry.body).decode("ascii"),
        "integratedTime": entry.integrated,
        "logID": entry.log_id.hex(),
        "logIndex": entry.index,
    }
    return json.dumps(promised, sort_keys=True, separators=(",", ":")).encode()


def _verify_inclusion(entry: LogEntry, proof: InclusionProof, log: LogKey) -> None:
    if merkle_root(entry.body, proof) != proof.root:
        raise Rejected("The proof that the log holds the entry does not add up.")
    text, separator, signatures = (proof.checkpoint or "").partition("\n\n")
    if not separator or len(signatures) + len(text) > _LARGEST_CHECKPOINT:
        raise Rejected("The log's checkpoint can't be read.")
    lines = text.split("\n")
    if len(lines) < 3 or lines[1] != str(proof.size):
        raise Rejected("The log's checkpoint is for another tree.")
    if decode_lenient(lines[2], "The root in the checkpoint") != proof.root:
        raise Rejected("The log's checkpoint has another root than the proof.")
    signed = (text + "\n").encode()
    for line in signatures.split("\n")[:_MOST_COSIGNATURES]:
        words = line.split(" ")
        if len(words) != 3 or words[0] != "—":
            continue
        blob = decode_lenient(words[2], "A checkpoint signature")
        if blob[:4] == log.log_id[:4] and signature_holds(log.spki, blob[4:], signed):
            return
    raise Rejected("The log's checkpoint is not signed by the log.")


def merkle_root(body: bytes, proof: InclusionProof) -> bytes:
    """The root that the proof leads to from this entry (RFC 9162 section 2.1.3.2). Raises Rejected."""
    if proof.index >= proof.size:
        raise Rejected("The inclusion proof lies outside of its tree.")
    current = hashlib.sha256(b"\x00" + body).digest()
    position, last = proof.index, proof.size - 1
    for sibling in proof.hashes:
        if last == 0:
            raise Rejected("The inclusion proof is longer than its tree is high.")
        if position & 1 or position == last:
            current = hashlib.sha256(b"\x01" + sibling + current).digest()
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            current = hashlib.sha256(b"\x01" + current + sibling).digest()
        position >>= 1
        last >>= 1
    if last:
        raise Rejected("The inclusion proof is shorter than its tree is high.")
    return current
