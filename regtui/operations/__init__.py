"""What changes a registry: plans as values, one executor, the journal's use, undo."""
