"""An image in a real registry, for tools that sign it."""

from __future__ import annotations

import io
import subprocess
import tarfile
from typing import TYPE_CHECKING

from regtui.credentials.values import ANONYMOUS, Credential
from regtui.registries.distribution import DistributionRegistry
from regtui.transport.client import RegistryClient
from regtui.transport.options import HostOptions
from tests.servers import tools

if TYPE_CHECKING:
    from pathlib import Path


class NoCredentials:
    """Nobody signs in."""

    async def find(self, host: str) -> Credential:
        return ANONYMOUS

    def forget(self, host: str) -> None:
        return


def open_registry(host: str) -> DistributionRegistry:
    """A registry on loopback, read anonymously."""
    return DistributionRegistry(RegistryClient(HostOptions(host, plain_http=True), NoCredentials()))


def push_image(folder: Path, host: str, repository: str) -> str:
    """Push an image of one small layer as `v1`; its digest."""
    crane = tools.require("crane")
    with tarfile.open(folder / "layer.tar", "w") as made:
        member = tarfile.TarInfo("hello.txt")
        member.size = 5
        made.addfile(member, io.BytesIO(b"hello"))
    image = f"{host}/{repository}:v1"
    append = [crane, "append", "--oci-empty-base", "-f", "layer.tar", "-t", image]
    subprocess.run(append, cwd=folder, check=True, capture_output=True, timeout=60)
    digest = subprocess.run([crane, "digest", image], check=True, capture_output=True, text=True, timeout=60)
    return digest.stdout.strip()
