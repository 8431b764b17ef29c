"""Docker's config.json and containers' auth.json: who signed in where, and which helper program knows the secret.

Formats: docker/cli config file (`auths`, `credHelpers`, `credsStore`); containers-auth.json(5), whose keys may
also name a namespace or repository: the longest one that fits wins.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from regtui.credentials.errors import AuthFileBroken
from regtui.credentials.values import ANONYMOUS, TOKEN_USER, Credential, Secret, clean_secret, from_user_and_secret
from regtui.oci.reference import DOCKER_HUB, is_host, normalise_host
from regtui.storage.files import read_bounded, reason_of
from regtui.storage.paths import home_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCKER_HUB_KEY: Final = "https://index.docker.io/v1/"
"""What Docker calls Docker Hub in its file and before its helpers."""

_LARGEST_FILE: Final = 4 << 20
_MOST_ENTRIES: Final = 10_000
_LONGEST_KEY: Final = 1024


@dataclass(frozen=True, slots=True)
class AuthEntry:
    """One key of `auths`: the host (and namespace, mostly empty) it is for, and what stands there, not yet decoded."""

    key: str
    host: str
    namespace: str
    content: Mapping[str, Any] = field(repr=False)

    @property
    def is_marker(self) -> bool:
        """Whether it only says that somebody signed in: the secret is with the helper."""
        return not any(self.content.get(name) for name in ("auth", "identitytoken", "registrytoken", "password"))

    def covers(self, repository: str | None) -> bool:
        """Whether it is for this repository; without one, only what is for the whole host is."""
        if not self.namespace:
            return True
        return repository is not None and f"{repository}/".startswith(f"{self.namespace}/")


@dataclass(frozen=True, slots=True)
class AuthFile:
    """One such file as it was read. `source` names it in words."""

    path: Path
    source: str
    entries: tuple[AuthEntry, ...] = ()
    helpers: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Host → (helper's name, the key that the file has for the host)."""
    store: str | None = None
    """The helper for every other host."""

    def entry(self, host: str, repository: str | None = None) -> AuthEntry | None:
        """The entry with the longest namespace that covers this repository.

        Without a repository: the host's own entry, or the only one of its namespaces.
        """
        mine = [entry for entry in self.entries if entry.host == host]
        covering = [entry for entry in mine if entry.covers(repository)]
        if not covering and repository is None and len(mine) == 1:
            return mine[0]
        return max(covering, key=lambda entry: (len(entry.namespace), not entry.is_marker), default=None)

    def find(self, host: str, repository: str | None = None) -> Credential:
        """What stands in the file itself, ANONYMOUS when nothing does. Raises AuthFileBroken for a garbled entry."""
        entry = self.entry(normalise_host(host), repository)
        if entry is None or entry.is_marker:
            return ANONYMOUS
        credential = _decoded(entry.content, self.source)
        if credential is None:
            raise AuthFileBroken(
                f"The entry {entry.key!a} of {self.path} can't be read.",
                hint="Sign in again with the tool that wrote it.",
            )
        return credential

    def helper(self, host: str) -> tuple[str, str] | None:
        """The helper program to ask for this host, and what to call the host before it; None when there is none."""
        name = normalise_host(host)
        if name in self.helpers:
            return self.helpers[name]
        if self.store is None:
            return None
        entry = next((entry for entry in self.entries if entry.host == name and not entry.namespace), None)
        default = DOCKER_HUB_KEY if name == DOCKER_HUB else name
        return self.store, entry.key if entry is not None else default

    def hosts(self) -> tuple[str, ...]:
        """The hosts that the file knows, in its order."""
        return tuple(dict.fromkeys([*(entry.host for entry in self.entries), *self.helpers]))


def docker_config_path(environ: Mapping[str, str] | None = None) -> Path:
    """Docker's file: `config.json` in DOCKER_CONFIG, or in ~/.docker. Raises StorageError without a home folder."""
    known = os.environ if environ is None else environ
    named = known.get("DOCKER_CONFIG")
    return (Path(named) if named else home_folder(known) / ".docker") / "config.json"


