"""Trust stores of the Notary Project: folders of certificates by type and name, read from disk as notation does."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from regtui.trust.certificates import der_of, load_der, load_pem
from regtui.trust.errors import InvalidPolicy, Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final = ("ca", "signingAuthority", "tsa")
_ENDINGS: Final = frozenset({".pem", ".crt", ".cer"})
_LARGEST_FILE: Final = 1 << 20
_MOST_FILES: Final = 1000


@dataclass(frozen=True, slots=True)
class TrustStore:
    """Certificates (DER) by (type, name)."""

    stores: Mapping[tuple[str, str], tuple[bytes, ...]] = field(default_factory=dict, repr=False)

    def certificates(self, kind: str, names: tuple[str, ...]) -> tuple[bytes, ...]:
        """The certificates of these stores. Raises InvalidPolicy for a store that is not there or empty."""
        found: list[bytes] = []
        for name in names:
            held = self.stores.get((kind, name))
            if not held:
                raise InvalidPolicy(
                    f"The trust store {kind}:{name} is missing or empty.",
                    hint=f"Put its certificates into truststore/x509/{kind}/{name}/ of notation's folder.",
                )
            found += held
        return tuple(found)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all of it."""
        total = hashlib.sha256()
        for key, held in sorted(self.stores.items()):
            total.update(repr((key, [hashlib.sha256(one).hexdigest() for one in held])).encode())
        return total.hexdigest()


def configuration_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where notation keeps its settings on this system (notation-go dir/path.go)."""
    variables = os.environ if environment is None else environment
    if variables.get("NOTATION_CONFIG"):
        return Path(variables["NOTATION_CONFIG"])
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "notation"
    if os.name == "nt":
        return Path(variables.get("APPDATA", str(Path.home()))) / "notation"
    return Path(variables.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "notation"


def read_trust_store(folder: Path) -> TrustStore:
    """All stores under notation's folder. Raises InvalidPolicy: one bad file spoils its store, and so the lot."""
    stores: dict[tuple[str, str], tuple[bytes, ...]] = {}
    for spelling in ("truststore", "trust-store"):
        for kind in KINDS:
            place = folder / spelling / "x509" / kind
            for store in sorted(place.iterdir()) if place.is_dir() else ():
                if store.is_symlink():
                    raise InvalidPolicy(f"The trust store {store} is a symbolic link, which is refused.")
                if store.is_dir():
                    stores[kind, store.name] = stores.get((kind, store.name), ()) + _read_store(store)
    return TrustStore(stores)


def _read_store(folder: Path) -> tuple[bytes, ...]:
    found: list[bytes] = []
    for number, file in enumerate(sorted(folder.iterdir())):
        if number >= _MOST_FILES:
            raise InvalidPolicy(f"The trust store {folder} holds more than {_MOST_FILES} files.")
        if file.is_symlink():
            raise InvalidPolicy(f"{file} is a symbolic link, which trust stores refuse.")
        if file.is_dir() or file.suffix.lower() not in _ENDINGS:
            continue
        found += read_certificates(file)
    return tuple(found)


def read_certificates(file: Path) -> tuple[bytes, ...]:
    """The certificates (DER) of a PEM or DER file. Raises InvalidPolicy."""
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise InvalidPolicy(f"{file} is too large for a certificate.")
        content = file.read_bytes()
    except OSError as error:
        raise InvalidPolicy(f"{file} can't be read.") from error
    try:
        if b"-----BEGIN CERTIFICATE" in content:
            return tuple(der_of(one) for one in load_pem(content, file.name))
        return (der_of(load_der(content, file.name)),)
    except Malformed as error:
        raise InvalidPolicy(f"{file} holds no certificate that can be read.") from error
