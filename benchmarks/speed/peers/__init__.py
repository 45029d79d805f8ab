"""What the service is compared with: each runs as a process of its own, some in an environment of their own."""
