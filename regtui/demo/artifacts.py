"""What is no image: Helm charts, a WASM component, a model, and files pushed with ORAS."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, Final

from regtui.demo import samples
from regtui.demo.attestations import empty_config
from regtui.demo.content import seeded, source, text
from regtui.demo.images import encode, manifest_json
from regtui.demo.layers import Tree, build_layer
from regtui.demo.workshop import seconds
from regtui.oci import media_types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from regtui.demo.story import Release
    from regtui.demo.workshop import Workshop
    from regtui.oci import Descriptor

_TITLE: Final = "org.opencontainers.image.title"
_HELM_CONFIG: Final = "application/vnd.cncf.helm.config.v1+json"
_HELM_CHART: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_WASM_CONFIG: Final = "application/vnd.wasm.config.v0+json"
_MODEL: Final = "application/vnd.cncf.model.manifest.v1+json"
_MODEL_CONFIG: Final = "application/vnd.cncf.model.config.v1+json"
_MODEL_LAYER: Final = "application/vnd.cncf.model.{}.v1.raw"
_FILES: Final = "application/vnd.demo.runbook.v1"


def build_artifact(workshop: Workshop, release: Release) -> Descriptor:
    """Put the artifact of a release; the descriptor of its manifest."""
    return _BUILDERS[release.repository](workshop, release)


def _put(workshop: Workshop, config: Descriptor, layers: Sequence[Descriptor], **more: Any) -> Descriptor:
    return workshop.blobs.put(encode(manifest_json(config, layers, **more)), media_types.OCI_MANIFEST)


def _created(release: Release) -> dict[str, str]:
    return {"org.opencontainers.image.created": f"{release.created}Z"}


def _chart(workshop: Workshop, release: Release) -> Descriptor:
    """A chart as `helm push` puts it: config = Chart.yaml as JSON, one layer = the packed chart."""
    version = release.version.replace("_", "+")
    about = {
        "name": "cart",
        "version": version,
        "description": "The cart service of the demo shop",
        "keywords": ["shop", "cart"],
        "maintainers": [{"name": "Demo Shop", "email": "shop@demo.example"}],
        "apiVersion": "v2",
        "appVersion": {"0": "1.3.9", "1": "1.4.2"}[version[0]],
        "type": "application",
        "dependencies": [{"name": "postgres", "version": "~17", "repository": f"oci://{samples.CHART_REGISTRY}"}],
    }
    tree = Tree(seconds(release))
    tree.file("cart/Chart.yaml", _yaml(about))
    tree.file("cart/README.md", f"# cart {version}\n\n".encode() + text("chart", 40))
    for name, content in samples.CHART_FILES.items():
        tree.file(f"cart/{name}", content)
    packed = build_layer(tree)
    config = workshop.blobs.put(encode(about), _HELM_CONFIG)
    layer = workshop.blobs.put(packed.blob, _HELM_CHART)
    notes = {
        "org.opencontainers.image.title": "cart",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.description": about["description"],
        **_created(release),
    }
    return _put(workshop, config, [layer], annotations=notes)


def _yaml(value: Mapping[str, Any]) -> str:
    """Block YAML of strings and short lists of strings or of flat objects."""
    lines = []
    for key, item in value.items():
        if isinstance(item, str):
            lines.append(f"{key}: {json.dumps(item)}")
            continue
        lines.append(f"{key}:")
        lines.extend(f"  - {json.dumps(part)}" for part in item)
    return "\n".join(lines) + "\n"


def _component(workshop: Workshop, release: Release) -> Descriptor:
    """A WASM component of custom sections only (CNCF wasm artifact, config v0)."""
    code = b"\x00asm\x0d\x00\x01\x00"
    sections = {
        "component-name": b"rate-limiter",
        "producers": b"\x00",
        "version": release.version.encode(),
        "sample": seeded(f"wasm {release.version}", 150_000),
    }
    for name, body in sections.items():
        content = _leb128(len(name)) + name.encode() + body
        code += b"\x00" + _leb128(len(content)) + content
    layer = workshop.blobs.put(code, "application/wasm", annotations={_TITLE: "rate-limiter.wasm"})
    about = {
        "created": f"{release.created}Z",
        "author": "Demo Shop",
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [str(layer.digest)],
        "component": {
            "exports": ["wasi:http/incoming-handler@0.2.3"],
            "imports": ["wasi:clocks/monotonic-clock@0.2.3", "wasi:http/types@0.2.3", "wasi:io/streams@0.2.3"],
        },
    }
    return _put(workshop, workshop.blobs.put(encode(about), _WASM_CONFIG), [layer], annotations=_created(release))


def _leb128(value: int) -> bytes:
    made = bytearray()
    while value >= 0x80:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def _model(workshop: Workshop, release: Release) -> Descriptor:
    """A small model in ModelPack's form: weights, tokenizer, a card and a licence. The card is shared by the tags."""
    rows, columns = 640, 512
    size = rows * columns * 2
    header = encode({"embedding.weight": {"dtype": "F16", "shape": [rows, columns], "data_offsets": [0, size]}})
    weights = struct.pack("<Q", len(header)) + header + seeded(f"weights {release.version}", size)
    vocabulary = {word: number for number, word in enumerate(sorted(set(text("vocabulary", 400).decode().split())))}
    files = (
        ("weight", "model.safetensors", weights),
        ("weight.config", "config.json", encode({"architecture": "sample", "hidden_size": columns})),
        ("weight.config", "tokenizer.json", encode({"model": {"type": "WordLevel", "vocab": vocabulary}})),
        ("doc", "README.md", b"# sentiment\n\nA sample; it predicts nothing.\n\n" + text("model card", 60)),
        ("doc", "LICENSE", b"Licensed under the Apache License, Version 2.0.\n"),
    )
    layers = [
        workshop.blobs.put(
            content,
            _MODEL_LAYER.format(kind),
            annotations={"org.cncf.model.filepath": name, _TITLE: name},
        )
        for kind, name, content in files
    ]
    about = {
        "descriptor": {
            "createdAt": f"{release.created}Z",
            "name": "sentiment",
            "version": release.version,
            "family": "sample",
            "licenses": ["Apache-2.0"],
        },
        "config": {"architecture": "transformer", "format": "safetensors", "paramSize": "327K", "precision": "float16"},
        "modelfs": {"type": "layers", "diffIds": [str(layer.digest) for layer in layers]},
    }
    config = workshop.blobs.put(encode(about), _MODEL_CONFIG)
    return _put(workshop, config, layers, artifact_type=_MODEL, annotations=_created(release))


