"""What people read about a model: figures and the model card. Draws, computes nothing."""
