"""The whole demo in memory: every release of the story with what hangs on it, and the index.json that names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.demo import bases, infrastructure, oddities, rootfs, samples, services, story, wasteful
from regtui.demo.artifacts import build_artifact
from regtui.demo.attached import Attachments, Pushed
from regtui.demo.attestations import put_buildkit_attestation
from regtui.demo.images import Image, attestation_entry, build_image, encode, index_json
from regtui.demo.signatures import demo_keys, trust_files
from regtui.demo.workshop import Workshop, provenance_source
from regtui.oci import Descriptor, Platform, media_types

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.demo.images import Blobs, Recipe
    from regtui.demo.story import Release

REF_NAME: Final = "org.opencontainers.image.ref.name"

_RECIPES: Final[dict[str, Callable[[Workshop, Release, Platform], Recipe]]] = {
    "base/alpine": bases.alpine,
    "base/debian": bases.debian,
    "infra/agent": infrastructure.agent,
    "infra/nginx": infrastructure.nginx,
    "infra/postgres": infrastructure.postgres,
    "lab/odd": oddities.odd,
    "shop/cart": services.cart,
    "shop/internal/migrations": services.migrations,
    "shop/internal/worker": services.worker,
    "shop/reports": wasteful.reports,
    "shop/web": services.web,
}


@dataclass(frozen=True, slots=True)
class Demo:
    """The finished content: blobs by digest, the exact index.json, and the files for trust by name."""

    blobs: Blobs
    index: bytes
    trust: dict[str, str]


def make_demo(progress: Callable[[int, int, str], None] | None = None) -> Demo:
    """Make everything, always the same bytes. `progress` hears of (done, total, what comes next)."""
    workshop, keys = Workshop(), demo_keys()
    releases = (*story.IMAGES, *story.ARTIFACTS)
    roots: dict[tuple[str, str], Descriptor] = {}
    attachments = Attachments(workshop, keys, roots)
    entries: list[Descriptor] = []
    for number, release in enumerate(releases):
        if progress is not None:
            progress(number, len(releases), f"{release.repository}:{release.version}")
        pushed = _push(workshop, release)
        roots[release.repository, release.version] = pushed.root
        workshop.roots[release.repository, release.version] = pushed.root.digest
        entries.extend(_named(pushed.root, release.repository, tag) for tag in release.tags)
        attachments.attach(pushed)
    rootfs.forget()
    entries.extend(_named(item, repository, tag) for repository, tag, item in attachments.tags)
    entries.extend(attachments.referrers)
    return Demo(workshop.blobs, encode(index_json(entries)), trust_files(keys, "*"))


def _named(descriptor: Descriptor, repository: str, tag: str) -> Descriptor:
    notes = {REF_NAME: f"{repository}:{tag}"}
    return Descriptor(descriptor.media_type, descriptor.digest, descriptor.size, notes)


def _push(workshop: Workshop, release: Release) -> Pushed:
    recipe = _RECIPES.get(release.repository)
    if recipe is None:
        return Pushed(release, build_artifact(workshop, release))
    images = []
    for text in release.platforms:
        platform = Platform.parse(text)
        image = build_image(workshop.blobs, recipe(workshop, release, platform))
        workshop.images[release.repository, release.version, platform] = image
        images.append(image)
    return Pushed(release, _root(workshop, release, images), tuple(images))


def _root(workshop: Workshop, release: Release, images: list[Image]) -> Descriptor:
    """What the tags name: the one image, or an index over all."""
    if release.shape == "image":
        return images[0].descriptor
    entries = [image.descriptor for image in images]
    if release.shape == "buildkit":
        source = provenance_source(workshop, release)
        dockerfile = samples.dockerfile(release.repository, source["base"])
        name = f"{story.HOST}/{release.repository}@{release.version}"
        for image in images:
            attestation = put_buildkit_attestation(workshop.blobs, image, name, source, dockerfile)
            entries.append(attestation_entry(attestation, image))
    media_type = media_types.DOCKER_MANIFEST_LIST if release.shape == "list" else media_types.OCI_INDEX
    return workshop.blobs.put(encode(index_json(entries, media_type=media_type)), media_type)
