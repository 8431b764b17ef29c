"""Packages inside an image: which are installed, by whom, in which layer, and how many bytes are theirs."""
