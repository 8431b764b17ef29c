"""The places: one contract, one file per kind of registry."""
