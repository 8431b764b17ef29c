"""Real images for tests and benchmarks: Debian, apt, pip and npm layers, built once and kept outside the checkout."""
