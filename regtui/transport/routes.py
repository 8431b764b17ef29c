"""How a URL is reached: through which proxy, with which certificate check, on a connection of its own or not."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.transport.proxies import proxy_for
from regtui.transport.tls import context_for

if TYPE_CHECKING:
    from regtui.transport.exchange import Request
    from regtui.transport.place import Place


@dataclass(frozen=True, slots=True, repr=False)
class Route:
    """What connections must have in common to be shared."""

    is_tls: bool
    is_checked: bool
    proxy: str | None
    is_single: bool

    def __repr__(self) -> str:
        kind = ("tls" if self.is_checked else "tls, not checked") if self.is_tls else "plain"
        return f"<Route {kind}{', proxy' if self.proxy else ''}{', single' if self.is_single else ''}>"

    def context(self, ca_file: str | None) -> ssl.SSLContext:
        """The SSL context of this route; building it may take a while."""
        return context_for(ca_file, checked=self.is_checked) if self.is_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def route_for(request: Request, place: Place) -> Route:
    """The route of a request. `insecure` holds for the place's own host only. Raises Unreachable.

    A body that can't be sent twice gets a new connection: a kept one may have been closed at the other end.
    """
    is_checked = not (place.options.insecure and place.is_same_machine(request.url))
    proxy = proxy_for(request.url, os.environ)
    return Route(request.url.startswith("https:"), is_checked, proxy, not request.can_repeat)
