"""The past replayed at rolling origins: what would have been said, and what came of it."""
