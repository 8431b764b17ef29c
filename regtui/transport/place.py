"""Where a registry's API answers, and which URLs are its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from regtui.oci.errors import InvalidReference
from regtui.oci.reference import is_host
from regtui.transport.errors import BadAnswer, TlsFailure
from regtui.transport.exchange import DEFAULT_PORTS, URL_SAFE, origin
from regtui.transport.options import host_name, is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.transport.errors import Unreachable
    from regtui.transport.exchange import Request, Response
    from regtui.transport.headers import Headers
    from regtui.transport.options import HostOptions


class Place:
    """One origin. Its scheme is https, or http when the options say so, or after nothing on loopback spoke TLS."""

    def __init__(self, options: HostOptions) -> None:
        """Raises InvalidReference when the host can't be one."""
        if not is_host(options.netloc):
            raise InvalidReference(
                f"{options.netloc[:80]!a} is not a registry's host.", hint="Give a name, with a port if needed."
            )
        self.options = options
        self.host = options.host
        self.scheme = "http" if options.plain_http else "https"
        self._settled = options.plain_http
        self.greeting: tuple[int, Headers] | None = None
        """Status and fields of the very first answer: they tell what kind of registry this is."""

    def __repr__(self) -> str:
        return f"<Place {self.base_url}{'' if self._settled else ', not reached yet'}>"

    @property
    def base_url(self) -> str:
        """Scheme and host, without a slash at the end."""
        return f"{self.scheme}://{self.options.netloc}"

    def url_for(self, path: str, params: Mapping[str, str] | None = None) -> str:
        """The URL of a path (that may hold a query), or of an absolute URL of this origin. Raises BadAnswer.

        An absolute URL that differs from this origin only by http for https is taken as ours and asked with TLS:
        registries behind a proxy that ends TLS write such Locations.
        """
        if path.startswith("/") and not path.startswith("//"):
            parts = urlsplit(path)
        else:
            scheme, name, port = origin(path)
            ours = origin(self.base_url)
            downgraded = scheme == "http" and self.scheme == "https" and port in {ours[2], DEFAULT_PORTS["http"]}
            if name != ours[1] or not (downgraded or (scheme, port) == (ours[0], ours[2])):
                raise BadAnswer(
                    f"{self.host} sends regtui to another host, {name}, for this; it is not followed.",
                    hint="Ask who runs the registry to set its external address right.",
                    host=self.host,
                )
            parts = urlsplit(path)
        query = "&".join(text for text in (parts.query, urlencode(params or {}, quote_via=quote)) if text)
        # What can't stand in a request line is encoded; what is encoded already stays as it is.
        path, query = quote(parts.path, safe=URL_SAFE), quote(query, safe=URL_SAFE)
        return urlunsplit((self.scheme, self.options.netloc, path, query, ""))

    def owns(self, url: str) -> bool:
        """Whether a URL is of this very origin: the only place where the user's credentials may go unasked."""
        return origin(url) == origin(self.base_url)

    def is_same_machine(self, url: str) -> bool:
        """Whether a URL has this host's name, whatever the port: `insecure` holds for it, too."""
        return origin(url)[1] == host_name(self.options.netloc)

    def allows_plain(self, url: str) -> bool:
        """Whether a credential may go to this http URL: asked for, or all of it stays on this machine."""
        if self.options.plain_http or self.options.insecure:
            return True
        return self.scheme == "http" and is_loopback(origin(url)[1])

    def reached(self) -> None:
        """Note that it answered: from now on its scheme stays as it is."""
        self._settled = True

    def greet(self, response: Response) -> None:
        """Keep the first answer's status and fields."""
        if self.greeting is None and self.owns(response.url):
            self.greeting = (response.status, response.headers)

    def fall_back(self, request: Request, error: Unreachable) -> Request | None:
        """The request over plain HTTP, when this is a loopback name where nothing speaks TLS; else None."""
        if not self.options.is_loopback or not request.url.startswith("https:") or not self.owns_either(request.url):
            return None
        if self.scheme == "https":
            no_port = urlsplit(self.base_url).port is None
            silent = (isinstance(error, TlsFailure) and error.no_tls) or (error.refused and no_port)
            if self._settled or not silent:
                return None
            self.scheme = "http"
        return replace(request, url="http" + request.url.removeprefix("https"))

    def owns_either(self, url: str) -> bool:
        """Whether a URL has this host and port, whatever the scheme."""
        return urlsplit(url).netloc.lower() == self.options.netloc
