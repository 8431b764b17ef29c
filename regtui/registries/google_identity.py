"""Who this user is for Google: application default credentials, gcloud, or what docker's helpers gave.

Sources: google-auth; go-containerregistry's keychain for the user names. That library is the optional extra
`regtui[google]`; without it gcloud is asked, where it is installed. Everything here that blocks runs in a thread.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import threading
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from regtui.credentials.values import ANONYMOUS, Credential, Secret, clean_secret
from regtui.oci.times import parse_time
from regtui.registries.cloud import CloudCredentials, apart, good_until, in_thread, library
from regtui.registries.fields import fields
from regtui.transport.auth import bearer
from regtui.transport.errors import Unauthorized
from regtui.transport.steps import NeedCredential

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.credentials.values import CredentialSource
    from regtui.transport.exchange import Request
    from regtui.transport.steps import Steps

TOKEN_USER: Final = "oauth2accesstoken"  # noqa: S105 - the name of a kind, no secret
_TOKEN_USERS: Final = re.compile(r"oauth2accesstoken|_token|_dcgcr_[\d_]+_token", re.ASCII)
_KEY_USERS: Final = frozenset({"_json_key", "_json_key_base64"})
SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_PATIENCE: Final = 20.0
"""Seconds that gcloud has."""
SOURCE: Final = "Google"
"""Where application default credentials come from, in words."""
HOW: Final = "`gcloud auth application-default login`"
NOBODY: Final = "No Google user was found (application default credentials, gcloud)."
NO_LIBRARY: Final = (
    "No Google user was found: gcloud is not there, and application default credentials need the extra regtui[google] "
    "(pip install 'regtui[google]')."
)


class GoogleIdentity:
    """Access tokens of this user. Everything may block for seconds: call it in a thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Any = None
        self.project: str | None = None
        """The project that the credentials belong to, after the first token."""
        self.name: str | None = None
        """Who this is, for the status line, after the first token."""
        self.problem: str | None = None
        """Why there is no token, in a sentence; None when there is one, and before the first look."""
        self.quota_project: str | None = None
        """Whose quota calls to Google's APIs count on, when the credentials say so."""
        self.was_asked = False

    def forget(self) -> None:
        """Look anew next time. It never waits for a look under way."""
        self._found, self.project, self.name, self.problem = None, None, None, None
        self.quota_project = None
        self.was_asked = False

    def credential(self) -> Credential:
        """A token for the registry's token service and for Google's APIs; ANONYMOUS when nobody is found."""
        with self._lock:
            self.was_asked = True
            made = self._by_library() or self._by_gcloud()
            if made is None:
                self.problem = NO_LIBRARY if library("google.auth") is None else NOBODY
                return ANONYMOUS
            self.problem = None
            return made

    def token_of_key(self, key: str) -> Secret | None:
        """An access token for a service account's key; None without the library, or when Google refuses it."""
        accounts, errors = library("google.oauth2.service_account"), library("google.auth.exceptions")
        requests = library("google.auth.transport.requests")
        if accounts is None or errors is None or requests is None:
            self.problem = NO_LIBRARY
            return None
        try:
            made = accounts.Credentials.from_service_account_info(json.loads(key), scopes=list(SCOPES))
            made.refresh(requests.Request())
        except (errors.GoogleAuthError, ValueError):
            self.problem = "Google does not take the service account's key."
            return None
        self.name, self.project, self.problem = made.service_account_email, made.project_id, None
        return Secret(str(made.token))

    def _by_library(self) -> Credential | None:
        auth, errors = library("google.auth"), library("google.auth.exceptions")
        requests = library("google.auth.transport.requests")
        if auth is None or errors is None or requests is None:
            return None
        found = self._found
        try:
            if found is None:
                found, self.project = auth.default(scopes=list(SCOPES))
            found.refresh(requests.Request())
        except errors.GoogleAuthError:
            self._found = None
            return None
        self._found = found
        name = getattr(found, "service_account_email", None) or getattr(found, "account", None)
        self.name = str(name or "Google user")
        self.quota_project = getattr(found, "quota_project_id", None)
        expiry = found.expiry  # in UTC, without saying so
        until = good_until(expiry.replace(tzinfo=UTC).timestamp()) if expiry is not None else None
        return Credential(TOKEN_USER, Secret(str(found.token)), source=SOURCE, good_until=until)

    def _by_gcloud(self) -> Credential | None:
        program = shutil.which("gcloud")
        if program is None:
            return None
        command = [
            program,
            "config",
            "config-helper",
            "--force-auth-refresh",
            "--format=json(credential,configuration)",
        ]
        try:
            done = subprocess.run(  # noqa: S603 - the program of that name on the user's own path, fixed arguments
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=True
            )
            told = fields(json.loads(done.stdout))
        except (OSError, subprocess.SubprocessError, ValueError):
            return None
        token = clean_secret(fields(told.get("credential")).get("access_token"))
        if token is None:
            return None
        core = fields(fields(fields(told.get("configuration")).get("properties")).get("core"))
        self.name, self.project = str(core.get("account") or "gcloud"), core.get("project")
        ends = parse_time(fields(told.get("credential")).get("token_expiry"))
        return Credential(TOKEN_USER, token, source="gcloud", good_until=good_until(ends.timestamp() if ends else None))


