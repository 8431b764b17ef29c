"""A sample OCI layout worth looking at, made on the spot without a network."""
