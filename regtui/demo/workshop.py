"""What is at hand while the demo is made: content, layers made once, images to build from, and common labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from regtui.demo.content import seeded
from regtui.demo.errors import DemoError
from regtui.demo.images import Blobs, Image, Recipe, moment
from regtui.demo.layers import Layer, Tree, build_layer
from regtui.demo.story import HOST
from regtui.oci import media_types

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from regtui.demo.story import Release
    from regtui.oci import Digest, Platform

PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(slots=True)
class Workshop:
    """What is at hand while the demo is made: content, layers made once, and the images to build from."""

    blobs: Blobs = field(default_factory=Blobs)
    layers: dict[str, Layer] = field(default_factory=dict)
    images: dict[tuple[str, str, Platform], Image] = field(default_factory=dict)
    roots: dict[tuple[str, str], Digest] = field(default_factory=dict)

    def layer(self, key: str, make: Callable[[], Tree], media_type: str = media_types.OCI_LAYER_GZIP) -> Layer:
        """The layer of this name; made when it is first asked for, so that images share it."""
        if key not in self.layers:
            self.layers[key] = build_layer(make(), media_type)
        return self.layers[key]

    def base(self, repository: str, version: str, platform: Platform) -> Recipe:
        """The recipe of an image to build from. Raises DemoError when it was not made before."""
        found = self.images.get((repository, version, platform))
        if found is None:
            raise DemoError(f"The demo's story names {repository}:{version} for {platform} before it is there.")
        return found.recipe


def labels(release: Release, title: str) -> dict[str, str]:
    """The labels that the shop's build writes."""
    return {
        "org.opencontainers.image.created": f"{release.created}Z",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.revision": revision(release),
        "org.opencontainers.image.source": source_url(release),
        "org.opencontainers.image.title": title,
        "org.opencontainers.image.vendor": "Demo Shop",
        "org.opencontainers.image.version": release.version,
    }


def revision(release: Release) -> str:
    """The commit that a release was built from."""
    return seeded(f"commit {release.repository} {release.version}", 20).hex()


def source_url(release: Release) -> str:
    """Where the sources would lie."""
    return f"https://git.demo.example/{release.repository}"


def seconds(release: Release) -> int:
    """When it was made, as a tar header says it."""
    return int(moment(release.created).timestamp())


def base_annotations(workshop: Workshop, release: Release, repository: str) -> dict[str, str]:
    """What says which base an image was built from (OCI image-spec annotations.md)."""
    digest = workshop.roots[repository, release.base]
    name = f"{HOST}/{repository}:{_floating(repository, release.base)}"
    return {"org.opencontainers.image.base.digest": str(digest), "org.opencontainers.image.base.name": name}


def _floating(repository: str, version: str) -> str:
    """The moving tag that a Dockerfile names: with it, an outdated base can be told."""
    return "12-slim" if repository == "base/debian" else "3.22"


def run_config(
    *,
    env: Sequence[str] = (),
    entrypoint: Sequence[str] = (),
    cmd: Sequence[str] = (),
    user: str = "",
    ports: Sequence[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """The `config` object of an image config; `more` are further members by their own names."""
    made: dict[str, Any] = {}
    if user:
        made["User"] = user
    if ports:
        made["ExposedPorts"] = {port: {} for port in ports}
    made["Env"] = [PATH, *env]
    if entrypoint:
        made["Entrypoint"] = list(entrypoint)
    if cmd:
        made["Cmd"] = list(cmd)
    return made | more


def provenance_source(workshop: Workshop, release: Release) -> dict[str, str]:
    """What provenance says about where a build came from."""
    repository = "base/alpine" if release.repository == "shop/web" else "base/debian"
    notes = base_annotations(workshop, release, repository)
    return {
        "uri": f"{source_url(release)}.git",
        "revision": revision(release),
        "version": release.version,
        "base": notes["org.opencontainers.image.base.name"],
        "base_digest": notes["org.opencontainers.image.base.digest"],
    }
