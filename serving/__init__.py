"""Bundle to scores that people act on. Never imports training."""
