"""The one place that wires things together for the screens and the commands."""

from regtui.session.images import Image, own_platform
from regtui.session.session import KnownRegistry, Session, SessionOptions
from regtui.session.targets import Target, parse_image, parse_repository, parse_target

__all__ = [
    "Image",
    "KnownRegistry",
    "Session",
    "SessionOptions",
    "Target",
    "own_platform",
    "parse_image",
    "parse_repository",
    "parse_target",
]
