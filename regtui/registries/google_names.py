"""What Google's two kinds of host names and their paths stand for in Artifact Registry. Pure functions.

Source: Artifact Registry's documentation of host names, and of the move from gcr.io: there, the repository of Artifact
Registry is called like the host. A project of a domain (`example.com:shop`) is written `example.com/shop` in paths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

_REGIONAL: Final = re.compile(r"docker\.(?P<region>[\w-]+)\.rep\.pkg\.dev", re.ASCII)
_LOCATION: Final = re.compile(r"(?P<location>[\w-]+)-docker\.pkg\.dev", re.ASCII)
_GCR: Final = {"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}


@dataclass(frozen=True, slots=True)
class GoogleHost:
    """A host: its location in Artifact Registry (None where it has none), and the repository that it stands for.

    `repository` is None on pkg.dev, where the path names it.
    """

    location: str | None
    repository: str | None
    api: str = "artifactregistry.googleapis.com"

    @property
    def is_gcr(self) -> bool:
        """Whether paths start with a project and go on with the image."""
        return self.repository is not None


def read_host(host: str) -> GoogleHost:
    """What a host stands for; one that is not Google's own is taken for gcr.io's like, without a location."""
    name = host.partition(":")[0].lower()
    if match := _REGIONAL.fullmatch(name):
        return GoogleHost(match["region"], None, f"artifactregistry.{match['region']}.rep.googleapis.com")
    if match := _LOCATION.fullmatch(name):
        return GoogleHost(match["location"], None)
    return GoogleHost(_GCR.get(name), name)


@dataclass(frozen=True, slots=True)
class Image:
    """An image, named as Artifact Registry does. The `package` is the image's own name, which may have slashes."""

    project: str
    location: str
    repository: str
    package: str

    @property
    def repository_name(self) -> str:
        """The resource name of its repository."""
        return f"{location_name(self.project, self.location)}/repositories/{quote(self.repository, safe='')}"

    @property
    def package_name(self) -> str:
        """The resource name of the package: slashes in it are escaped."""
        return f"{self.repository_name}/packages/{quote(self.package, safe='')}"


def location_name(project: str, location: str) -> str:
    """The resource name of a location of a project."""
    return f"projects/{quote(project, safe=':')}/locations/{quote(location, safe='')}"


def split_project(path: str) -> tuple[str, str]:
    """(the project, the rest) of a path."""
    first, _, rest = path.partition("/")
    if "." not in first:
        return first, rest
    second, _, rest = rest.partition("/")
    return f"{first}:{second}", rest


def project_path(project: str) -> str:
    """How a project is written at the start of a path."""
    return project.replace(":", "/", 1)


def image_of(host: GoogleHost, path: str) -> Image | None:
    """The image that a path names; None when it is too short, or the host is none of Artifact Registry's."""
    project, rest = split_project(path)
    repository, package = host.repository or "", rest
    if not host.is_gcr:
        repository, _, package = rest.partition("/")
    if host.location is None or not (project and repository and package):
        return None
    return Image(project, host.location, repository, package)
