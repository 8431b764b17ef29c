"""A Bearer token service that checks user, password and scopes, and a registry that believes only its tokens."""

from __future__ import annotations

import base64
import inspect
import itertools
import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.fakes.serve import Handler, Reply, Seen, Server

JSON = ("Content-Type", "application/json")


def basic(user: str, password: str) -> str:
    """The Authorization field for Basic."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class TokenServer(Server):
    """Issues tokens at `/token`.

    `users` are those that it knows (name → password), `grants` what each may do (name → scopes; "" is anonymous;
    who is missing may do everything). It grants the intersection, as registries do. `refresh` are the identity tokens
    that the OAuth2 POST takes; without any, POST is answered with `post_status`. `expires_in`, `field_name` and
    `extra` shape the answer; `misbehave` replaces it.
    """

    users: dict[str, str] = field(default_factory=lambda: {"alice": "wonderland"})
    grants: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)
    post_status: int = 404
    expires_in: int | None = 300
    field_name: str = "token"
    extra: dict[str, object] = field(default_factory=dict)
    misbehave: Reply | None = None
    issued: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Token → scopes that it holds."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def realm(self) -> str:
        return f"{self.base_url}/token"

    def revoke(self) -> None:
        """Make every token that was issued worthless."""
        self.issued.clear()

    async def answer(self, seen: Seen) -> Reply:
        if self.misbehave is not None:
            return self.misbehave
        if seen.path != "/token":
            return Reply(404)
        return self._post(seen) if seen.method == "POST" else self._get(seen)

    def _get(self, seen: Seen) -> Reply:
        user = ""
        if seen.authorization is not None:
            known = [name for name, password in self.users.items() if basic(name, password) == seen.authorization]
            if not known:
                return Reply(401, (JSON,), b'{"details":"incorrect username or password"}')
            user = known[0]
        return self._issue(user, seen.query.get("scope", []))

    def _post(self, seen: Seen) -> Reply:
        if not self.refresh:
            return Reply(self.post_status)
        form = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
        user = self.refresh.get(form.get("refresh_token", ""))
        if (
            form.get("grant_type") != "refresh_token"
            or user is None
            or "service" not in form
            or "client_id" not in form
        ):
            return Reply(401, (JSON,), b'{"error":"invalid_grant","error_description":"the token is not known"}')
        return self._issue(user, form.get("scope", "").split(), "access_token")

    def _issue(self, user: str, scopes: list[str], name: str | None = None) -> Reply:
        token = f"token-{next(self._numbers)}"
        self.issued[token] = tuple(part for scope in scopes for part in self._granted(user, scope))
        body = {name or self.field_name: token, **({} if self.expires_in is None else {"expires_in": self.expires_in})}
        return Reply(200, (JSON,), json.dumps({**body, **self.extra}).encode())

    def _granted(self, user: str, scope: str) -> list[str]:
        resource, _, actions = scope.rpartition(":")
        allowed = self.grants.get(user)
        single = [f"{resource}:{action}" for action in actions.split(",")]
        return single if allowed is None else [part for part in single if part in allowed]


@dataclass
class BearerRegistry(Server):
    """Lets a request through to `handler` only with a token of `tokens` that holds the scope it needs."""

    tokens: TokenServer = field(default_factory=TokenServer)
    service: str = "registry.test"
    realm: str | None = None
    names_scope: bool = True
    """Whether the challenge says which scope is needed."""

    async def answer(self, seen: Seen) -> Reply:
        needed = needed_scope(seen)
        scheme, _, token = (seen.authorization or "").partition(" ")
        held = self.tokens.issued.get(token) if scheme == "Bearer" else None
        if held is None or (needed is not None and any(part not in held for part in _parts(needed))):
            return self._challenge(needed, is_unknown=scheme == "Bearer" and held is None)
        reply = self.handler(seen)
        return await reply if inspect.isawaitable(reply) else reply

    def _challenge(self, needed: str | None, *, is_unknown: bool) -> Reply:
        value = f'Bearer realm="{self.realm or self.tokens.realm}",service="{self.service}"'
        value += f',scope="{needed}"' if needed and self.names_scope else ""
        value += ',error="invalid_token"' if is_unknown else ""
        body = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}'
        return Reply(401, (("WWW-Authenticate", value), JSON), body)


@dataclass
class BasicRegistry(Server):
    """Lets a request through to `handler` only with the user and password it knows."""

    user: str = "alice"
    password: str = "wonderland"
    challenge: str = 'Basic realm="basic-realm"'

    async def answer(self, seen: Seen) -> Reply:
        if seen.authorization != basic(self.user, self.password):
            return Reply(401, (("WWW-Authenticate", self.challenge),))
        reply = self.handler(seen)
        return await reply if inspect.isawaitable(reply) else reply


def needed_scope(seen: Seen) -> str | None:
    """The scope that distribution asks for a request; None for the API's root."""
    if seen.path == "/v2/_catalog":
        return "registry:catalog:*"
    words = seen.path.removeprefix("/v2/").split("/")
    at = next((i for i, word in enumerate(words) if i and word in {"manifests", "blobs", "tags", "referrers"}), None)
    if at is None:
        return None
    actions = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(seen.method, "pull,push")
    return f"repository:{'/'.join(words[:at])}:{actions}"


def _parts(scope: str) -> list[str]:
    resource, _, actions = scope.rpartition(":")
    return [f"{resource}:{action}" for action in actions.split(",")]


def accept_everything(_: Seen) -> Reply:
    """A handler for registries whose content does not matter."""
    return Reply(200, (JSON,), b"{}")


__all__ = ["BasicRegistry", "BearerRegistry", "Handler", "TokenServer", "accept_everything", "basic", "needed_scope"]
