"""How signing in to a registry goes, for the doctor: which credential, from where, and what the registry says to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.credentials import chain, environment
from regtui.credentials.keyring_store import SOURCE
from regtui.oci.errors import RegtuiError
from regtui.transport.errors import Forbidden, TlsFailure, Unauthorized, Unreachable

if TYPE_CHECKING:
    from regtui.session.session import Session

_BEFORE_THE_KEYRING: Final = frozenset({environment.SOURCE, chain.GIVEN})
"""Where credentials come from that count more than one that `regtui login` would keep."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What came of it. `source` is where the credential comes from, None when there is none; `notes` are sources that
    broke on the way. `stage` is how far it came: "connect", "sign in" or "done"."""

    works: bool
    stage: str
    user: str | None
    source: str | None
    error: str | None = None
    hint: str | None = None
    notes: tuple[str, ...] = ()

    def lines(self, host: str) -> list[str]:
        """The same in words."""
        who = f"as {self.user or 'a token'} (from {self.source})" if self.source else "without a credential"
        found = [f"{host} is asked {who}."]
        if self.error is not None:
            found.append(f"It fails when regtui wants to {self.stage}: {self.error}")
        if self.hint is not None:
            found.append(self.hint)
        return found + [f"A source of credentials did not work: {note}" for note in self.notes]


async def sign_in_of(session: Session, host: str) -> SignIn:
    """Connect and sign in, by reads only, and tell how it went. Raises nothing of a registry's."""
    from regtui.session.session import is_local

    if is_local(host):
        return SignIn(True, "done", None, None)
    user = source = None
    try:
        credential = await session.credentials.find(host)
        if not credential.is_anonymous:
            user, source = credential.username or None, credential.source
        registry = await session.registry(host)
        await registry.check()
    except RegtuiError as error:
        stage, hint = _explained(error, host, source)
        # Without a credential some of a registry may be for everybody: what is not says so itself.
        works = isinstance(error, Unauthorized) and source is None
        return SignIn(works, stage, user, source, error.sentence, hint, session.credentials.problems)
    return SignIn(True, "done", user, source, notes=session.credentials.problems)


def _explained(error: RegtuiError, host: str, source: str | None) -> tuple[str, str | None]:
    """(how far it came, what to do next)."""
    if isinstance(error, Unauthorized):
        if source is None:
            return "sign in", error.hint or f"Sign in with `regtui login {host}`."
        if source in _BEFORE_THE_KEYRING:
            return "sign in", f"It may be wrong or expired: renew it where it comes from, the {source}."
        if source == SOURCE or not error.hint:
            return "sign in", error.hint
        return "sign in", f"{error.hint}, or renew it in {source}."
    if isinstance(error, Forbidden):
        return "sign in", error.hint or "The account is known and may not enter: ask who runs the registry."
    if isinstance(error, TlsFailure):
        return "connect", error.hint or f"Name its certificate authority with --ca-file, or --plain-http {host}."
    if isinstance(error, Unreachable):
        return "connect", error.hint or "Check the name, the network and the proxy settings."
    return "sign in", error.hint