class GoogleCredentials(CloudCredentials):
    """What is kept for the host, else this user's access token, else anybody."""

    def __init__(self, host: str, known: CredentialSource, identity: GoogleIdentity) -> None:
        super().__init__(host, known)
        self._identity = identity

    async def obtain(self) -> Credential:
        """A new access token; ANONYMOUS when nobody is found."""
        return await apart(self._identity.credential)

    def forget(self, host: str) -> None:
        """Ask anew next time."""
        super().forget(host)
        self._identity.forget()


class GoogleBearer:
    """Signs requests to Google's APIs in, with the registry's own credential made an access token (an AuthFlow)."""

    def __init__(self, identity: GoogleIdentity) -> None:
        self._identity = identity
        self._of_key: tuple[Credential, Secret] | None = None

    def __repr__(self) -> str:
        return "<GoogleBearer>"

    def flow(self, request: Request) -> Steps[None]:
        """The request with a token; a token made of a key is made anew once it is refused.

        Raises Unauthorized when there is nothing to make a token of.
        """
        credential: Credential = yield NeedCredential()
        if credential.username in _KEY_USERS and credential.password:
            made = self._of_key is not None and self._of_key[0] == credential
            token = self._of_key[1] if made and self._of_key else (yield in_thread(self._maker(credential)))
            response = yield self._signed(request, credential, token)
            if response.status == 401 and made:
                token = yield in_thread(self._maker(credential))
                yield self._signed(request, credential, token)
            return
        usable = credential.password if _TOKEN_USERS.fullmatch(credential.username) else credential.registry_token
        yield self._signed(request, credential, usable)

    def forget(self) -> None:
        """Drop the token that was made of a key."""
        self._of_key = None

    def _signed(self, request: Request, credential: Credential, token: Secret | None) -> Request:
        if token is None:
            raise Unauthorized(self._identity.problem or NOBODY, hint=f"Run {HOW}, or use a service account's key.")
        if credential.username in _KEY_USERS:
            self._of_key = (credential, token)
        quota = self._identity.quota_project if credential.source == SOURCE else None
        more = {"x-goog-user-project": quota} if quota else {}
        return request.with_headers(authorization=bearer(token), **more)

    def _maker(self, credential: Credential) -> Callable[[], Secret | None]:
        assert credential.password is not None
        key = credential.password.reveal()
        if credential.username == "_json_key_base64":
            try:
                key = base64.b64decode(key).decode()
            except ValueError:
                key = ""
        return lambda: self._identity.token_of_key(key)
