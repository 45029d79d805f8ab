"""When wins come, with open leads counted for as long as they were watched, and the horizon that follows."""
