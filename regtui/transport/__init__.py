"""One HTTP client that speaks registry: auth, retries, redirects, verified streams. The only door to the network."""
