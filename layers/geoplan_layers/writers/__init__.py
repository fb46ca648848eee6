"""Formats out: what the product writes, one module a format, all with the same call."""