def containers_auth_paths(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Where Podman, Skopeo and Buildah keep theirs, the first that exists counts. Raises StorageError."""
    known = os.environ if environ is None else environ
    named = known.get("REGISTRY_AUTH_FILE")
    if named:
        return (Path(named),)
    runtime = known.get("XDG_RUNTIME_DIR")
    config = known.get("XDG_CONFIG_HOME")
    lasting = Path(config) if config else home_folder(known) / ".config"
    places = [Path(runtime)] if runtime else []
    return tuple(place / "containers" / "auth.json" for place in [*places, lasting])


def read_auth_file(path: Path, source: str) -> AuthFile | None:
    """The file at this path, None when there is none. Raises AuthFileBroken."""
    problem = ""
    raw = None
    try:
        raw = read_bounded(path, _LARGEST_FILE)
    except OSError as error:
        problem = reason_of(error)
    except ValueError as error:
        problem = str(error)
    if problem:
        raise AuthFileBroken(f"{path} can't be read: {problem}.", hint="Its credentials are not used.")
    return None if raw is None else parse_auth_file(raw, path, source)


def parse_auth_file(raw: bytes, path: Path, source: str) -> AuthFile:
    """What these bytes say. Parts of another shape than expected are left out. Raises AuthFileBroken for no JSON."""
    document = _document(raw)
    if document is None:
        # Raised outside any handler: a decoder's error carries the file's text, secrets included.
        raise AuthFileBroken(
            f"{path} is not a JSON object.", hint="Its credentials are not used; correct it, or sign in again."
        )
    entries = []
    for key, content in list(_mapping(document.get("auths")).items())[:_MOST_ENTRIES]:
        place = _place_of(key)
        if place is not None and isinstance(content, dict):
            entries.append(AuthEntry(key, *place, content))
    helpers = {}
    for key, name in list(_mapping(document.get("credHelpers")).items())[:_MOST_ENTRIES]:
        place = _place_of(key)
        if place is not None and not place[1] and isinstance(name, str) and name:
            helpers[place[0]] = (name, DOCKER_HUB_KEY if place[0] == DOCKER_HUB else key)
    store = document.get("credsStore")
    return AuthFile(path, source, tuple(entries), helpers, store if isinstance(store, str) and store else None)


def _document(raw: bytes) -> dict[str, Any] | None:
    if not raw.strip():
        return {}
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _place_of(key: str) -> tuple[str, str] | None:
    """Host and namespace that a key is for; a key with a scheme is Docker's old way, and its path means nothing."""
    if len(key) > _LONGEST_KEY:
        return None
    rest = key
    for scheme in ("https://", "http://"):
        rest = rest.removeprefix(scheme)
    host, _, namespace = rest.partition("/")
    if not is_host(host):
        return None
    namespace = namespace.strip("/")
    if rest != key or namespace in {"v1", "v2"}:
        namespace = ""
    return normalise_host(host), namespace


def _decoded(content: Mapping[str, Any], source: str) -> Credential | None:
    username, password = _user_and_password(content)
    token = clean_secret(content.get("registrytoken"))
    if token is not None:
        return Credential(username, registry_token=token, source=source)
    token = clean_secret(content.get("identitytoken"))
    if token is not None:
        return Credential("" if username == TOKEN_USER else username, identity_token=token, source=source)
    return None if password is None else from_user_and_secret(username, password, source)


def _user_and_password(content: Mapping[str, Any]) -> tuple[str, Secret | None]:
    encoded = content.get("auth")
    if not isinstance(encoded, str) or not encoded:
        username = content.get("username")
        return username if isinstance(username, str) else "", clean_secret(content.get("password"))
    try:
        packed = "".join(encoded.split())
        text = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", None
    username, colon, password = text.partition(":")
    # Docker's own decoder takes NUL off the end of the password.
    return username, clean_secret(password.strip("\0")) if colon else None
