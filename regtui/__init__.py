"""regtui: explore container registries from a terminal."""

__version__ = "0.1.0"
