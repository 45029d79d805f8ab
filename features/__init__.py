"""What a lead is, when each fact is known, what the model sees, and what its answer means."""
