"""What went over the wire, without the secrets: for the request pane, for --debug, and for tests that count."""

from __future__ import annotations

import shlex
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.storage.errors import StorageError
from regtui.transport.exchange import IDEMPOTENT
from regtui.transport.guard import purpose
from regtui.transport.redact import redact_headers, redact_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One exchange, finished. Nothing in it is secret: hidden values read `…`.

    `started` is in seconds since the epoch, `seconds` until the body was read or the exchange failed,
    `retries` how often the same request had failed before, `bytes` of the body as it came,
    `status` None and `error` the reason in words when there was no whole answer.
    """

    method: str
    url: str
    status: int | None
    started: float
    seconds: float
    retries: int
    bytes: int
    error: str | None
    request_headers: tuple[tuple[str, str], ...]


class OpenRequest:
    """An exchange under way. `finish` is called once it is over; later calls do nothing."""

    __slots__ = ("_headers", "_log", "_method", "_retries", "_started", "_ticks", "_url", "bytes", "status")

    def __init__(
        self, log: RequestLog, method: str, url: str, headers: Iterable[tuple[str, str]], retries: int
    ) -> None:
        self._log: RequestLog | None = log
        self._method = method
        self._url = url
        self._headers = headers
        self._retries = retries
        self._started = time.time()
        self._ticks = time.monotonic()
        self.bytes = 0
        self.status: int | None = None

    def finish(self, error: str | None = None) -> None:
        """Write the record."""
        log, self._log = self._log, None
        if log is not None:
            log.add(
                RequestRecord(
                    self._method,
                    redact_url(self._url),
                    self.status,
                    self._started,
                    time.monotonic() - self._ticks,
                    self._retries,
                    self.bytes,
                    error,
                    redact_headers(self._headers),
                )
            )


class RequestLog:
    """The last exchanges, oldest first. Threads may write to it; subscribers are called in the thread that wrote."""

    def __init__(self, kept: int = KEPT, *, audit: Callable[[Mapping[str, object]], object] | None = None) -> None:
        """`audit` is told of every request that is neither GET nor HEAD, before it goes out and once it is over."""
        self.audit = audit
        self._records: deque[RequestRecord] = deque(maxlen=kept)
        self._lock = threading.Lock()
        self._subscribers: list[Callable[[RequestRecord], None]] = []
        self._total = 0
        self._in_flight = 0

    @property
    def records(self) -> tuple[RequestRecord, ...]:
        """What is kept, oldest first."""
        with self._lock:
            return tuple(self._records)

    @property
    def total(self) -> int:
        """How many exchanges have finished, also those that are no longer kept."""
        return self._total

    @property
    def in_flight(self) -> int:
        """How many exchanges are under way."""
        return self._in_flight

    def subscribe(self, callback: Callable[[RequestRecord], None]) -> Callable[[], None]:
        """Call back with every record from now on. The answer ends that."""
        self._subscribers.append(callback)

        def end() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return end

    def begin(self, method: str, url: str, headers: Iterable[tuple[str, str]], retries: int = 0) -> OpenRequest:
        """Note that a request goes out. Raises what `audit` raises: what can't be noted is not sent."""
        if self.audit is not None and method not in IDEMPOTENT:
            self.audit({"event": "sent", "method": method, "url": redact_url(url), "for": purpose()})
        with self._lock:
            self._in_flight += 1
        return OpenRequest(self, method, url, headers, retries)

    def add(self, record: RequestRecord) -> None:
        """Keep a record of an exchange that `begin` announced."""
        with self._lock:
            self._in_flight -= 1
            self._total += 1
            self._records.append(record)
            subscribers = tuple(self._subscribers)
        if self.audit is not None and record.method not in IDEMPOTENT:
            with suppress(StorageError):  # it is over: that it was sent has been noted
                self.audit(
                    {
                        "event": "answered",
                        "method": record.method,
                        "url": record.url,
                        "for": purpose(),
                        "status": record.status,
                        "error": record.error,
                    }
                )
        for callback in subscribers:
            callback(record)

    def clear(self) -> None:
        """Forget the records; the counts stay."""
        with self._lock:
            self._records.clear()


def as_curl(record: RequestRecord) -> str:
    """The request as a curl command for a shell. Hidden values stay hidden: they have to be filled in by hand."""
    words = ["curl", "-sS"]
    words += ["--head"] if record.method == "HEAD" else [] if record.method == "GET" else ["-X", record.method]
    for name, value in record.request_headers:
        if name.lower() not in {"host", "user-agent", "accept-encoding", "content-length", "connection"}:
            words += ["-H", f"{name}: {value}"]
    words.append(record.url)
    return shlex.join(words)
