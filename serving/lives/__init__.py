"""The lives of leads, as they are read: the state of one, its history, what changed, and lists of many."""
