"""One request with all that belongs to it: auth, retries and redirects, as steps for any driver."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from regtui.oci.errors import RegtuiError
from regtui.transport.errors import BadAnswer, Unreachable
from regtui.transport.exchange import IDEMPOTENT, URL_SAFE, Request, origin
from regtui.transport.patience import check_answered, patiently

if TYPE_CHECKING:
    from regtui.transport.auth import AuthFlow
    from regtui.transport.exchange import Response
    from regtui.transport.patience import Patience
    from regtui.transport.place import Place
    from regtui.transport.steps import Steps

MOST_REDIRECTS: Final = 10
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ABROAD: Final = frozenset({"accept", "accept-encoding", "range", "user-agent"})
"""The only header fields that go along to another origin."""


def converse(request: Request, place: Place, auth: AuthFlow, patience: Patience) -> Steps[Response]:
    """Send a request to `place` and follow it to its end. Raises RegistryError.

    Credentials are offered to the place's own origin only. Once a redirect has left it, nothing is authorised any
    more, not even when another redirect leads back. The answer may have any status; judging it is the caller's.
    """
    at_home = True
    for _ in range(MOST_REDIRECTS + 2):
        try:
            if at_home:
                response = yield from _authorised(request, place, auth, patience)
                place.reached()
            else:
                response = yield from patiently(request, patience)
        except Unreachable as error:
            plain = place.fall_back(request, error) if at_home else None
            if plain is None:
                raise
            request = plain
            continue
        target = _redirect(request, response, place.host)
        if target is None:
            return response
        at_home = at_home and place.owns(target)
        headers = request.headers if at_home else {n: v for n, v in request.headers.items() if n in _ABROAD}
        request = replace(request, url=target, headers=headers)
    raise BadAnswer(
        f"{place.host} redirects in circles.",
        hint="Ask who runs the registry; its storage or its proxy is set up wrongly.",
        host=place.host,
    )


def _authorised(request: Request, place: Place, auth: AuthFlow, patience: Patience) -> Steps[Response]:
    flow = auth.flow(request)
    response: Response | None = None
    try:
        step = next(flow)
        while True:
            try:
                if isinstance(step, Request):
                    is_own = (step.method, step.url) == (request.method, request.url)
                    # What an auth flow asks for itself is a token, which changes nothing in the registry.
                    came = yield from patiently(step if is_own else replace(step, reads=True), patience)
                    place.greet(came)
                    if is_own:
                        response = came
                else:
                    came = yield step
            except RegtuiError as error:
                step = flow.throw(error)
            else:
                step = flow.send(came)
    except StopIteration:
        return check_answered(request, response)
    finally:
        flow.close()


def _redirect(request: Request, response: Response, host: str) -> str | None:
    location = response.headers.every("location")
    if response.status not in REDIRECTS or request.method not in IDEMPOTENT or not location:
        return None
    try:
        parts = urlsplit(urljoin(request.url, location[0]))
    except ValueError:
        raise BadAnswer(f"{host} redirects to an address that can't be read.", host=host) from None
    # A user and password in a Location are the registry's words, not the user's: left out.
    netloc = parts.netloc.rpartition("@")[2]
    path, query = (quote(text, safe=URL_SAFE) for text in (parts.path or "/", parts.query))
    target = urlunsplit((parts.scheme, netloc, path, query, ""))
    if origin(request.url)[0] == "https" and origin(target)[0] == "http":
        raise BadAnswer(
            f"{host} redirects from https to plain http at {origin(target)[1]}; it is not followed.",
            hint="Ask who runs the registry: its storage must be reached with TLS.",
            host=host,
            status=response.status,
        )
    return target
