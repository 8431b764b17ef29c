"""Clients for the clouds' hosts that end up at a fake on loopback, and users of clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.credentials.values import ANONYMOUS, Credential, Secret
from regtui.transport.client import RegistryClient
from regtui.transport.options import HostOptions
from tests.registries.conftest import OneCredential

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from regtui.transport.patience import Patience


def client_of(
    host: str, at: str, credential: Credential | None = None, *, user: str = "", patience: Patience | None = None
) -> RegistryClient:
    """A client for `host` that is served at `at` ("127.0.0.1:PORT"), with what the user keeps for it."""
    kept = credential or (Credential(user, Secret("secret"), source="test") if user else ANONYMOUS)
    options = HostOptions(host, api_host=at, plain_http=True)
    return RegistryClient(options, OneCredential(host, kept), patience=patience)


def be_aws_user(monkeypatch: pytest.MonkeyPatch, folder: Path, key: str, secret: str) -> None:
    """Make this process an AWS user by environment, and hide what this machine knows of AWS."""
    for name in ("PROFILE", "SESSION_TOKEN", "REGION", "DEFAULT_REGION", "WEB_IDENTITY_TOKEN_FILE", "ROLE_ARN"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
