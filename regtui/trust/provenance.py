"""Build provenance out of SLSA predicates v0.1, v0.2 and v1, with BuildKit's own members.

Sources: slsa.dev/spec, moby/buildkit docs/attestations/slsa-definitions.md. Every member is optional there.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from regtui.oci.times import parse_time
from regtui.trust.errors import Malformed
from regtui.trust.untrusted import as_object, as_objects, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from regtui.trust.attestations import Statement

PREFIX: Final = "https://slsa.dev/provenance/"
_BUILDKIT: Final = "https://mobyproject.org/buildkit@v1#"
_MOST_MATERIALS: Final = 20_000
_LARGEST_SOURCE: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Material:
    """Something that went into a build: where it is from, and its digests by algorithm."""

    uri: str
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A build file, usually the Dockerfile itself; its text is untrusted."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """How an image says that it was built. None where it does not say."""

    version: str
    builder: str | None
    build_type: str | None
    source: str | None
    commit: str | None
    entry_point: str | None
    materials: tuple[Material, ...]
    parameters: Mapping[str, str]
    platform: str | None
    started: datetime | None
    finished: datetime | None
    invocation: str | None
    reproducible: bool | None
    hermetic: bool | None
    files: tuple[SourceFile, ...]
    step_layers: Mapping[str, tuple[str, ...]]


def parse_provenance(statement: Statement) -> Provenance:
    """Read the provenance of a statement. Raises Malformed when its predicate is none."""
    if not statement.predicate_type.startswith(PREFIX) or not isinstance(statement.predicate, dict):
        raise Malformed("The statement holds no build provenance.")
    predicate: dict[str, Any] = statement.predicate
    if "buildDefinition" in predicate or "runDetails" in predicate:
        return _version_1(predicate)
    return _version_0(predicate, statement.predicate_type.removeprefix(PREFIX))


def _version_0(predicate: dict[str, Any], version: str) -> Provenance:
    invocation = as_object(predicate.get("invocation") or predicate.get("recipe"))
    config = as_object(invocation.get("configSource"))
    metadata = as_object(predicate.get("metadata"))
    own = as_object(metadata.get(f"{_BUILDKIT}metadata"))
    vcs = as_object(own.get("vcs"))
    return Provenance(
        version,
        as_text(as_object(predicate.get("builder")).get("id")),
        as_text(predicate.get("buildType") or invocation.get("type")),
        as_text(vcs.get("source")) or as_text(config.get("uri")),
        as_text(vcs.get("revision")) or _commit(config.get("digest")),
        as_text(config.get("entryPoint") or invocation.get("entryPoint")),
        _materials(predicate.get("materials")),
        _parameters(as_object(invocation.get("parameters"))),
        as_text(as_object(invocation.get("environment")).get("platform")),
        parse_time(metadata.get("buildStartedOn")),
        parse_time(metadata.get("buildFinishedOn")),
        _any_case(metadata, "buildInvocationId"),
        _flag(metadata.get("reproducible")),
        _flag(metadata.get(f"{_BUILDKIT}hermetic")),
        _files(own),
        _step_layers(own),
    )


def _version_1(predicate: dict[str, Any]) -> Provenance:
    definition, run = as_object(predicate.get("buildDefinition")), as_object(predicate.get("runDetails"))
    external = as_object(definition.get("externalParameters"))
    config, workflow = as_object(external.get("configSource")), as_object(external.get("workflow"))
    metadata = as_object(run.get("metadata"))
    own = as_object(metadata.get("buildkit_metadata"))
    vcs = as_object(own.get("vcs"))
    materials = _materials(definition.get("resolvedDependencies"))
    source = as_text(vcs.get("source")) or as_text(config.get("uri")) or as_text(workflow.get("repository"))
    return Provenance(
        "v1",
        as_text(as_object(run.get("builder")).get("id")),
        as_text(definition.get("buildType")),
        source,
        as_text(vcs.get("revision")) or _commit(config.get("digest")) or _commit_of(materials, source),
        as_text(config.get("path") or workflow.get("path")),
        materials,
        _parameters(as_object(external.get("request")) or external),
        as_text(as_object(definition.get("internalParameters")).get("builderPlatform")),
        parse_time(metadata.get("startedOn")),
        parse_time(metadata.get("finishedOn")),
        _any_case(metadata, "invocationId"),
        _flag(metadata.get("buildkit_reproducible")),
        _flag(metadata.get("buildkit_hermetic")),
        _files(own),
        _step_layers(own),
    )


def _materials(value: Any) -> tuple[Material, ...]:
    found: list[Material] = []
    for one in as_objects(value)[:_MOST_MATERIALS]:
        uri = as_text(one.get("uri")) or as_text(one.get("name"))
        if uri is not None:
            found.append(Material(uri, {k: v for k, v in as_object(one.get("digest")).items() if isinstance(v, str)}))
    return tuple(found)


def _commit(value: Any) -> str | None:
    digests = as_object(value)
    return as_text(digests.get("sha1") or digests.get("gitCommit") or digests.get("sha256"))


def _commit_of(materials: tuple[Material, ...], source: str | None) -> str | None:
    """GitHub names the commit only on the dependency that is the source itself."""
    if source is None:
        return None
    return next((_commit(m.digests) for m in materials if m.uri.removeprefix("git+").startswith(source)), None)


def _parameters(value: dict[str, Any]) -> dict[str, str]:
    """Build arguments and options, one level deep: they may hold secrets that somebody passed by mistake."""
    found: dict[str, str] = {}
    for name, inside in list(value.items())[:200]:
        if isinstance(inside, str | int | float | bool):
            found[name] = str(inside)[:1000]
        elif name in ("args", "inputs") and isinstance(inside, dict):
            found.update({f"{key}": str(text)[:1000] for key, text in list(inside.items())[:500]})
    return found


def _any_case(value: dict[str, Any], name: str) -> str | None:
    """A member whose case differs between the specification and BuildKit (…Id, …ID)."""
    return next((as_text(found) for key, found in value.items() if key.lower() == name.lower()), None)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _files(own: dict[str, Any]) -> tuple[SourceFile, ...]:
    found: list[SourceFile] = []
    for info in as_objects(as_object(own.get("source")).get("infos"))[:50]:
        data = info.get("data")
        if not isinstance(data, str) or len(data) > _LARGEST_SOURCE:
            continue
        try:
            text = base64.b64decode(data, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            continue
        found.append(SourceFile(as_text(info.get("filename")) or "Dockerfile", text))
    return tuple(found)


def _step_layers(own: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """BuildKit's map of a build step (`step0:0`) to the digests of the layers that it made."""
    found: dict[str, tuple[str, ...]] = {}
    for step, groups in list(as_object(own.get("layers")).items())[:2000]:
        if isinstance(groups, list):
            found[step] = tuple(
                digest
                for group in groups
                for layer in as_objects(group)
                if (digest := as_text(layer.get("digest"))) is not None
            )
    return found
