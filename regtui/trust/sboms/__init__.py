"""One reader per SBOM format."""
