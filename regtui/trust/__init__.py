"""What vouches for an image: signatures, attestations, SBOMs, scan findings."""
