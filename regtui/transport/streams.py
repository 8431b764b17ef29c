"""Bodies that are read as they come: plain, and verified downloads that survive a broken connection."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from regtui.oci.digest import Verifier
from regtui.oci.errors import SizeMismatch
from regtui.transport.errors import BadAnswer, Unreachable
from regtui.transport.link import OpenBody
from regtui.transport.resume import TRIES, Position

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from regtui.oci.digest import Digest
    from regtui.transport.exchange import Response
    from regtui.transport.headers import Headers
    from regtui.transport.patience import Patience

    Open = Callable[[Position], AbstractAsyncContextManager["StreamAnswer"]]


class StreamAnswer:
    """An answer whose body is read by the caller."""

    def __init__(self, response: Response) -> None:
        assert isinstance(response.stream, OpenBody)
        self._body = response.stream
        self.status: int = response.status
        self.headers: Headers = response.headers
        self.url: str = response.url

    def __repr__(self) -> str:
        return f"<StreamAnswer {self.status}>"

    def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they are on the wire, once. Raises Unreachable when the connection breaks."""
        return self._body.chunks()


@asynccontextmanager
async def opened(response: Response) -> AsyncIterator[StreamAnswer]:
    """Read an answer, and give its connection back at the end."""
    answer = StreamAnswer(response)
    try:
        yield answer
    finally:
        assert isinstance(response.stream, OpenBody)
        await response.stream.close()


async def resumed(
    position: Position, open_at: Open, patience: Patience, sleep: Callable[[float], Awaitable[None]]
) -> AsyncGenerator[bytes, None]:
    """The bytes from a position to the end, over as many connections as it takes.

    Raises Unreachable when the connection broke too often without progress.
    """
    failures = 0
    while True:
        async with open_at(position) as answer:
            position.accept(answer.status, answer.headers)
            broken: Unreachable | None = None
            try:
                async for chunk in answer.chunks():
                    fresh = position.take(chunk)
                    if fresh:
                        failures = 0
                        yield fresh
            except Unreachable as error:
                broken = error
        if broken is None and position.is_complete:
            return
        failures += 1
        if failures >= TRIES:
            raise broken or _ended_early(position)
        await sleep(patience.pause(min(failures, patience.tries)))


async def verified(
    chunks: AsyncGenerator[bytes, None], digest: Digest, size: int | None
) -> AsyncGenerator[bytes, None]:
    """Pass bytes on while checking them; the last piece comes only after all of it proved right.

    Raises DigestMismatch and SizeMismatch.
    """
    verifier = Verifier(digest, size)
    held = b""
    async with aclosing(chunks):
        async for chunk in chunks:
            verifier.update(chunk)
            if held:
                yield held
            held = chunk
    verifier.finish()
    if held:
        yield held


async def bounded(chunks: AsyncGenerator[bytes, None], digest: Digest, most: int | None) -> AsyncGenerator[bytes, None]:
    """Pass bytes on that can't be verified (they start in the middle), but never more than there may be."""
    seen = 0
    async with aclosing(chunks):
        async for chunk in chunks:
            seen += len(chunk)
            if most is not None and seen > most:
                raise SizeMismatch(f"{digest.short} is longer than its descriptor says.")
            yield chunk


def _ended_early(position: Position) -> BadAnswer:
    return BadAnswer(f"The content keeps ending after {position.offset} of its {position.end} bytes.")
