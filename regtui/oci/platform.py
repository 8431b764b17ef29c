"""Platforms: what an image runs on, as `os/architecture[/variant]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from regtui.oci.errors import InvalidReference


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """The platform object of an index entry or of a config (OCI image-index.md)."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""
    os_features: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `os/architecture[/variant]`. Raises InvalidReference."""
        parts = text.strip().split("/")
        if len(parts) not in {2, 3} or not all(parts):
            raise InvalidReference(
                f"{text[:80]!a} is not a platform.",
                hint="A platform looks like linux/amd64 or linux/arm/v7.",
            )
        return cls(parts[0].lower(), parts[1].lower(), parts[2].lower() if len(parts) == 3 else "")

    @classmethod
    def from_json(cls, value: Any) -> Self | None:
        """The platform in a JSON object, or None when it names none."""
        if not isinstance(value, dict):
            return None
        os_name, architecture = value.get("os"), value.get("architecture")
        if not isinstance(os_name, str) or not isinstance(architecture, str) or not (os_name or architecture):
            return None
        features = value.get("os.features")
        return cls(
            os_name,
            architecture,
            _text(value.get("variant")),
            _text(value.get("os.version")),
            tuple(f for f in features if isinstance(f, str)) if isinstance(features, list) else (),
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON object of an index entry."""
        made: dict[str, Any] = {"architecture": self.architecture, "os": self.os}
        if self.os_version:
            made["os.version"] = self.os_version
        if self.os_features:
            made["os.features"] = list(self.os_features)
        if self.variant:
            made["variant"] = self.variant
        return made

    @property
    def is_unknown(self) -> bool:
        """`unknown/unknown`: BuildKit's mark for an attestation manifest."""
        return self.os == "unknown" and self.architecture == "unknown"

    @property
    def short(self) -> str:
        """Without `linux/`, which nearly all have: `amd64`, `arm/v7`, `windows/amd64`."""
        return str(self).removeprefix("linux/")

    def matches(self, wanted: Platform) -> bool:
        """Whether this platform serves a wish; a wish without a variant takes any."""
        if (self.os, self.architecture) != (wanted.os, wanted.architecture):
            return False
        return not wanted.variant or _variant(self) == _variant(wanted)

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


def _variant(platform: Platform) -> str:
    # arm64 without a variant is v8 (containerd's normalisation).
    if platform.architecture == "arm64" and not platform.variant:
        return "v8"
    return platform.variant


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
