"""The Files tab: the tree of an image, what it wastes, one file at a time."""
