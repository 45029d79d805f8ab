"""One file per page: what it shows, as finished values, from the store and the model; no HTTP, no HTML."""
