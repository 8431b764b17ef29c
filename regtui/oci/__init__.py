"""The nouns: references, digests, descriptors, manifests, configs. Values and pure functions, no I/O."""

from regtui.oci.config import HistoryEntry, ImageConfig, parse_config
from regtui.oci.descriptor import Descriptor
from regtui.oci.digest import Digest, Verifier
from regtui.oci.errors import (
    DigestMismatch,
    InvalidDigest,
    InvalidManifest,
    InvalidReference,
    RegtuiError,
    SizeMismatch,
    UnsupportedManifest,
)
from regtui.oci.history import LayerStep, join_history
from regtui.oci.manifest import ImageManifest, Index, Manifest, parse_manifest
from regtui.oci.platform import Platform
from regtui.oci.reference import Reference

__all__ = [
    "Descriptor",
    "Digest",
    "DigestMismatch",
    "HistoryEntry",
    "ImageConfig",
    "ImageManifest",
    "Index",
    "InvalidDigest",
    "InvalidManifest",
    "InvalidReference",
    "LayerStep",
    "Manifest",
    "Platform",
    "Reference",
    "RegtuiError",
    "SizeMismatch",
    "UnsupportedManifest",
    "Verifier",
    "join_history",
    "parse_config",
    "parse_manifest",
]
