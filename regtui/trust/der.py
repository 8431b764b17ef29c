"""The little DER that the cryptography package does not read: strings in extensions, and the frame of a timestamp.

Definite, minimal lengths only (ITU-T X.690 section 10); nothing here decides about trust.
"""

from __future__ import annotations

from typing import Final

from regtui.trust.errors import Malformed

SEQUENCE: Final = 0x30
SET: Final = 0x31
INTEGER: Final = 0x02
OBJECT_IDENTIFIER: Final = 0x06
UTF8_STRING: Final = 0x0C
MOST_ELEMENTS: Final = 256


def read_element(data: bytes, offset: int = 0) -> tuple[int, bytes, int]:
    """(tag, content, offset behind it) of the element at `offset`. Raises Malformed."""
    if offset + 2 > len(data):
        raise Malformed("A DER element is cut off.")
    tag, length = data[offset], data[offset + 1]
    start = offset + 2
    if tag & 0x1F == 0x1F:
        raise Malformed("A DER element has a long tag.")
    if length >= 0x80:
        count = length & 0x7F
        digits = data[start : start + count]
        if not 1 <= count <= 4 or len(digits) != count or digits[0] == 0:
            raise Malformed("A DER length is not definite and minimal.")
        length = int.from_bytes(digits)
        start += count
        if length < 0x80:
            raise Malformed("A DER length is not definite and minimal.")
    if start + length > len(data):
        raise Malformed("A DER element is cut off.")
    return tag, data[start : start + length], start + length


def read_children(content: bytes) -> list[tuple[int, bytes]]:
    """(tag, whole element) of each element in a constructed one's content, 256 at most. Raises Malformed."""
    found: list[tuple[int, bytes]] = []
    offset = 0
    while offset < len(content):
        if len(found) == MOST_ELEMENTS:
            raise Malformed("A DER structure has too many elements.")
        tag, _, end = read_element(content, offset)
        found.append((tag, content[offset:end]))
        offset = end
    return found


def write_element(tag: int, content: bytes) -> bytes:
    """One element."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(digits))) + digits + content


def read_utf8_string(data: bytes) -> str | None:
    """The text of a UTF8String that fills `data` exactly; None when it is none."""
    try:
        tag, content, end = read_element(data)
        return content.decode() if tag == UTF8_STRING and end == len(data) else None
    except (Malformed, UnicodeDecodeError):
        return None
