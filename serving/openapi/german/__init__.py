"""The document with German texts: each English text of the API stands in one of these files beside its German form.

One file for what every resource shares, and one for each resource, named as in serving/routes/. A test tells which
texts have no German form yet, and which stand here without being used.
"""

from serving.openapi.german.catalogue import GERMAN, german_of, in_language, texts

__all__ = ["GERMAN", "german_of", "in_language", "texts"]
