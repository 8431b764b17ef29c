"""Filler for sample files: text out of a pool of lines, and bytes that look like compiled code, all from seeds."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

_ACTORS: Final = ("the cart", "a worker", "the queue", "the cache", "a caller", "the index", "this module", "a shard")
_ACTS: Final = ("keeps", "drops", "rereads", "merges", "orders", "counts", "checks", "passes on")
_THINGS: Final = ("every pending line", "the last known price", "stale entries", "one batch at a time", "its own copy")
_REASONS: Final = (
    "so that a retry is harmless",
    "until the next flush",
    "unless the caller says otherwise",
    "because clocks differ",
    "before anything is sent",
    "and never twice",
)
_NAMES: Final = ("batch", "price", "offer", "queue", "token", "shard", "window", "parcel", "ledger", "quota")
_VERBS: Final = ("load", "merge", "check", "split", "flush", "sort", "count", "trim")


def seeded(seed: str, size: int) -> bytes:
    """`size` bytes that follow from the seed alone."""
    return hashlib.shake_128(seed.encode()).digest(size)


@lru_cache(maxsize=1)
def _prose() -> tuple[bytes, ...]:
    lines = []
    for number, draw in enumerate(zip(*[iter(seeded("prose", 1024))] * 4, strict=True)):
        actor, act = _ACTORS[draw[0] % len(_ACTORS)], _ACTS[draw[1] % len(_ACTS)]
        thing, reason = _THINGS[draw[2] % len(_THINGS)], _REASONS[draw[3] % len(_REASONS)]
        lines.append(f"{actor.capitalize()} {act} {thing} {reason}.\n" if number % 7 else "\n")
    return tuple(line.encode() for line in lines)


@lru_cache(maxsize=1)
def _code() -> tuple[bytes, ...]:
    lines = []
    for number, draw in enumerate(zip(*[iter(seeded("code", 1024))] * 4, strict=True)):
        name, other = _NAMES[draw[0] % len(_NAMES)], _NAMES[draw[1] % len(_NAMES)]
        verb = _VERBS[draw[2] % len(_VERBS)]
        lines.append(
            (
                f"\n\ndef {verb}_{name}_{number}({other}):\n",
                f"    {name} = {verb}({other}, {draw[3]})\n",
                f"    if {name} is None: return {other}\n",
                f"    for {name} in {other}.{verb}(): pass\n",
                f"    return {verb}_{name}({other}, limit={draw[3] * 8})\n",
            )[number % 5]
        )
    return tuple(line.encode() for line in lines)


def around(seed: str, size: int) -> int:
    """A size within a tenth of the one given, so that versions differ."""
    return size * (90 + seeded(f"{seed} size", 1)[0] % 21) // 100


def text(seed: str, lines: int) -> bytes:
    """Plain sentences."""
    pool = _prose()
    return b"".join([pool[byte] for byte in seeded(seed, lines)])


def source(seed: str, lines: int) -> bytes:
    """About so many lines of something that reads like Python from afar."""
    pool = _code()
    body = b"".join([pool[byte] for byte in seeded(seed, around(seed, lines))])
    return b'"""Sample module; it does nothing."""\n' + body


def minified(seed: str, size: int) -> bytes:
    """One long line of about this size, as a bundler writes it."""
    size = around(seed, size)
    body = b";".join(
        [line.strip().replace(b" ", b"") for line in map(_code().__getitem__, seeded(seed, size // 30 + 1))]
    )
    return (body.replace(b"\n", b"") + b";" * size)[:size]


_MACHINES: Final = {"amd64": 62, "arm64": 183, "arm": 40}


def executable(seed: str, size: int, architecture: str = "amd64") -> bytes:
    """About `size` bytes with an ELF identification for the architecture. Nothing that could run."""
    size = around(seed, size)
    machine = _MACHINES.get(architecture, 62).to_bytes(2, "little")
    wide = b"\x01" if architecture == "arm" else b"\x02"
    head = b"\x7fELF" + wide + b"\x01\x01" + bytes(9) + b"\x02\x00" + machine + b"\x01\x00\x00\x00" + bytes(40)
    body = seeded(f"{seed} {architecture}", size * 2 // 3)
    half = len(body) // 2
    # Sections are padded with zeros: about a third of a binary compresses away.
    return (head + body[:half] + bytes(size // 6) + body[half:] + bytes(size))[:size]
