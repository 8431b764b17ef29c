"""The Overview tab: the few facts of an image that people look for first."""

from __future__ import annotations

import shlex
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.oci import ImageManifest, Index
from regtui.oci.artifact import name_of, name_of_type, title_of
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.words import counted, size_text, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from regtui.oci import Descriptor, ImageConfig, Reference
    from regtui.session import Image

MOST_LABELS: Final = 200
_SECRET_WORDS: Final = ("password", "passwd", "secret", "token", "apikey", "api_key", "private_key", "credential")


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: a short name and a value. `kind` lets the widget choose a colour: fact, head, warn, dim."""

    name: SafeText
    value: SafeText
    kind: str = "fact"


def wrapped(facts: Iterable[Fact], width: int) -> list[Fact]:
    """The facts with prose that is wider than `width` on several lines; addresses and digests stay whole."""
    made: list[Fact] = []
    for fact in facts:
        first, *rest = textwrap.wrap(fact.value, max(width, 20), break_long_words=False, break_on_hyphens=False) or [""]
        made.append(Fact(fact.name, SafeText(first), fact.kind))
        made += [Fact(SafeText(""), SafeText(line), fact.kind) for line in rest]
    return made


def overview(image: Image, sizes: Mapping[str, int | None], *, pushed: str | None = None) -> list[Fact]:
    """The facts of an image. `sizes` holds the compressed bytes of platforms by digest, as far as they are known."""
    facts = [_head(image)]
    facts += _lines([("reference", _named_by(image.reference)), ("digest", image.top.digest), ("pushed", pushed)])
    facts += _size(image)
    if image.config is not None:
        facts += _config(image.config)
    if isinstance(image.top, Index):
        facts += _platforms(image, image.top, sizes)
    if image.manifest is not None and not image.manifest.is_image:
        facts += _files(image.manifest)
    facts += _named("annotation", _annotations(image))
    if image.config is not None:
        facts += _named("label", image.config.labels)
        facts += _environment(image.config.env)
    return facts


def _head(image: Image) -> Fact:
    parts = [name_of(image.top)]
    if isinstance(image.top, Index):
        parts.append(counted(len(image.top.platforms), "platform"))
        if image.top.attestations:
            parts.append(counted(len(image.top.attestations), "attestation"))
    elif image.platform is not None:
        parts.append(str(image.platform))
    if image.manifest is not None:
        parts.append(counted(len(image.manifest.layers), "layer" if image.manifest.is_image else "file"))
    return Fact(SafeText("kind"), safe(" · ".join(parts)), "head")


def _named_by(reference: Reference) -> str:
    return str(reference) if reference.tag is None else f"{reference.name}:{reference.tag}"


def _size(image: Image) -> list[Fact]:
    if image.manifest is None:
        return [Fact(SafeText("size"), SafeText("this index has no platform to show"), "warn")]
    text = f"{size_text(image.manifest.content_size)} compressed"
    if isinstance(image.top, Index) and image.platform is not None:
        text += f" for {image.platform}"
    return _lines([("size", text)])


def _config(config: ImageConfig) -> list[Fact]:
    return _lines(
        [
            ("created", time_text(config.created) if config.created is not None else None),
            ("author", config.author),
            ("entrypoint", _command(config.entrypoint)),
            ("command", _command(config.cmd)),
            ("user", config.user or "root (not set)"),
            ("working dir", config.working_dir),
            ("ports", " ".join(config.exposed_ports)),
            ("volumes", " ".join(config.volumes)),
            ("healthcheck", _command(config.healthcheck)),
            ("stop signal", config.stop_signal),
        ]
    )


def _platforms(image: Image, index: Index, sizes: Mapping[str, int | None]) -> list[Fact]:
    facts = []
    for entry in index.platforms:
        mark = "▸" if entry is image.entry else " "
        name = str(entry.platform) if entry.platform is not None else name_of_type(entry.artifact_type)
        text = f"{mark} {name:<16} {size_text(sizes.get(entry.digest)):>10}  {entry.digest}"
        facts.append(Fact(SafeText("platform"), safe(text)))
    facts += [
        Fact(SafeText("attestation"), safe(f"  for {_subject(entry)}  {entry.digest}"), "dim")
        for entry in index.attestations
    ]
    return facts


def _subject(entry: Descriptor) -> str:
    return entry.annotations.get("vnd.docker.reference.digest", "unknown")[:19]


def _files(manifest: ImageManifest) -> list[Fact]:
    return [
        Fact(
            SafeText("file"),
            safe(f"{title_of(layer) or '(no name)'}  {size_text(layer.size)}  {name_of_type(layer.media_type)}"),
        )
        for layer in manifest.layers[:MOST_LABELS]
    ]


def _annotations(image: Image) -> dict[str, str]:
    own = dict(image.manifest.annotations) if image.manifest is not None else {}
    return own | dict(image.top.annotations)


def _named(kind: str, values: Mapping[str, str]) -> list[Fact]:
    facts = [
        Fact(SafeText(kind), safe(f"{key} = {value}", 2000)) for key, value in sorted(values.items())[:MOST_LABELS]
    ]
    if len(values) > MOST_LABELS:
        facts.append(Fact(SafeText(kind), SafeText(f"and {len(values) - MOST_LABELS} more: see Raw"), "dim"))
    return facts


def _environment(env: Iterable[str]) -> list[Fact]:
    facts = []
    for entry in list(env)[:MOST_LABELS]:
        name = entry.partition("=")[0].lower()
        risky = any(word in name for word in _SECRET_WORDS)
        note = "   looks like a secret baked into the image" if risky else ""
        facts.append(Fact(SafeText("env"), safe(entry + note, 2000), "warn" if risky else "fact"))
    return facts


def _lines(pairs: Iterable[tuple[str, str | None]]) -> list[Fact]:
    return [Fact(SafeText(name), safe(value, 2000)) for name, value in pairs if value]


def _command(words: tuple[str, ...] | None) -> str | None:
    return shlex.join(words) if words else None
