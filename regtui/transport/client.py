"""The client of one registry: what the floors above call instead of HTTP."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from regtui.oci.errors import SizeMismatch
from regtui.transport.blocking import BlockingStream
from regtui.transport.blocking_link import BlockingLink
from regtui.transport.conversation import converse
from regtui.transport.drivers import drive, drive_blocking
from regtui.transport.errors import BadAnswer, RegistryError
from regtui.transport.exchange import Answer, Request
from regtui.transport.link import Link
from regtui.transport.patience import Patience
from regtui.transport.place import Place
from regtui.transport.rate import RateLimit, read_rate
from regtui.transport.refusals import describe, refusal
from regtui.transport.registry_auth import RegistryAuth
from regtui.transport.request_log import RequestLog
from regtui.transport.resume import Position
from regtui.transport.streams import StreamAnswer, bounded, opened, resumed, verified

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from regtui.credentials.values import Credential, CredentialSource
    from regtui.oci.digest import Digest
    from regtui.transport.auth import AuthFlow
    from regtui.transport.exchange import Response
    from regtui.transport.headers import Headers
    from regtui.transport.options import HostOptions

OK: Final = frozenset({200})
_STREAMED: Final = frozenset({200, 206})
_RESUMED: Final = _STREAMED | {416}
_AS_IT_IS: Final = {"accept-encoding": "identity"}


class RegistryClient:
    """Speaks to one registry, from one event loop; `open_blocking` streams may be read in any thread.

    Inside every call: signing in, redirects (GET and HEAD), retries of what may be repeated, waiting as a 429 asks.
    Every failure is a RegistryError. Close it at the end.
    """

    def __init__(
        self,
        options: HostOptions,
        credentials: CredentialSource,
        *,
        log: RequestLog | None = None,
        auth: AuthFlow | None = None,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`auth` replaces the registry protocol's own way of signing in (auth.py says how to write one).

        Raises InvalidReference when the host can't be one. Nothing is looked up or connected before the first call.
        """
        self.options = options
        self.log = log or RequestLog()
        self._credentials = credentials
        self._place = Place(options)
        self._auth = auth or RegistryAuth(self._place, refused=lambda: self._credentials.forget(options.host))
        self._patience = patience or Patience()
        self._sleep = sleep
        self._link = Link(self._place, self.log)
        self._blocking = BlockingLink(self._place, self.log)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rate: RateLimit | None = None
        self._beside: list[RegistryClient] = []
        self._note_loop()

    def __repr__(self) -> str:
        return f"<RegistryClient {self.host}: {self._auth!r}, {self._link!r}>"

    @property
    def host(self) -> str:
        """The registry, as references write it."""
        return self.options.host

    @property
    def base_url(self) -> str:
        """Where its API answers: scheme and host. On loopback the scheme is known for sure after the first call."""
        return self._place.base_url

    @property
    def greeting(self) -> tuple[int, Headers] | None:
        """Status and fields of the first answer that came from the registry, None before that."""
        return self._place.greeting

    @property
    def rate(self) -> RateLimit | None:
        """The request limit that the registry told last."""
        return self._rate

    @property
    def signed_in_as(self) -> str | None:
        """The user that the registry has accepted; None before that and for anonymous users."""
        accepted: Credential | None = getattr(self._auth, "accepted", None)
        return accepted.username or None if accepted is not None else None

    def beside(self, api_host: str | None = None, *, auth: AuthFlow | None = None) -> RegistryClient:
        """A client for another API of the same registry: a vendor's own, on its own host or signed in differently.

        `api_host` (`name` or `name:port`) is where it answers, None the registry's own origin. The credential is the
        one that this registry's host has, so only name hosts that the vendor or the user's settings tell. It shares
        log, patience and the options of the host, and is closed and made to forget together with this client.
        """
        options = replace(self.options, api_host=api_host or self.options.api_host)
        made = RegistryClient(
            options, self._credentials, log=self.log, auth=auth, patience=self._patience, sleep=self._sleep
        )
        self._beside.append(made)
        return made

    def sign_in_through(self, wrap: Callable[[CredentialSource], CredentialSource]) -> None:
        """Look credentials up in a source made of the one until now: a cloud that gives its own where none is kept.

        Call it before the first request, and before `beside`.
        """
        self._credentials = wrap(self._credentials)

    def forget_credential(self) -> None:
        """Look the credential up anew and drop every token: after a login or logout.

        An AuthFlow of a vendor's own that keeps tokens has a `forget` for this.
        """
        self._credentials.forget(self.host)
        forget = getattr(self._auth, "forget", None)
        if forget is not None:
            forget()
        for other in self._beside:
            other.forget_credential()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        scope: str | tuple[str, ...] = (),
        expect: frozenset[int] = OK,
        limit: int = 8 << 20,
        reads: bool = False,
        what: str | None = None,
    ) -> Answer:
        """Ask for something of bounded size.

        `path` is absolute and may hold a query, or a whole URL of this origin (a Location, a Link). `scope` are the
        token scopes that it needs, `limit` the most bytes of the body, also after inflating. A status that is not in
        `expect` is raised as the RegistryError that fits. `reads` is for a query that an API wants as POST: whatever is
        neither GET, HEAD nor so marked is sent for a confirmed plan only, and raises WriteRefused otherwise (guard.py).
        `what` names in words what is asked for ("the tags of shop/cart"), where the path alone would read badly in an
        error.
        """
        request = self._request(
            method, path, params=params, headers=headers, content=content, scope=scope, limit=limit, reads=reads
        )
        response = await self._converse(request)
        self._check(request, response, expect, what)
        return Answer(response.status, response.headers, response.body, response.url)

    def stream(
        self,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        scope: str | tuple[str, ...] = (),
        expect: frozenset[int] = _STREAMED,
    ) -> AbstractAsyncContextManager[StreamAnswer]:
        """GET something whose body is read as it comes, unchanged. Raises RegistryError on entering and reading."""
        return self._streaming(path, {**_AS_IT_IS, **(headers or {})}, scope, expect)

    def download(
        self, path: str, *, digest: Digest, size: int | None, offset: int = 0, scope: str | tuple[str, ...] = ()
    ) -> AsyncGenerator[bytes, None]:
        """GET the bytes that a digest names, from `offset` on, over broken connections.

        From the start they are verified, and the last piece is given only when all are right (DigestMismatch,
        SizeMismatch otherwise). From the middle only their number is checked. `aclose` it when it is left early.
        """
        position = Position(self.host, offset, size)

        def open_at(where: Position) -> AbstractAsyncContextManager[StreamAnswer]:
            return self.stream(path, headers=where.range, scope=scope, expect=_RESUMED if where.offset else _STREAMED)

        chunks = resumed(position, open_at, self._patience, self._sleep)
        if offset:
            return bounded(chunks, digest, None if size is None else size - offset)
        return verified(chunks, digest, size)

    async def upload(
        self,
        method: str,
        path: str,
        content: AsyncIterator[bytes],
        *,
        size: int,
        headers: Mapping[str, str] | None = None,
        scope: str | tuple[str, ...] = (),
        expect: frozenset[int] = frozenset({201}),
    ) -> Answer:
        """Send a body of `size` bytes as it comes. It is sent once: never repeated, never redirected.

        Raises SizeMismatch when the content is longer or shorter than `size`.
        """
        request = self._request(method, path, headers=headers, scope=scope)
        if isinstance(self._auth, RegistryAuth) and not self._auth.is_ready(request.scope):
            # A challenge can't be answered once the body is gone: sign in beforehand.
            await self._converse(self._request("GET", "/v2/", scope=scope))
        counted = _Counted(content, size)
        sending = Request(
            method, request.url, {**request.headers, "content-length": str(size)}, aiter(counted), request.scope
        )
        try:
            response = await self._converse(sending)
        except RegistryError:
            if counted.error is not None:
                raise counted.error from None
            raise
        self._check(sending, response, expect)
        return Answer(response.status, response.headers, response.body, response.url)

    def open_blocking(self, path: str, *, offset: int = 0, scope: str | tuple[str, ...] = ()) -> BinaryIO:
        """The raw bytes of a blob as a file for a worker thread; see BlockingStream. Nothing is verified.

        It may be opened in any thread. The credential is looked up on the event loop where this client was made, used
        or opens the stream, so that loop has to be running while the first read signs in.
        """
        self._note_loop()

        def open_at(where: Position, sleep: Callable[[float], object]) -> Response:
            expect = _RESUMED if where.offset else _STREAMED
            request = self._request("GET", path, headers={**_AS_IT_IS, **where.range}, scope=scope, stream_on=expect)
            steps = converse(request, self._place, self._auth, self._patience)
            response = drive_blocking(steps, send=self._blocking.send, find=self._find_blocking, sleep=sleep)
            self._check(request, response, expect)
            return response

        return cast(BinaryIO, BlockingStream(Position(self.host, offset), open_at, self._patience))

    async def close(self) -> None:
        """Close every connection, also those of streams that are still open, and of the clients beside this one."""
        for other in self._beside:
            await other.close()
        await self._link.close()
        await asyncio.to_thread(self._blocking.close)

    @asynccontextmanager
    async def _streaming(
        self, path: str, headers: Mapping[str, str], scope: str | tuple[str, ...], expect: frozenset[int]
    ) -> AsyncIterator[StreamAnswer]:
        request = self._request("GET", path, headers=headers, scope=scope, stream_on=expect)
        response = await self._converse(request)
        self._check(request, response, expect)
        async with opened(response) as answer:
            yield answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        scope: str | tuple[str, ...] = (),
        limit: int = 8 << 20,
        stream_on: frozenset[int] = frozenset(),
        reads: bool = False,
    ) -> Request:
        named = {name.lower(): value for name, value in (headers or {}).items()}
        return Request(
            method,
            self._place.url_for(path, params),
            named,
            content,
            (scope,) if isinstance(scope, str) else scope,
            limit,
            stream_on,
            reads,
        )

    async def _converse(self, request: Request) -> Response:
        self._note_loop()
        steps = converse(request, self._place, self._auth, self._patience)
        return await drive(steps, send=self._link.send, find=self._find, sleep=self._sleep)

    def _check(self, request: Request, response: Response, expect: frozenset[int], what: str | None = None) -> None:
        is_own = self._place.owns(response.url)
        if is_own:
            self._rate = read_rate(response.headers) or self._rate
        if response.status in expect:
            return
        credential: Credential | None = getattr(self._auth, "credential", None)
        what = what or describe(request.method, request.url)
        if is_own or response.status == 429 or response.status >= 500:
            raise refusal(self.host, what, response, credential)
        raise BadAnswer(
            f"The storage that {self.host} redirects to answered {response.status} for {what}.",
            hint="Try again: its link may have expired.",
            host=self.host,
            status=response.status,
        )

    async def _find(self) -> Credential:
        return await self._credentials.find(self.host)

    def _find_blocking(self) -> Credential:
        loop = self._loop
        if loop is not None and loop.is_running():
            return asyncio.run_coroutine_threadsafe(self._credentials.find(self.host), loop).result()
        return asyncio.run(self._credentials.find(self.host))

    def _note_loop(self) -> None:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:  # a worker thread: the loop that was noted before stays
            return


class _Counted:
    """Passes content on, and makes sure that it has the length that was announced."""

    def __init__(self, content: AsyncIterator[bytes], size: int) -> None:
        self._content = content
        self._size = size
        self.error: SizeMismatch | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        async for chunk in self._content:
            sent += len(chunk)
            if sent > self._size:
                break
            yield chunk
        if sent != self._size:
            self.error = SizeMismatch(f"The content to send is not the {self._size} bytes that were announced.")
            raise self.error