def _runbooks(workshop: Workshop, release: Release) -> Descriptor:
    """Files with titles as `oras push` puts them, one of them a packed directory."""
    folder = Tree(seconds(release))
    folder.directory("scripts")
    for name in ("drain", "restart", "rotate"):
        folder.file(f"scripts/{name}.sh", f"#!/bin/sh\n# {name}, {release.version}\nset -eu\n", 0o755)
    folder.file("scripts/report.py", source("runbook report", 120))
    packed = build_layer(folder)
    dashboard = {"title": "cart", "version": release.version, "panels": [{"id": n, "type": "graph"} for n in range(6)]}
    files = (
        ("restore.md", "text/markdown", f"# Restore ({release.version})\n\n".encode() + text("restore", 80)),
        ("on-call.md", "text/markdown", b"# On call\n\n" + text("on call", 60)),
        ("alerts.yaml", "application/yaml", samples.ALERTS.encode()),
        ("dashboard.json", "application/json", encode(dashboard)),
        ("topology.svg", "image/svg+xml", samples.TOPOLOGY.encode()),
    )
    layers = [workshop.blobs.put(content, kind, annotations={_TITLE: name}) for name, kind, content in files]
    notes = {
        _TITLE: "scripts",
        "io.deis.oras.content.digest": str(packed.diff_id),
        "io.deis.oras.content.unpack": "true",
    }
    layers.append(workshop.blobs.put(packed.blob, media_types.OCI_LAYER_GZIP, annotations=notes))
    config = empty_config(workshop.blobs)
    return _put(workshop, config, layers, artifact_type=_FILES, annotations=_created(release))


_BUILDERS: Final = {
    "charts/cart": _chart,
    "ml/sentiment": _model,
    "tools/runbooks": _runbooks,
    "wasm/rate-limiter": _component,
}
