"""What changes a registry, as screens: plans shown before and after they run, undo, retention, doctor, pull."""
