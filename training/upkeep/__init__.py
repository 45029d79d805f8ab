"""A champion in use: when recalibration is due, and recalibrating it on outcomes that it has not seen."""
