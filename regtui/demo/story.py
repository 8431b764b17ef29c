"""Which repositories and tags the demo has, when each was made, and what hangs on it. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HOST: Final = "registry.demo.example"
"""The registry that the layout plays a copy of; it exists in names only."""

AMD64: Final = ("linux/amd64",)
TWO: Final = ("linux/amd64", "linux/arm64")
THREE: Final = ("linux/amd64", "linux/arm64", "linux/arm/v7")
WINDOWS: Final = ("linux/amd64", "windows/amd64")


@dataclass(frozen=True, slots=True)
class Release:
    """One thing that was pushed: `tags` all name its digest, the first is its version.

    `base` is the tag of the image it is built from, `newer` chooses the newer package versions, `shape` is one
    of "image" (a bare manifest), "index", "list" (Docker's media types), "buildkit" (an index with attestation
    manifests). `attached` names what hangs on it (attached.py).
    """

    repository: str
    tags: tuple[str, ...]
    created: str
    base: str = ""
    newer: bool = False
    shape: str = "image"
    platforms: tuple[str, ...] = AMD64
    attached: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The tag that it was made for."""
        return self.tags[0]


_DEBIAN_JANUARY: Final = "12.1-20260112-slim"
_DEBIAN_MAY: Final = "12.10-20260504-slim"
_DEBIAN_SEPTEMBER: Final = "12.10-20260907-slim"

