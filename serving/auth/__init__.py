"""Who may ask the service for what: keys, roles, how often a key may ask, and when the service refuses to start."""
