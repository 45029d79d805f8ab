"""What a person may ask for: not to be scored any more, and to be erased."""
