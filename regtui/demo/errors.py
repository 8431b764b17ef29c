"""What can go wrong while the demo is made."""

from __future__ import annotations

from regtui.oci import RegtuiError


class DemoError(RegtuiError):
    """The demo can't be made at this place."""
