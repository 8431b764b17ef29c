"""One image as the screens and `inspect` see it: the manifest asked for, the platform chosen, config, steps."""

from __future__ import annotations

import platform as machine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.oci import ImageManifest, Index, Platform, join_history, media_types, parse_config
from regtui.oci.errors import InvalidManifest
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from regtui.oci import Descriptor, ImageConfig, LayerStep, Reference
    from regtui.session.reader import Reader

_ARCHITECTURES: Final = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


def own_platform() -> Platform:
    """The platform that containers on this machine would run: Linux on this processor."""
    name = machine.machine()
    return Platform("linux", _ARCHITECTURES.get(name, name.lower() or "amd64"))


@dataclass(frozen=True, slots=True)
class Image:
    """What stands at a reference.

    `top` is the manifest that the reference names. For an index, `entry` is the platform chosen and `manifest` its
    manifest; both are None when the index has no platform. `config` is None for artifacts.
    """

    reference: Reference
    top: ImageManifest | Index
    entry: Descriptor | None
    manifest: ImageManifest | None
    config: ImageConfig | None
    steps: tuple[LayerStep, ...]

    @property
    def platforms(self) -> tuple[Descriptor, ...]:
        """The platforms to choose from; empty for a single manifest."""
        return self.top.platforms if isinstance(self.top, Index) else ()

    @property
    def platform(self) -> Platform | None:
        """The platform shown: the index entry's, else what the config says."""
        if self.entry is not None and self.entry.platform is not None:
            return self.entry.platform
        return self.config.platform if self.config is not None else None


async def read_image(reader: Reader, reference: Reference, wanted: Platform | None = None) -> Image:
    """Read what stands at a reference, in one to three requests. Raises NotFound when the platform is not there."""
    top = await reader.manifest(reference)
    pinned = reference.pinned(top.digest)
    entry: Descriptor | None = None
    manifest: ImageManifest | None
    if isinstance(top, Index):
        entry = choose(top, wanted)
        child = await reader.manifest(reference.with_digest(entry.digest)) if entry is not None else None
        # An index inside an index is legal; its own platforms are reached by opening it.
        manifest = child if isinstance(child, ImageManifest) else None
    else:
        manifest = top
    config = await read_config(reader, reference, manifest) if manifest is not None else None
    if wanted is not None and entry is None and config is not None and not _serves(config.platform, wanted):
        raise NotFound(f"{reference} is for {config.platform or 'an unknown platform'}, not for {wanted}.")
    steps = join_history(manifest, config) if manifest is not None and manifest.is_image else ()
    return Image(pinned, top, entry, manifest, config, steps)


def choose(index: Index, wanted: Platform | None) -> Descriptor | None:
    """The entry to show: the one wanted, else this machine's platform, else linux/amd64, else the first.

    Raises NotFound when a platform was asked for and is not there.
    """
    entries = index.platforms
    if wanted is not None:
        found = index.select(wanted)
        if found is None:
            raise NotFound(f"There is no {wanted} in this index.", hint=f"It has {_listed(entries)}.")
        return found
    return index.select(own_platform()) or index.select(Platform("linux", "amd64")) or next(iter(entries), None)


async def read_config(reader: Reader, reference: Reference, manifest: ImageManifest) -> ImageConfig | None:
    """The image's config, or None for an artifact, whose config is something else."""
    if manifest.config.media_type not in media_types.IMAGE_CONFIGS:
        return None
    try:
        return parse_config(await reader.small_blob(reference, manifest.config))
    except (InvalidManifest, NotFound):
        # The layers can be shown without it; the Raw tab tells the rest.
        return None


def _serves(found: Platform | None, wanted: Platform) -> bool:
    return found is not None and found.matches(wanted)


def _listed(entries: Iterable[Descriptor]) -> str:
    names = [str(entry.platform) for entry in entries if entry.platform is not None]
    if not names:
        return "no platforms"
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(names[:12]) + more
