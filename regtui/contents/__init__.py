"""What is inside an image: layer indexes, file trees, waste, packages, differences."""
