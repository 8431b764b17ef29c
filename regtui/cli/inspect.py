"""`regtui inspect`: manifest, config, and layers joined with history."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, session_of
from regtui.cli.output import print_fields, print_json, print_table
from regtui.oci import Index, Platform, RegtuiError
from regtui.oci.artifact import name_of, name_of_type, title_of
from regtui.oci.times import format_time
from regtui.session import parse_image
from regtui.ui.words import UNKNOWN, size_text, time_text

if TYPE_CHECKING:
    import argparse

    from regtui.oci import Descriptor, ImageConfig, ImageManifest
    from regtui.session import Image, Session


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `inspect`."""
    parser.add_argument("reference", metavar="REF", help="an image: host/path:tag, host/path@digest, LAYOUT/path:tag")
    parser.add_argument("--platform", metavar="OS/ARCH[/VARIANT]", help="which platform of an index")
    parser.add_argument("--raw", action="store_true", help="print the exact bytes of the manifest")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Show one image; the exit code."""
    reference = parse_image(arguments.reference)
    wanted = Platform.parse(arguments.platform) if arguments.platform else None
    session = session_of(arguments, reference.host)
    try:
        image = await session.image(reference, wanted)
        if arguments.raw:
            chosen = image.manifest if wanted is not None and image.manifest is not None else image.top
            sys.stdout.flush()
            sys.stdout.buffer.write(chosen.raw)
            return exits.DONE
        children = await _children(session, image)
        if arguments.json:
            print_json(as_dict(image, children))
        else:
            _print(image, children)
    finally:
        await session.close()
    return exits.DONE


async def _children(session: Session, image: Image) -> list[tuple[Descriptor, ImageManifest | None]]:
    async def one(entry: Descriptor) -> tuple[Descriptor, ImageManifest | None]:
        try:
            child = await session.reader.manifest(image.reference.with_digest(entry.digest))
        except RegtuiError:
            return entry, None
        return entry, None if isinstance(child, Index) else child

    return list(await asyncio.gather(*(one(entry) for entry in image.platforms)))


def as_dict(image: Image, children: list[tuple[Descriptor, ImageManifest | None]]) -> dict[str, Any]:
    """The JSON of an image (docs/cli.md)."""
    shown = image.manifest
    return {
        "reference": str(image.reference),
        "digest": image.top.digest,
        "media_type": image.top.media_type,
        "kind": name_of(image.top),
        "size": shown.content_size if shown is not None else None,
        "platform": str(image.platform) if image.platform is not None else None,
        "platforms": [
            {
                "platform": str(entry.platform) if entry.platform is not None else None,
                "digest": entry.digest,
                "size": child.content_size if child is not None else None,
                "layers": [layer.to_json() for layer in child.layers] if child is not None else None,
            }
            for entry, child in children
        ],
        "config": _config_dict(image.config),
        "layers": _layer_dicts(image),
        "annotations": dict(image.top.annotations),
    }


def _config_dict(config: ImageConfig | None) -> dict[str, Any] | None:
    if config is None:
        return None
    return {
        "created": format_time(config.created),
        "author": config.author,
        "user": config.user,
        "entrypoint": config.entrypoint,
        "cmd": config.cmd,
        "working_dir": config.working_dir,
        "env": config.env,
        "exposed_ports": config.exposed_ports,
        "volumes": config.volumes,
        "labels": dict(config.labels),
        "stop_signal": config.stop_signal,
        "healthcheck": config.healthcheck,
    }


def _layer_dicts(image: Image) -> list[dict[str, Any]]:
    if image.manifest is None:
        return []
    steps = {step.number: step for step in image.steps if step.number is not None}
    made = []
    for number, layer in enumerate(image.manifest.layers, 1):
        step = steps.get(number)
        made.append(
            {
                "digest": layer.digest,
                "media_type": layer.media_type,
                "size": layer.size,
                "diff_id": step.diff_id if step is not None else None,
                "created_by": step.instruction if step is not None else None,
                "title": title_of(layer),
            }
        )
    return made


def _print(image: Image, children: list[tuple[Descriptor, ImageManifest | None]]) -> None:
    config = image.config
    print_fields(
        [
            ("reference", str(image.reference)),
            ("kind", f"{name_of(image.top)} ({image.top.media_type})"),
            ("platform", str(image.platform) if image.platform is not None else None),
            ("size", size_text(image.manifest.content_size) + " compressed" if image.manifest is not None else None),
            *(_config_fields(config) if config is not None else ()),
            *((f"annotation {key}", value) for key, value in image.top.annotations.items()),
        ]
    )
    if image.platforms:
        sys.stdout.write("\n")
        rows = [
            [str(entry.platform or UNKNOWN), entry.digest, size_text(child.content_size if child else None)]
            for entry, child in children
        ]
        print_table(("platform", "digest", "size"), rows, right=frozenset({2}))
    _print_layers(image)


def _config_fields(config: ImageConfig) -> list[tuple[str, str | None]]:
    return [
        ("created", time_text(config.created) if config.created else None),
        ("entrypoint", " ".join(config.entrypoint or ()) or None),
        ("command", " ".join(config.cmd or ()) or None),
        ("user", config.user),
        ("working dir", config.working_dir),
        ("ports", " ".join(config.exposed_ports) or None),
        ("volumes", " ".join(config.volumes) or None),
        *((f"label {key}", value) for key, value in config.labels.items()),
    ]


def _print_layers(image: Image) -> None:
    if image.manifest is None or not image.manifest.layers:
        return
    sys.stdout.write("\n")
    rows = []
    for number, layer in enumerate(_layer_dicts(image), 1):
        told = layer["created_by"] or layer["title"] or name_of_type(layer["media_type"])
        rows.append([str(number), layer["digest"], size_text(layer["size"]), told])
    print_table(("layer", "digest", "size", "from"), rows, right=frozenset({0, 2}))
