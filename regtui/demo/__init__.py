"""A sample OCI layout worth looking at, made on the spot without a network."""

from regtui.demo.errors import DemoError
from regtui.demo.layout import DemoSummary, build_demo

__all__ = ["DemoError", "DemoSummary", "build_demo"]
