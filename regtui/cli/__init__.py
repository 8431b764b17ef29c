"""Commands with human and JSON output over the same session as the screens."""
