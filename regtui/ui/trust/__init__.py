"""Trust and Scan: who vouches for an image, what hangs on it, and what is wrong with it."""
