"""Apps that run in a terminal of their own while they are measured."""
