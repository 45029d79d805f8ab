"""The figures that marketing and sales meet over: counts in, figures with intervals out. No HTTP and no database."""
