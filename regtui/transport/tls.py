"""Certificate checks: one SSL context for each set of authorities, shared by every client."""

from __future__ import annotations

import os
import ssl
import threading
from pathlib import Path
from typing import Final

from regtui.transport.errors import TlsFailure

_LOCK: Final = threading.Lock()
_CONTEXTS: Final[dict[tuple[str | None, bool], ssl.SSLContext]] = {}


def context_for(ca_file: str | None, *, checked: bool = True) -> ssl.SSLContext:
    """The shared context: the system's authorities and those of `ca_file`. Raises TlsFailure for an unusable file.

    Building one takes some 20 ms: call it off the event loop. `checked=False` trusts whatever certificate comes.
    """
    key = (ca_file if checked else None, checked)
    with _LOCK:
        context = _CONTEXTS.get(key)
        if context is None:
            context = _CONTEXTS[key] = _checking(ca_file) if checked else _trusting()
        return context


def _checking(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not _has_system_store(context):
        import certifi

        context.load_verify_locations(certifi.where())
    if ca_file is not None:
        try:
            context.load_verify_locations(Path(ca_file).expanduser())
        except (OSError, ValueError) as error:
            reason = "can't be opened" if not isinstance(error, ssl.SSLError | ValueError) else "holds no certificates"
            raise TlsFailure(
                f"The certificate authority file {ca_file} {reason}.",
                hint="Give a readable PEM file (-----BEGIN CERTIFICATE-----).",
            ) from None
    return context


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _has_system_store(context: ssl.SSLContext) -> bool:
    if context.cert_store_stats()["x509_ca"]:
        return True
    folder = ssl.get_default_verify_paths().capath  # is read only as certificates are looked up, so not counted above
    return bool(folder) and any(os.scandir(folder))
