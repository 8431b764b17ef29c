"""The screens: each owns its workers and decides what its widgets show."""
