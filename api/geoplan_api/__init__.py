"""Ways in: command line, HTTP, settings, store."""
