"""The Textual app: it wires, screens own workers, widgets own looks."""
