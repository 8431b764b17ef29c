"""Distinguished names as trust policies write them (`C=US, ST=WA, O=acme`), compared with certificates' subjects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from regtui.trust.errors import InvalidPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.x509 import Certificate

_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*", re.ASCII)
_ESCAPED: Final = re.compile(r"\\([0-9A-Fa-f]{2}|[\\,;+\"<>#= ])", re.ASCII)
_LONGEST: Final = 4096
_NAMES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.17": "POSTALCODE",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "EMAILADDRESS",
}


def parse_name(text: str) -> Mapping[str, str]:
    """Attributes by upper-case name. Raises InvalidPolicy for no name, a part twice, or one without C, ST and O."""
    found: dict[str, str] = {}
    if len(text) > _LONGEST:
        raise InvalidPolicy("A trusted identity is too long.")
    for part in _split(text):
        attribute, separator, value = part.partition("=")
        attribute = attribute.strip()
        if not separator or not _ATTRIBUTE.fullmatch(attribute) or not value.strip():
            raise InvalidPolicy(f"{text[:120]!a} is not a distinguished name.")
        name = "ST" if attribute.upper() == "S" else attribute.upper()
        if name in found:
            raise InvalidPolicy(f"The trusted identity {text[:120]!a} names {name} twice.")
        found[name] = _unescape(value.strip(), text)
    missing = [name for name in ("C", "ST", "O") if name not in found]
    if missing:
        raise InvalidPolicy(f"The trusted identity {text[:120]!a} lacks {missing[0]}; C, ST and O are needed.")
    return found


def _split(text: str) -> list[str]:
    parts, current, escaped = [], "", False
    for character in text:
        if character == "," and not escaped:
            parts.append(current)
            current = ""
        else:
            current += character
        escaped = character == "\\" and not escaped
    return [*parts, current]


def _unescape(value: str, text: str) -> str:
    if value.startswith("#") or "+" in re.sub(_ESCAPED, "", value):
        raise InvalidPolicy(f"{text[:120]!a} has a part that regtui does not read.")
    if "\\" in re.sub(_ESCAPED, "", value):
        raise InvalidPolicy(f"{text[:120]!a} has a wrong escape.")
    return _ESCAPED.sub(lambda m: m.group(1) if len(m.group(1)) == 1 else chr(int(m.group(1), 16)), value)


def name_of(certificate: Certificate) -> Mapping[str, str] | None:
    """The subject's attributes; None when one occurs twice, so that nothing can hide behind another."""
    found: dict[str, str] = {}
    for attribute in certificate.subject:
        name = _NAMES.get(attribute.oid.dotted_string, attribute.oid.dotted_string)
        if name in found or not isinstance(attribute.value, str):
            return None
        found[name] = attribute.value
    return found


def covers(expected: Mapping[str, str], actual: Mapping[str, str]) -> bool:
    """Whether every expected attribute is there with the same value."""
    return all(actual.get(name) == value for name, value in expected.items())
