"""Carry out the steps of a conversation: one driver for the event loop, one for worker threads."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from regtui.oci.errors import RegtuiError
from regtui.transport.steps import NeedCredential, Pause, Send

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from regtui.credentials.values import Credential
    from regtui.transport.exchange import Response
    from regtui.transport.steps import Step, Steps


async def drive(
    steps: Steps[Response],
    *,
    send: Callable[[Send], Awaitable[Response]],
    find: Callable[[], Awaitable[Credential]],
    sleep: Callable[[float], Awaitable[None]],
) -> Response:
    """Run a conversation on the event loop. Raises RegtuiError."""

    async def carry_out(step: Step) -> Any:
        match step:
            case Send():
                return await send(step)
            case Pause(seconds):
                return await sleep(seconds)
            case NeedCredential():
                return await find()
            case Future():
                # Others wait for it, too: giving up here must not take it from them.
                return await asyncio.shield(asyncio.wrap_future(step))
        raise AssertionError(step)

    try:
        step = next(steps)
        while True:
            try:
                came = await carry_out(step)
            except RegtuiError as error:
                step = steps.throw(error)
            else:
                step = steps.send(came)
    except StopIteration as end:
        response: Response = end.value
        return response
    finally:
        steps.close()


def drive_blocking(
    steps: Steps[Response],
    *,
    send: Callable[[Send], Response],
    find: Callable[[], Credential],
    sleep: Callable[[float], object],
) -> Response:
    """Run a conversation in this thread. Raises RegtuiError."""

    def carry_out(step: Step) -> Any:
        match step:
            case Send():
                return send(step)
            case Pause(seconds):
                return sleep(seconds)
            case NeedCredential():
                return find()
            case Future():
                return step.result()
        raise AssertionError(step)

    try:
        step = next(steps)
        while True:
            try:
                came = carry_out(step)
            except RegtuiError as error:
                step = steps.throw(error)
            else:
                step = steps.send(came)
    except StopIteration as end:
        response: Response = end.value
        return response
    finally:
        steps.close()
