"""Names of images in a local layout or archive: which repository and tag an annotation or a saved name means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from regtui.oci.reference import DEFAULT_TAG, DOCKER_HUB, is_host, is_repository_path, is_tag, normalise_host

if TYPE_CHECKING:
    from collections.abc import Mapping

REF_NAME: Final = "org.opencontainers.image.ref.name"
IMAGE_NAME: Final = "io.containerd.image.name"
_LONGEST: Final = 512


def default_repository(place: str) -> str:
    """The repository that stands for a layout or archive whose images carry only tags or nothing: its own name."""
    name = Path(place).expanduser().resolve().name.lower()
    for suffix in (".tar.gz", ".tgz", ".tar"):
        name = name.removesuffix(suffix)
    cleaned = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name).strip("._-")
    return cleaned if is_repository_path(cleaned) else "image"


def local_name(text: str) -> tuple[str | None, str] | None:
    """(repository, tag) of a name; the repository is None for a bare tag, the whole None for what is no name.

    A host is dropped, since the layout is the place: `ghcr.io/acme/app:1` is acme/app:1 here, and
    `docker.io/library/alpine:3` is alpine:3, as people call it.
    """
    name = text.strip().partition("@")[0]
    if not name or len(name) > _LONGEST:
        return None
    if is_tag(name):
        return None, name
    path, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        path, tag = name, DEFAULT_TAG
    path = _without_host(path)
    return (path, tag) if is_repository_path(path) and is_tag(tag) else None


def name_of_entry(annotations: Mapping[str, str]) -> tuple[str | None, str] | None:
    """The name that an entry of index.json carries; containerd's full name goes before the tag alone."""
    for key in (IMAGE_NAME, REF_NAME):
        found = local_name(annotations.get(key, ""))
        if found is not None:
            return found
    return None


def _without_host(path: str) -> str:
    first, slash, rest = path.partition("/")
    if not slash or not (first == "localhost" or "." in first or ":" in first) or not is_host(first):
        return path
    return rest.removeprefix("library/") if normalise_host(first) == DOCKER_HUB else rest
