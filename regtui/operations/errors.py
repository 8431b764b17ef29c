"""What can go wrong when something is to be changed."""

from __future__ import annotations

from regtui.oci.errors import RegtuiError


class OperationError(RegtuiError):
    """A change that can't be planned, run or undone."""


class Refused(OperationError):
    """Refused for safety: read-only, protected, or not confirmed. Commands exit with 4."""


class InvalidPlan(OperationError):
    """The JSON is no plan that regtui can run."""


class Cancelled(OperationError):
    """Broken off because the person said so. What was done stays, and a second run goes on from there."""
