"""Image configs: what runs, with what, and how each layer came to be (OCI image-spec config.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from regtui.oci.descriptor import annotations_of
from regtui.oci.digest import Digest
from regtui.oci.errors import InvalidDigest
from regtui.oci.manifest import parse_json_object
from regtui.oci.platform import Platform
from regtui.oci.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LARGEST_CONFIG: Final = 8 << 20
_MOST_HISTORY: Final = 20_000


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step of the build. `empty_layer` steps changed only the config."""

    created: datetime | None
    created_by: str | None
    author: str | None
    comment: str | None
    empty_layer: bool


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The config of an image; members that it does not have are None or empty."""

    raw: bytes
    platform: Platform | None
    created: datetime | None
    author: str | None
    user: str | None
    entrypoint: tuple[str, ...] | None
    cmd: tuple[str, ...] | None
    working_dir: str | None
    stop_signal: str | None
    env: tuple[str, ...]
    exposed_ports: tuple[str, ...]
    volumes: tuple[str, ...]
    labels: Mapping[str, str]
    healthcheck: tuple[str, ...] | None
    diff_ids: tuple[Digest, ...]
    history: tuple[HistoryEntry, ...]


def parse_config(raw: bytes) -> ImageConfig:
    """Read an image config. Raises InvalidManifest when the bytes are no JSON object; odd members read as absent."""
    body = parse_json_object(raw, "The image config")
    inner = body.get("config")
    run: dict[str, Any] = inner if isinstance(inner, dict) else {}
    rootfs = body.get("rootfs")
    health = run.get("Healthcheck")
    return ImageConfig(
        raw=raw,
        platform=Platform.from_json(body),
        created=parse_time(body.get("created")),
        author=_text(body.get("author")),
        user=_text(run.get("User")),
        entrypoint=_words(run.get("Entrypoint")),
        cmd=_words(run.get("Cmd")),
        working_dir=_text(run.get("WorkingDir")),
        stop_signal=_text(run.get("StopSignal")),
        env=_words(run.get("Env")) or (),
        exposed_ports=_keys(run.get("ExposedPorts")),
        volumes=_keys(run.get("Volumes")),
        labels=annotations_of(run.get("Labels")),
        healthcheck=_words(health.get("Test")) if isinstance(health, dict) else None,
        diff_ids=_diff_ids(rootfs.get("diff_ids") if isinstance(rootfs, dict) else None),
        history=_history(body.get("history")),
    )


def _diff_ids(value: Any) -> tuple[Digest, ...]:
    if not isinstance(value, list):
        return ()
    try:
        return tuple(Digest.parse(item) for item in value[:_MOST_HISTORY])
    except (InvalidDigest, TypeError):
        # A list with a hole can't be joined with the layers by position: as good as none.
        return ()


def _history(value: Any) -> tuple[HistoryEntry, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(
        HistoryEntry(
            parse_time(item.get("created")),
            _text(item.get("created_by")),
            _text(item.get("author")),
            _text(item.get("comment")),
            item.get("empty_layer") is True,
        )
        for item in value[:_MOST_HISTORY]
        if isinstance(item, dict)
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _words(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        return None
    return tuple(item for item in value if isinstance(item, str))


def _keys(value: Any) -> tuple[str, ...]:
    return tuple(sorted(k for k in value if isinstance(k, str))) if isinstance(value, dict) else ()
