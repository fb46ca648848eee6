"""The shipped policy files, one per document."""
