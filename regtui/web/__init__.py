"""The explorer in a browser on this machine: textual-serve behind a guard, always read-only."""
