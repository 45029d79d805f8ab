"""The pages that marketing and sales read together. README.md says how a page comes about."""
