"""What `python -m serving` can do: one file for each command, which names its arguments and runs it."""
