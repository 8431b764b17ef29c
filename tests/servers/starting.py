"""Starts the registries that the tests know: distribution 2.8 and 3, crane's in-memory one, olareg, Gitea."""

from __future__ import annotations

import contextlib
import getpass
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.servers.process import ServerProcess, free_port
from tests.servers.tools import require

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

USER, PASSWORD = "alice", "wonderland"
"""Who may enter a registry that was started with `htpasswd=True`."""
_BCRYPT = "alice:$2b$04$abcdefghijklmnopqrstuujZkTwHUiJ9XdZPwKfcfDo7dMp5DjlTu\n"


_GITEA = """
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
RUN_MODE = prod
RUN_USER = {user}
WORK_PATH = {folder}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = loopback
PASSWORD_HASH_ALGO = pbkdf2$100$50
MIN_PASSWORD_LENGTH = 6
[indexer]
ISSUE_INDEXER_TYPE = db
[log]
MODE = console
LEVEL = Error
[cron]
ENABLED = false
"""


@dataclass(frozen=True)
class TokenAuth:
    """Bearer tokens: who issues them where, and the certificate (PEM file) that their signatures are checked with."""

    realm: str
    certificate: Path
    service: str = "registry.test"
    issuer: str = "issuer.test"


def start_distribution(
    folder: Path,
    *,
    program: str = "docker-registry",
    delete: bool = True,
    readonly: bool = False,
    htpasswd: bool = False,
    token: TokenAuth | None = None,
    proxy: str | None = None,
    storage: Path | None = None,
    most_listed: int | None = None,
) -> ServerProcess:
    """distribution with these settings: `program` is "docker-registry" (2.8) or "registry-v3".

    `storage` is an existing storage tree (storage_tree.py), `proxy` the address of an upstream to cache,
    `most_listed` the largest page of the catalog.
    """
    binary = require(program)
    root = storage or folder / "storage"
    root.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "info"},
        "storage": {
            "filesystem": {"rootdirectory": str(root)},
            "cache": {"blobdescriptor": "inmemory"},
            "delete": {"enabled": delete},
            "maintenance": {"uploadpurging": {"enabled": False}, "readonly": {"enabled": readonly}},
        },
        "http": {"addr": "127.0.0.1:0", "secret": "loopback"},
    }
    if most_listed is not None:
        settings["catalog"] = {"maxentries": most_listed}
    if htpasswd:
        users = folder / "htpasswd"
        users.write_text(_BCRYPT)
        settings["auth"] = {"htpasswd": {"realm": "basic-realm", "path": str(users)}}
    if token is not None:
        settings["auth"] = {
            "token": {
                "realm": token.realm,
                "service": token.service,
                "issuer": token.issuer,
                "rootcertbundle": str(token.certificate),
            }
        }
    if proxy is not None:
        settings["proxy"] = {"remoteurl": proxy}
    config = folder / "config.yml"
    config.write_text(json.dumps(settings))  # JSON is YAML
    return ServerProcess([binary, "serve", str(config)])


def start_docker_registry(folder: Path, **options: Any) -> ServerProcess:
    """Debian's distribution 2.8.2; options as start_distribution."""
    return start_distribution(folder, program="docker-registry", **options)


def start_registry_v3(folder: Path, **options: Any) -> ServerProcess:
    """distribution 3; options as start_distribution."""
    return start_distribution(folder, program="registry-v3", **options)


def start_crane_registry() -> ServerProcess:
    """crane's registry: in memory, open, deletes by tag and digest. `serve` has no referrers API (oci11.py has)."""
    return ServerProcess([require("crane"), "registry", "serve", "--address", "127.0.0.1:0"])


def start_olareg(folder: Path | None = None, *, delete: bool = True, referrers: bool = True) -> ServerProcess:
    """olareg: referrers API, deletes by tag and digest; in memory, or over a folder of layouts.

    It never collects garbage by itself here. An index may name platforms that are not there.
    """
    program = require("olareg")
    store = ["--store-type", "mem"] if folder is None else ["--store-type", "dir", "--dir", str(folder)]

    def start() -> ServerProcess:
        port = free_port()
        command = [
            program, "serve", "--addr", "127.0.0.1", "--port", str(port), *store, "--gc-frequency", "-1s",
            f"--api-delete={str(delete).lower()}", f"--api-referrer={str(referrers).lower()}", "--api-sparse-index",
        ]  # fmt: skip
        return ServerProcess(command, port=port)

    return _with_a_free_port(start)


def start_gitea(folder: Path) -> ServerProcess:
    """A Gitea with the user USER, over sqlite in this folder; passwords are hashed cheaply, its cleanups are off."""
    program = require("gitea")
    config = folder / "app.ini"

    def start() -> ServerProcess:
        port = free_port()
        config.write_text(_GITEA.format(folder=folder, port=port, user=getpass.getuser()))
        return ServerProcess([program, "-c", str(config), "web"], port=port)

    config.write_text(_GITEA.format(folder=folder, port=free_port(), user=getpass.getuser()))
    account = ["--username", USER, "--password", PASSWORD, "--email", "a@test.invalid", "--must-change-password=false"]
    for command in (["migrate"], ["admin", "user", "create", *account]):
        done = subprocess.run([program, "-c", str(config), *command], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:] or done.stdout[-2000:]
    return _with_a_free_port(start)


def _with_a_free_port(start: Callable[[], ServerProcess]) -> ServerProcess:
    for _ in range(4):
        with contextlib.suppress(AssertionError):  # somebody else took the free port first
            return start()
    return start()
