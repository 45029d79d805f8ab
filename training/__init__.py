"""History to judged model to bundle. Never imports serving."""
