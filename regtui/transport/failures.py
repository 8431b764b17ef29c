"""Turns what the HTTP libraries and the system raise into the error tree: who did not answer, and why."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING, Final, TypeVar

import aiohttp

import regtui.transport.lean  # isort: skip  # noqa: F401 - it must come before httpx
import httpx

from regtui.transport.errors import BadAnswer, TimedOut, TlsFailure, Unreachable
from regtui.transport.exchange import origin
from regtui.transport.options import HostOptions, host_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.transport.errors import RegistryError

_Error = TypeVar("_Error", bound=BaseException)

WIRE_ERRORS: Final = (
    httpx.HTTPError,
    httpx.StreamError,
    httpx.InvalidURL,
    aiohttp.ClientError,
    OSError,
    asyncio.TimeoutError,
)
"""What a transport may raise while it sends a request or reads an answer."""

_NO_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING", "UNKNOWN_PROTOCOL"}
    | {"PACKET_LENGTH_TOO_LONG", "HTTPS_PROXY_REQUEST"}
)
_EXPIRED: Final = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_WRONG_NAME: Final = frozenset({62, 63, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, …EMAIL…, …IP_ADDRESS_MISMATCH
_BEFORE_SENDING: Final = (httpx.ConnectError, httpx.ConnectTimeout, aiohttp.ClientConnectorError)
_PROXY: Final = (httpx.ProxyError, aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError)
_NOT_HTTP: Final = (httpx.RemoteProtocolError, httpx.DecodingError, aiohttp.ClientResponseError)


def failure(error: BaseException, url: str, *, host: str, answered: bool = False) -> RegistryError:
    """The error to raise for one of WIRE_ERRORS.

    `host` is the registry that was asked; the sentence also names the host of `url` when that is another.
    `answered` says that the head of the answer had come already. None of the libraries' own texts are kept that
    may hold a URL.
    """
    chain = tuple(_chain(error))
    where = _where(url, host)
    tls = _first(chain, ssl.SSLError)
    if tls is not None and not answered:
        return _tls_failure(tls, where, host)
    if isinstance(error, _PROXY):
        return Unreachable(
            f"The proxy on the way to {where} does not let the request through.",
            hint="Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
            host=host,
            sent=False,
            detail=type(error).__name__,
        )
    before = not answered and _is_before_sending(chain)
    if before:
        return _not_connected(chain, where, host)
    if _is_timeout(chain):
        return TimedOut(
            f"{where} fell silent{' in the middle of its answer' if answered else ''}.",
            hint="Try again; if it stays so, the network or the registry is overloaded.",
            host=host,
        )
    if (
        isinstance(error, _NOT_HTTP)
        and not answered
        and not any(isinstance(link, aiohttp.ServerDisconnectedError) for link in chain)
    ):
        return _not_http(error, where, host)
    return Unreachable(
        f"{where} broke the connection{' in the middle of its answer' if answered else ''}.",
        hint="Try again; if it stays so, ask who runs the registry.",
        host=host,
        detail=type(error).__name__,
    )


def _not_connected(chain: tuple[BaseException, ...], where: str, host: str) -> Unreachable:
    if _first(chain, ConnectionRefusedError) is not None:
        return Unreachable(
            f"Nothing listens at {where}: the connection was refused.",
            hint="Check the host and its port, and whether the registry is running.",
            host=host,
            sent=False,
            refused=True,
        )
    if _first(chain, socket.gaierror) is not None:
        return Unreachable(
            f"{where} is not a name that can be looked up.",
            hint="Check its spelling, and the network connection.",
            host=host,
            sent=False,
        )
    if _is_timeout(chain):
        return TimedOut(
            f"{where} did not take the connection in time.",
            hint="Check the network, VPN and firewall, or set a proxy with HTTPS_PROXY.",
            host=host,
            sent=False,
        )
    reason = next((link.strerror for link in chain if isinstance(link, OSError) and link.strerror), None)
    return Unreachable(
        f"{where} can't be reached.",
        hint="Check the network connection, VPN and firewall.",
        host=host,
        sent=False,
        detail=reason,
    )


def _tls_failure(error: ssl.SSLError, where: str, host: str) -> TlsFailure:
    reason = error.reason or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _EXPIRED:
            words, hint = (
                "has expired or is not valid yet",
                "Check this machine's clock; then ask who runs the registry.",
            )
        elif error.verify_code in _WRONG_NAME or "mismatch" in reason.lower():
            words, hint = "is for another name", "Check the host's spelling; it may be registered under another name."
        else:
            words = "is signed by an authority that is not trusted here"
            hint = "Give the authority's certificate with ca_file in the settings, or --ca-file."
        return TlsFailure(f"The certificate of {where} {words}.", hint=hint, host=host, detail=error.verify_message)
    if reason in _NO_TLS:
        return TlsFailure(
            f"{where} does not speak TLS on this port.",
            hint=f"If it is meant to be plain HTTP, set plain_http for this host or give --plain-http {host}.",
            host=host,
            no_tls=True,
            detail=reason,
        )
    return TlsFailure(
        f"No TLS connection to {where} could be agreed on.",
        hint="It may only offer protocols that are no longer safe.",
        host=host,
        detail=reason or None,
    )


def _not_http(error: BaseException, where: str, host: str) -> RegistryError:
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" in str(error):
        return Unreachable(f"{where} closed the connection without an answer.", hint="Try again.", host=host)
    return BadAnswer(
        f"{where} did not answer in proper HTTP.",
        hint="Check that host and port are a registry's.",
        host=host,
        detail=type(error).__name__,
    )


def _is_timeout(chain: tuple[BaseException, ...]) -> bool:
    inner = _of_aiohttp(chain)
    if inner is not None:
        return isinstance(inner, TimeoutError)
    return any(isinstance(link, TimeoutError | httpx.TimeoutException) for link in chain)


def _is_before_sending(chain: tuple[BaseException, ...]) -> bool:
    """Whether no connection stood yet."""
    inner = _of_aiohttp(chain)
    if inner is not None:
        return isinstance(inner, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    return any(isinstance(link, _BEFORE_SENDING) for link in chain)


def _of_aiohttp(chain: tuple[BaseException, ...]) -> aiohttp.ClientError | None:
    """aiohttp's own error, which decides: httpx-aiohttp calls a refused and a broken connection ConnectTimeout."""
    return next((link for link in chain if isinstance(link, aiohttp.ClientError)), None)


def _where(url: str, host: str) -> str:
    _, name, _ = origin(url)
    return (
        host if name in {host_name(host.lower()), host_name(HostOptions(host).netloc)} else f"{name} (asked for {host})"
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < 10:
        yield error
        inner = getattr(error, "os_error", None)  # of aiohttp's connector errors, though not of all
        if isinstance(inner, OSError):
            yield inner
        error, seen = error.__cause__ or error.__context__, seen + 1


def _first(chain: tuple[BaseException, ...], kind: type[_Error]) -> _Error | None:
    # aiohttp's own classes also inherit from ssl's, without what those carry.
    return next((link for link in chain if isinstance(link, kind) and not isinstance(link, aiohttp.ClientError)), None)
