"""How two images differ, wherever they are: both read, layers that they share left out, compared off the loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from regtui.contents.differences import config_differences, layer_differences, shared_base
from regtui.contents.errors import NotBrowsable
from regtui.contents.file_differences import file_differences
from regtui.contents.packages.differences import PackagesCompared, compare_packages
from regtui.contents.stream import IndexOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from regtui.contents.differences import ConfigDifference, LayerDifference
    from regtui.contents.file_differences import FileDifference
    from regtui.oci import Descriptor, Digest, ImageConfig, ImageManifest
    from regtui.session.contents import ContentsReader, ImageContents, LayerProgress
    from regtui.session.images import Image


@dataclass(frozen=True, slots=True)
class ImageDifferences:
    """What differs from one image to the other.

    `config` is None when one of them has no readable config. `unread` counts layers that both share and that were
    not read: files above them are WRITTEN where nobody can tell whether they are new. `problems` says which layers
    could not be listed, in words.
    """

    before: Image
    after: Image
    config: tuple[ConfigDifference, ...] | None
    layers: tuple[LayerDifference, ...]
    files: tuple[FileDifference, ...]
    packages: PackagesCompared
    unread: int
    problems: tuple[str, ...]


async def image_differences(
    contents: ContentsReader,
    before: Image,
    after: Image,
    progress: Callable[[LayerProgress], object] | None = None,
    *,
    full: bool = False,
    hash_files: bool = False,
) -> ImageDifferences:
    """Compare two images of any registries or platforms. Cancelling stops the reading at once.

    Layers that both have at the same place from the base on are read only when `full`, or when they are known already.
    `hash_files` tells a rewritten file from a changed one by content instead of by time (slower).
    `progress` counts the layers of both and is called in worker threads. Raises NotBrowsable when one of them is no
    image, RegistryError, DigestMismatch.
    """
    one, two = _manifest(before), _manifest(after)
    shared = shared_base(one.layers, two.layers)
    unread: Collection[Digest] = () if full else {layer.digest for layer in one.layers[:shared]}
    options = IndexOptions(hash_files=True) if hash_files else None
    totals = _Both(progress, one.layers, two.layers)
    first = await contents.contents(before, totals.first, options=options, leave_out=unread, shortcuts=False)
    second = await contents.contents(after, totals.second, options=options, leave_out=unread, shortcuts=False)
    files, packages = await asyncio.to_thread(_compare, first, second, shared)
    return ImageDifferences(
        before,
        after,
        _configs(before.config, after.config),
        layer_differences(one.layers, two.layers, _diff_ids(before), _diff_ids(after)),
        files,
        packages,
        len(first.unread | second.unread),
        (*_problems(first, "first"), *_problems(second, "second")),
    )


def _manifest(image: Image) -> ImageManifest:
    if image.manifest is None or not image.manifest.is_image:
        raise NotBrowsable(f"{image.reference} is not an image: it has no file tree.", reason="artifact")
    return image.manifest


def _compare(
    first: ImageContents, second: ImageContents, shared: int
) -> tuple[tuple[FileDifference, ...], PackagesCompared]:
    files = tuple(file_differences(first.tree, second.tree, shared))
    unread = bool(first.unread or second.unread)
    return files, compare_packages(first.tree, second.tree, unread=unread)


def _configs(before: ImageConfig | None, after: ImageConfig | None) -> tuple[ConfigDifference, ...] | None:
    return config_differences(before, after) if before is not None and after is not None else None


def _diff_ids(image: Image) -> tuple[Digest, ...]:
    return tuple(image.config.diff_ids) if image.config is not None else ()


def _problems(contents: ImageContents, which: str) -> tuple[str, ...]:
    return tuple(
        f"Layer {number + 1} of the {which} image is left out: {problem}"
        for number, problem in sorted(contents.problems.items())
    )


class _Both:
    """The progress of two images that are read one after the other, as one."""

    def __init__(
        self,
        progress: Callable[[LayerProgress], object] | None,
        before: tuple[Descriptor, ...],
        after: tuple[Descriptor, ...],
    ) -> None:
        self._progress = progress
        self._layers = len(before) + len(after)
        self._later = sum(layer.size for layer in after)
        self._seen: LayerProgress | None = None

    def first(self, step: LayerProgress) -> None:
        """A step of the first image."""
        self._seen = step
        self._tell(replace(step, layers=self._layers, total=step.total + self._later))

    def second(self, step: LayerProgress) -> None:
        """A step of the second."""
        done = self._seen
        if done is None:
            self._tell(replace(step, layers=self._layers))
            return
        self._tell(
            replace(
                step,
                layers=self._layers,
                done=done.done + step.done,
                read=done.read + step.read,
                total=done.total + step.total,
                entries=done.entries + step.entries,
            )
        )

    def _tell(self, step: LayerProgress) -> None:
        if self._progress is not None:
            self._progress(step)
