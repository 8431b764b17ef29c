"""Which proxy a request goes through: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, as curl reads them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from regtui.transport.errors import Unreachable
from regtui.transport.exchange import origin
from regtui.transport.options import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_for(url: str, environment: Mapping[str, str]) -> str | None:
    """The proxy's URL, None to go straight. This machine is never asked through a proxy. Raises Unreachable."""
    scheme, name, port = origin(url)
    if is_loopback(name):
        return None
    # HTTP_PROXY in capitals can be set by anyone who sends a "Proxy:" field to a CGI program.
    names = [f"{scheme}_proxy"] + (
        [] if scheme == "http" and "REQUEST_METHOD" in environment else [f"{scheme}_PROXY".upper()]
    )
    found = next((environment[key] for key in (*names, "all_proxy", "ALL_PROXY") if environment.get(key)), None)
    if found is None or is_exempt(name, port, environment.get("no_proxy") or environment.get("NO_PROXY") or ""):
        return None
    proxy = found if "://" in found else f"http://{found}"
    if urlsplit(proxy).scheme not in {"http", "https"}:
        raise Unreachable(
            f"{name} would be asked through a {urlsplit(proxy).scheme} proxy, which regtui does not speak.",
            hint="Set HTTPS_PROXY to an http:// proxy, or name the host in NO_PROXY.",
            host=name,
            sent=False,
        )
    return proxy


def is_exempt(name: str, port: int, rules: str) -> bool:
    """Whether NO_PROXY names this host: `*`, a name with what is below it, an address, a network, each with a port."""
    return any(_matches(name, port, rule.strip().lower()) for rule in rules.split(",") if rule.strip())


def _matches(name: str, port: int, rule: str) -> bool:
    if rule == "*":
        return True
    try:
        return ipaddress.ip_address(name) in ipaddress.ip_network(rule.strip("[]"), strict=False)
    except ValueError:
        pass
    host, colon, wanted = rule.rpartition(":")
    if colon and wanted.isdigit() and ("]" in host or ":" not in host):
        if int(wanted) != port:
            return False
        rule = host
    rule = rule.strip("[]").removeprefix("*").removeprefix(".")
    return bool(rule) and (name == rule or name.endswith(f".{rule}"))
