"""What is kept on this disk: settings, the cache by digest, the journal."""
