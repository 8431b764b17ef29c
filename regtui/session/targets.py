"""What a person types where regtui expects a place: host, repository, reference, layout folder or archive."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from regtui.oci.digest import Digest
from regtui.oci.errors import InvalidDigest, InvalidReference
from regtui.oci.reference import DOCKER_HUB, Reference, is_host, is_repository_path, is_tag, normalise_host
from regtui.registries.layout_names import default_repository

_SCHEMES: Final = ("docker://", "oci-archive:", "docker-archive:", "oci:", "https://", "http://")
_OFFICIAL: Final = "library/"
_HINT: Final = "Give a host, host/repository, an image reference, an OCI layout folder, or an image archive."


@dataclass(frozen=True, slots=True)
class Target:
    """A place: a registry, one of its repositories, or one image. `host` of a local place is its absolute path."""

    host: str
    path: str | None = None
    tag: str | None = None
    digest: Digest | None = None
    is_local: bool = False

    @property
    def is_image(self) -> bool:
        """Whether it names one image, not just where images are."""
        return self.path is not None and (self.tag is not None or self.digest is not None)

    def reference(self) -> Reference:
        """The image named. Raises InvalidReference when a whole repository or registry is."""
        if self.path is None:
            raise InvalidReference(f"{self.host} is a registry, not an image.", hint="Add /repository:tag.")
        return Reference(self.host, self.path, self.tag, self.digest)

    def __str__(self) -> str:
        if self.path is None:
            return self.host
        return str(Reference(self.host, self.path, self.tag, self.digest))


def parse_target(text: str) -> Target:
    """Read a place. A name that is a folder or file here is local. Raises InvalidReference."""
    text = text.strip()
    scheme = next((s for s in _SCHEMES if text.lower().startswith(s)), "")
    rest = text[len(scheme) :]
    if scheme in {"oci:", "oci-archive:", "docker-archive:"}:
        return _named_local(rest)
    if not scheme and _looks_local(rest):
        return _local(rest)
    if scheme.startswith("http") and is_host(rest.rstrip("/")):
        return Target(normalise_host(rest.rstrip("/")))
    rest = rest.rstrip("/") if scheme else rest
    return _remote(rest.removesuffix("/"))


def parse_image(text: str) -> Reference:
    """Read a place that must be one image; the tag defaults to `latest`. Raises InvalidReference."""
    target = parse_target(text)
    if target.path is None and not target.is_local:
        return Reference.parse(text)
    reference = target.reference()
    return reference if target.is_image else reference.with_tag("latest")


def parse_repository(text: str) -> Target:
    """Read a place that must be a repository; a tag or digest behind it is refused. Raises InvalidReference."""
    target = parse_target(text)
    if target.path is None and not target.is_local:
        target = _of_reference(Reference.parse(text, default_tag=None))
    if target.is_image:
        raise InvalidReference(f"{target} names one image.", hint="Leave the tag or digest out.")
    return target


def parse_prefix(text: str) -> Target:
    """Read a registry and what its repositories' paths start with. Raises InvalidReference.

    One word on Docker Hub is a namespace here, and not the official image of that name.
    """
    target = parse_target(text)
    word = text.rstrip("/").rpartition("/")[2]
    if target.host == DOCKER_HUB and target.path == f"{_OFFICIAL}{word}" and _OFFICIAL not in text:
        return replace(target, path=word)
    return target


def _remote(text: str) -> Target:
    if _is_bare_host(text):
        return Target(normalise_host(text))
    first, slash, rest = text.partition("/")
    if not slash and is_host(first) and first.lower() == DOCKER_HUB:
        return Target(DOCKER_HUB)
    if slash and not rest:
        return Target(normalise_host(first))
    return _of_reference(Reference.parse(text, default_tag=None))


def _of_reference(reference: Reference) -> Target:
    return Target(normalise_host(reference.host), reference.path, reference.tag, reference.digest)


def _is_bare_host(text: str) -> bool:
    if "/" in text or "@" in text or not is_host(text):
        return False
    name, colon, port = text.rpartition(":")
    if colon and not text.endswith("]"):
        return port.isdigit() and ("." in name or name == "localhost" or name.startswith("["))
    return "." in text or text == "localhost" or text.startswith("[")


def _looks_local(text: str) -> bool:
    if text.startswith(("./", "../", "/", "~/")) or text in {".", "..", "~"}:
        return True
    # A bare name is local only when it can hardly be meant as an image's: a layout folder, or a *.tar here.
    return (Path(text) / "oci-layout").is_file() or (
        text.endswith((".tar", ".tar.gz", ".tgz")) and Path(text).is_file()
    )


def _is_image_place(path: Path) -> bool:
    try:
        return path.is_file() or (path / "oci-layout").is_file() or (path / "index.json").is_file()
    except OSError:
        return False


def _local(text: str) -> Target:
    """The longest leading part that is a layout or archive; the rest names repository, tag and digest."""
    expanded = str(Path(text).expanduser())
    for end in range(len(expanded), 0, -1):
        ends_here = end == len(expanded) or expanded[end] in "/:@"
        if ends_here and _is_image_place(Path(expanded[:end])):
            return _inside(expanded[:end], expanded[end:].removeprefix("/"))
    raise InvalidReference(f"{text[:200]!a} is neither an OCI layout folder nor an image archive.", hint=_HINT)


def _named_local(rest: str) -> Target:
    """skopeo's way: PATH[:NAME]."""
    path, _, name = rest.partition(":")
    if not _is_image_place(Path(path).expanduser()):
        raise InvalidReference(f"{path[:200]!a} is neither an OCI layout folder nor an image archive.", hint=_HINT)
    return _inside(str(Path(path).expanduser()), f":{name}" if name and is_tag(name) else name)


def _inside(place: str, rest: str) -> Target:
    name, digest = rest, None
    if "@" in rest:
        name, _, text = rest.partition("@")
        try:
            digest = Digest.parse(text)
        except InvalidDigest as error:
            raise InvalidReference(error.sentence, hint=error.hint) from error
    path, colon, tag = name.rpartition(":")
    if not colon:
        path, tag = name, ""
    # `PLACE:repository:tag`, as skopeo writes it, means the same as `PLACE/repository:tag`.
    path = path.removeprefix(":")
    if tag and not is_tag(tag):
        raise InvalidReference(f"{tag[:128]!a} is not a tag.", hint=_HINT)
    if path and not is_repository_path(path):
        raise InvalidReference(f"{path[:200]!a} is not a repository's path.", hint=_HINT)
    named = bool(path or tag or digest)
    repository = (path or default_repository(place)) if named else None
    return Target(str(Path(place).resolve()), repository, tag or None, digest, is_local=True)
