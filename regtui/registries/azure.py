"""Azure's side of its registries: who this user is for Entra ID, the exchange for a registry's token, Azure's own APIs.

Sources: Azure/acr docs/AAD-OAuth.md; azure-identity. That library is the optional extra `regtui[azure]`: it only gets
the Entra token (environment, workload and managed identity, az, azd, PowerShell), in a thread.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from regtui.credentials.values import ANONYMOUS, Credential, Secret
from regtui.registries.cloud import CloudCredentials, apart, good_until, in_thread, library
from regtui.registries.fields import fields
from regtui.transport import jwt
from regtui.transport.auth import bearer, is_token
from regtui.transport.errors import BadAnswer, BadRequest, Forbidden, Unauthorized

if TYPE_CHECKING:
    from regtui.credentials.values import CredentialSource
    from regtui.transport.client import RegistryClient
    from regtui.transport.exchange import Request
    from regtui.transport.steps import Steps

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""The user name that says: the password is a registry's refresh token (`az acr login`)."""
REGISTRY_SCOPE: Final = "https://containerregistry.azure.net/.default"
NO_LIBRARY: Final = "Signing in as an Azure user needs the extra regtui[azure] (pip install 'regtui[azure]')."
NO_USER: Final = "No Azure user was found (environment, managed identity, az login)."


class Cloud(NamedTuple):
    """One of Azure's clouds: where it is managed and where its users sign in."""

    management: str
    authority: str


_CLOUDS: Final = {
    ".azurecr.cn": Cloud("management.chinacloudapi.cn", "login.chinacloudapi.cn"),
    ".azurecr.us": Cloud("management.usgovcloudapi.net", "login.microsoftonline.us"),
}
PUBLIC: Final = Cloud("management.azure.com", "login.microsoftonline.com")


def cloud_of(host: str) -> Cloud:
    """The cloud that a registry's host belongs to."""
    name = host.partition(":")[0].lower()
    return next((cloud for ending, cloud in _CLOUDS.items() if name.endswith(ending)), PUBLIC)


class AzureIdentity:
    """Who this user is for Entra ID, by azure-identity's default chain. It may block for seconds: ask in a thread."""

    def __init__(self, cloud: Cloud = PUBLIC) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._chain: Any = None
        self._user: str | None = None
        self.problem: str | None = None
        """Why nobody is signed in, in a sentence; None when somebody is, and before the first look."""

    def forget(self) -> None:
        """Look anew next time: `az login` may have been run. It never waits for a look under way."""
        self._chain, self._user, self.problem = None, None, None

    @property
    def name(self) -> str | None:
        """Who the last token was for: a user's name, an application's id; None before that."""
        return self._user

    def token(self, scope: str) -> Secret | None:
        """A token of Entra ID for this scope; None when nobody is signed in (`problem` says why)."""
        identity, errors = library("azure.identity"), library("azure.core.exceptions")
        if identity is None or errors is None:
            self.problem = NO_LIBRARY
            return None
        with self._lock:
            try:
                chain = self._chain
                if chain is None:
                    # Each way that does not work is a warning there; ours is one sentence.
                    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)
                    chain = self._chain = identity.DefaultAzureCredential(authority=self._cloud.authority)
                text = str(chain.get_token(scope).token)
            except (errors.AzureError, ValueError):
                self.problem = NO_USER
                return None
            self.problem, self._user = None, _owner(text)
        return Secret(text)


class AzureBearer:
    """Signs requests to Azure's own APIs in with an Entra token (an AuthFlow)."""

    def __init__(self, identity: AzureIdentity, scope: str) -> None:
        self._identity = identity
        self._scope = scope

    def __repr__(self) -> str:
        return f"<AzureBearer {self._scope}>"

    def flow(self, request: Request) -> Steps[None]:
        """The request with a token. Raises Unauthorized when nobody is signed in."""
        token: Secret | None = yield in_thread(lambda: self._identity.token(self._scope))
        if token is None:
            raise Unauthorized(self._identity.problem or NO_USER, hint="Run `az login`.")
        yield request.with_headers(authorization=bearer(token))

    def forget(self) -> None:
        """Look anew who the user is."""
        self._identity.forget()


class AcrCredentials(CloudCredentials):
    """What is kept for a registry, else a refresh token that it gives for the Entra user's token; else anybody."""

    def __init__(self, host: str, known: CredentialSource, identity: AzureIdentity, client: RegistryClient) -> None:
        """`client` is one beside the registry's that signs nothing in."""
        super().__init__(host, known)
        self._identity = identity
        self._client = client

    def adapt(self, credential: Credential) -> Credential:
        """What `az acr login` keeps is a refresh token, whatever it is stored as; one that has ended is no use."""
        if credential.username != NOBODY:
            return credential
        token = credential.identity_token or credential.password
        end = jwt.ends(token.reveal()) if token else None
        if end is not None and end <= time.time():
            return ANONYMOUS
        return _refreshing(token, credential.source, end) if token else credential

    async def obtain(self) -> Credential:
        """Exchange the Entra token; ANONYMOUS without one, or when the registry does not know this user.

        Raises RegistryError when the exchange fails otherwise.
        """
        token = await apart(lambda: self._identity.token(REGISTRY_SCOPE))
        if token is None:
            return ANONYMOUS
        form = {"grant_type": "access_token", "service": self._host, "access_token": token.reveal()}
        try:
            answer = await self._client.request(
                "POST",
                "/oauth2/exchange",
                headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
                content=urlencode(form).encode(),
                reads=True,
            )
        except (Unauthorized, Forbidden, BadRequest):
            # Some of the registry may be for everybody; what is not will be refused.
            self._identity.problem = f"{self._host} does not know the Azure user {self._identity.name}."
            return ANONYMOUS
        refresh = fields(answer.json()).get("refresh_token")
        if not isinstance(refresh, str) or not is_token(refresh):
            raise BadAnswer(f"{self._host} exchanged the Azure token for nothing.", host=self._host)
        return _refreshing(Secret(refresh), f"Azure ({self._identity.name})", jwt.ends(refresh))


def _refreshing(token: Secret, source: str, end: float | None) -> Credential:
    """A refresh token for the OAuth2 POST, and for Basic where there is no such POST."""
    return Credential(NOBODY, token, token, source=source, good_until=good_until(end))


def _owner(token: str) -> str:
    """Who an Entra token is for."""
    said = jwt.claims(token)
    found = next((said[name] for name in ("upn", "unique_name", "appid", "oid") if isinstance(said.get(name), str)), "")
    return found[:120] or "user"
