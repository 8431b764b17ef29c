"""Who the user is at each host: flags, environment, Docker's and containers' files, helpers, the keyring."""
