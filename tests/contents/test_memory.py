"""Memory of a whole process that indexes an image: bounded by entries alone, whatever the bytes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.content import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Content, dumps

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
MB = 1_000_000
MOST = 120 * MB
PER_100K = 12 * MB
LAYERS, ENTRIES = 3, 70_000
ZEROS = 700 << 20
"""Bytes of one file in each layer: enough that checkpoints are at their bound."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc"),
]


def headers(layer: int) -> Iterator[bytes]:
    """A layer as package managers make them: many folders, names that repeat, and one huge file."""
    for number in range(ENTRIES):
        member = tarfile.TarInfo(f"srv/l{layer}/package-{number // 40}/dist/{number % 40:02}-{number:x}.js")
        member.mtime = 1_760_000_000 + number // 40
        yield member.tobuf(tarfile.GNU_FORMAT)
    member = tarfile.TarInfo(f"srv/l{layer}/zeros")
    member.size = ZEROS
    yield member.tobuf(tarfile.GNU_FORMAT)
    piece = bytes(1 << 20)
    for _ in range(ZEROS >> 20):
        yield piece
    yield bytes(1024)


def write_layer(blobs: Path, layer: int) -> tuple[dict[str, object], str]:
    """The layer as a blob; its descriptor and diff ID."""
    pack, packed, plain = zlib.compressobj(1, zlib.DEFLATED, 31), hashlib.sha256(), hashlib.sha256()
    draft = blobs / "draft"
    with draft.open("wb") as file:
        for piece in headers(layer):
            plain.update(piece)
            made = pack.compress(piece)
            packed.update(made)
            file.write(made)
        made = pack.flush()
        packed.update(made)
        file.write(made)
    size = draft.stat().st_size
    draft.rename(blobs / packed.hexdigest())
    return {"mediaType": OCI_LAYER, "digest": f"sha256:{packed.hexdigest()}", "size": size}, plain.hexdigest()


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of 210,003 entries and two gigabytes."""
    root = tmp_path_factory.mktemp("many")
    blobs = root / "blobs/sha256"
    blobs.mkdir(parents=True)
    layers = [write_layer(blobs, number) for number in range(LAYERS)]
    about = {"type": "layers", "diff_ids": [f"sha256:{diff_id}" for _, diff_id in layers]}
    config = Content(OCI_CONFIG, dumps({"os": "linux", "architecture": "amd64", "rootfs": about}))
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.descriptor,
        "layers": [descriptor for descriptor, _ in layers],
    }
    manifest = Content(OCI_MANIFEST, dumps(body))
    for content in (config, manifest):
        (blobs / content.digest.partition(":")[2]).write_bytes(content.raw)
    entry = {**manifest.descriptor, "annotations": {"org.opencontainers.image.ref.name": "latest"}}
    (root / "index.json").write_bytes(dumps({"schemaVersion": 2, "manifests": [entry]}))
    (root / "oci-layout").write_bytes(dumps({"imageLayoutVersion": "1.0.0"}))
    return root


def test_an_image_of_210_000_entries(layout: Path, tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("alone.py")), str(layout)],
        capture_output=True, text=True, timeout=110, check=False, env=environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["entries"] == LAYERS * (ENTRIES + 1)
    assert told["peak"] < MOST, told
    assert (told["kept"] - told["before"]) / told["nodes"] * 100_000 < PER_100K, told
