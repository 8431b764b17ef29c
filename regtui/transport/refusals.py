"""Turns an answer that was not wanted into the error that says so in a sentence.

Error bodies: OCI distribution-spec, "Error Codes"; and what products and proxies send instead.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from regtui.transport.errors import (
    BadAnswer,
    BadRequest,
    Conflict,
    CredentialRefused,
    Forbidden,
    NotFound,
    RateLimited,
    RegistryError,
    ServerFault,
    Unauthorized,
    Unsupported,
)
from regtui.transport.patience import retry_after

if TYPE_CHECKING:
    from regtui.credentials.values import Credential
    from regtui.transport.errors import Facts
    from regtui.transport.exchange import Response

BODY_LIMIT: Final = 64 << 10
"""Bytes of an error body that are read."""
_LONGEST: Final = 500
_LONGEST_CODE: Final = 64
_MOST_ERRORS: Final = 3
_TITLE: Final = re.compile(r"<title[^>]*>([^<]{1,500})", re.IGNORECASE)
_V2: Final = re.compile(r"/v2/(.+)/(manifests|blobs|tags|referrers)/(.*)", re.DOTALL)


def describe(method: str, url: str) -> str:
    """What a request asked for, in words: no query, no host."""
    path = unquote(urlsplit(url).path)
    match = _V2.fullmatch(path)
    if match is None:
        known = {"/v2/": "the registry API", "/v2/_catalog": "the list of repositories"}
        return known.get(path, f"{method} {path[:_LONGEST]}")
    name, kind, rest = match.groups()
    short = rest if len(rest) <= 128 else rest[:125] + "..."
    if kind == "manifests":
        return f"manifest {short} of {name}"
    if kind == "blobs":
        return f"an upload to {name}" if rest.startswith("uploads/") else f"blob {short} of {name}"
    return f"the tags of {name}" if kind == "tags" else f"the referrers of {short} in {name}"


def refusal(host: str, what: str, response: Response, credential: Credential | None = None) -> RegistryError:
    """The error for an answer with a status that the caller did not expect. Never raises.

    `what` says what was asked, as `describe` does; `credential` is what the request was signed in with.
    """
    code, detail = read_error(response)
    facts: Facts = {"host": host, "status": response.status, "code": code, "detail": detail}
    status = response.status
    if status == 429 or code == "TOOMANYREQUESTS":
        return _rate_limited(host, what, response, facts)
    if status == 401:
        return _unauthorized(host, what, credential, facts)
    if status == 403:
        return _forbidden(host, what, credential, facts)
    if status in {405, 501} or code == "UNSUPPORTED":
        facts["hint"] = "It may be switched off in its settings, or this kind of registry has no such thing."
        return Unsupported(f"{host} does not offer this: {what}.", **facts)
    if status == 404:
        facts["hint"] = "Check the name; what is private may look the same before signing in."
        return NotFound(f"{host} has no {what.removeprefix('the ')}.", **facts)
    if status in {409, 412}:
        facts["hint"] = "It has changed, is in use or must not change: read it anew, then decide again."
        return Conflict(f"{host} refuses to change {what} as it stands.", **facts)
    if 400 <= status < 500:
        facts["hint"] = "The registry's own words say what it did not like." if detail else None
        return BadRequest(f"{host} rejects the request for {what} ({status}).", **facts)
    if status >= 500:
        facts["hint"] = "Try again later; if it stays so, ask who runs the registry."
        return ServerFault(f"{host} failed with status {status} when asked for {what}.", **facts)
    return BadAnswer(f"{host} answered {what} with the unexpected status {status}.", **facts)


def not_accepted(response: Response, credential: Credential, host: str) -> Unauthorized:
    """The error for a 401 to the credential itself, whatever was asked for."""
    code, detail = read_error(response)
    if credential.is_anonymous:
        sentence = f"{host} gives nothing here without signing in, or there is no such thing."
        hint = f"Sign in: regtui login {host}"
        return Unauthorized(sentence, hint=hint, host=host, status=response.status, code=code, detail=detail)
    who = credential.username or "the identity token"
    source = f" (from {credential.source})" if credential.source else ""
    sentence = f"{host} does not accept the credential of {who}{source}."
    hint = f"It may be wrong or expired: regtui login {host}"
    return CredentialRefused(sentence, hint=hint, host=host, status=response.status, code=code, detail=detail)


def read_error(response: Response) -> tuple[str | None, str | None]:
    """The registry's own code and message out of a body of any form; None for what is not there. Never raises."""
    text = response.body[:BODY_LIMIT].decode("utf-8", "replace").strip()
    if not text:
        return None, None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        title = _TITLE.search(text) if text.startswith("<") else None
        if text.startswith("<") and title is None:
            return None, None
        return None, _short(title[1] if title else text)
    if isinstance(found, dict) and isinstance(found.get("errors"), list):
        return _several(found["errors"])
    return _one(found)


def _several(errors: list[Any]) -> tuple[str | None, str | None]:
    pairs = [_one(entry) for entry in errors[:_MOST_ERRORS]]
    code = next((code for code, _ in pairs if code), None)
    messages = "; ".join(message for _, message in pairs if message)
    return code, _short(messages) if messages else None


def _one(entry: object) -> tuple[str | None, str | None]:
    if isinstance(entry, str):
        return None, _short(entry)
    if not isinstance(entry, dict):
        return None, None
    inner = entry.get("error")
    if isinstance(inner, dict):
        return _one(inner)
    code = entry.get("code")
    words = (entry.get(key) for key in ("message", "error_description", "details", "detail", "error", "title"))
    message = next((word for word in words if isinstance(word, str) and word.strip()), None)
    more = entry.get("detail")
    if message is not None and isinstance(more, str) and more.strip() and more != message:
        message = f"{message}: {more}"
    known = code[:_LONGEST_CODE] if isinstance(code, str) and code else None
    return known, _short(message) if message else None


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _rate_limited(host: str, what: str, response: Response, facts: Facts) -> RegistryError:
    wait = retry_after(response.headers, time.time())
    signing_in = "; signing in often raises the limit" if response.status == 429 else ""
    facts["hint"] = (f"Try again in {wait:.0f} s" if wait else "Try again later") + f"{signing_in}."
    return RateLimited(f"{host} takes no more requests for now (asked for {what}).", retry_after=wait, **facts)


def _unauthorized(host: str, what: str, credential: Credential | None, facts: Facts) -> RegistryError:
    facts["hint"] = f"Sign in: regtui login {host}"
    if credential is None or credential.is_anonymous:
        return Unauthorized(f"{host} does not give {what} to anonymous users, or has no such thing.", **facts)
    who = credential.username or "this credential"
    source = f" (from {credential.source})" if credential.source else ""
    facts["hint"] = f"Sign in as a user who may, or with a credential that is right: regtui login {host}"
    return Unauthorized(f"{host} does not give {what} to {who}{source}.", **facts)


def _forbidden(host: str, what: str, credential: Credential | None, facts: Facts) -> RegistryError:
    if credential is None or credential.is_anonymous:
        facts["hint"] = f"Sign in: regtui login {host}"
        return Forbidden(f"{host} does not allow {what} to anonymous users.", **facts)
    facts["hint"] = "Ask its owner for access, or sign in as another user."
    return Forbidden(f"{host} does not allow {what} to {credential.username or 'this credential'}.", **facts)
