"""Keeps httpx from loading its own command line (click, rich: 60 ms) where those are installed. Import it first."""

from __future__ import annotations

import sys

# None marks a module as not there, which httpx is prepared for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # typeshed knows modules only
