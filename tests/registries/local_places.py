"""Layout folders and archives, made from test content: what LayoutRegistry is tried on."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from tests.servers.content import Content, dumps

if TYPE_CHECKING:
    from pathlib import Path

REF_NAME = "org.opencontainers.image.ref.name"


def everything(content: Content) -> dict[str, bytes]:
    """The content and all that it needs, by digest."""
    found = {content.digest: content.raw}
    for need in content.needs:
        found |= everything(need)
    return found


def index_json(entries: list[tuple[Content, dict[str, str] | str | None]]) -> bytes:
    """index.json of these entries; text is a ref.name."""
    manifests = []
    for content, names in entries:
        descriptor = {key: value for key, value in content.descriptor.items() if key != "platform"}
        if names:
            descriptor["annotations"] = {REF_NAME: names} if isinstance(names, str) else names
        manifests.append(descriptor)
    return dumps({"schemaVersion": 2, "manifests": manifests})


def layout_files(*entries: tuple[Content, dict[str, str] | str | None]) -> dict[str, bytes]:
    """The files of an OCI layout."""
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": index_json(list(entries))}
    for content, _ in entries:
        for digest, raw in everything(content).items():
            files["blobs/" + digest.replace(":", "/")] = raw
    return files


def folder(place: Path, files: dict[str, bytes]) -> Path:
    """The files as a folder."""
    for name, raw in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(raw)
    return place


def archive(place: Path, files: dict[str, bytes], links: dict[str, str] | None = None, mode: str = "w") -> Path:
    """The files as a tar, symbolic links last."""
    with tarfile.open(place, mode) as made:
        for name, raw in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            made.addfile(member, io.BytesIO(raw))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type = tarfile.SYMTYPE
            member.linkname = target
            made.addfile(member)
    return place


def manifest_json(*images: Any) -> bytes:
    """The list of a docker save archive."""
    return json.dumps(list(images)).encode()
