"""Real registries on free loopback ports, and what fills them: for the tests of every folder."""
