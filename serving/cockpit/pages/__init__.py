"""One file per page: it reads what was asked, calls a view, and renders. Each has a `router`."""
