"""DER, as far as public keys, signatures and certificates of the demo need it (ITU-T X.690)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def tagged(tag: int, content: bytes) -> bytes:
    """One element: tag, length, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    width = (size.bit_length() + 7) // 8
    return bytes((tag, 0x80 | width)) + size.to_bytes(width, "big") + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE."""
    return tagged(0x30, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    """SET OF, its elements in order."""
    return tagged(0x31, b"".join(sorted(parts)))


def integer(value: int) -> bytes:
    """INTEGER that is not negative."""
    return tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def boolean(value: bool) -> bytes:
    """BOOLEAN."""
    return tagged(0x01, b"\xff" if value else b"\x00")


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray((first * 40 + second,))
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | (number & 0x7F))
        content += bytes(reversed(groups))
    return tagged(0x06, bytes(content))


def octet_string(content: bytes) -> bytes:
    """OCTET STRING."""
    return tagged(0x04, content)


def bit_string(content: bytes, unused: int = 0) -> bytes:
    """BIT STRING."""
    return tagged(0x03, bytes((unused,)) + content)


def utf8(text: str) -> bytes:
    """UTF8String."""
    return tagged(0x0C, text.encode())


def printable(text: str) -> bytes:
    """PrintableString, which a country's code has to be."""
    return tagged(0x13, text.encode("ascii"))


def time(when: datetime) -> bytes:
    """UTCTime until 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5)."""
    if when.year < 2050:
        return tagged(0x17, when.strftime("%y%m%d%H%M%SZ").encode())
    return tagged(0x18, when.strftime("%Y%m%d%H%M%SZ").encode())


def pem(label: str, content: bytes) -> str:
    """PEM text (RFC 7468)."""
    text = base64.b64encode(content).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
