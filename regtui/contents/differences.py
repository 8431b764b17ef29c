"""How two images differ: config, layers, files, packages. Pure functions over what was read of both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from regtui.contents.versions import version_key
from regtui.oci.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from regtui.contents.packages.inventory import Installed
    from regtui.oci import Descriptor, Digest, ImageConfig


class Kind(StrEnum):
    """What happened on the way from the first image to the second."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    METADATA = "metadata"
    WRITTEN = "written"
    """One image writes this path and the other does not: the layers that both share were not read, so nobody can tell
    whether it is new."""
    EQUAL = "equal"
    MOVED = "moved"
    RECOMPRESSED = "recompressed"
    """The same tar, compressed otherwise."""
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class ConfigDifference:
    """One member of the config: `name` is such as `Env PATH`, `Label version`, `Cmd`; None where it is absent."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """A layer of either image; numbers count from 0 and are None where the image has not got it."""

    kind: Kind
    before: int | None
    after: int | None
    layer: Descriptor


@dataclass(frozen=True, slots=True)
class PackageDifference:
    """One package. Versions are None where the image has not got it, bytes where they are not known."""

    kind: Kind
    manager: str
    name: str
    architecture: str | None
    before: str | None
    after: str | None
    bytes_before: int | None
    bytes_after: int | None


_MEMBERS: Final = (
    ("User", "user"),
    ("WorkingDir", "working_dir"),
    ("Entrypoint", "entrypoint"),
    ("Cmd", "cmd"),
    ("StopSignal", "stop_signal"),
    ("Healthcheck", "healthcheck"),
    ("Platform", "platform"),
    ("Created", "created"),
    ("Author", "author"),
)


def config_differences(before: ImageConfig, after: ImageConfig) -> tuple[ConfigDifference, ...]:
    """What the configs say differently; environment, labels, ports and volumes one by one."""
    pairs: list[tuple[str, str | None, str | None]] = [
        (title, _shown(getattr(before, name)), _shown(getattr(after, name))) for title, name in _MEMBERS
    ]
    pairs += _by_key("Env", _environment(before.env), _environment(after.env))
    pairs += _by_key("Label", before.labels, after.labels)
    pairs += _by_key("Port", dict.fromkeys(before.exposed_ports, ""), dict.fromkeys(after.exposed_ports, ""))
    pairs += _by_key("Volume", dict.fromkeys(before.volumes, ""), dict.fromkeys(after.volumes, ""))
    return tuple(ConfigDifference(name, old, new) for name, old, new in pairs if old != new)


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return format_time(value)
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _environment(env: Iterable[str]) -> dict[str, str]:
    return {name: value for name, _, value in (entry.partition("=") for entry in env)}


def _by_key(
    title: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[tuple[str, str | None, str | None]]:
    for key in sorted(before.keys() | after.keys()):
        yield f"{title} {key}", before.get(key), after.get(key)


def shared_base(before: Sequence[Descriptor], after: Sequence[Descriptor]) -> int:
    """How many layers both images have in common from the base on: these need not be read to compare them."""
    pairs = zip(before, after, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0].digest == pair[1].digest, pairs))


def layer_differences(
    before: Sequence[Descriptor],
    after: Sequence[Descriptor],
    before_ids: Sequence[Digest] = (),
    after_ids: Sequence[Digest] = (),
) -> tuple[LayerDifference, ...]:
    """Both images' layers: equal in place, moved, recompressed (same diff ID), removed, added. Base first.

    Diff IDs are those of the configs, in order; without them recompressed layers count as removed and added.
    """
    found: list[LayerDifference] = []
    open_before = dict(enumerate(before))
    for number, layer in enumerate(after):
        other = number if number in open_before and open_before[number].digest == layer.digest else None
        kind = Kind.EQUAL
        if other is None:
            other, kind = next((n for n, old in open_before.items() if old.digest == layer.digest), None), Kind.MOVED
        if other is None and number < len(after_ids):
            same = (n for n in open_before if n < len(before_ids) and before_ids[n] == after_ids[number])
            other, kind = next(same, None), Kind.RECOMPRESSED
        if other is not None:
            del open_before[other]
        found.append(LayerDifference(kind if other is not None else Kind.ADDED, other, number, layer))
    found += [LayerDifference(Kind.REMOVED, number, None, layer) for number, layer in open_before.items()]
    return tuple(found)


def package_differences(before: Iterable[Installed], after: Iterable[Installed]) -> tuple[PackageDifference, ...]:
    """Packages that came, went, or have another version, by manager and name."""
    old, new = _grouped(before), _grouped(after)
    found: list[PackageDifference] = []
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key[0], key[1], key[2] or "")):
        gone, came = dict(old.get(key, {})), dict(new.get(key, {}))
        for version in gone.keys() & came.keys():
            del gone[version], came[version]
        if len(gone) == len(came) == 1:
            (first,), (second,) = gone.values(), came.values()
            versions = [version_key(package.version or "", key[0]) for package in (first, second)]
            kind = Kind.UP if versions[1] >= versions[0] else Kind.DOWN
            found.append(_package(kind, key, first, second))
            continue
        found += [_package(Kind.REMOVED, key, package, None) for package in gone.values()]
        found += [_package(Kind.ADDED, key, None, package) for package in came.values()]
    return tuple(found)


def _grouped(packages: Iterable[Installed]) -> dict[tuple[str, str, str | None], dict[str | None, Installed]]:
    found: dict[tuple[str, str, str | None], dict[str | None, Installed]] = {}
    for package in packages:
        found.setdefault((package.manager, package.name, package.architecture), {})[package.version] = package
    return found


def _package(
    kind: Kind, key: tuple[str, str, str | None], before: Installed | None, after: Installed | None
) -> PackageDifference:
    return PackageDifference(
        kind,
        *key,
        before.version if before is not None else None,
        after.version if after is not None else None,
        before.bytes if before is not None else None,
        after.bytes if after is not None else None,
    )
