"""What a repository or a registry stores."""