IMAGES: Final = (
    Release("base/debian", (_DEBIAN_JANUARY,), "2026-01-12T04:10:00", shape="index", platforms=TWO),
    Release("base/debian", (_DEBIAN_MAY,), "2026-05-04T04:10:00", newer=True, shape="index", platforms=TWO),
    Release(
        "base/debian", (_DEBIAN_SEPTEMBER, "12-slim", "bookworm-slim", "latest"), "2026-09-07T04:10:00",
        newer=True, shape="index", platforms=TWO,
    ),
    Release("base/alpine", ("3.22.0",), "2026-01-08T09:00:00", shape="index", platforms=THREE),
    Release(
        "base/alpine", ("3.22.1", "3.22", "3", "latest"), "2026-07-20T09:00:00",
        newer=True, shape="index", platforms=THREE,
    ),
    Release(
        "shop/cart", ("1.3.9",), "2026-02-03T15:41:12", _DEBIAN_JANUARY, shape="buildkit", platforms=TWO
    ),
    Release(
        "shop/cart", ("1.4.0-rc.1",), "2026-04-14T10:02:51", _DEBIAN_JANUARY, shape="buildkit", platforms=TWO
    ),
    Release(
        "shop/cart", ("1.4.0",), "2026-05-11T08:30:07", _DEBIAN_MAY, newer=True, shape="buildkit", platforms=TWO,
        attached=("signature of another image",),
    ),
    Release("shop/cart", ("pr-482",), "2026-06-02T17:20:44", _DEBIAN_MAY, newer=True),
    Release(
        "shop/cart", ("1.4.1",), "2026-07-06T09:15:33", _DEBIAN_MAY, newer=True, shape="buildkit", platforms=TWO,
        attached=("signature",),
    ),
    Release(
        "shop/cart", ("1.4.2", "1.4", "1", "stable", "latest"), "2026-09-21T13:05:19", _DEBIAN_SEPTEMBER,
        newer=True, shape="buildkit", platforms=TWO,
        attached=(
            "signature", "attestation tag", "bundle", "provenance bundle", "notation", "sbom", "scan report", "vex",
        ),
    ),
    Release(
        "shop/cart", ("1.5.0-beta.1",), "2026-10-19T11:47:02", _DEBIAN_SEPTEMBER, newer=True, shape="buildkit",
        platforms=TWO, attached=("bundle",),
    ),
    Release("shop/cart", ("main", "sha-3f9c2e1"), "2026-11-16T18:22:40", _DEBIAN_SEPTEMBER, newer=True),
    Release("shop/web", ("2.0.0",), "2026-01-27T12:00:31", "3.22.0", shape="buildkit", platforms=THREE),
    Release(
        "shop/web", ("2.1.0",), "2026-05-25T14:18:09", "3.22.0", newer=True, shape="buildkit", platforms=THREE,
        attached=("bundle of a stranger",),
    ),
    Release(
        "shop/web", ("2.1.1", "2.1", "2", "latest"), "2026-08-17T07:55:26", "3.22.1", newer=True, shape="buildkit",
        platforms=THREE, attached=("bundle", "sbom"),
    ),
    Release("shop/web", ("nightly-20261102",), "2026-11-02T01:30:00", "3.22.1", newer=True),
    Release("shop/web", ("nightly-20261109",), "2026-11-09T01:30:00", "3.22.1", newer=True),
    Release("shop/web", ("nightly-20261116", "nightly"), "2026-11-16T01:30:00", "3.22.1", newer=True),
    Release("shop/internal/worker", ("0.9.0",), "2026-03-02T16:40:00", _DEBIAN_JANUARY),
    Release("shop/internal/worker", ("feature-retry-queue",), "2026-04-20T19:03:15", _DEBIAN_JANUARY),
    Release("shop/internal/worker", ("0.9.1", "latest"), "2026-06-15T10:11:12", _DEBIAN_MAY, newer=True),
    Release("shop/internal/worker", ("main",), "2026-11-09T17:45:50", _DEBIAN_SEPTEMBER, newer=True),
    Release("shop/internal/migrations", ("2026-03-09",), "2026-03-09T08:00:00"),
    Release("shop/internal/migrations", ("2026-06-22",), "2026-06-22T08:00:00"),
    Release("shop/internal/migrations", ("2026-10-05", "latest"), "2026-10-05T08:00:00"),
    Release(
        "shop/reports", ("0.4.0",), "2026-03-23T13:37:00", _DEBIAN_JANUARY, attached=("sbom", "scan report", "vex")
    ),
    Release(
        "shop/reports", ("0.5.0", "latest"), "2026-08-31T09:20:00", _DEBIAN_MAY, newer=True,
        attached=("signature", "scan report"),
    ),
    Release(
        "infra/nginx", ("1.27.4-alpine", "stable"), "2026-02-17T06:00:00", "3.22.0", shape="list", platforms=TWO,
        attached=("notation of an outsider",),
    ),
    Release(
        "infra/nginx", ("1.29.0-alpine", "mainline", "latest"), "2026-08-04T06:00:00", "3.22.1", newer=True,
        shape="list", platforms=TWO, attached=("notation",),
    ),
    Release("infra/postgres", ("16.8",), "2026-03-16T05:00:00", _DEBIAN_JANUARY, shape="index", platforms=TWO),
    Release(
        "infra/postgres", ("17.4", "17", "latest"), "2026-08-24T05:00:00", _DEBIAN_MAY, newer=True,
        shape="index", platforms=TWO,
    ),
    Release(
        "infra/agent", ("3.1.0", "latest"), "2026-06-29T12:00:00", "3.22.0", shape="index", platforms=WINDOWS
    ),
    Release("lab/odd", ("names",), "2026-04-01T12:00:00"),
    Release("lab/odd", ("zstd",), "2026-04-01T12:00:00"),
    Release("lab/odd", ("plain-tar",), "2026-04-01T12:00:00"),
    Release("lab/odd", ("no-history",), "2026-04-01T12:00:00"),
)  # fmt: skip

ARTIFACTS: Final = (
    Release("charts/cart", ("0.8.0",), "2026-02-04T10:00:00"),
    Release("charts/cart", ("0.9.0",), "2026-05-12T10:00:00"),
    Release("charts/cart", ("1.0.0",), "2026-09-22T10:00:00", attached=("bundle",)),
    Release("charts/cart", ("1.0.0_build.7",), "2026-09-22T16:00:00"),
    Release("ml/sentiment", ("1.0.0",), "2026-03-30T22:10:00"),
    Release("ml/sentiment", ("1.1.0", "latest"), "2026-07-27T22:10:00", attached=("signature",)),
    Release("tools/runbooks", ("2026.05",), "2026-05-29T09:00:00"),
    Release("tools/runbooks", ("2026.10", "latest"), "2026-10-30T09:00:00"),
    Release("wasm/rate-limiter", ("0.2.0",), "2026-04-07T11:00:00"),
    Release("wasm/rate-limiter", ("0.3.0", "latest"), "2026-08-11T11:00:00", attached=("bundle",)),
)
